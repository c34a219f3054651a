package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/pgp"
	"congthu/internal/policy"
	"congthu/internal/queue"
	"congthu/internal/stamp"
	"congthu/internal/store"
)

// sealer takes released messages into the queue. A letter that would have been encrypted or
// signed had it not been held is so now: holding opens no way to send in the clear, and what
// our own senders wrote does not arrive unsigned. One that would have been delivered
// decrypted is opened now, for it lies encrypted in the quarantine: its recipient may have no
// key of his own. What no key opens any more goes as it came.
type sealer struct {
	queue *queue.Queue
	judge *judge
}

// PrepareQuiet implements quarantine.Requeue.
func (s sealer) PrepareQuiet(ctx context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	var out []*msg.Transfer
	for _, t := range ts {
		r, err := s.release(ctx, t)
		if err != nil {
			return nil, err
		}
		sealed, err := r.copies()
		if err != nil {
			return nil, err
		}
		for _, t := range sealed {
			if err := s.judge.signer.Sign(t); err != nil {
				return nil, err
			}
		}
		out = append(out, sealed...)
	}
	return s.queue.PrepareQuiet(ctx, out...)
}

// release is the release of one letter.
type release struct {
	judge  *judge
	policy *policy.Policy
	in     policy.Input
	t      *msg.Transfer
	as     map[bool][]byte // the letter by whether it is opened
}

func (s sealer) release(ctx context.Context, t *msg.Transfer) (*release, error) {
	content := bytes.Join(t.Content, nil)
	m := &msg.Message{ID: t.ID, Raw: content, Envelope: msg.Envelope{From: t.From, To: t.To}, Session: msg.Session{Outbound: t.Outbound}}
	p := s.judge.rules.Get().Policy
	r := &release{judge: s.judge, policy: p, in: s.judge.encryption(m, p.Encrypt), t: t, as: map[bool][]byte{false: content}}
	r.in.Signable = func(d msg.Decision) bool { _, ok := pgp.Canonical(r.as[d.Open]); return ok } // it has its block already
	return r, r.open(ctx)
}

// open opens the letter where the policy delivers such letters decrypted. One whose key is
// locked is not released until that can be told.
func (r *release) open(ctx context.Context) error {
	block, below, ok := stamp.Divide(r.as[false])
	if !ok || r.t.Outbound || r.judge.skips(opens) || !slices.ContainsFunc(r.t.To, r.policy.Decrypt.Delivers) {
		return nil
	}
	m := &msg.Message{ID: r.t.ID, Raw: below, Envelope: msg.Envelope{From: r.t.From, To: r.t.To}, Received: time.Now()}
	m.Root = rootOf(m)
	letters, out := r.judge.open(ctx, m)
	if out.Err != nil {
		why := inBoth(out.Err)
		return refusal{lang.T("chưa thả được: không mở được thư mã hoá để giao bản đã giải mã: "+why.VI, "cannot release yet: the encrypted letter cannot be opened, and it is to be delivered decrypted: "+why.EN)}
	}
	m.Opened = letters
	if i := wholeOf(m); i >= 0 {
		r.in.Opened = r.judge.openedFor(m)
		block = stamp.Decrypted(block, letters[i].Inside)
		r.as[true] = bytes.Join(append([][]byte{block}, r.judge.below(letters[i].Raw)...), nil)
	}
	return nil
}

// copies divides a transfer into one for all who get it as it is, one for all who get it
// opened, and one for each who gets it encrypted.
func (r *release) copies() ([]*msg.Transfer, error) {
	type likeness struct {
		open bool
		by   string // who signs
	}
	var out []*msg.Transfer
	shared := map[likeness]*msg.Transfer{}
	for i, to := range r.t.To {
		d, err := r.decide(to)
		if err != nil {
			return nil, err
		}
		like := likeness{d.Open, d.Sign}
		if o := shared[like]; o != nil && len(d.EncryptTo) == 0 {
			o.To = append(o.To, to)
			continue
		}
		c, err := r.copyFor(to, d, i)
		if err != nil {
			return nil, err
		}
		if len(d.EncryptTo) == 0 {
			shared[like] = c
		}
		out = append(out, c)
	}
	return out, nil
}

// decide says in which form a recipient gets the letter.
func (r *release) decide(to msg.Path) (msg.Decision, error) {
	_, outward, _ := r.judge.routes.Find(r.judge.routes.DomainOf(to))
	d := msg.Decision{Action: msg.Deliver, To: []msg.Path{to}, Open: !outward && r.policy.Opens(r.in, to)}
	d = r.policy.Encrypt.Apply(d, r.in, to, outward)
	if d.Action != msg.Deliver {
		return d, refusal{lang.T("không thả được cho "+to.Raw+": "+obstacle(d), "cannot release for "+to.Raw+": "+obstacle(d))}
	}
	return d, nil
}

func (r *release) copyFor(to msg.Path, d msg.Decision, i int) (*msg.Transfer, error) {
	c := *r.t
	c.To = []msg.Path{to}
	content := r.as[d.Open]
	if d.Open {
		c.ID, c.Content = fmt.Sprintf("%s-o%d", r.t.ID, i), [][]byte{content}
		c.EightBit = c.EightBit || slices.ContainsFunc(content, func(b byte) bool { return b >= 0x80 })
	}
	if len(d.EncryptTo) == 0 && d.Sign == "" {
		return &c, nil
	}
	body, err := r.judge.encrypt(r.in.Message, d, [][]byte{content})
	c.ID, c.Content = fmt.Sprintf("%s-e%d", r.t.ID, i), body
	return &c, err
}

// obstacle says what stands in the way of a release.
func obstacle(d msg.Decision) string {
	if d.Reply.Text != "" {
		return d.Reply.Text
	}
	return d.Reason
}

// refusal is a reason for the operator, in both languages.
type refusal struct{ what lang.Text }

// Error returns the English sentence.
func (r refusal) Error() string { return r.what.EN }

// In returns the sentence in that language.
func (r refusal) In(l lang.Lang) string { return r.what.In(l) }
