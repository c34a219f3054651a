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

// errGone says that the row is not waiting any more, or not ours.
var errGone = errors.New("queue: not waiting")

// loaded is a queue row with its content, on its way to a delivery.
type loaded struct {
	t        *msg.Transfer
	ns       []int64 // numbers of the recipients, parallel to t.To
	body     string
	owner    string // of the row when it was read
	tried    int    // attempts that the row knew of then
	attempts int    // with those in which it was passed over
	created  time.Time
	age      time.Duration // by the steady clock
	warned   bool
	quiet    bool
}

// load reads a waiting row. With ErrCorrupt the row is returned without its
// content.
func (q *Queue) load(ctx context.Context, id string) (*loaded, error) {
	l := &loaded{t: &msg.Transfer{ID: id}, owner: q.lease.owner()}
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
	if head, err = q.o.Store.Unseal(headName(l.body), head); err != nil {
		return l, err
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
		FROM queue WHERE id = $1 AND state = $2 AND COALESCE(owner, '') = $3`, t.ID, stateWaiting, l.owner).
		Scan(&t.NextHop, &t.From.Raw, &t.From.Local, &t.From.Domain, &t.SMTPUTF8, &t.EightBit, &l.quiet, &l.warned, &l.attempts, &created, &crc, &head, &l.body)
	l.created, l.tried = time.UnixMilli(created), l.attempts
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

// jobColumns are what makes a job of a row.
const jobColumns = `id, next_hop, size, attempts, warned, created, (SELECT MIN(rcpt_domain) FROM queue_rcpt WHERE queue_rcpt.id = queue.id)`

// waiting reads the jobs of all waiting rows of ours, or of one. All are due now.
func (q *Queue) waiting(ctx context.Context, id string) (out []*job, err error) {
	err = q.o.Store.View(ctx, func(tx store.Tx) error {
		out, err = q.jobs(ctx, tx, `SELECT `+jobColumns+` FROM queue WHERE state = $1 AND ($2 = '' OR id = $2) AND COALESCE(owner, '') = $3 ORDER BY created`,
			stateWaiting, id, q.lease.owner())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("queue: read the plan: %w", err)
	}
	return out, nil
}

// jobs runs a query that returns jobColumns. All jobs are due now.
func (q *Queue) jobs(ctx context.Context, tx store.Tx, query string, args ...any) ([]*job, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	now := q.steady()
	var out []*job
	for rows.Next() {
		var hop string
		var domain sql.NullString
		var created int64
		var warned bool
		j := &job{due: now}
		if err := rows.Scan(&j.id, &hop, &j.size, &j.attempts, &warned, &created, &domain); err != nil {
			return nil, err
		}
		j.born = q.sinceCreated(time.UnixMilli(created))
		j.news = q.news(j.born, warned)
		j.hop = hopKey(q.routed(hop, domain.String), domain.String)
		out = append(out, j)
	}
	return out, rows.Err()
}
