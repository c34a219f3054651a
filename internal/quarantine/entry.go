package quarantine

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// entry is a held message as far as it is searched for.
type entry struct {
	id, raw      string
	held         int64
	expires      int64
	class        Class
	sender       string // lower case
	senderDomain string
	outbound     bool
	searched
	rcpts []rcpt
}

// rcpt is somebody for whom a message is held, or was until it was deleted.
type rcpt struct {
	n      int64
	key    string // lower case
	domain string
	gone   int64
}

// searched is what is kept, sealed, to be searched for.
type searched struct {
	agency, reason, symbols string
	text                    string // folded
}

// The parts of what is sealed. What was held by a version that had no classes has no mark
// and is text only.
const (
	searchMark = "\x01"
	searchPart = "\x1f"
)

func (s searched) pack() string {
	return searchMark + strings.Join([]string{s.agency, s.reason, s.symbols, s.text}, searchPart)
}

// unpack reads what pack has made; the texts have no separators, because Safe and fold
// leave none.
func unpack(s string) (searched, bool) {
	rest, marked := strings.CutPrefix(s, searchMark)
	p := strings.SplitN(rest, searchPart, 4)
	if !marked || len(p) != 4 {
		return searched{text: withoutRecipients(s)}, false
	}
	return searched{p[0], p[1], p[2], p[3]}, true
}

// withoutRecipients takes out of an old text the line of the recipients; it has one or two
// times the five lines id, sender, recipients, subject and reason.
func withoutRecipients(s string) string {
	lines := strings.Split(s, "\n")
	for i := (len(lines) - 1) / 5 * 5; i >= 0; i -= 5 {
		if i+2 < len(lines) {
			lines = slices.Delete(lines, i+2, i+3)
		}
	}
	return strings.Join(lines, "\n")
}

// symbolsOf joins the symbols of what was found, for has.
func symbolsOf(found []msg.Weighed) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(" " + f.Symbol)
	}
	return b.String() + " "
}

// has tells whether a symbol was found.
func (s searched) has(symbol string) bool {
	return strings.Contains(s.symbols, " "+strings.ToUpper(symbol)+" ") || strings.EqualFold(s.reason, symbol)
}

const entryRows = `SELECT q.id, q.raw, q.held, q.expires, q.class, q.sender, q.sender_domain, q.outbound, q.search, CASE WHEN q.class = '' THEN q.facts ELSE '' END,
		r.n, r.rcpt_local, r.rcpt_domain, r.gone
	FROM quarantine q JOIN quarantine_rcpt r ON r.id = q.id `

// entries reads the rows of a query that begins with entryRows and gives each message to
// visit, until that returns false.
func (q *Quarantine) entries(ctx context.Context, tx store.Tx, visit func(*entry) bool, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var e *entry
	for rows.Next() {
		next, to, err := q.scanEntry(rows, e)
		if err != nil {
			return err
		}
		if e != nil && next != e && !visit(e) {
			return nil
		}
		e = next
		e.rcpts = append(e.rcpts, to)
	}
	if e != nil && rows.Err() == nil {
		visit(e)
	}
	return rows.Err()
}

// scanEntry returns the message of a row, which is the one before when the row is another
// recipient of it.
func (q *Quarantine) scanEntry(rows *sql.Rows, before *entry) (*entry, rcpt, error) {
	var e entry
	var r rcpt
	var search, about, local string
	if err := rows.Scan(&e.id, &e.raw, &e.held, &e.expires, &e.class, &e.sender, &e.senderDomain, &e.outbound, &search, &about, &r.n, &local, &r.domain, &r.gone); err != nil {
		return nil, r, err
	}
	r.key = msg.Path{Local: local, Domain: r.domain}.Key()
	if before != nil && before.id == e.id {
		return before, r, nil
	}
	text, err := q.o.Store.UnsealText(searchName(e.raw), search)
	if err != nil {
		return nil, r, fmt.Errorf("%s: %w", e.id, err)
	}
	e.sender = strings.ToLower(e.sender)
	e.searched, _ = unpack(text)
	if about != "" {
		f, err := q.readFacts(e.raw, about)
		if err != nil {
			return nil, r, fmt.Errorf("%s: %w", e.id, err)
		}
		e.class, e.agency, e.reason, e.symbols = ClassOf(f.Reason, f.Findings), f.Agency, f.Reason, symbolsOf(f.Findings)
	}
	return &e, r, nil
}

// live tells whether a message is still held at a time, for anybody.
func (e *entry) live(now time.Time) bool { return e.expires > now.UnixMilli() }
