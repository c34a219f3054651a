package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// errChanged says that somebody else released or deleted at the same moment.
var errChanged = errors.New("quarantine: changed meanwhile")

// held is what a release needs of an item.
type held struct {
	t         msg.Transfer // To has the recipients that are left
	ns        []int64      // numbers of the recipients, parallel to t.To
	all       []addressee  // parallel too
	agreed    map[int64][]Approval
	head, raw string
	skip      int64
}

// Release sends a held message on to the recipients named (all that are left,
// when none is named) and returns them. They move to the queue in one
// transaction. Naming an address it is not held for any more is an error, and
// nothing is released.
func (q *Quarantine) Release(ctx context.Context, id string, to []string, actor string) ([]string, error) {
	return q.All().Release(ctx, id, to, Act{Actor: actor})
}

func (w *Within) release(ctx context.Context, id string, to []string, a Act) ([]string, error) {
	q := w.q
	h, err := w.find(ctx, id, false)
	if err != nil {
		return nil, err
	}
	if err := h.choose(to); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, id)
	}
	if a.Second {
		if err := h.seconded(a); err != nil {
			return nil, fmt.Errorf("%w: %s", err, id)
		}
	}
	if err := h.readContent(ctx, q.o.Store); err != nil {
		return nil, err
	}
	ts, err := q.routed(&h.t)
	if err != nil {
		return nil, err
	}
	in, err := q.o.Requeue.PrepareQuiet(ctx, ts...)
	if err != nil {
		return nil, fmt.Errorf("quarantine: release %s: %w", id, err)
	}
	out := &store.Change{Apply: func(ctx context.Context, tx store.Tx) error { return q.takeOut(ctx, tx, id, h) }}
	if err := q.o.Store.Commit(ctx, a.with(h.t.To, out, in)...); err != nil {
		return nil, fmt.Errorf("quarantine: release %s: %w", id, err)
	}
	q.tell("released", "released from quarantine", id, a.Actor, h.t.To)
	return raws(h.t.To), nil
}

// read reads a held message that has not expired, without its content.
func (q *Quarantine) read(ctx context.Context, id string) (*held, error) {
	h := &held{t: msg.Transfer{ID: id}}
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		t := &h.t
		var about string
		if err := tx.QueryRow(ctx, `SELECT sender, sender_local, sender_domain, smtputf8, eightbit, next_hop, facts, head, skip, raw FROM quarantine WHERE id = $1 AND expires > $2`, id, q.surely().UnixMilli()).
			Scan(&t.From.Raw, &t.From.Local, &t.From.Domain, &t.SMTPUTF8, &t.EightBit, &t.NextHop, &about, &h.head, &h.skip, &h.raw); err != nil {
			return err
		}
		f, err := q.readFacts(h.raw, about)
		if err != nil {
			return err
		}
		t.Outbound = f.Outbound
		if h.agreed, err = approvals(ctx, tx, id); err != nil {
			return err
		}
		return h.readRcpts(ctx, tx)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	if err != nil {
		return nil, fmt.Errorf("quarantine: %s: %w", id, err)
	}
	return h, nil
}

func (h *held) readRcpts(ctx context.Context, tx store.Tx) error {
	rows, err := tx.Query(ctx, `SELECT n, rcpt, rcpt_local, rcpt_domain, gone FROM quarantine_rcpt WHERE id = $1 ORDER BY n`, h.t.ID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var a addressee
		var p msg.Path
		if err := rows.Scan(&a.n, &p.Raw, &p.Local, &p.Domain, &a.gone); err != nil {
			return err
		}
		a.name, a.key, a.domain = p.Raw, p.Key(), p.Domain
		h.ns, h.t.To, h.all = append(h.ns, a.n), append(h.t.To, p), append(h.all, a)
	}
	return rows.Err()
}

// limit keeps of the recipients those that are chosen.
func (h *held) limit(keep func(addressee) bool) {
	var ns []int64
	var to []msg.Path
	for i, a := range h.all {
		if keep(a) {
			ns, to = append(ns, h.ns[i]), append(to, h.t.To[i])
		}
	}
	h.ns, h.t.To, h.all = ns, to, nil
}

