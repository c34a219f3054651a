package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"congthu/internal/store"
)

// Expire removes what has been held long enough, and what there is no room for, and
// returns how many that were. Nothing of them is left in the data directory.
func (q *Quarantine) Expire(ctx context.Context) (int, error) {
	n, err := q.expire(ctx)
	if err == nil {
		var more int
		more, err = q.makeRoom(ctx)
		n += more
	}
	if err != nil {
		return n, err
	}
	return n, q.o.Store.Scrub(ctx)
}

func (q *Quarantine) expire(ctx context.Context) (int, error) {
	total := 0
	if err := errors.Join(q.bury(ctx), q.tidyLog(ctx)); err != nil {
		return 0, fmt.Errorf("quarantine: expire: %w", err)
	}
	for {
		ids, err := q.expired(ctx)
		if err != nil {
			return total, fmt.Errorf("quarantine: expire: %w", err)
		}
		for _, id := range ids {
			q.o.Event("expired", id, "", "")
		}
		if total += len(ids); len(ids) < expireBatch {
			return total, nil
		}
	}
}

// expireBatch bounds one transaction of Expire: mail is waiting for the writer.
const expireBatch = 100

func (q *Quarantine) expired(ctx context.Context) (ids []string, err error) {
	err = q.o.Store.Update(ctx, func(tx store.Tx) error {
		var err error
		if ids, err = texts(ctx, tx, `SELECT id FROM quarantine WHERE expires <= $1 ORDER BY expires LIMIT $2 {claim}`, q.surely().UnixMilli(), expireBatch); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := q.remove(ctx, tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}

// surely returns the time of day, or what it would be had nobody set the clock ahead
// since the start: what is deleted by the clock is deleted only when both say so.
func (q *Quarantine) surely() time.Time {
	now, steady := q.o.Now(), q.began.Add(q.o.Steady())
	if steady.UnixMilli() < now.UnixMilli() {
		return steady
	}
	return now
}

// bury removes for good what was deleted so long ago that it cannot be had back.
func (q *Quarantine) bury(ctx context.Context) error {
	for {
		n := 0
		before := q.surely().Add(-q.o.Undo).UnixMilli()
		err := q.o.Store.Update(ctx, func(tx store.Tx) error {
			ids, err := texts(ctx, tx, `SELECT DISTINCT id FROM quarantine_rcpt WHERE gone > 0 AND gone <= $1 LIMIT $2`, before, expireBatch)
			for n = len(ids); err == nil && len(ids) > 0; ids = ids[1:] {
				err = q.buryOne(ctx, tx, ids[0], before)
			}
			return err
		})
		if err != nil || n < expireBatch {
			return err
		}
	}
}

func (q *Quarantine) buryOne(ctx context.Context, tx store.Tx, id string, before int64) error {
	err := tx.QueryRow(ctx, `SELECT 1 FROM quarantine WHERE id = $1 {lock}`, id).Scan(new(int))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	err = q.o.Store.Shred(tx, func() error {
		_, err := tx.Exec(ctx, `DELETE FROM quarantine_rcpt WHERE id = $1 AND gone > 0 AND gone <= $2`, id, before)
		return err
	})
	if err != nil {
		return err
	}
	if err := q.changed(ctx, tx, id); err != nil {
		return err
	}
	return q.removeEmpty(ctx, tx, id)
}
