package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// ErrNotFound says that no message of that id is queued.
var ErrNotFound = errors.New("queue: no such message")

// Detail is one queued message, as an operator sees it.
type Detail struct {
	ID         string      `json:"id"`
	From       string      `json:"from"`
	Recipients []Recipient `json:"recipients"` // those not yet delivered
	NextHop    string      `json:"next_hop"`
	State      string      `json:"state"`
	Attempts   int         `json:"attempts"`
	NextTry    time.Time   `json:"next_try"`
	Created    time.Time   `json:"created"`
	Age        int64       `json:"age_seconds"`
	Expires    time.Time   `json:"expires"` // trying ends; of a dead letter: it is dropped
	Warned     bool        `json:"warned"`  // the sender was told of the delay
	Quiet      bool        `json:"quiet"`   // the sender is never told of a failure
	SMTPUTF8   bool        `json:"smtputf8"`
	Size       int64       `json:"size"`
	Header     []string    `json:"header"`            // the fields, unfolded, with what a terminal might obey made visible
	Damaged    string      `json:"damaged,omitempty"` // why the header cannot be shown
}

// Recipient is one recipient that is not yet delivered to.
type Recipient struct {
	Address   string    `json:"address"`
	State     string    `json:"state"`
	LastReply msg.Reply `json:"last_reply"`
}

const shown = `SELECT q.id, q.sender, r.rcpt, q.next_hop, q.attempts, q.next_try, q.created, r.code, r.detail, r.reply, q.size, q.state, q.sender_domain, r.rcpt_domain, q.outbound
	FROM queue q JOIN queue_rcpt r ON r.id = q.id WHERE q.id = $1 ORDER BY r.n`

// Show returns one message, with those of its recipients that the scope sees, or
// ErrNotFound. A damaged one is shown as far as it can be.
func (q *Queue) Show(ctx context.Context, id string, s Scope) (Detail, error) {
	es, err := q.entries(ctx, s, shown, id)
	if err != nil {
		return Detail{}, fmt.Errorf("queue: show %s: %w", id, err)
	}
	if len(es) == 0 {
		return Detail{}, ErrNotFound
	}
	e := es[0]
	d := Detail{ID: e.ID, From: e.From, NextHop: e.NextHop, State: e.State, Attempts: e.Attempts, NextTry: e.NextTry, Created: e.Created, Size: e.Size}
	for _, e := range es {
		d.Recipients = append(d.Recipients, Recipient{e.To, e.State, e.LastReply})
	}
	q.ages(&d)
	return d, q.content(ctx, &d)
}

// ages fills in how old the message is and when its time is over.
func (q *Queue) ages(d *Detail) {
	now := q.o.Now()
	age := max(now.Sub(d.Created), 0)
	q.mu.Lock()
	if j := q.plan.jobs[d.ID]; j != nil {
		age = q.steady().Sub(j.born)
	}
	q.mu.Unlock()
	d.Age, d.Expires = int64(age.Seconds()), now.Add(q.o.Life-age).Truncate(time.Second)
	if d.State == stateDead {
		d.Expires = d.NextTry
	}
}

// content fills in what is not in a list: flags and header.
func (q *Queue) content(ctx context.Context, d *Detail) error {
	var head []byte
	var crc int64
	var id string
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT warned, quiet, smtputf8, head, head_crc, body FROM queue WHERE id = $1`, d.ID).
			Scan(&d.Warned, &d.Quiet, &d.SMTPUTF8, &head, &crc, &id)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound // delivered between two looks
	}
	if err != nil {
		return fmt.Errorf("queue: show %s: %w", d.ID, err)
	}
	body, err := q.o.Store.Body(ctx, id)
	if err == nil {
		head, err = q.o.Store.Unseal(headName(id), head)
	}
	if err == nil && int64(store.Checksum(head)) != crc {
		err = store.ErrCorrupt
	}
	if err != nil {
		d.Damaged = err.Error()
		return nil
	}
	for _, f := range fields([][]byte{head, body}) {
		d.Header = append(d.Header, lang.Safe(strings.TrimSpace(unfold.ReplaceAllString(string(f), " ")), 2000))
	}
	return nil
}

var unfold = regexp.MustCompile(`\r?\n[ \t]*`)
