package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"congthu/internal/store"
)

// index is what is searched for of every held message, in memory: it lies sealed in the
// store, so that no index of the database can help, and unsealing a hundred thousand takes
// half a second. It is read once and then kept up to date: what this gateway changes it
// notes, what others change they number in a table. It answers only after it has read all
// that was committed before it was asked.
//
// It is bounded: where there is more than that, the rows are read each time, which is slow
// and right.
type index struct {
	mu      sync.Mutex // guards what follows, and one at a time reads
	ready   bool
	off     time.Time // when it was too large; zero: it was not
	list    []*entry  // newest first
	size    int64     // octets, about
	seen    map[string]int64
	trouble uint64 // store.Troubles when it was read
	words   map[string]string

	noted sync.Mutex // guards dirty
	dirty map[string]bool
}

// offTime is how long an index that was too large is not tried again.
const offTime = time.Hour

// logKeep is how long changes are kept for gateways that have not seen them; who was away
// longer reads everything anew.
const logKeep = time.Hour

func newIndex() *index { return &index{dirty: map[string]bool{}} }

// changed notes, in the transaction that changes a message, that it did.
func (q *Quarantine) changed(ctx context.Context, tx store.Tx, id string) error {
	if q.o.Index > 0 {
		tx.AfterCommit(func() { q.index.note(id) })
	}
	if !q.o.Store.Shared() {
		return nil
	}
	name := q.o.Store.Name()
	if _, err := tx.Exec(ctx, `INSERT INTO quarantine_turn (gateway, n) VALUES ($1, 1) ON CONFLICT (gateway) DO UPDATE SET n = quarantine_turn.n + 1`, name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO quarantine_log (gateway, n, at, id) SELECT gateway, n, $1, $2 FROM quarantine_turn WHERE gateway = $3`, q.o.Now().UnixMilli(), id, name)
	return err
}

func (x *index) note(id string) {
	x.noted.Lock()
	defer x.noted.Unlock()
	x.dirty[id] = true
}

func (x *index) take() map[string]bool {
	x.noted.Lock()
	defer x.noted.Unlock()
	out := x.dirty
	x.dirty = map[string]bool{}
	return out
}

// indexed calls visit with every message, the newest first, and returns true; false when
// there is no index to ask.
func (q *Quarantine) indexed(ctx context.Context, since int64, visit func(*entry) bool) (bool, error) {
	x := q.index
	if q.o.Index <= 0 {
		return false, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.off.IsZero() && q.o.Now().Sub(x.off) < offTime {
		return false, nil
	}
	if err := q.catchUp(ctx); err != nil {
		return false, err
	}
	for _, e := range x.list {
		if e.held < since || !visit(e) {
			break
		}
	}
	return x.ready, nil
}

// catchUp brings the index up to all that was committed before. What is to be read again
// is taken before the snapshot is: what changes later is noted for the next time.
func (q *Quarantine) catchUp(ctx context.Context) error {
	x := q.index
	trouble := q.o.Store.Troubles() // what failed may have happened all the same
	dirty := x.take()
	if x.ready && x.trouble == trouble && len(dirty) == 0 && !q.o.Store.Shared() {
		return nil
	}
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		if x.ready = x.ready && x.trouble == trouble; x.ready {
			if ok, err := q.others(ctx, tx, dirty); err != nil || ok {
				return errors.Join(err, q.again(ctx, tx, dirty))
			}
		}
		return q.readAll(ctx, tx)
	})
	x.trouble = trouble
	if err != nil { // half of it may be done
		x.ready = false
	}
	return err
}

// others adds what other gateways have changed; false: they have forgotten some of it.
func (q *Quarantine) others(ctx context.Context, tx store.Tx, dirty map[string]bool) (bool, error) {
	if !q.o.Store.Shared() {
		return true, nil
	}
	turns, err := turns(ctx, tx)
	if err != nil {
		return false, err
	}
	for gateway, n := range turns {
		had := q.index.seen[gateway]
		if n == had {
			continue
		}
		ids, err := texts(ctx, tx, `SELECT id FROM quarantine_log WHERE gateway = $1 AND n > $2`, gateway, had)
		if err != nil || int64(len(ids)) != n-had {
			return false, err
		}
		for _, id := range ids {
			dirty[id] = true
		}
	}
	q.index.seen = turns
	return true, nil
}

func turns(ctx context.Context, tx store.Tx) (map[string]int64, error) {
	rows, err := tx.Query(ctx, `SELECT gateway, n FROM quarantine_turn`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	out := map[string]int64{}
	for rows.Next() {
		var gateway string
		var n int64
		if err := rows.Scan(&gateway, &n); err != nil {
			return nil, err
		}
		out[gateway] = n
	}
	return out, rows.Err()
}

// again reads some messages again.
func (q *Quarantine) again(ctx context.Context, tx store.Tx, ids map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	x := q.index
	x.list = slices.DeleteFunc(x.list, func(e *entry) bool {
		if ids[e.id] {
			x.size -= e.size()
		}
		return ids[e.id]
	})
	for id := range ids {
		if err := q.entries(ctx, tx, x.add, entryRows+`WHERE q.id = $1 ORDER BY r.n`, id); err != nil {
			return err
		}
	}
	slices.SortFunc(x.list, byPlace) // sorted but for what was added, which pdqsort finds out
	return q.bound()
}

func byPlace(a, b *entry) int {
	switch {
	case b.place().after(a.place()):
		return -1
	case a.place().after(b.place()):
		return 1
	}
	return 0
}

// readAll reads everything.
func (q *Quarantine) readAll(ctx context.Context, tx store.Tx) (err error) {
	x := q.index
	x.list, x.size, x.words, x.seen = nil, 0, map[string]string{}, map[string]int64{}
	if q.o.Store.Shared() {
		if x.seen, err = turns(ctx, tx); err != nil {
			return err
		}
	}
	err = q.entries(ctx, tx, func(e *entry) bool { return x.add(e) && x.size <= q.o.Index }, entryRows+`ORDER BY q.held DESC, q.id, r.n`)
	if err != nil {
		return err
	}
	x.ready = true
	return q.bound()
}

// bound gives up an index that has become too large.
func (q *Quarantine) bound() error {
	x := q.index
	if x.off = (time.Time{}); x.size > q.o.Index {
		q.o.Log.Warn("quarantine: more is held than the index may hold; lists are slower", "octets", q.o.Index)
		x.list, x.size, x.words, x.ready, x.off = nil, 0, nil, false, q.o.Now()
	}
	return nil
}

// add takes a message, without what it was read from, and with one copy of what many have
// in common.
func (x *index) add(e *entry) bool {
	e.raw = ""
	e.text = strings.Clone(e.text)
	for _, s := range []*string{&e.senderDomain, &e.agency, &e.reason, &e.symbols} {
		*s = x.word(*s)
	}
	e.class = Class(x.word(string(e.class)))
	for i := range e.rcpts {
		e.rcpts[i].key, e.rcpts[i].domain = x.word(e.rcpts[i].key), x.word(e.rcpts[i].domain)
	}
	e.rcpts = slices.Clip(e.rcpts)
	x.list = append(x.list, e)
	x.size += e.size()
	return true
}

// mostWords bounds what is kept of texts that many have in common.
const mostWords = 50_000

func (x *index) word(s string) string {
	if w, ok := x.words[s]; ok {
		return w
	}
	s = strings.Clone(s)
	if len(x.words) < mostWords {
		x.words[s] = s
	}
	return s
}

// size is what a message takes, about.
func (e *entry) size() int64 {
	return int64(300 + len(e.id) + len(e.sender) + len(e.text) + 64*len(e.rcpts))
}

// tidyLog forgets changes that every gateway has seen.
func (q *Quarantine) tidyLog(ctx context.Context) error {
	if !q.o.Store.Shared() {
		return nil
	}
	return q.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM quarantine_log WHERE at < $1`, q.o.Now().Add(-logKeep).UnixMilli())
		return err
	})
}

// keepUp is how often Run brings the index up to date, so that who asks need not wait.
const keepUp = 5 * time.Second

// Run reads the index, when there is one, and keeps it up to date until the context ends.
func (q *Quarantine) Run(ctx context.Context) error {
	tick := time.NewTicker(keepUp)
	defer tick.Stop()
	for {
		if _, err := q.indexed(ctx, 0, func(*entry) bool { return false }); err != nil && !errors.Is(err, sql.ErrConnDone) && ctx.Err() == nil {
			q.o.Log.Warn("quarantine: the index could not be read; lists are slower", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
