package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/smtpd"
	"congthu/internal/store"
)

// told is a notice that is to be written about one letter.
type told struct {
	to      msg.Path
	hop     string
	text    string
	id      string // of the notice
	answers bool   // it goes to the writer of the letter
	about   notice.Letter
}

// notices tells people, in the commit that holds or strips their letter, that this is so.
// Nobody is told who may not be who it says, nor of a letter that a machine has written
// (RFC 3834 section 2): such answers go in circles, and a notice of another gateway is such
// a letter. A notice too many is not sent, and never keeps a letter from being held.
func (p *post) notices(ctx context.Context, m *msg.Message, holds []pipeline.Hold) ([]*store.Change, error) {
	if p == nil || len(holds) == 0 || notice.Automatic(m.Envelope.From, rootOf(m)) {
		return nil, nil
	}
	secret := slices.ContainsFunc(holds, func(h pipeline.Hold) bool { return p.g.judge.hushed(m, h.Decision.Reason, h.Decision.Why.Counted) })
	var out []*store.Change
	for _, t := range append(p.toSender(m, holds), p.toRecipients(m, holds)...) {
		if secret { // what must be encrypted for one is not said in the clear to another
			t.about.Subject = "…"
		}
		c, err := p.prepare(ctx, m, t)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// hushed tells whether the subject of a letter is not said in the clear: to one of its
// recipients it goes encrypted with its subject hidden, or it waits for a key, whatever else
// it is held for.
func (j *judge) hushed(m *msg.Message, reason string, counted []msg.Weighed) bool {
	if policy.Encryption(reason) || slices.ContainsFunc(counted, func(w msg.Weighed) bool { return policy.Encryption(w.Symbol) }) {
		return true
	}
	e := j.rules.For(m).Policy.Encrypt
	in := j.encryption(m, e)
	return slices.ContainsFunc(m.Envelope.To, func(to msg.Path) bool {
		_, outward, _ := j.routes.Find(j.routes.DomainOf(to))
		return e.Hushes(in, to, outward)
	})
}

// hushedItem is hushed of what is held: by the policy of today, for those that it is held for.
func (j *judge) hushedItem(it quarantine.Item) bool {
	m := &msg.Message{Session: msg.Session{Outbound: it.Outbound}, Root: &msg.Part{Header: []msg.Field{{Name: "Subject", Value: it.Subject}}}}
	m.Envelope.From, _ = smtpd.ParsePath(it.From, true) // an address that is none fits no rule
	for _, to := range it.To {
		if path, err := smtpd.ParsePath(to, true); err == nil {
			m.Envelope.To = append(m.Envelope.To, path)
		}
	}
	return j.hushed(m, it.Reason, it.Findings)
}

// between is what a digest tells of. It goes in the clear.
func (p *post) between(ctx context.Context, after, until time.Time, last *quarantine.Item, limit int) ([]quarantine.Item, error) {
	items, err := p.g.held.Between(ctx, after, until, last, limit)
	for i := range items {
		if p.g.judge.hushedItem(items[i]) {
			items[i].Subject = "…"
		}
	}
	return items, err
}

// prepare writes and queues a notice, if there may be one more this hour.
func (p *post) prepare(ctx context.Context, m *msg.Message, t told) (*store.Change, error) {
	now := time.Now()
	letter := notice.Mail{Name: p.g.cfg.Digest.Name, From: p.g.writer(), To: t.to, Host: p.g.cfg.Hostname, ID: t.id, Now: now}
	if t.answers {
		letter.Answers = notice.MessageID(rootOf(m))
	}
	letter.Reply = t.answers
	var err error
	if letter.Subject, letter.Body, err = p.texts.Load().Write(t.text, t.about); err != nil {
		return nil, err
	}
	c, err := quietly{p.g.queue, p.g.judge.signer}.PrepareQuiet(ctx, &msg.Transfer{
		ID: t.id, NextHop: t.hop, To: []msg.Path{t.to}, Outbound: true, SMTPUTF8: m.Envelope.SMTPUTF8, Content: [][]byte{letter.Octets()},
	})
	if err != nil {
		return nil, err
	}
	return notice.Limited(c, t.to.Key(), p.g.cfg.Notice.PerHour, now), nil
}

// kindOf is what a sender is told of a hold; "" nothing. Of a letter that waits for a key
// everybody who is vouched for is told; of others only our own people are.
func (p *post) kindOf(m *msg.Message, h pipeline.Hold) string {
	ours := m.Session.Outbound && p.g.cfg.Notice.Sender && p.g.judge.routes.Local(m.Envelope.From.Domain)
	switch {
	case len(h.Stripped) > 0 && ours:
		return notice.StrippedText
	case len(h.Stripped) > 0:
		return ""
	case policy.Encryption(h.Decision.Reason):
		return notice.WaitingText
	case ours:
		return notice.SenderText
	}
	return ""
}

// toSender gathers what the sender is told: one notice of each kind, whatever the number of
// recipients. It says no word of a letter that must not be read on the way.
func (p *post) toSender(m *msg.Message, holds []pipeline.Hold) []told {
	hop, ok := p.g.hop(m.Envelope.From.Domain)
	if !ok || !answerable(m) {
		return nil
	}
	var out []told
	for _, h := range holds {
		kind := p.kindOf(m, h)
		if kind == "" {
			continue
		}
		i := slices.IndexFunc(out, func(t told) bool { return t.text == kind })
		if i < 0 {
			i = len(out)
			about := p.about(m, h)
			if kind == notice.WaitingText {
				about = notice.Letter{ID: about.ID, Gateway: about.Gateway}
			}
			out = append(out, told{to: m.Envelope.From, hop: hop, text: kind, id: m.ID + "-" + map[string]string{notice.WaitingText: "wait", notice.SenderText: "held", notice.StrippedText: "strip"}[kind], answers: true, about: about})
		}
		for _, to := range h.Decision.To {
			out[i].about.To = append(out[i].about.To, notice.Plain(to.Raw, 320))
		}
	}
	return out
}

// toRecipients gathers who is told that a letter for them is held: themselves, or the
// mailbox of their agency, each once.
func (p *post) toRecipients(m *msg.Message, holds []pipeline.Hold) []told {
	if !p.g.cfg.Notice.Held {
		return nil
	}
	var out []told
	for _, h := range holds {
		if len(h.Stripped) > 0 {
			continue // the copy that they get says so
		}
		for _, to := range h.Decision.To {
			box, ok := p.box(to.Raw)
			hop, routed := p.g.localHop(box.To.Domain)
			if !ok || !routed || slices.ContainsFunc(out, func(t told) bool { return t.to.Key() == box.To.Key() }) {
				continue
			}
			out = append(out, told{to: box.To, hop: hop, text: notice.HeldText, id: fmt.Sprintf("%s-note%d", m.ID, len(out)), about: p.about(m, h)})
		}
	}
	return out
}

// about is what is said of a letter.
func (p *post) about(m *msg.Message, h pipeline.Hold) notice.Letter {
	why := p.g.judge.heldBecause(quarantine.Item{Reason: h.Decision.Reason, Findings: h.Decision.Why.Counted})
	why.VI, why.EN = notice.Plain(why.VI, 400), notice.Plain(why.EN, 400)
	return notice.Letter{
		ID: m.ID, Gateway: notice.Plain(p.g.cfg.Hostname, 255), From: notice.Plain(m.Envelope.From.Raw, 320),
		Subject: notice.Plain(mimetree.DecodeWords(rootOf(m).Get("Subject")), 200), Files: files(m, h), Text: why,
	}
}

// files names the parts that were taken out.
func files(m *msg.Message, h pipeline.Hold) string {
	var out []string
	rootOf(m).Walk(func(part *msg.Part) {
		taken := slices.ContainsFunc(h.Stripped, func(f msg.Finding) bool { return f.Part == part.Path || strings.HasPrefix(f.Part, part.Path+".") })
		if taken && !part.IsMultipart() && part.Filename != "" && !slices.Contains(out, part.Filename) {
			out = append(out, part.Filename)
		}
	})
	return notice.Plain(strings.Join(out, ", "), 400)
}
