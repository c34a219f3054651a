package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"congthu/internal/store"
)

const (
	settled  = 5 * time.Minute // younger rows are left as they are
	small    = maxChunk / 2    // rows with fewer letters are put together
	together = 200             // rows at a time
	expiring = 500             // rows in one transaction: mail is waiting for the writer
)

// Tidy puts small rows together and removes what is too old, or too much.
func (r *Recorder) Tidy(ctx context.Context) error {
	for {
		n, err := r.join(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	return r.expire(ctx)
}

// errRaced says that another gateway has put the same rows together.
var errRaced = errors.New("record: another gateway was first")

// join makes one row of several small ones of one set, and returns how many there were.
func (r *Recorder) join(ctx context.Context) (int, error) {
	var had []chunk
	before := r.o.Now().Add(-settled).UnixMilli()
	err := r.o.Store.View(ctx, func(tx store.Tx) error {
		var set string
		row := tx.QueryRow(ctx, `SELECT rules FROM record WHERE last < $1 AND letters < $2 GROUP BY rules HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC LIMIT 1`, before, small)
		if row.Scan(&set) != nil { // no rows: nothing to do; an error shows in the next query
			set = ""
		}
		var err error
		had, err = chunks(ctx, tx, `SELECT id, first, last, rules, letters, held, deferred, content FROM record
			WHERE rules = $1 AND last < $2 AND letters < $3 ORDER BY last, id LIMIT $4`, set, before, small, together)
		return err
	})
	if err != nil || len(had) < 2 {
		return 0, err
	}
	whole, took, err := merge(r.o.Store, had)
	if err != nil {
		return 0, err
	}
	whole.id = r.o.NewID()
	whole.content = r.o.Store.Seal(sealName(whole.id), whole.content)
	err = r.o.Store.Update(ctx, func(tx store.Tx) error {
		for _, c := range had[:took] {
			if gone, err := remove(ctx, tx, c.id); err != nil || !gone {
				return errors.Join(err, raced(gone))
			}
		}
		return whole.insert(ctx, tx)
	})
	if errors.Is(err, errRaced) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("record: %w", err)
	}
	return len(had), nil
}

func raced(gone bool) error {
	if gone {
		return nil
	}
	return errRaced
}

func remove(ctx context.Context, tx store.Tx, id string) (bool, error) {
	res, err := tx.Exec(ctx, `DELETE FROM record WHERE id = $1`, id)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// merge puts rows together as far as they fit into one, at least two.
func merge(db *store.DB, had []chunk) (whole chunk, took int, err error) {
	whole = chunk{rules: had[0].rules, first: had[0].first, last: had[0].last}
	plain := []byte{form}
	for i, c := range had {
		if i >= 2 && whole.letters+c.letters > maxChunk {
			break
		}
		more, err := c.plain(db)
		if err != nil {
			return whole, 0, err
		}
		if len(more) == 0 || more[0] != form {
			return whole, 0, fmt.Errorf("record: %w: row %s", store.ErrCorrupt, c.id)
		}
		plain = append(plain, more[1:]...)
		whole.first, whole.last = min(whole.first, c.first), max(whole.last, c.last)
		whole.letters += c.letters
		whole.held += c.held
		whole.deferred += c.deferred
		took++
	}
	whole.content, err = pack(plain)
	return whole, took, err
}

// expire removes the rows whose last letter is too old, then the oldest until there are
// no more letters than may be.
func (r *Recorder) expire(ctx context.Context) error {
	limit := r.o.Now().Add(-r.o.Keep).UnixMilli()
	for {
		n, err := r.removeOldest(ctx, limit, expiring)
		if err != nil {
			return err
		}
		if n < expiring {
			break
		}
	}
	for r.o.Letters > 0 {
		over, err := r.over(ctx)
		if err != nil || over <= 0 {
			return err
		}
		if n, err := r.removeOldest(ctx, limitless, 1+int(min(over/maxChunk, expiring))); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

const limitless = int64(1) << 62

// over is how many letters there are too many.
func (r *Recorder) over(ctx context.Context) (n int64, err error) {
	err = r.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(letters), 0) AS BIGINT) FROM record`).Scan(&n)
	})
	return n - r.o.Letters, err
}

// removeOldest removes the oldest rows that ended before the limit.
func (r *Recorder) removeOldest(ctx context.Context, limit int64, rows int) (n int64, err error) {
	err = r.o.Store.Update(ctx, func(tx store.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM record WHERE id IN (SELECT id FROM record WHERE last < $1 ORDER BY last LIMIT $2)`, limit, rows)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
