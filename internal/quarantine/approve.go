package quarantine

import (
	"context"
	"fmt"
	"slices"

	"congthu/internal/store"
)

// Approve notes that somebody agrees to the release of a message, for the recipients
// within the scope. Doing so twice is doing it once: what counts is
// who has the name now.
func (w *Within) Approve(ctx context.Context, id string, a Act) ([]string, error) {
	return again(func() ([]string, error) { return w.approve(ctx, id, a) })
}

func (w *Within) approve(ctx context.Context, id string, a Act) ([]string, error) {
	h, err := w.find(ctx, id, false)
	if err != nil {
		return nil, err
	}
	c := &store.Change{Apply: func(ctx context.Context, tx store.Tx) error {
		if err := w.q.same(ctx, tx, id, h); err != nil {
			return err
		}
		for _, n := range h.ns {
			if _, err := tx.Exec(ctx, `INSERT INTO quarantine_approval (id, n, who, at, person, token) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (id, n, who) DO UPDATE SET at = excluded.at, person = excluded.person, token = excluded.token`,
				id, n, a.Actor, w.q.o.Now().UnixMilli(), a.Person, a.Token); err != nil {
				return err
			}
		}
		return nil
	}}
	if err := w.q.o.Store.Commit(ctx, a.with(h.t.To, c)...); err != nil {
		return nil, fmt.Errorf("quarantine: approve %s: %w", id, err)
	}
	w.q.tell("approved", "release approved", id, a.Actor, h.t.To)
	return raws(h.t.To), nil
}

// Approval is who has agreed to a release: by name, which person that is ("": as the name),
// and by which token ("": none).
type Approval struct{ Who, Person, Token string }

// String is how people are told of it.
func (a Approval) String() string {
	if a.Person == "" || a.Person == a.Who {
		return a.Who
	}
	return a.Who + " (" + a.Person + ")"
}

// approvals reads who has agreed, by the number of the recipient.
func approvals(ctx context.Context, tx store.Tx, id string) (map[int64][]Approval, error) {
	rows, err := tx.Query(ctx, `SELECT n, who, person, token FROM quarantine_approval WHERE id = $1 ORDER BY n, at, who`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	out := map[int64][]Approval{}
	for rows.Next() {
		var n int64
		var a Approval
		if err := rows.Scan(&n, &a.Who, &a.Person, &a.Token); err != nil {
			return nil, err
		}
		out[n] = append(out[n], a)
	}
	return out, rows.Err()
}

// other tells whether an approval is by somebody else than who acts.
func (a Act) other(x Approval) bool {
	if a.Other == nil {
		return x.Who != a.Actor
	}
	return a.Other(x)
}

// seconded returns nil when somebody else than the actor has agreed, for each of those who
// are to get it; ErrSamePerson when nobody has but the actor.
func (h *held) seconded(a Act) error {
	for _, n := range h.ns {
		switch {
		case slices.ContainsFunc(h.agreed[n], a.other):
		case len(h.agreed[n]) > 0:
			return ErrSamePerson
		default:
			return ErrApproval
		}
	}
	return nil
}

// merge adds to a list what is not in it.
func merge(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
