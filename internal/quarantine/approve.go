package quarantine

import (
	"context"
	"fmt"
	"slices"

	"congthu/internal/store"
)

// Approve notes that somebody agrees to the release of a message, for the recipients
// within the scope. Doing so twice is doing it once.
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
			if _, err := tx.Exec(ctx, `INSERT INTO quarantine_approval (id, n, who, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id, n, who) DO NOTHING`,
				id, n, a.Actor, w.q.o.Now().UnixMilli()); err != nil {
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

// approvals reads who has agreed, by the number of the recipient.
func approvals(ctx context.Context, tx store.Tx, id string) (map[int64][]string, error) {
	rows, err := tx.Query(ctx, `SELECT n, who FROM quarantine_approval WHERE id = $1 ORDER BY n, at, who`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	out := map[int64][]string{}
	for rows.Next() {
		var n int64
		var who string
		if err := rows.Scan(&n, &who); err != nil {
			return nil, err
		}
		out[n] = append(out[n], who)
	}
	return out, rows.Err()
}

// seconded tells whether somebody else than the actor has agreed, for each of those who
// are to get it.
func (h *held) seconded(actor string) bool {
	for _, n := range h.ns {
		if !slices.ContainsFunc(h.agreed[n], func(who string) bool { return who != actor }) {
			return false
		}
	}
	return true
}

// merge adds to a list what it does not have.
func merge(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
