package acquaint

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"congthu/internal/store"
)

// Store is what the memory needs of the store.
type Store interface {
	Update(ctx context.Context, fn func(store.Tx) error) error
	View(ctx context.Context, fn func(store.Tx) error) error
}

const (
	flushEvery  = 3 * time.Second
	maxFlush    = 500 // rows in one transaction
	expireEvery = time.Hour
	maxExpire   = 2000 // rows deleted in one transaction
	overlap     = 60   // seconds of another gateway's clock
)

// Load reads the secret, which is made when there is none, and the entries seen last.
func (m *Memory) Load(ctx context.Context) error {
	if err := m.db.Update(ctx, m.readSecret(ctx)); err != nil {
		return fmt.Errorf("acquaint: secret: %w", err)
	}
	var rows map[Key]entry
	begun := m.now().Unix()
	err := m.db.View(ctx, func(tx store.Tx) (err error) {
		if err := tx.QueryRow(ctx, `SELECT COALESCE(MIN(begun), $1) FROM acquaintance`, begun).Scan(&begun); err != nil {
			return err
		}
		rows, err = read(ctx, tx, `SELECT id, kind, n, begun, latest FROM acquaintance ORDER BY latest DESC LIMIT $1`, m.limit)
		return err
	})
	if err != nil {
		return fmt.Errorf("acquaint: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries, m.begun, m.synced = rows, begun, m.now().Unix()
	return nil
}

func (m *Memory) readSecret(ctx context.Context) func(store.Tx) error {
	return func(tx store.Tx) error {
		made := make([]byte, 32)
		_, _ = rand.Read(made) // never fails (crypto/rand)
		if _, err := tx.Exec(ctx, `INSERT INTO acquaintance_secret (one, secret) VALUES (1, $1) ON CONFLICT (one) DO NOTHING`, made); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT secret FROM acquaintance_secret WHERE one = 1`).Scan(&m.secret)
	}
}

func read(ctx context.Context, tx store.Tx, query string, args ...any) (map[Key]entry, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[Key]entry{}
	for rows.Next() {
		var k Key
		var e entry
		if err := rows.Scan(&k.id, &k.kind, &e.n, &e.first, &e.last); err != nil {
			return nil, err
		}
		out[k] = e
	}
	return out, rows.Err()
}

// Run keeps memory and store in step until ctx ends, and then once more.
func (m *Memory) Run(ctx context.Context) error {
	tick, tidy := time.NewTicker(flushEvery), time.NewTicker(expireEvery)
	defer tick.Stop()
	defer tidy.Stop()
	for {
		select {
		case <-tick.C:
			m.note("not stored, tried again soon", m.flush(ctx))
			m.note("not read from the other gateways", m.hear(ctx))
		case <-tidy.C:
			m.note("not tidied", m.expire(ctx))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			m.note("not stored", m.flush(last))
			return ctx.Err()
		}
	}
}

func (m *Memory) note(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		m.log.Warn("acquaintances: "+what, "error", err)
	}
	m.mu.Lock()
	lost := m.lost
	m.lost = 0
	m.mu.Unlock()
	if lost > 0 {
		m.log.Warn("acquaintances: some were not remembered for want of room", "entries", lost)
	}
}

// flush tells the store what is new.
func (m *Memory) flush(ctx context.Context) error {
	for {
		batch := m.batch()
		if len(batch) == 0 {
			return nil
		}
		if err := m.db.Update(ctx, func(tx store.Tx) error { return write(ctx, tx, batch) }); err != nil {
			return err
		}
		m.settle(batch)
	}
}

type row struct {
	Key
	entry
}

// batch is some of what is new. It stays where it is until the store has it.
func (m *Memory) batch() []row {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]row, 0, min(len(m.fresh), maxFlush))
	for k, e := range m.fresh {
		if len(out) == maxFlush {
			break
		}
		out = append(out, row{k, e})
	}
	return out
}

// write adds the rows in one order everywhere, or two gateways lock each other out.
func write(ctx context.Context, tx store.Tx, batch []row) error {
	slices.SortFunc(batch, func(a, b row) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	for _, r := range batch {
		_, err := tx.Exec(ctx, `INSERT INTO acquaintance (id, kind, n, begun, latest) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET n = acquaintance.n + excluded.n, latest = CASE WHEN excluded.latest > acquaintance.latest THEN excluded.latest ELSE acquaintance.latest END`,
			r.id, int64(r.kind), r.n, r.first, r.last)
		if err != nil {
			return err
		}
	}
	return nil
}

// settle takes off what the store has been told; what came meanwhile stays.
func (m *Memory) settle(batch []row) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range batch {
		f := m.fresh[r.Key]
		if f.n -= r.n; f.n <= 0 {
			delete(m.fresh, r.Key)
			continue
		}
		m.fresh[r.Key] = f
	}
}

// hear takes over what the store has learnt since the last time, from all gateways. A
// store that only this one has taught knows nothing new.
func (m *Memory) hear(ctx context.Context) error {
	if s, ok := m.db.(interface{ Shared() bool }); ok && !s.Shared() {
		return nil
	}
	m.mu.Lock()
	since, now := m.synced-overlap, m.now().Unix()
	m.mu.Unlock()
	var rows map[Key]entry
	err := m.db.View(ctx, func(tx store.Tx) (err error) {
		rows, err = read(ctx, tx, `SELECT id, kind, n, begun, latest FROM acquaintance WHERE latest >= $1 ORDER BY latest DESC LIMIT $2`, since, maxFresh)
		return err
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, e := range rows {
		if f, waits := m.fresh[k]; waits {
			e = e.and(f)
		}
		m.put(k, e)
	}
	m.synced = now
	return nil
}

// expire deletes what was not seen for its life, in the store and in memory.
func (m *Memory) expire(ctx context.Context) error {
	now := m.now()
	for _, kind := range []Kind{Written, WrittenDomain, Pair, Heard, Knock} {
		before := now.Add(-kind.Life()).Unix()
		for {
			n, err := m.drop(ctx, kind, before)
			if err != nil {
				return err
			}
			if n < maxExpire {
				break
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, e := range m.entries {
		if e.last < now.Add(-k.kind.Life()).Unix() {
			delete(m.entries, k)
		}
	}
	return nil
}

func (m *Memory) drop(ctx context.Context, kind Kind, before int64) (n int64, err error) {
	err = m.db.Update(ctx, func(tx store.Tx) error {
		var res sql.Result
		res, err := tx.Exec(ctx, `DELETE FROM acquaintance WHERE id IN (SELECT id FROM acquaintance WHERE kind = $1 AND latest < $2 LIMIT $3)`, int64(kind), before, maxExpire)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
