package allowance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"congthu/internal/store"
)

// Follow reads the table when something has changed, here or at another gateway.
func (b *Book) Follow(ctx context.Context) error {
	b.follow.Lock()
	defer b.follow.Unlock()
	if b.o.Store == nil {
		return nil
	}
	before := b.known.Load()
	next := &known{turn: before.turn, bySender: before.bySender, n: before.n, at: b.o.Now()}
	err := b.o.Store.View(ctx, func(tx store.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT n FROM allowance_turn`).Scan(&next.turn); err != nil || next.turn == before.turn {
			return err
		}
		list, err := rows(ctx, tx, `WHERE expires > $1 ORDER BY at DESC LIMIT $2`, b.o.Now().UnixMilli(), b.o.Max)
		next.bySender, next.n = map[string][]Allowance{}, len(list)
		for _, a := range list {
			next.bySender[a.Sender] = append(next.bySender[a.Sender], a)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("allowance: %w", err)
	}
	b.known.Store(next)
	return nil
}

// Run keeps memory in step with the store, and the store tidy, until the context ends.
func (b *Book) Run(ctx context.Context) error {
	tick, tidy := time.NewTicker(poll), time.NewTicker(tidyEvery)
	defer tick.Stop()
	defer tidy.Stop()
	b.runs.Store(true)
	var last error
	for {
		err := b.Follow(ctx)
		if err != nil && last == nil && ctx.Err() == nil {
			b.o.Log.Warn("allowed senders cannot be read; those that are known count for a while", "for", staleAfter, "error", err)
		}
		last = err
		select {
		case <-tick.C:
		case <-tidy.C:
			if err := b.Expire(ctx); err != nil && ctx.Err() == nil {
				b.o.Log.Warn("allowed senders are not tidied", "error", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// turn takes a turn: its row is locked until the transaction ends, so that what is counted
// stays true.
func turn(ctx context.Context, tx store.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE allowance_turn SET n = n + 1`)
	return err
}

func (b *Book) insert(ctx context.Context, tx store.Tx, list []Allowance) error {
	if err := turn(ctx, tx); err != nil {
		return err
	}
	for _, a := range list {
		_, err := tx.Exec(ctx, `INSERT INTO allowance (id, sender, rcpt, actor, at, expires, letter) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET actor = excluded.actor, at = excluded.at, expires = excluded.expires, letter = excluded.letter`,
			a.ID, a.Sender, a.For, a.By, a.At.UnixMilli(), a.Until.UnixMilli(), a.Letter)
		if err != nil {
			return fmt.Errorf("allowance: %w", err)
		}
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM allowance WHERE expires > $1`, b.o.Now().UnixMilli()).Scan(&n); err != nil {
		return fmt.Errorf("allowance: %w", err)
	}
	if n > b.o.Max {
		return ErrFull
	}
	return nil
}

// List returns the allowances that have not ended and are for a domain of a scope, by
// sender and recipient.
func (b *Book) List(ctx context.Context, scope func(domain string) bool) ([]Allowance, error) {
	all, err := b.read(ctx, `WHERE expires > $1 ORDER BY sender, rcpt`, b.o.Now().UnixMilli())
	out := []Allowance{}
	for _, a := range all {
		if scope(a.Domain()) {
			out = append(out, a)
		}
	}
	return out, err
}

// Get returns one that has not ended, or ErrNotFound.
func (b *Book) Get(ctx context.Context, id string) (Allowance, error) {
	list, err := b.read(ctx, `WHERE id = $1 AND expires > $2`, id, b.o.Now().UnixMilli())
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Allowance{}, err
	}
	return list[0], nil
}

// Revoke takes one back; the record commits together with that. ErrNotFound when it is gone.
func (b *Book) Revoke(ctx context.Context, a Allowance, record *store.Change) error {
	out := &store.Change{Done: b.see, Apply: func(ctx context.Context, tx store.Tx) error {
		if err := turn(ctx, tx); err != nil {
			return err
		}
		r, err := tx.Exec(ctx, `DELETE FROM allowance WHERE id = $1`, a.ID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	}}
	if err := b.o.Store.Commit(ctx, out, record); err != nil {
		return fmt.Errorf("allowance: revoke %s: %w", a.ID, err)
	}
	return nil
}

// Expire deletes those that have ended.
func (b *Book) Expire(ctx context.Context) error {
	now := b.o.Now().UnixMilli()
	ended, err := b.read(ctx, `WHERE expires <= $1 LIMIT 1`, now)
	if err != nil || len(ended) == 0 {
		return err
	}
	return b.o.Store.Update(ctx, func(tx store.Tx) error {
		if err := turn(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM allowance WHERE expires <= $1`, now)
		return err
	})
}

func (b *Book) read(ctx context.Context, where string, args ...any) (out []Allowance, err error) {
	if b.o.Store == nil {
		return nil, nil
	}
	err = b.o.Store.View(ctx, func(tx store.Tx) error {
		out, err = rows(ctx, tx, where, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("allowance: %w", err)
	}
	return out, nil
}

func rows(ctx context.Context, tx store.Tx, where string, args ...any) (out []Allowance, err error) {
	var r *sql.Rows
	if r, err = tx.Query(ctx, `SELECT id, sender, rcpt, actor, at, expires, letter FROM allowance `+where, args...); err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // Err below tells
	for r.Next() {
		var a Allowance
		var at, until int64
		if err := r.Scan(&a.ID, &a.Sender, &a.For, &a.By, &at, &until, &a.Letter); err != nil {
			return nil, err
		}
		a.At, a.Until = time.UnixMilli(at).UTC(), time.UnixMilli(until).UTC()
		out = append(out, a)
	}
	return out, r.Err()
}
