package account

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"congthu/internal/store"
)

// Quota counts recipients, so that a stolen account is stopped before it has sent to
// half the country.
//
// Recipients are counted in slots of ten minutes. "In an hour" looks at the current slot
// and the six before it, so no 60 minutes ever see more than the limit. The counts are
// in memory; every two seconds what is new is added to the store's and the sums of all
// gateways are read back. Several gateways together may so exceed a limit by what they
// take in one such interval, and a crash may lose that much of the count.
type Quota struct {
	db  Store
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	users map[string]*usage
}

const (
	slotLength = 10 * time.Minute
	hourSlots  = 7
	daySlots   = 145
	flushEvery = 2 * time.Second
	maxFlush   = 200 // users in one transaction
)

// usage is the recipients of one user by slot.
type usage struct {
	stored map[int64]int64 // what the store had when it was last asked
	fresh  map[int64]int64 // what it has not been told
	last   time.Time
}

// NewQuota returns a Quota over the store; Run keeps both in step.
func NewQuota(db Store, log *slog.Logger) *Quota {
	return &Quota{db: db, log: log, now: time.Now, users: map[string]*usage{}}
}

// Take counts n recipients of a user, if they are within the limits (0 or less: none).
// The error says that the count could not be read.
func (q *Quota) Take(ctx context.Context, user string, n int64, hour, day int) (bool, error) {
	if hour <= 0 && day <= 0 {
		return true, nil
	}
	if err := q.load(ctx, user); err != nil {
		return false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.user(user)
	u.last = q.now()
	if hour > 0 && u.since(q.slot()-hourSlots)+n > int64(hour) || day > 0 && u.since(q.slot()-daySlots)+n > int64(day) {
		return false, nil
	}
	u.fresh[q.slot()] += n
	return true, nil
}

// GiveBack takes back what was counted for recipients whose message the sender will
// bring again.
func (q *Quota) GiveBack(user string, n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if u := q.users[user]; u != nil {
		u.fresh[q.slot()] -= min(n, u.since(q.slot()-hourSlots))
	}
}

func (q *Quota) slot() int64 { return slotOf(q.now()) }

func slotOf(t time.Time) int64 { return t.UnixMilli() / slotLength.Milliseconds() }

// user returns the usage of a user. Users come from the settings and the accounts, so
// there are not many.
func (q *Quota) user(name string) *usage {
	u := q.users[name]
	if u == nil {
		u = &usage{stored: map[int64]int64{}, fresh: map[int64]int64{}}
		q.users[name] = u
	}
	return u
}

// since sums the slots after that one up.
func (u *usage) since(slot int64) (n int64) {
	for _, m := range []map[int64]int64{u.stored, u.fresh} {
		for s, v := range m {
			if s > slot {
				n += v
			}
		}
	}
	return n
}

// load reads a user's counts from the store the first time it is seen: a restart
// forgets nothing.
func (q *Quota) load(ctx context.Context, name string) error {
	q.mu.Lock()
	known := q.users[name] != nil
	q.mu.Unlock()
	if known {
		return nil
	}
	var stored map[int64]int64
	err := q.db.View(ctx, func(tx store.Tx) (err error) {
		stored, err = counts(ctx, tx, name, q.slot()-daySlots)
		return err
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.users[name] == nil {
		q.user(name).stored = stored
	}
	return nil
}

func counts(ctx context.Context, tx store.Tx, name string, after int64) (map[int64]int64, error) {
	rows, err := tx.Query(ctx, `SELECT slot, n FROM account_sent WHERE name = $1 AND slot > $2`, name, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]int64{}
	for rows.Next() {
		var slot, n int64
		if err := rows.Scan(&slot, &n); err != nil {
			return nil, err
		}
		out[slot] = n
	}
	return out, rows.Err()
}

// Run keeps memory and store in step until ctx ends, and then once more.
func (q *Quota) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			q.note(q.flush(ctx))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			q.note(q.flush(last))
			return ctx.Err()
		}
	}
}

func (q *Quota) note(err error) {
	if err != nil {
		q.log.Warn("account limits: counts not stored, tried again soon", "error", err)
	}
}

// flush tells the store what is new and reads the sums of all gateways.
func (q *Quota) flush(ctx context.Context) error {
	names := q.active()
	for len(names) > 0 {
		n := min(len(names), maxFlush)
		if err := q.exchange(ctx, names[:n]); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

// active names the users that need an exchange, and forgets those that have been still
// for longer than any limit looks back.
func (q *Quota) active() (names []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, u := range q.users {
		switch still := q.now().Sub(u.last); {
		case len(u.fresh) > 0 || still < time.Minute:
			names = append(names, name)
		case still > time.Hour: // the store has it all
			delete(q.users, name)
		}
	}
	slices.Sort(names)
	return names
}

// exchange is one transaction for some users.
func (q *Quota) exchange(ctx context.Context, names []string) error {
	oldest := q.slot() - daySlots
	fresh := q.takeFresh(names)
	sums := map[string]map[int64]int64{}
	err := q.db.Update(ctx, func(tx store.Tx) error {
		for _, name := range names { // in one order everywhere, or two gateways lock each other out
			for _, slot := range slices.Sorted(maps.Keys(fresh[name])) {
				if _, err := tx.Exec(ctx, `INSERT INTO account_sent (name, slot, n) VALUES ($1, $2, $3) ON CONFLICT (name, slot) DO UPDATE SET n = account_sent.n + excluded.n`, name, slot, fresh[name][slot]); err != nil {
					return fmt.Errorf("account limits: %w", err)
				}
			}
			if _, err := tx.Exec(ctx, `DELETE FROM account_sent WHERE name = $1 AND slot <= $2`, name, oldest); err != nil {
				return err
			}
			var err error
			if sums[name], err = counts(ctx, tx, name, oldest); err != nil {
				return err
			}
		}
		return nil
	})
	q.settle(fresh, sums, err == nil)
	return err
}

// takeFresh copies what is new. It stays where it is until the store has it: a count is
// rather seen twice for a moment than not at all.
func (q *Quota) takeFresh(names []string) map[string]map[int64]int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := map[string]map[int64]int64{}
	for _, name := range names {
		out[name] = map[int64]int64{}
		for slot, n := range q.users[name].fresh {
			out[name][slot] = n
		}
	}
	return out
}

func (q *Quota) settle(fresh, sums map[string]map[int64]int64, stored bool) {
	if !stored {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, slots := range fresh {
		u := q.users[name]
		u.stored = sums[name]
		for slot, n := range slots {
			if u.fresh[slot] -= n; u.fresh[slot] == 0 {
				delete(u.fresh, slot)
			}
		}
	}
}
