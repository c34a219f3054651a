package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// States of a queue row. That a delivery is going on is known in memory only.
const (
	stateWaiting = "waiting"
	stateHeld    = "held"    // by an operator, until a retry
	stateDead    = "dead"    // given up, and nobody may be told
	stateCorrupt = "corrupt" // the content is not what was stored
)

// stateTrying is what List says of a row whose delivery is going on.
const stateTrying = "trying"

// headMax is the largest header block that is kept in the queue row, so that
// several copies of a message share its body.
const headMax = 64 << 10

// errAddress refuses what cannot be stored without changing it.
var errAddress = errors.New("queue: address is not clean UTF-8")

// entry is a transfer that is not yet in the queue.
type entry struct {
	t       *msg.Transfer // without its content, which is staged
	size    int64         // of the content
	quiet   bool
	created int64
	pause   time.Duration // before the first try
	owner   string
	head    []byte // sealed
	headCRC uint32 // before
	body    *store.Body
	first   bool // the one of those sharing body that attaches it
}

// job plans an entry that was just committed.
func (q *Queue) job(e *entry) *job {
	now := q.steady()
	return &job{id: e.t.ID, hop: hopKey(e.t.NextHop, e.t.To[0].Domain), size: e.size, due: now.Add(e.pause), born: now, news: q.news(now, false), attempts: e.attempts()}
}

// attempts is how often the message was tried before it came here.
func (e *entry) attempts() int { return min(1, len(e.t.Tried)) }

// pauseBefore is how long the first try waits: the first pause when the next hop has
// put the message off in its own words, else not at all. What it refused is settled at
// once, for its sender is to hear of it; where it did not answer, the plan asks with one
// message for all.
func (q *Queue) pauseBefore(t *msg.Transfer) time.Duration {
	answered := func(r msg.Reply) bool { return r.Code/100 == 4 && !r.Own }
	if len(t.Tried) == 0 || slices.ContainsFunc(t.Tried, func(r msg.Reply) bool { return !answered(r) }) {
		return 0
	}
	return q.o.Backoff(1)
}

// hopKey is what deliveries are counted by: one server, or one domain where MX
// records name the servers.
func hopKey(nextHop, domain string) string {
	if nextHop == "mx" {
		return "mx " + domain
	}
	return nextHop
}

// split makes one transfer per domain where MX records decide, so that a dead
// domain does not hold up the recipients of another.
func split(t *msg.Transfer) []*msg.Transfer {
	if t.NextHop != "mx" {
		return []*msg.Transfer{t}
	}
	var out []*msg.Transfer
	at := map[string]*msg.Transfer{}
	for i, to := range t.To {
		p := at[to.Domain]
		if p == nil {
			c := *t
			c.To, c.Tried = nil, nil
			p = &c
			at[to.Domain] = p
			out = append(out, p)
		}
		p.To = append(p.To, to)
		if len(t.Tried) > 0 {
			p.Tried = append(p.Tried, t.Tried[i])
		}
	}
	return out
}

// stage prepares one transfer. Transfers that end in the same octets (the same
// slice, not only equal ones) share the body.
func (q *Queue) stage(t *msg.Transfer, quiet bool, shared map[*byte]*store.Body) (*entry, error) {
	own := *t
	own.To = append([]msg.Path(nil), t.To...)
	own.Content = nil // large letters to many are made one after the other; none may stay
	e := &entry{t: &own, size: t.Size(), quiet: quiet, created: q.o.Now().UnixMilli(), pause: q.pauseBefore(t)}
	head, body := headAndBody(t.Content)
	if len(body) == 1 && len(body[0]) > 0 {
		if b := shared[&body[0][0]]; b != nil && b.Size == int64(len(body[0])) {
			e.body = b
			q.sealHead(e, head)
			return e, nil
		}
	}
	b, err := q.o.Store.Stage(body...)
	if err != nil {
		return nil, err
	}
	if len(body) == 1 && len(body[0]) > 0 {
		shared[&body[0][0]] = b
	}
	e.body, e.first = b, true
	q.sealHead(e, head)
	return e, nil
}

