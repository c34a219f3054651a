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

// Within is the quarantine as far as one agency's reviewer may see it: mail that came for
// its domains, each only as far as it is for them, and mail that it sent itself. All
// else is not there, by list, by id and by act.
type Within struct {
	q     *Quarantine
	scope Scope
}

// Within returns the part of the quarantine that lies within a scope.
func (q *Quarantine) Within(s Scope) *Within { return &Within{q, s} }

// List returns held messages within the scope, newest first.
func (w *Within) List(ctx context.Context, f Filter) ([]Item, error) {
	f.scope = w.scope
	out, err := w.q.List(ctx, f)
	for n := range out {
		out[n].To = w.own(&out[n])
	}
	return out, err
}

// own lists the recipients of an item that are within the scope: all, of what the agency
// sent itself.
func (w *Within) own(i *Item) []string {
	if i.Outbound && w.scope(i.senderDomain) {
		return i.To
	}
	var out []string
	for n, domain := range i.domains {
		if w.scope(domain) {
			out = append(out, i.To[n])
		}
	}
	return out
}

// Show returns a held message and its octets, or ErrNotFound.
func (w *Within) Show(ctx context.Context, id string) (Item, []byte, error) {
	i, raw, err := w.q.Show(ctx, id)
	if err != nil {
		return i, raw, err
	}
	if i.To = w.own(&i); len(i.To) == 0 {
		return Item{}, nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return i, raw, nil
}

// Release releases to the recipients named that are within the scope, or to all that are.
func (w *Within) Release(ctx context.Context, id string, to []string, actor string) ([]string, error) {
	names, err := w.choose(ctx, id, to)
	if err != nil {
		return nil, err
	}
	return w.q.Release(ctx, id, names, actor)
}

// choose returns the names that an act is for. One outside of the scope is as one that
// the message is not held for.
func (w *Within) choose(ctx context.Context, id string, names []string) ([]string, error) {
	h, err := w.q.read(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := h.limit(w.scope); err != nil {
		return nil, fmt.Errorf("%w: %s", err, id)
	}
	if err := h.choose(names); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, id)
	}
	var out []string
	for _, p := range h.t.To {
		out = append(out, p.Raw)
	}
	return out, nil
}

// limit keeps of the recipients those within the scope.
func (h *held) limit(s Scope) error {
	if h.t.Outbound && s(h.t.From.Domain) {
		return nil
	}
	var ns []int64
	var to []msg.Path
	for i, p := range h.t.To {
		if s(p.Domain) {
			ns, to = append(ns, h.ns[i]), append(to, p)
		}
	}
	if len(to) == 0 {
		return ErrNotFound
	}
	h.ns, h.t.To = ns, to
	return nil
}

// Delete removes a held message for the recipients within the scope; it stays for others.
func (w *Within) Delete(ctx context.Context, id, actor string) error {
	for {
		err := w.delete(ctx, id, actor)
		if !errors.Is(err, errChanged) {
			return err
		}
	}
}

func (w *Within) delete(ctx context.Context, id, actor string) error {
	h, err := w.q.read(ctx, id)
	if err != nil {
		return err
	}
	if err := h.limit(w.scope); err != nil {
		return fmt.Errorf("%w: %s", err, id)
	}
	if err := w.q.o.Store.Update(ctx, func(tx store.Tx) error { return w.q.takeOut(ctx, tx, id, h) }); err != nil {
		return fmt.Errorf("quarantine: delete %s: %w", id, err)
	}
	for _, p := range h.t.To {
		w.q.o.Log.Info("deleted from quarantine", "id", id, "to", p.Raw, "actor", actor)
		w.q.o.Event("deleted", id, actor, p.Raw)
	}
	return nil
}
