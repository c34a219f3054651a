package dmarcreport

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"congthu/internal/mailauth/aggregate"
	"congthu/internal/store"
)

// Bounds of what is kept. Beyond them messages are counted as not listed, which the
// report says.
const (
	maxRows    = 2000            // of one part: a day and a domain
	maxDomains = 10_000          // of one day
	batch      = 200             // rows in one transaction: the mail waits for the same writer
	keepDays   = 14              // how long a day is kept, sent or not
	freshDays  = 3               // how long a day may still be sent by itself
	settle     = 5 * time.Minute // after a day's end, for the last flush of other gateways
)

// A day of a domain is counted in parts. The open part takes rows; a part is frozen
// before it is sent, and what is counted later (by a gateway that was slow, or because
// an operator sent the day before its end) is in the next part. So nothing is
// reported twice, and nothing is forgotten.

// update is store.Update for the tables of this package: it takes the turn first.
func update(ctx context.Context, db *store.DB, fn func(store.Tx) error) error {
	return db.Update(ctx, func(tx store.Tx) error {
		if err := takeTurn(ctx, tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// takeTurn waits until no other gateway writes here; the turn ends with the
// transaction. Without it two of them could lock the same rows in different orders.
func takeTurn(ctx context.Context, tx store.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE dmarc_turn SET n = n + 1`)
	return err
}

// write adds rows to the open parts of their owners, all or none.
func write(ctx context.Context, db *store.DB, items []counted) error {
	return update(ctx, db, func(tx store.Tx) error {
		for rest := items; len(rest) > 0; {
			n := slices.IndexFunc(rest, func(it counted) bool { return it.owner != rest[0].owner })
			if n < 0 {
				n = len(rest)
			}
			if err := add(ctx, tx, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
}

// add counts rows of one owner. It has the turn, so the part is not frozen meanwhile.
func add(ctx context.Context, tx store.Tx, items []counted) error {
	o := items[0].owner
	if full, err := crowded(ctx, tx, o); err != nil || full {
		return err
	}
	policy, err := json.Marshal(items[0].policy)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO dmarc_day (day, domain, part, kinds, unlisted, policy, rua) VALUES ($1, $2, 0, 0, 0, $3, $4)
		ON CONFLICT (day, domain) DO UPDATE SET policy = excluded.policy, rua = excluded.rua`, int64(o.day), o.domain, string(policy), items[0].rua)
	if err != nil {
		return err
	}
	var part, kinds, unlisted int64
	if err := tx.QueryRow(ctx, `SELECT part, kinds FROM dmarc_day WHERE day = $1 AND domain = $2`, int64(o.day), o.domain).Scan(&part, &kinds); err != nil {
		return err
	}
	for _, it := range items {
		fresh, err := addRow(ctx, tx, it, part, kinds < maxRows)
		switch {
		case err != nil:
			return err
		case fresh && kinds < maxRows:
			kinds++
		case fresh:
			unlisted += it.n
		}
	}
	_, err = tx.Exec(ctx, `UPDATE dmarc_day SET kinds = $1, unlisted = unlisted + $2 WHERE day = $3 AND domain = $4`, kinds, unlisted, int64(o.day), o.domain)
	return err
}

// crowded tells whether the day has no room for this domain: it is new, and there are
// too many.
func crowded(ctx context.Context, tx store.Tx, o owner) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM dmarc_day WHERE day = $1 AND domain = $2`, int64(o.day), o.domain).Scan(&n)
	if err != nil || n > 0 {
		return false, err
	}
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM dmarc_day WHERE day = $1`, int64(o.day)).Scan(&n)
	return n >= maxDomains, err
}

// addRow adds to a row, or makes it when there is room. fresh: it was not there.
func addRow(ctx context.Context, tx store.Tx, it counted, part int64, room bool) (fresh bool, err error) {
	sum := sha256.Sum256([]byte(it.facts))
	id := hex.EncodeToString(sum[:16])
	r, err := tx.Exec(ctx, `UPDATE dmarc_row SET messages = messages + $1 WHERE day = $2 AND domain = $3 AND part = $4 AND id = $5`, it.n, int64(it.day), it.domain, part, id)
	if err != nil {
		return false, err
	}
	if had, err := r.RowsAffected(); err != nil || had > 0 {
		return false, err
	}
	if !room {
		return true, nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO dmarc_row (day, domain, part, id, messages, facts) VALUES ($1, $2, $3, $4, $5, $6)`, int64(it.day), it.domain, part, id, it.n, it.facts)
	return true, err
}

// part is a frozen part, or the open one when it is only looked at.
type part struct {
	owner
	n        int64
	frozen   time.Time
	policy   aggregate.Policy
	rua      string
	unlisted int64
	records  []aggregate.Record
}

// freeze closes the open parts of a day that have rows.
func freeze(ctx context.Context, db *store.DB, day Day, now time.Time) error {
	return update(ctx, db, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE dmarc_day SET part = part + 1, closing = 1 WHERE day = $1 AND kinds > 0`, int64(day)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO dmarc_part (day, domain, part, frozen, sent, unlisted, policy, rua, outcome)
			SELECT day, domain, part - 1, $1, 0, unlisted, policy, rua, '' FROM dmarc_day WHERE day = $2 AND closing = 1`, now.UnixMilli(), int64(day)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE dmarc_day SET kinds = 0, unlisted = 0, closing = 0 WHERE day = $1 AND closing = 1`, int64(day))
		return err
	})
}

