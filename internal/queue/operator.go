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

// All stands for every id in Retry and Hold.
const All = "all"

// Entry is one recipient of one queued message, as an operator sees it.
type Entry struct {
	ID        string    `json:"id"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	NextHop   string    `json:"next_hop"`
	Attempts  int       `json:"attempts"`
	NextTry   time.Time `json:"next_try"`
	Created   time.Time `json:"created"`
	LastReply msg.Reply `json:"last_reply"`
	Size      int64     `json:"size"`
	State     string    `json:"state"` // waiting, trying, held, dead or corrupt
}

// List returns up to limit recipients, oldest message first; limit <= 0 returns
// all.
func (q *Queue) List(ctx context.Context, limit int) ([]Entry, error) {
	if limit <= 0 {
		limit = 1 << 31
	}
	var out []Entry
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT q.id, q.sender, r.rcpt, q.next_hop, q.attempts, q.next_try, q.created, r.code, r.detail, r.reply, q.size, q.state
			FROM queue q JOIN queue_rcpt r ON r.id = q.id ORDER BY q.created, q.id, r.n LIMIT $1`, limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			e, err := scanEntry(rows)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("queue: list: %w", err)
	}
	q.markTrying(out)
	return out, nil
}

func scanEntry(rows *sql.Rows) (Entry, error) {
	var e Entry
	var next, created int64
	err := rows.Scan(&e.ID, &e.From, &e.To, &e.NextHop, &e.Attempts, &next, &created, &e.LastReply.Code, &e.LastReply.Detail, &e.LastReply.Text, &e.Size, &e.State)
	e.NextTry, e.Created = time.UnixMilli(next), time.UnixMilli(created)
	return e, err
}

func (q *Queue) markTrying(es []Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range es {
		if j := q.plan.jobs[es[i].ID]; j != nil && j.running && es[i].State == stateWaiting {
			es[i].State = stateTrying
		}
	}
}

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
	n, err := q.change(ctx, `UPDATE queue SET state = $1, next_try = $2 WHERE ($3 = 'all' AND state IN ('waiting', 'held')) OR id = $3`,
		stateWaiting, q.o.Now().UnixMilli(), id)
	if err != nil {
		return 0, err
	}
	one := id
	if id == All {
		one = ""
	}
	jobs, err := q.waiting(ctx, one)
	if err != nil {
		return n, err
	}
	q.mu.Lock()
	for _, j := range jobs {
		if q.running {
			q.plan.add(j)
			q.plan.hurry(j.id, j.due)
		}
	}
	q.mu.Unlock()
	q.nudge()
	return n, nil
}

// Hold keeps a message, or all that wait, from being tried until a Retry. A
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
		err := tx.QueryRow(ctx, `SELECT body FROM queue WHERE id = $1`, id).Scan(&body)
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