func (h *held) readContent(ctx context.Context, db *store.DB) error {
	head, err := db.Body(ctx, h.head)
	if err != nil {
		return gone(err)
	}
	raw, err := db.Body(ctx, h.raw)
	if err != nil {
		return gone(err)
	}
	if h.skip < 0 || h.skip > int64(len(raw)) {
		return fmt.Errorf("%w: quarantine %s", store.ErrCorrupt, h.t.ID)
	}
	h.t.Content = [][]byte{head, raw[h.skip:]}
	return nil
}

// gone turns a content that vanished after its row was read, because somebody
// else released it, into a reason to look again.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errChanged
	}
	return err
}

// choose keeps of the recipients those that are named; no name keeps all.
func (h *held) choose(names []string) error {
	if len(names) == 0 {
		return nil
	}
	want := map[string]bool{}
	for _, n := range names {
		want[strings.ToLower(strings.Trim(n, "<> "))] = false
	}
	var ns []int64
	var to []msg.Path
	for i, p := range h.t.To {
		for _, name := range []string{strings.ToLower(p.Raw), p.Key()} {
			if _, ok := want[name]; ok {
				want[name] = true
				ns, to = append(ns, h.ns[i]), append(to, p)
				break
			}
		}
	}
	for name, found := range want {
		if !found {
			return fmt.Errorf("%w: %q", ErrRecipient, name)
		}
	}
	h.ns, h.t.To = ns, to
	return nil
}

// routed returns the transfers: one, unless the message was held without a next
// hop and the recipients' domains have different ones.
func (q *Quarantine) routed(t *msg.Transfer) ([]*msg.Transfer, error) {
	if t.NextHop != "" {
		return []*msg.Transfer{t}, nil
	}
	var out []*msg.Transfer
	at := map[string]*msg.Transfer{}
	for _, to := range t.To {
		hop, ok := "", false
		if q.o.NextHop != nil {
			hop, ok = q.o.NextHop(to.Domain)
		}
		if !ok {
			return nil, fmt.Errorf("%w: %s to %s", ErrNoRoute, t.ID, to.Raw)
		}
		if at[hop] == nil {
			c := *t
			c.NextHop, c.To = hop, nil
			at[hop] = &c
			out = append(out, &c)
		}
		at[hop].To = append(at[hop].To, to)
	}
	return out, nil
}

// takeOut removes the chosen recipients, and the message with the last of them.
// If one is gone already nothing of this happens. Of two who take out different
// recipients the second must see what the first has left, so the message is locked.
func (q *Quarantine) takeOut(ctx context.Context, tx store.Tx, id string, h *held) error {
	if err := q.same(ctx, tx, id, h); err != nil {
		return err
	}
	for _, n := range h.ns {
		r, err := tx.Exec(ctx, `DELETE FROM quarantine_rcpt WHERE id = $1 AND n = $2 AND gone = 0`, id, n)
		if err != nil {
			return err
		}
		if k, err := r.RowsAffected(); err != nil || k != 1 {
			return errors.Join(err, errChanged)
		}
	}
	if err := q.changed(ctx, tx, id); err != nil {
		return err
	}
	return q.removeEmpty(ctx, tx, id)
}

// same locks the message and tells whether it is still the one that was read.
func (q *Quarantine) same(ctx context.Context, tx store.Tx, id string, h *held) error {
	err := tx.QueryRow(ctx, `SELECT 1 FROM quarantine WHERE id = $1 AND raw = $2 {lock}`, id, h.raw).Scan(new(int))
	if errors.Is(err, sql.ErrNoRows) {
		return errChanged
	}
	return err
}

// removeEmpty removes a message that is held for nobody any more.
func (q *Quarantine) removeEmpty(ctx context.Context, tx store.Tx, id string) error {
	var left int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM quarantine_rcpt WHERE id = $1`, id).Scan(&left); err != nil || left > 0 {
		return err
	}
	_, err := q.remove(ctx, tx, id)
	return err
}
