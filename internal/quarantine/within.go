package quarantine

import (
	"context"
	"errors"
	"fmt"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Scope tells whether mail of a domain is somebody's to see and to act on.
type Scope func(domain string) bool

// Within is the quarantine as far as somebody may see it: of one agency's reviewer, mail
// that came for its domains, each only as far as it is for them, and mail that it sent
// itself. All else is not there, by list, by id and by act.
type Within struct {
	q       *Quarantine
	scope   Scope  // nil: everything
	address string // if not "": this recipient only
}

// All returns the whole quarantine.
func (q *Quarantine) All() *Within { return &Within{q: q} }

// Within returns the part of the quarantine that lies within a scope.
func (q *Quarantine) Within(s Scope) *Within { return &Within{q: q, scope: s} }

// For returns what is held for one recipient, by the address as msg.Path.Key gives it.
func (q *Quarantine) For(address string) *Within {
	return &Within{q: q, scope: func(string) bool { return false }, address: address}
}

// sees tells whether a message is within the scope as far as it is for that recipient.
func (w *Within) sees(senderDomain string, outbound bool, r rcpt) bool {
	switch {
	case w.address != "":
		return r.key == w.address
	case w.scope == nil:
		return true
	}
	return outbound && w.scope(senderDomain) || w.scope(r.domain)
}

// state tells whether a message is held for somebody, or (deleted) was and can still be
// had back.
func (q *Quarantine) state(r rcpt, deleted bool) bool {
	if !deleted {
		return r.gone == 0
	}
	return r.gone > q.surely().Add(-q.o.Undo).UnixMilli()
}

// List returns held messages within the scope, newest first.
func (w *Within) List(ctx context.Context, f Filter) ([]Item, error) {
	p, err := w.Page(ctx, f)
	return p.Items, err
}

// Show returns a held message and its octets, or ErrNotFound. Of one that is released
// between two looks the octets are gone first: the second look tells.
func (w *Within) Show(ctx context.Context, id string) (i Item, raw []byte, err error) {
	for range 2 {
		if i, err = w.Item(ctx, id); err != nil {
			return i, nil, err
		}
		if raw, err = w.q.o.Store.Body(ctx, i.raw); !errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	return i, raw, err
}

// Item returns a held message without its octets, or ErrNotFound.
func (w *Within) Item(ctx context.Context, id string) (Item, error) {
	i, err := w.q.show(ctx, id)
	if err != nil {
		return i, err
	}
	if !i.only(w, false) {
		return Item{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return i, nil
}

// Act is who does something, and what is to commit together with it.
type Act struct {
	Actor string
	// Person and Token say more of the actor, for an approval: see Approval.
	Person, Token string
	// Other tells whether an approval is by somebody else; nil compares the names alone.
	Other func(Approval) bool
	// Second asks for somebody else's Approve before a release.
	Second bool
	// Record returns what commits together with the act; to are those whom it is for. nil: nothing.
	Record func(to []msg.Path) []*store.Change
	// With commits together with the act, or neither does; nil: nothing.
	With *store.Change
}

// with returns what commits together: what is done, and the record of it.
func (a Act) with(to []msg.Path, changes ...*store.Change) []*store.Change {
	if a.Record != nil {
		changes = append(changes, a.Record(to)...)
	}
	if a.With != nil {
		changes = append(changes, a.With)
	}
	return changes
}

func raws(ps []msg.Path) []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.Raw
	}
	return out
}

// Release releases to the recipients named that are within the scope, or to all that are.
func (w *Within) Release(ctx context.Context, id string, to []string, a Act) ([]string, error) {
	return again(func() ([]string, error) { return w.release(ctx, id, to, a) })
}

// again repeats an act while others act on the same message: now they are gone, or fewer.
func again(act func() ([]string, error)) ([]string, error) {
	for {
		if out, err := act(); !errors.Is(err, errChanged) {
			return out, err
		}
	}
}

// find reads a message as far as it is within the scope.
func (w *Within) find(ctx context.Context, id string, deleted bool) (*held, error) {
	h, err := w.q.read(ctx, id)
	if err != nil {
		return nil, err
	}
	h.limit(func(a addressee) bool {
		return w.q.state(a.rcpt, deleted) && w.sees(h.t.From.Domain, h.t.Outbound, a.rcpt)
	})
	if len(h.t.To) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return h, nil
}

// Delete removes a held message for the recipients within the scope; it stays for others.
// Where there is time to undo it is out of sight until that is over, and then gone.
func (w *Within) Delete(ctx context.Context, id string, a Act) ([]string, error) {
	return again(func() ([]string, error) { return w.delete(ctx, id, a) })
}

func (w *Within) delete(ctx context.Context, id string, a Act) ([]string, error) {
	h, err := w.find(ctx, id, false)
	if err != nil {
		return nil, err
	}
	out := &store.Change{Apply: func(ctx context.Context, tx store.Tx) error {
		if w.q.o.Undo <= 0 {
			return w.q.takeOut(ctx, tx, id, h)
		}
		return w.q.mark(ctx, tx, id, h, 0, w.q.o.Now().UnixMilli())
	}}
	if err := w.q.o.Store.Commit(ctx, a.with(h.t.To, out)...); err != nil {
		return nil, fmt.Errorf("quarantine: delete %s: %w", id, err)
	}
	w.q.tell("deleted", "deleted from quarantine", id, a.Actor, h.t.To)
	return raws(h.t.To), nil
}

// Undo takes a deletion back, for the recipients within the scope.
func (w *Within) Undo(ctx context.Context, id string, a Act) ([]string, error) {
	return again(func() ([]string, error) { return w.undo(ctx, id, a) })
}

func (w *Within) undo(ctx context.Context, id string, a Act) ([]string, error) {
	h, err := w.find(ctx, id, true)
	if err != nil {
		return nil, err
	}
	back := &store.Change{Apply: func(ctx context.Context, tx store.Tx) error { return w.q.mark(ctx, tx, id, h, 1, 0) }}
	if err := w.q.o.Store.Commit(ctx, a.with(h.t.To, back)...); err != nil {
		return nil, fmt.Errorf("quarantine: undo %s: %w", id, err)
	}
	w.q.tell("undeleted", "deletion taken back", id, a.Actor, h.t.To)
	return raws(h.t.To), nil
}

// mark sets when the message was deleted for those in h, of whom it was before (least 1),
// or was not (least 0).
func (q *Quarantine) mark(ctx context.Context, tx store.Tx, id string, h *held, least int, at int64) error {
	if err := q.same(ctx, tx, id, h); err != nil {
		return err
	}
	for _, n := range h.ns {
		r, err := tx.Exec(ctx, `UPDATE quarantine_rcpt SET gone = $1 WHERE id = $2 AND n = $3 AND (gone > 0) = ($4 > 0)`, at, id, n, least)
		if err != nil {
			return err
		}
		if k, err := r.RowsAffected(); err != nil || k != 1 {
			return errors.Join(err, errChanged)
		}
	}
	return q.changed(ctx, tx, id)
}

// tell logs an act and tells of it, once for each address.
func (q *Quarantine) tell(event, text, id, actor string, to []msg.Path) {
	for _, p := range to {
		q.o.Log.Info(text, "id", id, "to", p.Raw, "actor", actor)
		q.o.Event(event, id, actor, p.Raw)
	}
}
