package quarantine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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
}

const columns = `SELECT id, message, sender, next_hop, held, expires, size, facts FROM quarantine `

// List returns held messages, newest first.
func (q *Quarantine) List(ctx context.Context, f Filter) ([]Item, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	since := int64(0)
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	var out []Item
	err := q.o.Store.View(ctx, func(tx store.Tx) (err error) {
		out, err = items(ctx, tx, columns+`WHERE held >= $1 AND search LIKE $2 ESCAPE '!' ORDER BY held DESC, id LIMIT $3 OFFSET $4`,
			since, pattern(f.Text), f.Limit, max(f.Offset, 0))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("quarantine: list: %w", err)
	}
	return out, nil
}

// pattern finds text anywhere; what LIKE would read as a wildcard is literal.
func pattern(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", "\x00", "").Replace(fold(strings.TrimSpace(text))) + "%"
}

// Show returns a held message and its octets as they were received.
func (q *Quarantine) Show(ctx context.Context, id string) (Item, []byte, error) {
	var item Item
	var raw string
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		is, err := items(ctx, tx, columns+`WHERE id = $1`, id)
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

func items(ctx context.Context, tx store.Tx, query string, args ...any) ([]Item, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var out []Item
	for rows.Next() {
		i, err := scanItem(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for n := range out {
		if out[n].To, err = texts(ctx, tx, `SELECT rcpt FROM quarantine_rcpt WHERE id = $1 ORDER BY n`, out[n].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func scanItem(rows *sql.Rows) (Item, error) {
	var i Item
	var held, expires int64
	var text string
	if err := rows.Scan(&i.ID, &i.Message, &i.From, &i.NextHop, &held, &expires, &i.Size, &text); err != nil {
		return i, err
	}
	i.Held, i.Expires = time.UnixMilli(held), time.UnixMilli(expires)
	var f facts
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return i, fmt.Errorf("%w: facts of %s: %w", store.ErrCorrupt, i.ID, err)
	}
	i.Subject, i.Reason, i.Score, i.Required = f.Subject, f.Reason, f.Score, f.Required
	i.Findings, i.Blind, i.Auth = orEmpty(f.Findings), f.Blind, orEmpty(f.Auth)
	i.Remote, i.Helo, i.TLS = f.Remote, f.Helo, f.TLS
	i.Outbound, i.Agency, i.Account = f.Outbound, f.Agency, f.Account
	return i, nil
}

// orEmpty keeps null out of the JSON, where a list is promised.
func orEmpty[T msg.Weighed | msg.AuthResult](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
