package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"congthu/internal/config"
	"congthu/internal/inspect/classify"
	"congthu/internal/labelled"
	"congthu/internal/lang"
	"congthu/internal/learn"
	"congthu/internal/lessons"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/rules"
	"congthu/internal/stamp"
	"congthu/internal/store"
	"congthu/internal/text"
)

// modelFile is the classifier's starting model.
func modelFile(c *config.Config) string { return filepath.Join(c.RulesDir, "model", "start.model") }

// startingModel reads the model that lessons are added to. A site that has none begins
// with one that knows nothing, and says so.
func startingModel(c *config.Config, log *slog.Logger) (*learn.Model, error) {
	name := modelFile(c)
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		log.Warn("there is no starting model: the classifier knows only what this site teaches it", "file", name)
		return learn.New(), nil
	}
	return readModel(name)
}

// newLessons makes the classifier, without what it was taught: that is in the store.
func (j *judge) newLessons(log *slog.Logger) error {
	base := func() (*learn.Model, error) {
		if j.skips("classify") {
			return learn.New(), nil
		}
		return startingModel(j.cfg, log)
	}
	var err error
	j.lessons, err = lessons.Open(lessons.Options{
		Base: base, NewID: newID, Log: log, Now: time.Now,
		PerReporter: j.cfg.Learning.PerReporter, PerDay: j.cfg.Learning.PerDay, Keep: j.cfg.Learning.Keep,
	})
	return err
}

// recalled is recall for a command, which goes on by the starting model, and as if no sender
// were allowed, when what the site has said cannot be read, and says so.
func (a *app) recalled(j *judge) {
	if err := j.recall(a.ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.complain(lang.T("không đọc được điều cổng thư đã học và những người gửi được cho phép; xét theo mô hình ban đầu, như chưa cho phép ai: "+err.Error(), "what the gateway was taught, and whom it allows, cannot be read; judged by the starting model, as if nobody were allowed: "+err.Error()))
	}
}

// recall reads what the running gateway was taught, and whom it allows, for commands that judge beside it. A
// gateway that has never run was taught nothing.
func (j *judge) recall(ctx context.Context) error {
	db, err := store.Open(ctx, store.Options{URL: j.cfg.Store.URL, Dir: j.cfg.DataDir, Key: j.cfg.Store.Key, ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(j.keep(ctx, db), j.lessons.Follow(ctx), db.Close())
}

// classify is the inspector; the model is the same for every rule set.
func (j *judge) classify(s *rules.Set) msg.Inspector {
	return classify.New(classify.Options{Classifier: j.lessons, Trusted: func(m *msg.Message) bool { return proven(m) && j.ofAgency(s, m.Root) }})
}

// proven tells whether the author's domain stands behind the letter: DMARC says so, or SPF
// of that very domain, because many agencies have no DMARC record yet; or the client has
// shown that it is one of ours and may write in that name.
func proven(m *msg.Message) bool {
	author := authorDomain(m.Root)
	passes := func(a msg.AuthResult) bool {
		spf := a.Method == "spf" && a.Property == "smtp.mailfrom" && strings.EqualFold(a.Value[strings.LastIndexByte(a.Value, '@')+1:], author)
		return a.Status == "pass" && (a.Method == "dmarc" || spf)
	}
	return slices.ContainsFunc(m.Auth, passes) || m.Session.Identity.Named() && m.Session.Identity.Owns(author)
}

// ofAgency tells whether the author's domain is ours, that of an agency in the lists, or
// below gov.vn, which only the state can register.
func (j *judge) ofAgency(s *rules.Set, root *msg.Part) bool {
	domain := authorDomain(root)
	if domain == "" {
		return false
	}
	all := append(j.ownDomains(), "gov.vn")
	for _, a := range s.Agencies {
		all = append(all, a.Domains...)
	}
	return slices.ContainsFunc(all, func(d string) bool {
		d = strings.TrimPrefix(d, "*.")
		return domain == d || strings.HasSuffix(domain, "."+d)
	})
}

// authorDomain is the domain of From; "" where it is not one address.
func authorDomain(root *msg.Part) string {
	if root == nil {
		return ""
	}
	list, _ := mimetree.Addresses(root.Get("From"))
	if len(list) != 1 {
		return ""
	}
	return strings.ToLower(list[0].Domain)
}

// agencyWrote tells whether a letter that is taught is of a known agency. It has no session
// any more; what our own Authentication-Results says of it is what is left, and where that
// speaks of failure somebody else wrote the letter.
func (j *judge) agencyWrote(root *msg.Part) bool {
	for _, f := range root.Fields("Authentication-Results") {
		v := strings.ToLower(f.Value)
		if strings.HasPrefix(v, strings.ToLower(j.cfg.Hostname)) && strings.Contains(v, "dmarc=fail") {
			return false
		}
	}
	return j.ofAgency(j.rules.Get(), root)
}

// school teaches letters that come as octets.
type school struct{ *judge }

// Teach implements admin.Lessons.
func (s school) Teach(ctx context.Context, raw []byte, r lessons.Report) (lessons.Lesson, error) {
	return s.teach(ctx, raw, r)
}

// teach teaches a letter that comes as octets.
func (j *judge) teach(ctx context.Context, raw []byte, r lessons.Report) (lessons.Lesson, error) {
	raw = labelled.Wire(raw)
	r.Trusted = j.agencyWrote(mimetree.Parse(raw, mimetree.DefaultLimits()))
	return j.lessons.Teach(ctx, j.asItCame(raw), r)
}

// asItCame is a letter as it is learned: what this gateway itself has written on top is no
// part of what came.
func (j *judge) asItCame(raw []byte) *msg.Message {
	m := &msg.Message{Raw: bytes.Join(stamp.Strip(raw, j.cfg.Hostname), nil)}
	m.Root = mimetree.Parse(m.Raw, mimetree.DefaultLimits())
	m.Text = text.Read(m.Root)
	return m
}

// Undo implements admin.Lessons.
func (s school) Undo(ctx context.Context, id, actor string) error {
	return s.lessons.Undo(ctx, id, actor)
}

// List implements admin.Lessons.
func (s school) List(ctx context.Context, limit int) ([]lessons.Lesson, error) {
	return s.lessons.List(ctx, limit)
}
