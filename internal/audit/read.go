package audit

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"congthu/internal/store"
)

var errNoRows = sql.ErrNoRows

// Filter says which entries List returns. The zero value is the newest of all.
type Filter struct {
	Since  time.Time
	Object string // exactly
	Actor  string // exactly, or the person whose token it is
	Act    string // exactly, or a noun: "quarantine" is all that was done to held mail
	Limit  int    // 0 is 100
	// Show gives an entry as whoever asks may see it, or false; nil: all of it. The limit
	// is of what is shown.
	Show func(Entry) (Entry, bool)
}

// List returns entries, newest first.
func (l *Log) List(ctx context.Context, f Filter) ([]Entry, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	since := int64(0)
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	out := []Entry{}
	err := l.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT entry FROM audit WHERE at >= $1 ORDER BY n DESC`, since)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for len(out) < f.Limit && rows.Next() {
			var text string
			var e Entry
			if err := rows.Scan(&text); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				continue // an altered entry is for Verify to report
			}
			if e, ok := f.shows(e); ok {
				out = append(out, e)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("audit: list: %w", err)
	}
	return out, nil
}

func (f Filter) shows(e Entry) (Entry, bool) {
	noun, _, _ := strings.Cut(e.Act, ".")
	if f.Object != "" && f.Object != e.Object || f.Actor != "" && f.Actor != e.Actor && f.Actor != e.Person || f.Act != "" && f.Act != e.Act && f.Act != noun {
		return e, false
	}
	if f.Show == nil {
		return e, true
	}
	return f.Show(e)
}

// row is an entry as it is exported: the octets that the hash is of, as they are.
type row struct {
	N     int64  `json:"n"`
	Entry string `json:"entry"`
	Hash  string `json:"hash"`
	Seal  string `json:"seal"`
}

// Export writes the chain as JSON, one line an entry, with hashes and marks, the oldest
// first. The first line stands for what was removed before.
func (l *Log) Export(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	if err := l.each(ctx, func(r row) error { return enc.Encode(r) }); err != nil {
		return fmt.Errorf("audit: export: %w", err)
	}
	return out.Flush()
}

// each gives the base and then every entry, in order, of one moment.
func (l *Log) each(ctx context.Context, do func(row) error) error {
	return l.o.Store.View(ctx, func(tx store.Tx) error {
		var base row
		if err := tx.QueryRow(ctx, `SELECT n, hash, seal FROM audit_base WHERE one = 1`).Scan(&base.N, &base.Hash, &base.Seal); err != nil {
			return err
		}
		if err := do(base); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT n, entry, hash, seal FROM audit ORDER BY n`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.N, &r.Entry, &r.Hash, &r.Seal); err != nil {
				return err
			}
			if err := do(r); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
