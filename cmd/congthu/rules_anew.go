package main

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"congthu/internal/inspect"
	"congthu/internal/inspect/auth"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/quarantine"
	"congthu/internal/rules"
	"congthu/internal/simulate"
	"congthu/internal/smtpd"
)

// inspected is a letter that was judged again by the rules to try.
type inspected struct {
	message *msg.Message
	walk    pipeline.Walk
	old     []simulate.Fate
}

// replay says again what authentication has said when the letter came: keys and records
// of that day may be gone.
type replay struct {
	found   []msg.Finding
	results []msg.AuthResult
}

// Name returns "auth".
func (replay) Name() string { return "auth" }

// Inspect returns what was found then.
func (r replay) Inspect(context.Context, *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	return r.found, r.results, nil
}

// again judges a letter by a judge's rules, with the authentication of then.
func (j *judge) again(ctx context.Context, m *msg.Message, then replay) pipeline.Walk {
	p := j.pipeline()
	p.Authenticate = []inspect.Timed{{Inspector: then}}
	return p.Judge(ctx, m)
}

// anew returns the judge by the rules to try; it is built when it is first needed.
func (s *simulation) anew() (*judge, error) {
	if s.judge == nil {
		j, err := judgeBy(s.app.ctx, s.cfg, rules.Use(source(s.cfg), s.set), s.cfg.RulesDir, quiet())
		if err != nil {
			return nil, err
		}
		s.app.recalled(j)
		s.judge = j
	}
	return s.judge, nil
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// inspectHeld judges the held letters again, the newest first, by message id.
func (s *simulation) inspectHeld() (map[string]*inspected, error) {
	out := map[string]*inspected{}
	if !s.cmd.Quarantined {
		return out, nil
	}
	j, err := s.anew()
	if err != nil {
		return nil, err
	}
	q := quarantine.New(quarantine.Options{Store: s.db})
	items, err := q.List(s.app.ctx, quarantine.Filter{Limit: s.cmd.Limit + 1})
	if err != nil {
		return nil, err
	}
	if len(items) > s.cmd.Limit {
		items, s.trial.Open().LeftOut = items[:s.cmd.Limit], len(items)-s.cmd.Limit
	}
	for _, it := range items {
		if _, had := out[it.Message]; had {
			continue // another copy of the same letter
		}
		_, raw, err := q.Show(s.app.ctx, it.ID)
		if err != nil {
			s.trial.Open().NotAnew++
			continue
		}
		m, then := held(it, raw)
		out[it.Message] = &inspected{message: m, walk: j.again(s.app.ctx, m, then), old: heldFates(it)}
	}
	return out, s.app.ctx.Err()
}

// held is a held letter as it came, as far as is kept.
func held(it quarantine.Item, raw []byte) (*msg.Message, replay) {
	m := &msg.Message{ID: it.Message, Received: it.Held, Raw: raw}
	m.Session = msg.Session{Helo: it.Helo, TLS: it.TLS, ESMTP: true, Outbound: it.Outbound, Identity: msg.Identity{Agency: it.Agency, Account: it.Account}}
	m.Session.Remote, _ = netip.ParseAddrPort(it.Remote) // the zero address where none was noted
	m.Envelope.From, _ = smtpd.ParsePath(it.From, true)  // it was accepted once
	for _, to := range it.To {
		if p, err := smtpd.ParsePath(to, true); err == nil {
			m.Envelope.To = append(m.Envelope.To, p)
		}
	}
	then := replay{results: it.Auth}
	for _, f := range it.Findings {
		if slices.Contains(auth.Symbols(), f.Symbol) {
			then.found = append(then.found, f.Finding)
		}
	}
	return m, then
}

func heldFates(it quarantine.Item) []simulate.Fate {
	out := make([]simulate.Fate, len(it.To))
	for i := range out {
		out[i] = simulate.Fate{Action: msg.Quarantine.String(), Score: it.Score, Required: it.Required, Reason: it.Reason}
	}
	return out
}

// Bounds of what --sample reads.
const (
	maxSamples = 10_000
	maxSample  = 50 << 20
)

// judgeSamples judges letters from files by the set in use and by the one to try. Nobody
// knows from where they came, so that authentication is left out on both sides.
func (s *simulation) judgeSamples() error {
	names, err := sampleFiles(s.cmd.Sample)
	if err != nil || len(names) == 0 {
		return err
	}
	j, err := s.anew()
	if err != nil {
		return err
	}
	base, err := s.baseline()
	if err != nil {
		return err
	}
	if base != nil {
		defer base.close()
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return fail(exitNoInput, "không đọc được thư mẫu: %v", "cannot read the sample: %v", err)
		}
		letter := func() *msg.Message {
			return &msg.Message{ID: filepath.Base(name), Raw: normalise(raw), Envelope: msg.Envelope{To: []msg.Path{someone(j.routes)}}, Session: msg.Session{ESMTP: true}}
		}
		var old []simulate.Fate
		if base != nil {
			m := letter()
			old = simulate.Fates(m, base.again(s.app.ctx, m, replay{}).Decisions)
		}
		m := letter()
		s.trial.Judged(m, old, j.again(s.app.ctx, m, replay{}).Decisions)
	}
	return s.app.ctx.Err()
}

// baseline is the judge by the set in use; nil when no gateway has used one here.
func (s *simulation) baseline() (*judge, error) {
	state, err := s.book.State(s.app.ctx)
	if err != nil || state.InUse == "" {
		return nil, err
	}
	files, err := s.book.Files(s.app.ctx, state.InUse)
	if err != nil {
		return nil, nil //nolint:nilerr // too large to be kept: there is nothing to compare with, and the report says so
	}
	dir, err := os.MkdirTemp("", "congthu-rules-*")
	if err != nil {
		return nil, err
	}
	s.done = func() { _ = os.RemoveAll(dir) }
	if err := rules.Files(files).Write(dir); err != nil {
		return nil, err
	}
	c := *s.cfg
	c.RulesDir = dir
	j, err := newJudge(s.app.ctx, &c, quiet())
	if err == nil {
		j.lessons = s.judge.lessons // the model is no rule: both sides judge by the same
	}
	return j, err
}

// sampleFiles lists the files, and those below directories.
func sampleFiles(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		err := filepath.WalkDir(arg, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := e.Info()
			if err == nil && info.Mode().IsRegular() && info.Size() <= maxSample {
				out = append(out, name)
			}
			if len(out) > maxSamples {
				return errTooMany
			}
			return err
		})
		if err != nil {
			return nil, fail(exitNoInput, "không đọc được thư mẫu: %v", "cannot read the samples: %v", err)
		}
	}
	return out, nil
}
