package quarantine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

const columns = `SELECT id, message, sender, sender_domain, next_hop, held, expires, size, facts, raw, class FROM quarantine `

// List returns held messages, newest first.
func (q *Quarantine) List(ctx context.Context, f Filter) ([]Item, error) {
	return q.All().List(ctx, f)
}

// The names that facts and search are sealed for. The id of a held message is not known
// before its row is written, that of its content is.
func factsName(raw string) string  { return "quarantine.facts " + raw }
func searchName(raw string) string { return "quarantine.search " + raw }

// Show returns a held message and its octets as they were received.
func (q *Quarantine) Show(ctx context.Context, id string) (Item, []byte, error) {
	return q.All().Show(ctx, id)
}

// show reads a message that has not expired, with all for whom it is or was held.
func (q *Quarantine) show(ctx context.Context, id string) (item Item, err error) {
	err = q.o.Store.View(ctx, func(tx store.Tx) error {
		is, err := q.items(ctx, tx, columns+`WHERE id = $1 AND expires > $2`, id, q.surely().UnixMilli())
		if err != nil {
			return err
		}
		if len(is) == 0 {
			return sql.ErrNoRows
		}
		item = is[0]
		return nil
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	if err != nil {
		return Item{}, fmt.Errorf("quarantine: show %s: %w", id, err)
	}
	return item, nil
}

func (q *Quarantine) items(ctx context.Context, tx store.Tx, query string, args ...any) ([]Item, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var out []Item
	for rows.Next() {
		i, err := q.scanItem(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for n := range out {
		if err := out[n].recipients(ctx, tx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recipients reads for whom a message is held, and who has agreed to its release.
func (i *Item) recipients(ctx context.Context, tx store.Tx) error {
	rows, err := tx.Query(ctx, `SELECT n, rcpt, rcpt_local, rcpt_domain, gone FROM quarantine_rcpt WHERE id = $1 ORDER BY n`, i.ID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var a addressee
		var local string
		if err := rows.Scan(&a.n, &a.name, &local, &a.domain, &a.gone); err != nil {
			return err
		}
		a.key = msg.Path{Local: local, Domain: a.domain}.Key()
		i.all = append(i.all, a)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	agreed, err := approvals(ctx, tx, i.ID)
	for n := range i.all {
		i.all[n].agreed = agreed[i.all[n].n]
	}
	return err
}

// addressee is somebody for whom a message is held, with the address as it was given.
type addressee struct {
	rcpt
	name   string
	agreed []Approval
}

// only keeps of a message what is within a scope: those for whom it is held there, or was
// until it was deleted. It returns false when that is nobody.
func (i *Item) only(w *Within, deleted bool) bool {
	i.To, i.Approved, i.Deleted = []string{}, nil, time.Time{}
	for _, a := range i.all {
		if !w.q.state(a.rcpt, deleted) || !w.sees(i.senderDomain, i.Outbound, a.rcpt) {
			continue
		}
		i.To = append(i.To, a.name)
		for _, x := range a.agreed {
			i.Approved = merge(i.Approved, x.String())
		}
		if deleted {
			i.Deleted = time.UnixMilli(a.gone)
		}
	}
	return len(i.To) > 0
}

func (q *Quarantine) scanItem(rows *sql.Rows) (Item, error) {
	var i Item
	var held, expires int64
	var text, raw string
	if err := rows.Scan(&i.ID, &i.Message, &i.From, &i.senderDomain, &i.NextHop, &held, &expires, &i.Size, &text, &raw, &i.Class); err != nil {
		return i, err
	}
	i.Held, i.Expires, i.raw = time.UnixMilli(held), time.UnixMilli(expires), raw
	f, err := q.readFacts(raw, text)
	if err != nil {
		return i, fmt.Errorf("%s: %w", i.ID, err)
	}
	i.Short = Short(i.ID)
	i.Rule, i.Rules = f.Rule, f.Rules
	i.Subject, i.Reason, i.Score, i.Required = f.Subject, f.Reason, f.Score, f.Required
	i.Findings, i.Blind, i.Auth = orEmpty(f.Findings), f.Blind, orEmpty(f.Auth)
	i.Remote, i.Helo, i.TLS = f.Remote, f.Helo, f.TLS
	i.Outbound, i.Agency, i.Account = f.Outbound, f.Agency, f.Account
	if i.Class == "" { // held before there were classes
		i.Class = ClassOf(i.Reason, i.Findings)
	}
	return i, nil
}

func (q *Quarantine) readFacts(raw, text string) (f facts, err error) {
	if text, err = q.o.Store.UnsealText(factsName(raw), text); err != nil {
		return f, err
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return f, fmt.Errorf("%w: facts: %w", store.ErrCorrupt, err)
	}
	return f, nil
}

// orEmpty keeps null out of the JSON, where a list is promised.
func orEmpty[T msg.Weighed | msg.AuthResult](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
