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

// fate is what an attempt did to one recipient.
type fate struct {
	n     int64
	to    msg.Path
	reply msg.Reply
	event string // delivered, deferred, failed, expired or dead
}

// leaves tells whether the recipient leaves the queue.
func (f fate) leaves() bool {
	return f.event == "delivered" || f.event == "failed" || f.event == "expired"
}

// outcome is what an attempt did, before and while it is recorded.
type outcome struct {
	fates    []fate
	attempts int
	again    time.Time // zero: nothing is left to try
	warned   bool      // the sender is being told of the delay now, or was before
	deadTill time.Time
	notices  []*msg.Transfer
	queued   []*entry // the notices, once recorded
}

func (o *outcome) anyDelivered() bool {
	for _, f := range o.fates {
		if f.event == "delivered" {
			return true
		}
	}
	return false
}

// judge decides what the replies mean. It changes nothing.
func (q *Queue) judge(l *loaded, replies []msg.Reply, now time.Time) *outcome {
	o := &outcome{attempts: l.attempts + 1, warned: l.warned, deadTill: now.Add(q.o.DeadKeep)}
	expired := l.age >= q.o.Life && o.attempts >= q.minAttempts
	hop, mayTell := q.mayTell(l)
	var failed, delayed []fate
	for i, r := range replies {
		f := fate{n: l.ns[i], to: l.t.To[i], reply: r, event: eventOf(r, expired)}
		switch {
		case f.event == "deferred":
			o.again = now.Add(q.o.Backoff(o.attempts))
			delayed = append(delayed, f)
		case f.event == "delivered":
		case mayTell:
			failed = append(failed, f)
		default:
			f.event = "dead"
		}
		o.fates = append(o.fates, f)
	}
	if len(failed) > 0 {
		o.notices = append(o.notices, q.notice(l, hop, actionFailed, failed, o.attempts, now))
	}
	if len(delayed) > 0 && mayTell && !l.warned && q.o.Warn >= 0 && l.age >= q.o.Warn && !automatic(l.t.Content) {
		o.warned = true
		o.notices = append(o.notices, q.notice(l, hop, actionDelayed, delayed, o.attempts, now))
	}
	return o
}

// eventOf reads a reply. Whatever is neither 2xx nor 5xx may pass.
func eventOf(r msg.Reply, expired bool) string {
	switch {
	case r.Positive():
		return "delivered"
	case r.Permanent():
		return "failed"
	case expired:
		return "expired"
	}
	return "deferred"
}

// mayTell returns the route of a notice to the sender, if one may be sent. A
// notice of a notice never is: those have the null sender (RFC 5321 section 6.1).
func (q *Queue) mayTell(l *loaded) (string, bool) {
	if l.t.From.IsNull() || l.quiet || q.o.NextHop == nil {
		return "", false
	}
	if q.o.Notify != nil && !q.o.Notify(l.t) {
		return "", false
	}
	return q.o.NextHop(l.t.From.Domain)
}

// record makes the outcome durable, notices included, in one transaction.
func (q *Queue) record(ctx context.Context, l *loaded, o *outcome) error {
	es, err := q.stageNotices(o.notices)
	if err != nil {
		return err
	}
	var was string
	err = q.o.Store.Update(ctx, func(tx store.Tx) error {
		var err error
		if was, err = l.standing(ctx, tx); err != nil || was != rowAsRead {
			return err
		}
		if err := q.recordFates(ctx, tx, l, o); err != nil {
			return err
		}
		return insertAll(ctx, tx, es, q.lease.owner())
	})
	if err != nil {
		return fmt.Errorf("queue: %s: %w", l.t.ID, err)
	}
	switch was {
	case rowGone:
		o.fates, o.again = nil, time.Time{}
	case rowAsRead:
		o.queued = es
	}
	return nil
}

// What a row is when an outcome is to be recorded.
const (
	rowAsRead   = "as it was read"
	rowRecorded = "has the outcome already" // by a commit whose answer was lost
	rowGone     = "not ours any more"
)

// standing looks at the row that l was read from. The body's name is compared as well:
// an operator may have dropped the row, and another message may have come under its
// id. So is the owner: while we were not heard of another gateway may have claimed it.
func (l *loaded) standing(ctx context.Context, tx store.Tx) (string, error) {
	var attempts int
	err := tx.QueryRow(ctx, `SELECT attempts FROM queue WHERE id = $1 AND body = $2 AND COALESCE(owner, '') = $3 {lock}`, l.t.ID, l.body, l.owner).Scan(&attempts)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return rowGone, nil
	case err != nil:
		return "", err
	case attempts != l.tried:
		return rowRecorded, nil
	}
	return rowAsRead, nil
}

