package record

import (
	"context"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"congthu/internal/store"
)

const (
	maxChunk  = 1000     // letters of a row as it is first written
	maxOctets = 64 << 20 // of a row as it is read; a thousand letters have about 1 MB
)

// chunk is a row of the table.
type chunk struct {
	id                      string
	first, last             int64
	rules                   string
	letters, held, deferred int
	content                 []byte
}

// write makes a row of letters that one set has judged.
func (r *Recorder) write(ctx context.Context, set string, letters []*Letter) error {
	c := chunk{id: r.o.NewID(), rules: set, first: letters[0].At, last: letters[0].At, letters: len(letters)}
	for _, l := range letters {
		c.first, c.last = min(c.first, l.At), max(c.last, l.At)
		if l.held() {
			c.held++
		}
		if l.deferred() {
			c.deferred++
		}
	}
	packed, err := pack(encode(letters))
	if err != nil {
		return err
	}
	c.content = r.o.Store.Seal(sealName(c.id), packed)
	return r.o.Store.Update(ctx, func(tx store.Tx) error { return c.insert(ctx, tx) })
}

func (c chunk) insert(ctx context.Context, tx store.Tx) error {
	_, err := tx.Exec(ctx, `INSERT INTO record (id, first, last, rules, letters, held, deferred, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.id, c.first, c.last, c.rules, c.letters, c.held, c.deferred, c.content)
	return err
}

// sealName is what the content of a row is sealed as.
func sealName(id string) string { return "record " + id }

// plain opens the content of a row.
func (c chunk) plain(db *store.DB) ([]byte, error) {
	packed, err := db.Unseal(sealName(c.id), c.content)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return unpack(packed)
}

func pack(plain []byte) ([]byte, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return z.EncodeAll(plain, nil), z.Close()
}

func unpack(content []byte) ([]byte, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxOctets))
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	defer z.Close()
	plain, err := z.DecodeAll(content, nil)
	if err != nil {
		return nil, fmt.Errorf("record: %w: %w", store.ErrCorrupt, err)
	}
	return plain, nil
}

// Read hands over the letters that came at or after since, roughly in their order, until
// each returns an error. It holds one row in memory at a time.
func Read(ctx context.Context, db *store.DB, since time.Time, each func(*Letter) error) error {
	from, words := since.UnixMilli(), map[string]string{}
	return rows(ctx, db, from, func(c chunk) error {
		plain, err := c.plain(db)
		if err != nil {
			return err
		}
		return decode(plain, words, func(l *Letter) error {
			if l.At < from {
				return nil
			}
			return each(l)
		})
	})
}

// page is how many rows are fetched at a time: a View on PostgreSQL has not long.
const page = 50

// rows hands over the rows in the order of their ends.
func rows(ctx context.Context, db *store.DB, from int64, each func(chunk) error) error {
	after := ""
	for {
		var got []chunk
		err := db.View(ctx, func(tx store.Tx) (err error) {
			got, err = chunks(ctx, tx, `SELECT id, first, last, rules, letters, held, deferred, content FROM record
				WHERE last >= $1 AND (last > $1 OR id > $2) ORDER BY last, id LIMIT $3`, from, after, page)
			return err
		})
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		for _, c := range got {
			if err := each(c); err != nil {
				return err
			}
			from, after = c.last, c.id
		}
		if len(got) < page {
			return nil
		}
	}
}

func chunks(ctx context.Context, tx store.Tx, query string, args ...any) ([]chunk, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var out []chunk
	for rows.Next() {
		var c chunk
		if err := rows.Scan(&c.id, &c.first, &c.last, &c.rules, &c.letters, &c.held, &c.deferred, &c.content); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Rate is how many letters a set has judged, and what became of them.
type Rate struct {
	Letters  int `json:"letters"`  // without the deferred: those come again
	Held     int `json:"held"`     // or refused
	Deferred int `json:"deferred"` // times that a letter was put off
}

// RateOf counts what a set has judged since then, at all gateways.
func RateOf(ctx context.Context, db *store.DB, set string, since time.Time) (r Rate, err error) {
	err = db.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(letters - deferred), 0) AS BIGINT), CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(deferred), 0) AS BIGINT)
			FROM record WHERE rules = $1 AND last >= $2`, set, since.UnixMilli()).Scan(&r.Letters, &r.Held, &r.Deferred)
	})
	if err != nil {
		err = fmt.Errorf("record: %w", err)
	}
	return r, err
}