// unsent lists the frozen parts of a day that wait; with open it lists the open ones
// as well.
func unsent(ctx context.Context, db *store.DB, day Day, open bool, now time.Time) ([]part, error) {
	var out []part
	err := db.View(ctx, func(tx store.Tx) error {
		list, err := parts(ctx, tx, `SELECT domain, part, frozen, unlisted, policy, rua FROM dmarc_part WHERE day = $1 AND sent = 0 ORDER BY domain, part`, day)
		if err != nil {
			return err
		}
		if open {
			more, err := parts(ctx, tx, `SELECT domain, part, 0, unlisted, policy, rua FROM dmarc_day WHERE day = $1 AND kinds > 0 ORDER BY domain`, day)
			if err != nil {
				return err
			}
			for i := range more {
				more[i].frozen = now
			}
			list = append(list, more...)
		}
		for i := range list {
			if list[i].records, err = records(ctx, tx, list[i]); err != nil {
				return err
			}
		}
		out = list
		return nil
	})
	return out, err
}

func parts(ctx context.Context, tx store.Tx, query string, day Day) ([]part, error) {
	rows, err := tx.Query(ctx, query, int64(day))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []part
	for rows.Next() {
		p := part{owner: owner{day: day}}
		var policy string
		var frozen int64
		if err := rows.Scan(&p.domain, &p.n, &frozen, &p.unlisted, &policy, &p.rua); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(policy), &p.policy); err != nil {
			return nil, err
		}
		p.frozen = time.UnixMilli(frozen)
		out = append(out, p)
	}
	return out, rows.Err()
}

func records(ctx context.Context, tx store.Tx, p part) ([]aggregate.Record, error) {
	rows, err := tx.Query(ctx, `SELECT messages, facts FROM dmarc_row WHERE day = $1 AND domain = $2 AND part = $3 ORDER BY messages DESC, id`, int64(p.day), p.domain, p.n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []aggregate.Record
	for rows.Next() {
		var r aggregate.Record
		var facts string
		if err := rows.Scan(&r.Messages, &facts); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(facts), &r.Row); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// errTaken says that another gateway has sent the part.
var errTaken = errors.New("dmarcreport: already sent")

// claim marks a part as sent, in the transaction that queues its letters.
func (p part) claim(now time.Time, outcome string) *store.Change {
	return &store.Change{Apply: func(ctx context.Context, tx store.Tx) error {
		if err := takeTurn(ctx, tx); err != nil {
			return err
		}
		r, err := tx.Exec(ctx, `UPDATE dmarc_part SET sent = $1, outcome = $2 WHERE day = $3 AND domain = $4 AND part = $5 AND sent = 0`,
			now.UnixMilli(), outcome, int64(p.day), p.domain, p.n)
		return one(r, err, errTaken)
	}}
}

func one(r sql.Result, err, otherwise error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(otherwise, err)
	}
	return nil
}

// Expire deletes the days that nobody will ask for any more.
func Expire(ctx context.Context, db *store.DB, now time.Time) error {
	last := int64(DayOf(now)) - keepDays
	return update(ctx, db, func(tx store.Tx) error {
		for _, q := range []string{`DELETE FROM dmarc_row WHERE day < $1`, `DELETE FROM dmarc_part WHERE day < $1`, `DELETE FROM dmarc_day WHERE day < $1`} {
			if _, err := tx.Exec(ctx, q, last); err != nil {
				return err
			}
		}
		return nil
	})
}
