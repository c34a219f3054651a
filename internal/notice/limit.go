package notice

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"congthu/internal/store"
)

// Limited makes a change happen at most so often an hour for an address, counted by all
// gateways of the store together. Beyond that it silently does not happen, and whatever
// commits with it does: the letter that a notice is about must not fail for the notice.
func Limited(c *store.Change, address string, perHour int, now time.Time) *store.Change {
	return when(c, func(ctx context.Context, tx store.Tx) (sql.Result, error) {
		return tx.Exec(ctx, `INSERT INTO notice_count (address, hour, n) VALUES ($1, $2, 1)
			ON CONFLICT (address, hour) DO UPDATE SET n = notice_count.n + 1 WHERE notice_count.n < $3`, address, now.Unix()/3600, perHour)
	})
}

// Once makes a change happen for one letter only, known by its hash: a letter that comes
// again is not answered again.
func Once(c *store.Change, letter string, now time.Time) *store.Change {
	return when(c, func(ctx context.Context, tx store.Tx) (sql.Result, error) {
		return tx.Exec(ctx, `INSERT INTO notice_answered (letter, at) VALUES ($1, $2) ON CONFLICT (letter) DO NOTHING`, letter, now.UnixMilli())
	})
}

// when makes a change happen if a statement has changed a row.
func when(c *store.Change, claim func(context.Context, store.Tx) (sql.Result, error)) *store.Change {
	done := false
	return &store.Change{
		Apply: func(ctx context.Context, tx store.Tx) error {
			done = false // it may be run again
			r, err := claim(ctx, tx)
			if err != nil {
				return fmt.Errorf("notice: %w", err)
			}
			n, err := r.RowsAffected()
			if err != nil || n == 0 {
				return err
			}
			done = true
			return c.Apply(ctx, tx)
		},
		Done: func() {
			if done {
				call(c.Done)
			} else {
				call(c.Undo)
			}
		},
		Undo: func() { call(c.Undo) },
	}
}

func call(f func()) {
	if f != nil {
		f()
	}
}

// kept is how long is remembered which letters were answered: longer than any server tries
// to send one again.
const kept = 30 * 24 * time.Hour

// Expire removes what limits nothing any more.
func Expire(ctx context.Context, db *store.DB, now time.Time) error {
	return db.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM notice_count WHERE hour < $1`, now.Unix()/3600-1); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM notice_answered WHERE at < $1`, now.Add(-kept).UnixMilli())
		return err
	})
}