// stageNotices prepares notices. They are small, so nothing is left on disk if
// they are not recorded.
func (q *Queue) stageNotices(ts []*msg.Transfer) ([]*entry, error) {
	var es []*entry
	for _, t := range ts {
		if err := check(t); err != nil {
			return nil, err
		}
		e, err := q.stage(t, false, map[*byte]*store.Body{})
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	return es, nil
}

func (q *Queue) recordFates(ctx context.Context, tx store.Tx, l *loaded, o *outcome) error {
	var dead, left int
	for _, f := range o.fates {
		var err error
		if f.leaves() {
			_, err = tx.Exec(ctx, `DELETE FROM queue_rcpt WHERE id = $1 AND n = $2`, l.t.ID, f.n)
		} else {
			left++
			_, err = tx.Exec(ctx, `UPDATE queue_rcpt SET code = $1, detail = $2, reply = $3 WHERE id = $4 AND n = $5`,
				f.reply.Code, tidy(f.reply.Detail), tidy(f.reply.Text), l.t.ID, f.n)
		}
		if err != nil {
			return err
		}
		if f.event == "dead" {
			dead++
		}
	}
	switch {
	case left == 0:
		return removeRow(ctx, q.o.Store, tx, l.t.ID, l.body)
	case dead == left:
		return o.markDead(ctx, tx, l.t.ID)
	case dead > 0:
		if err := o.splitDead(ctx, tx, l.t.ID); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE queue SET attempts = $1, next_try = $2, warned = $3 WHERE id = $4`, o.attempts, o.again.UnixMilli(), number(o.warned), l.t.ID)
	return err
}

// removeRow deletes a queue row with its recipients, and its body unless others
// share it.
func removeRow(ctx context.Context, db *store.DB, tx store.Tx, id, body string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM queue WHERE id = $1`, id); err != nil {
		return err
	}
	return db.Unref(ctx, tx, body)
}

func (o *outcome) markDead(ctx context.Context, tx store.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE queue SET state = $1, attempts = $2, next_try = $3 WHERE id = $4`, stateDead, o.attempts, o.deadTill.UnixMilli(), id)
	return err
}

// splitDead gives the dead recipients of a row that goes on a row of their own.
func (o *outcome) splitDead(ctx context.Context, tx store.Tx, id string) error {
	for n := 1; ; n++ {
		dead := fmt.Sprintf("%s-dead%d", id, n)
		r, err := tx.Exec(ctx, `INSERT INTO queue (id, next_hop, sender, sender_local, sender_domain, smtputf8, eightbit, quiet, warned, state,
				size, created, attempts, next_try, head_crc, head, body, owner, outbound)
			SELECT $1, next_hop, sender, sender_local, sender_domain, smtputf8, eightbit, quiet, warned, $2,
				size, created, $3, $4, head_crc, head, body, owner, outbound FROM queue WHERE id = $5 ON CONFLICT (id) DO NOTHING`,
			dead, stateDead, o.attempts, o.deadTill.UnixMilli(), id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 1 {
			return o.moveDead(ctx, tx, id, dead)
		}
	}
}

func (o *outcome) moveDead(ctx context.Context, tx store.Tx, from, to string) error {
	for _, f := range o.fates {
		if f.event != "dead" {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE queue_rcpt SET id = $1 WHERE id = $2 AND n = $3`, to, from, f.n); err != nil {
			return err
		}
	}
	return nil
}

// report tells of an outcome that is durable, and plans its notices.
func (q *Queue) report(l *loaded, o *outcome) {
	for _, f := range o.fates {
		if f.reply.Code == 0 {
			q.o.Log.Warn("queue: no answer from the next hop; the message may arrive twice", "id", l.t.ID, "dup_risk", true)
		}
		q.o.Event(f.event, l.t.ID, f.to, f.reply)
	}
	if len(o.queued) > 0 {
		q.queued(o.queued)
	}
	if o.warned && !l.warned {
		q.o.Event("delayed", l.t.ID, l.t.From, msg.Reply{})
	}
}

// setCorrupt takes a damaged row out of the schedule and keeps it.
func (q *Queue) setCorrupt(ctx context.Context, l *loaded) error {
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE queue SET state = $1 WHERE id = $2 AND body = $3 AND COALESCE(owner, '') = $4`, stateCorrupt, l.t.ID, l.body, l.owner)
		return err
	})
	if err != nil {
		return err
	}
	for _, to := range l.t.To {
		q.o.Event("corrupt", l.t.ID, to, msg.Reply{})
	}
	return nil
}
