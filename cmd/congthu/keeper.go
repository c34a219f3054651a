package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/pgp"
	"congthu/internal/pipeline"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/store"
)

// keeper puts queue entries and held messages of one DATA into one transaction, so
// that a 250 stands for all recipients or there is none.
type keeper struct {
	db    *store.DB
	queue *queue.Queue
	held  *quarantine.Quarantine
	post  *post // tells people of what is held
}

// Keep implements pipeline.Keeper.
func (k keeper) Keep(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []pipeline.Hold) error {
	changes, err := k.prepare(ctx, m, transfers, holds)
	if err != nil {
		for _, c := range changes {
			if c.Undo != nil {
				c.Undo()
			}
		}
		return noSpace(err)
	}
	return noSpace(k.db.Commit(ctx, changes...))
}

// large is the size in octets from which the room of a sealed copy is asked back before the
// next is made: the collector alone would let the heap grow to twice its size.
const large = 4 << 20

// noSpace says a full store in the words of the pipeline.
func noSpace(err error) error {
	if errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", pipeline.ErrNoSpace, err)
	}
	return err
}

func (k keeper) prepare(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []pipeline.Hold) ([]*store.Change, error) {
	var changes []*store.Change
	prepare := k.queue.Prepare
	if !answerable(m) {
		prepare = k.queue.PrepareQuiet
	}
	var ready []*msg.Transfer // share their octets
	for _, t := range transfers {
		if t.Fill == nil {
			ready = append(ready, t)
			continue
		}
		if err := t.Ready(); err != nil {
			return changes, err
		}
		c, err := prepare(ctx, t)
		if err != nil {
			return changes, err
		}
		made := t.Size()
		t.Content = nil // staged; the next copy needs the room
		if made > large {
			runtime.GC()
		}
		changes = append(changes, c)
	}
	if len(ready) > 0 {
		c, err := prepare(ctx, ready...)
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
	}
	notices, err := k.post.notices(ctx, m, holds)
	changes = append(changes, notices...)
	if err != nil {
		return changes, err
	}
	for _, h := range holds {
		c, err := k.held.Prepare(ctx, m, h.Decision, h.Content)
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// sealer takes released messages into the queue. A letter that would have been
// encrypted or signed had it not been held is so now: holding opens no way to send in the
// clear, and what our own senders wrote does not arrive unsigned.
type sealer struct {
	queue *queue.Queue
	judge *judge
}

// PrepareQuiet implements quarantine.Requeue.
func (s sealer) PrepareQuiet(ctx context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	var out []*msg.Transfer
	for _, t := range ts {
		sealed, err := s.seal(t)
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

// seal divides a transfer into one for all who get it as it is and one for each who
// gets it encrypted.
func (s sealer) seal(t *msg.Transfer) ([]*msg.Transfer, error) {
	content := bytes.Join(t.Content, nil)
	m := &msg.Message{ID: t.ID, Raw: content, Envelope: msg.Envelope{From: t.From, To: t.To}, Session: msg.Session{Outbound: t.Outbound}}
	e := s.judge.rules.Get().Policy.Encrypt
	in := s.judge.encryption(m, e)
	in.Signable = func(msg.Decision) bool { _, ok := pgp.Canonical(content); return ok } // it has its block already
	var out []*msg.Transfer
	open := map[string]*msg.Transfer{} // by who signs
	for i, to := range t.To {
		_, outward, _ := s.judge.routes.Find(s.judge.routes.DomainOf(to))
		d := e.Apply(msg.Decision{Action: msg.Deliver, To: []msg.Path{to}}, in, to, outward)
		if d.Action != msg.Deliver {
			return nil, refusal{lang.T("không thả được cho "+to.Raw+": "+obstacle(d), "cannot release for "+to.Raw+": "+obstacle(d))}
		}
		if o := open[d.Sign]; o != nil && len(d.EncryptTo) == 0 {
			o.To = append(o.To, to)
			continue
		}
		c := *t
		c.To = []msg.Path{to}
		if len(d.EncryptTo) > 0 || d.Sign != "" {
			body, err := s.judge.encrypt(m, d, [][]byte{content})
			if err != nil {
				return nil, err
			}
			c.ID, c.Content = fmt.Sprintf("%s-e%d", t.ID, i), body
		}
		if len(d.EncryptTo) == 0 {
			open[d.Sign] = &c
		}
		out = append(out, &c)
	}
	return out, nil
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
