package dmarcreport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"congthu/internal/mailauth/aggregate"
	"congthu/internal/store"
)

// Bounds of the letters that wait to be read, and of what is kept of reports.
const (
	maxLetter   = 4 << 20  // a larger one is no report; the figures of a day compress well
	maxWaiting  = 32 << 20 // in memory, until the next flush
	maxLetters  = 500      // in the store
	maxDaily    = 1000     // taken a day: a stranger may authenticate as himself and flood us
	maxTries    = 3
	keepReports = 400 * 24 * time.Hour
)

// Inbox keeps letters that carry reports of others until a process of their own has
// read them. They were delivered as well: a letter that finds no room here, or is lost
// in a crash within the minute, can be imported from the mailbox.
type Inbox struct {
	Store *store.DB
	Log   *slog.Logger
	Now   func() time.Time

	mu    sync.Mutex
	fresh []Letter
	size  int
	day   Day
	taken int // this day
}

// Letter is a letter that may carry a report.
type Letter struct {
	ID       string
	Content  []byte
	received time.Time
}

// Keep takes a copy of a letter into memory.
func (b *Inbox) Keep(id string, raw []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if today := DayOf(b.Now()); today != b.day {
		b.day, b.taken = today, 0
	}
	if b.taken++; b.taken > maxDaily || len(raw) > maxLetter || b.size+len(raw) > maxWaiting {
		b.Log.Warn("DMARC report not kept for reading: too large or too many", "id", id, "size", len(raw), "today", b.taken)
		return
	}
	b.fresh = append(b.fresh, Letter{id, bytes.Clone(raw), b.Now()})
	b.size += len(raw)
}

// Flush writes the letters to the store.
func (b *Inbox) Flush(ctx context.Context) error {
	b.mu.Lock()
	fresh := b.fresh
	b.fresh, b.size = nil, 0
	b.mu.Unlock()
	for _, l := range fresh {
		if err := b.write(ctx, l); err != nil {
			b.Log.Warn("DMARC report not kept for reading", "id", l.ID, "error", err)
			return err
		}
	}
	return nil
}

func (b *Inbox) write(ctx context.Context, l Letter) error {
	return update(ctx, b.Store, func(tx store.Tx) error {
		var n int64
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM dmarc_letter`).Scan(&n); err != nil || n >= maxLetters {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO dmarc_letter (id, received, size, tries, content) VALUES ($1, $2, $3, 0, $4) ON CONFLICT (id) DO NOTHING`,
			l.ID, l.received.UnixMilli(), len(l.Content), l.Content)
		return err
	})
}

// Next takes the letter to be read next, counting the try, or nil. A letter is given up
// after some tries: what kills its reader each time will not do better.
func (b *Inbox) Next(ctx context.Context) (*Letter, error) {
	var l *Letter
	err := update(ctx, b.Store, func(tx store.Tx) error {
		l = nil
		if _, err := tx.Exec(ctx, `DELETE FROM dmarc_letter WHERE tries >= $1`, maxTries); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT id, content FROM dmarc_letter ORDER BY tries, received LIMIT 1`)
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() {
			return rows.Err()
		}
		l = &Letter{}
		if err := rows.Scan(&l.ID, &l.Content); err != nil {
			return err
		}
		if err := rows.Close(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE dmarc_letter SET tries = tries + 1 WHERE id = $1`, l.ID)
		return err
	})
	return l, err
}

// Forget removes a letter that was read or never can be.
func (b *Inbox) Forget(ctx context.Context, id string) error {
	return update(ctx, b.Store, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM dmarc_letter WHERE id = $1`, id)
		return err
	})
}

// Import stores a report of others. new is false when it was there already: the same
// organisation, domain and report id.
func Import(ctx context.Context, db *store.DB, r *aggregate.Report, now time.Time) (fresh bool, err error) {
	if err := r.Check(); err != nil { // it comes from another process
		return false, err
	}
	policy, err := json.Marshal(r.Policy)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256([]byte(r.Org + "\x00" + r.Policy.Domain + "\x00" + r.ID))
	id := hex.EncodeToString(sum[:16])
	err = update(ctx, db, func(tx store.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO dmarc_report (id, org, name, domain, begins, ends, received, policy) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
			id, r.Org, r.ID, r.Policy.Domain, r.Begin.Unix(), r.End.Unix(), now.Unix(), string(policy))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if fresh = n == 1; err != nil || !fresh {
			return err
		}
		for i, x := range Condense(r).Records {
			if _, err := tx.Exec(ctx, `INSERT INTO dmarc_source (report, n, source, header_from, disposition, dkim, spf, messages) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				id, i, x.Source, x.HeaderFrom, x.Disposition, x.DKIM, x.SPF, x.Messages); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}

// maxSources bounds the rows kept of one report; the rest is added up in the last.
const maxSources = 2000

// others is the source of what was added up. As an address it is impossible.
const others = "*"

// Condense returns the report with what is kept of it: records that say the same of the
// same client added up, the largest first, and a bounded number of them.
func Condense(r *aggregate.Report) *aggregate.Report {
	type kind struct{ source, from, disposition, dkim, spf string }
	at := map[kind]int64{}
	for _, x := range r.Records {
		at[kind{x.Source, x.HeaderFrom, x.Disposition, x.DKIM, x.SPF}] += x.Messages
	}
	out := make([]aggregate.Record, 0, len(at))
	for k, n := range at {
		row := aggregate.Row{Source: k.source, HeaderFrom: k.from, Disposition: k.disposition, DKIM: k.dkim, SPF: k.spf}
		out = append(out, aggregate.Record{Row: row, Messages: n})
	}
	slices.SortFunc(out, func(a, b aggregate.Record) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Source, b.Source), cmp.Compare(a.HeaderFrom, b.HeaderFrom),
			cmp.Compare(a.Disposition+a.DKIM+a.SPF, b.Disposition+b.DKIM+b.SPF))
	})
	if len(out) > maxSources {
		rest := aggregate.Record{Row: aggregate.Row{Source: others}}
		for _, x := range out[maxSources-1:] {
			rest.Messages += x.Messages
		}
		out = append(out[:maxSources-1], rest)
	}
	c := *r
	c.Records = out
	return &c
}

// ExpireReports deletes what is older than anybody asks for.
func ExpireReports(ctx context.Context, db *store.DB, now time.Time) error {
	return update(ctx, db, func(tx store.Tx) error {
		before := now.Add(-keepReports).Unix()
		if _, err := tx.Exec(ctx, `DELETE FROM dmarc_source WHERE report IN (SELECT id FROM dmarc_report WHERE ends < $1)`, before); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM dmarc_report WHERE ends < $1`, before)
		return err
	})
}
