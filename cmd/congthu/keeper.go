package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"congthu/internal/lang"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
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

// noSpace says a full store in the words of the pipeline.
func noSpace(err error) error {
	if errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", pipeline.ErrNoSpace, err)
	}
	return err
}

func (k keeper) prepare(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []pipeline.Hold) ([]*store.Change, error) {
	var changes []*store.Change
	if len(transfers) > 0 {
		prepare := k.queue.Prepare
		if !answerable(m) {
			prepare = k.queue.PrepareQuiet
		}
		c, err := prepare(ctx, transfers...)
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
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
	in := policy.Input{Keys: map[string]string{}, Protected: pgp.Protection(mimetree.Parse(content, mimetree.DefaultLimits()))}
	open := *t
	open.To = nil
	var out []*msg.Transfer
	for i, to := range t.To {
		if k, ok := s.judge.keys.Lookup(to.Key()); ok {
			in.Keys[to.Key()] = k.Fingerprint
		}
		d := s.judge.rules.Get().Policy.Encrypt.Apply(msg.Decision{Action: msg.Deliver}, in, to)
		switch {
		case d.Action != msg.Deliver:
			return nil, refusal{lang.T("không thả được cho "+to.Raw+": "+d.Reply.Text, "cannot release for "+to.Raw+": "+d.Reply.Text)}
		case len(d.EncryptTo) == 0:
			open.To = append(open.To, to)
		default:
			sealed, err := s.judge.keys.Encrypt(content, d.EncryptTo)
			if err != nil {
				return nil, err
			}
			c := *t
			c.ID, c.To, c.Content = fmt.Sprintf("%s-e%d", t.ID, i), []msg.Path{to}, [][]byte{sealed}
			out = append(out, &c)
		}
	}
	if len(open.To) > 0 {
		out = append(out, &open)
	}
	return out, nil
}

// refusal is a reason for the operator, in both languages.
type refusal struct{ what lang.Text }

// Error returns the English sentence.
func (r refusal) Error() string { return r.what.EN }

// In returns the sentence in that language.
func (r refusal) In(l lang.Lang) string { return r.what.In(l) }
