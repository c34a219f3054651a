package quarantine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Filter says which items List returns. The zero value is all of them.
type Filter struct {
	Text          string    // in id, sender, recipients, subject or reason; without marks it finds marked letters too
	Since         time.Time // held at or after
	Limit, Offset int       // of the list, newest first; Limit 0 is 100

	scope Scope // nil: everything
}

const columns = `SELECT id, message, sender, sender_domain, next_hop, held, expires, size, facts, raw FROM quarantine `

// List returns held messages, newest first.
func (q *Quarantine) List(ctx context.Context, f Filter) ([]Item, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	since := int64(0)
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	f.Offset = max(f.Offset, 0)
	var out []Item
	err := q.o.Store.View(ctx, func(tx store.Tx) (err error) {
		if text := fold(strings.TrimSpace(f.Text)); text != "" || f.scope != nil {
			out, err = q.search(ctx, tx, since, text, f)
			return err
		}
		out, err = q.items(ctx, tx, columns+`WHERE held >= $1 ORDER BY held DESC, id LIMIT $2 OFFSET $3`, since, f.Limit, f.Offset)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("quarantine: list: %w", err)
	}
	return out, nil
}

// search finds text anywhere in what may be searched. That is sealed, so no index of the
// database can help: it is unsealed and read from the newest on.
func (q *Quarantine) search(ctx context.Context, tx store.Tx, since int64, text string, f Filter) (out []Item, err error) {
	ids, err := q.found(ctx, tx, since, text, f)
	if err != nil {
		return nil, err
	}
	for _, id := range ids[min(f.Offset, len(ids)):] {
		is, err := q.items(ctx, tx, columns+`WHERE id = $1`, id)
		if err != nil {
			return nil, err
		}
		out = append(out, is...)
	}
	return out, nil
}

func (q *Quarantine) found(ctx context.Context, tx store.Tx, since int64, text string, f Filter) (ids []string, err error) {
	rows, err := tx.Query(ctx, `SELECT id, raw, search, sender_domain, outbound, domains FROM quarantine WHERE held >= $1 ORDER BY held DESC, id`, since)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for len(ids) < f.Offset+f.Limit && rows.Next() {
		var r searched
		if err := rows.Scan(&r.id, &r.raw, &r.text, &r.sender, &r.outbound, &r.domains); err != nil {
			return nil, err
		}
		ok, err := q.matches(&r, text, f.scope)
		if err != nil {
			return nil, err
		}
		if ok {
			ids = append(ids, r.id)
		}
	}
	return ids, rows.Err()
}

// searched is a row of which is asked whether it is in a list.
type searched struct {
	id, raw, text, sender, domains string
	outbound                       bool
}

func (q *Quarantine) matches(r *searched, text string, s Scope) (bool, error) {
	if s != nil && !(r.outbound && s(r.sender)) && !slices.ContainsFunc(strings.Fields(r.domains), s) {
		return false, nil
	}
	if text == "" {
		return true, nil
	}
	in, err := q.o.Store.UnsealText(searchName(r.raw), r.text)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.id, err)
	}
	return strings.Contains(in, text), nil
}

// The names that facts and search are sealed for. The id of a held message is not known
// before its row is written, that of its content is.
func factsName(raw string) string  { return "quarantine.facts " + raw }
func searchName(raw string) string { return "quarantine.search " + raw }

// Show returns a held message and its octets as they were received.
func (q *Quarantine) Show(ctx context.Context, id string) (Item, []byte, error) {
	var item Item
	var raw string
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		is, err := q.items(ctx, tx, columns+`WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if len(is) == 0 {
			return sql.ErrNoRows
		}
		item = is[0]
		return tx.QueryRow(ctx, `SELECT raw FROM quarantine WHERE id = $1`, id).Scan(&raw)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	if err != nil {
		return Item{}, nil, fmt.Errorf("quarantine: show %s: %w", id, err)
	}
	body, err := q.o.Store.Body(ctx, raw)
	return item, body, err
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

func (i *Item) recipients(ctx context.Context, tx store.Tx) (err error) {
	if i.To, err = texts(ctx, tx, `SELECT rcpt FROM quarantine_rcpt WHERE id = $1 ORDER BY n`, i.ID); err != nil {
		return err
	}
	i.domains, err = texts(ctx, tx, `SELECT rcpt_domain FROM quarantine_rcpt WHERE id = $1 ORDER BY n`, i.ID)
	return err
}

func (q *Quarantine) scanItem(rows *sql.Rows) (Item, error) {
	var i Item
	var held, expires int64
	var text, raw string
	if err := rows.Scan(&i.ID, &i.Message, &i.From, &i.senderDomain, &i.NextHop, &held, &expires, &i.Size, &text, &raw); err != nil {
		return i, err
	}
	i.Held, i.Expires = time.UnixMilli(held), time.UnixMilli(expires)
	f, err := q.readFacts(raw, text)
	if err != nil {
		return i, fmt.Errorf("%s: %w", i.ID, err)
	}
	i.Rule, i.Rules = f.Rule, f.Rules
	i.Subject, i.Reason, i.Score, i.Required = f.Subject, f.Reason, f.Score, f.Required
	i.Findings, i.Blind, i.Auth = orEmpty(f.Findings), f.Blind, orEmpty(f.Auth)
	i.Remote, i.Helo, i.TLS = f.Remote, f.Helo, f.TLS
	i.Outbound, i.Agency, i.Account = f.Outbound, f.Agency, f.Account
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
