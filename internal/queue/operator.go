package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// All stands for every id in Retry, Hold and Release.
const All = "all"

// Depth returns how many messages the queue holds, in whatever state.
func (q *Queue) Depth(ctx context.Context) (int, error) {
	var n int
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM queue`).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("queue: depth: %w", err)
	}
	return n, nil
}

// Retry makes a message due now and returns how many it found. "all" means those
// that wait or are held; a dead or damaged one is tried again only by its id.
func (q *Queue) Retry(ctx context.Context, id string) (int, error) {
	n, err := q.change(ctx, `UPDATE queue SET state = $1, next_try = $2, hurry = CASE WHEN COALESCE(owner, '') = $4 THEN hurry ELSE 1 END
		WHERE ($3 = 'all' AND state IN ('waiting', 'held')) OR id = $3`, stateWaiting, q.o.Now().UnixMilli(), id, q.lease.owner())
	if err != nil {
		return 0, err
	}
	return n, q.replan(ctx, id, func(j *job) {
		q.plan.add(j)
		q.plan.hurry(j.id, j.due)
	})
}

// Release lets held messages, or one of them, wait again for the time that their
// schedule had for them. It returns how many there were.
func (q *Queue) Release(ctx context.Context, id string) (int, error) {
	next, err := q.unhold(ctx, id)
	if err != nil || len(next) == 0 {
		return 0, err
	}
	now := q.o.Now()
	return len(next), q.replan(ctx, id, func(j *job) {
		if at, ok := next[j.id]; ok {
			j.due = j.due.Add(min(max(at.Sub(now), 0), longestPause))
			q.plan.add(j)
		}
	})
}

// longestPause bounds what a schedule can have meant: a next try beyond it was
// written by a clock that was wrong.
const longestPause = 90 * time.Minute

// unhold makes held rows waiting and returns when they are to be tried.
func (q *Queue) unhold(ctx context.Context, id string) (map[string]time.Time, error) {
	next := map[string]time.Time{}
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		if err := heldRows(ctx, tx, id, next); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE queue SET state = $1, hurry = CASE WHEN COALESCE(owner, '') = $4 OR hurry = 1 THEN hurry ELSE 2 END
			WHERE state = $2 AND ($3 = 'all' OR id = $3)`, stateWaiting, stateHeld, id, q.lease.owner())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("queue: release: %w", err)
	}
	return next, nil
}

func heldRows(ctx context.Context, tx store.Tx, id string, next map[string]time.Time) error {
	rows, err := tx.Query(ctx, `SELECT id, next_try FROM queue WHERE state = $1 AND ($2 = 'all' OR id = $2)`, stateHeld, id)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var row string
		var at int64
		if err := rows.Scan(&row, &at); err != nil {
			return err
		}
		next[row] = time.UnixMilli(at)
	}
	return rows.Err()
}

// replan hands the jobs of waiting rows, due now, to plan, which runs under the lock.
func (q *Queue) replan(ctx context.Context, id string, plan func(*job)) error {
	if id == All {
		id = ""
	}
	jobs, err := q.waiting(ctx, id)
	if err != nil {
		return err
	}
	q.mu.Lock()
	if q.running { // else Run will read them from the store
		for _, j := range jobs {
			plan(j)
		}
	}
	q.mu.Unlock()
	q.nudge()
	return nil
}

// Hold keeps a message, or all that wait, from being tried until a Release or Retry. A
// delivery that is going on is not stopped.
func (q *Queue) Hold(ctx context.Context, id string) (int, error) {
	n, err := q.change(ctx, `UPDATE queue SET state = $1 WHERE state = $2 AND ($3 = 'all' OR id = $3)`, stateHeld, stateWaiting, id)
	if err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if id != All {
		q.plan.remove(id)
		return n, nil
	}
	for id := range q.plan.jobs {
		q.plan.remove(id)
	}
	return n, nil
}

func (q *Queue) change(ctx context.Context, query string, args ...any) (int, error) {
	var n int64
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		r, err := tx.Exec(ctx, query, args...)
		if err == nil {
			n, err = r.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("queue: %w", err)
	}
	return int(n), nil
}

// Drop removes a message for good: nothing is delivered, nobody is told. It
// returns 0 when there is no such message.
func (q *Queue) Drop(ctx context.Context, id string) (int, error) {
	var to []msg.Path
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		var body string
		err := tx.QueryRow(ctx, `SELECT body FROM queue WHERE id = $1 {lock}`, id).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		l := loaded{t: &msg.Transfer{ID: id}}
		if err := l.readRcpts(ctx, tx); err != nil {
			return err
		}
		to = l.t.To
		return removeRow(ctx, q.o.Store, tx, id, body)
	})
	if err != nil {
		return 0, fmt.Errorf("queue: drop %s: %w", id, err)
	}
	if to == nil {
		return 0, nil
	}
	q.mu.Lock()
	q.plan.remove(id)
	q.mu.Unlock()
	for _, p := range to {
		q.o.Event("dropped", id, p, msg.Reply{})
	}
	return 1, nil
}

// bury drops the dead letters that no operator wanted.
func (q *Queue) bury(ctx context.Context) {
	ids, err := q.buried(ctx)
	if err != nil {
		q.o.Log.Error("queue: cannot look for old dead letters", "error", err)
	}
	for _, id := range ids {
		if _, err := q.Drop(ctx, id); err != nil {
			q.o.Log.Error("queue: cannot drop an old dead letter", "id", id, "error", err)
			return
		}
	}
}

func (q *Queue) buried(ctx context.Context) (ids []string, err error) {
	err = q.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM queue WHERE state = $1 AND next_try <= $2`, stateDead, q.surely().UnixMilli())
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}
