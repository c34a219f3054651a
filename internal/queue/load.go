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

// errGone says that the row is not waiting any more.
var errGone = errors.New("queue: not waiting")

// loaded is a queue row with its content, on its way to a delivery.
type loaded struct {
	t        *msg.Transfer
	ns       []int64 // numbers of the recipients, parallel to t.To
	body     string
	attempts int
	created  time.Time
	age      time.Duration // by the steady clock
	warned   bool
	quiet    bool
}

// load reads a waiting row. With ErrCorrupt the row is returned without its
// content.
func (q *Queue) load(ctx context.Context, id string) (*loaded, error) {
	l := &loaded{t: &msg.Transfer{ID: id}}
	var head []byte
	var crc int64
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		var err error
		if head, crc, err = l.readRow(ctx, tx); err != nil {
			return err
		}
		return l.readRcpts(ctx, tx)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("queue: %s: %w", id, err)
	}
	if int64(store.Checksum(head)) != crc {
		return l, fmt.Errorf("%w: header block of %s", store.ErrCorrupt, id)
	}
	body, err := q.o.Store.Body(ctx, l.body)
	if err != nil {
		return l, err
	}
	l.t.Content = [][]byte{head, body}
	return l, nil
}

func (l *loaded) readRow(ctx context.Context, tx store.Tx) (head []byte, crc int64, err error) {
	var created int64
	t := l.t
	err = tx.QueryRow(ctx, `SELECT next_hop, sender, sender_local, sender_domain, smtputf8, eightbit, quiet, warned, attempts, created, head_crc, head, body
		FROM queue WHERE id = $1 AND state = $2`, t.ID, stateWaiting).
		Scan(&t.NextHop, &t.From.Raw, &t.From.Local, &t.From.Domain, &t.SMTPUTF8, &t.EightBit, &l.quiet, &l.warned, &l.attempts, &created, &crc, &head, &l.body)
	l.created = time.UnixMilli(created)
	return head, crc, err
}

func (l *loaded) readRcpts(ctx context.Context, tx store.Tx) error {
	rows, err := tx.Query(ctx, `SELECT n, rcpt, rcpt_local, rcpt_domain FROM queue_rcpt WHERE id = $1 ORDER BY n`, l.t.ID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var n int64
		var p msg.Path
		if err := rows.Scan(&n, &p.Raw, &p.Local, &p.Domain); err != nil {
			return err
		}
		l.ns, l.t.To = append(l.ns, n), append(l.t.To, p)
	}
	return rows.Err()
}

// waiting reads the jobs of all waiting rows, or of one. All are due now.
func (q *Queue) waiting(ctx context.Context, id string) ([]*job, error) {
	now := q.steady()
	var out []*job
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, next_hop, size, attempts, warned, created, (SELECT MIN(rcpt_domain) FROM queue_rcpt WHERE queue_rcpt.id = queue.id)
			FROM queue WHERE state = $1 AND ($2 = '' OR id = $2) ORDER BY created`, stateWaiting, id)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var hop string
			var domain sql.NullString
			var created int64
			var warned bool
			j := &job{due: now}
			if err := rows.Scan(&j.id, &hop, &j.size, &j.attempts, &warned, &created, &domain); err != nil {
				return err
			}
			j.born = q.sinceCreated(time.UnixMilli(created))
			j.news = q.news(j.born, warned)
			j.hop = hopKey(hop, domain.String)
			out = append(out, j)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("queue: read the plan: %w", err)
	}
	return out, nil
}