// sealHead takes the header block. It is sealed for the body that it stands on, which all
// rows made from this one have in common.
func (q *Queue) sealHead(e *entry, head []byte) {
	e.head, e.headCRC = q.o.Store.Seal(headName(e.body.ID), head), store.Checksum(head)
}

func headName(body string) string { return "queue.head " + body }

// headAndBody divides content into what goes into the row and what may be
// shared.
func headAndBody(content [][]byte) (head []byte, body [][]byte) {
	if len(content) < 2 {
		return nil, content
	}
	last := len(content) - 1
	n := 0
	for _, c := range content[:last] {
		n += len(c)
	}
	if n > headMax {
		return nil, content
	}
	for _, c := range content[:last] {
		head = append(head, c...)
	}
	return head, content[last:]
}

func check(t *msg.Transfer) error {
	switch {
	case t.ID == "":
		return errors.New("queue: transfer without an id")
	case t.NextHop == "":
		return fmt.Errorf("queue: %s has no next hop", t.ID)
	case len(t.To) == 0:
		return fmt.Errorf("queue: %s has no recipient", t.ID)
	case t.Fill != nil:
		return fmt.Errorf("queue: %s has not been made ready", t.ID)
	case len(t.Tried) != 0 && len(t.Tried) != len(t.To):
		return fmt.Errorf("queue: %s has %d recipients and %d replies", t.ID, len(t.To), len(t.Tried))
	}
	for _, p := range append([]msg.Path{t.From}, t.To...) {
		if !clean(p.Raw) || !clean(p.Local) || !clean(p.Domain) {
			return fmt.Errorf("%w: %s", errAddress, t.ID)
		}
	}
	return nil
}

// clean tells whether a database text keeps s as it is, and whether an SMTP
// command can carry it.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// insertAll writes the rows of entries, which are the owner's from the start.
func insertAll(ctx context.Context, tx store.Tx, es []*entry, owner string) error {
	for _, e := range es {
		e.owner = owner
		if err := e.insert(ctx, tx); err != nil {
			return fmt.Errorf("queue: %s: %w", e.t.ID, err)
		}
	}
	return nil
}

// insert writes the rows of an entry. Its id gets a suffix when the message has
// another copy in the queue already.
func (e *entry) insert(ctx context.Context, tx store.Tx) error {
	if e.first {
		if err := e.body.Attach(ctx, tx); err != nil {
			return err
		}
	}
	base := e.t.ID
	for n := 2; ; n++ {
		free, err := e.insertRow(ctx, tx)
		if err != nil {
			return err
		}
		if free {
			break
		}
		e.t.ID = fmt.Sprintf("%s-%d", base, n)
	}
	for n, p := range e.t.To {
		var r msg.Reply
		if len(e.t.Tried) > 0 {
			r = e.t.Tried[n]
		}
		if _, err := tx.Exec(ctx, `INSERT INTO queue_rcpt (id, n, rcpt, rcpt_local, rcpt_domain, code, detail, reply) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			e.t.ID, n, p.Raw, p.Local, p.Domain, r.Code, tidy(r.Detail), tidy(r.Text)); err != nil {
			return err
		}
	}
	return nil
}

func (e *entry) insertRow(ctx context.Context, tx store.Tx) (bool, error) {
	t := e.t
	r, err := tx.Exec(ctx, `INSERT INTO queue (id, next_hop, sender, sender_local, sender_domain, smtputf8, eightbit, quiet, warned, state,
			size, created, attempts, next_try, head_crc, head, body, owner, outbound)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $14, $15, $16, NULLIF($17, ''), $18) ON CONFLICT (id) DO NOTHING`,
		t.ID, t.NextHop, t.From.Raw, t.From.Local, t.From.Domain, number(t.SMTPUTF8), number(t.EightBit), number(e.quiet), stateWaiting,
		e.size, e.created, e.attempts(), e.created+e.pause.Milliseconds(), int64(e.headCRC), e.head, e.body.ID, e.owner, number(t.Outbound))
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// number is a truth value as the tables hold it.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
