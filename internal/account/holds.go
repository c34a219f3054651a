package account

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"congthu/internal/store"
)

// Hold is a sender whose mail is held until somebody has looked.
type Hold struct {
	Name  string    `json:"name"` // an account, or agency:NAME
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
	Who   string    `json:"who,omitempty"` // "" for the gateway itself
}

// SetHold holds a sender's mail, or lets it go again. A name that is no account's is a
// slip, unless it is an agency's.
func (b *Book) SetHold(ctx context.Context, name string, held bool, why, actor string) error {
	if held {
		if !strings.HasPrefix(name, "agency:") {
			if _, err := b.Get(ctx, name); err != nil {
				return err
			}
		}
		h := Hold{Name: name, Since: time.Now(), Why: why, Who: actor}
		err := b.db.Update(ctx, func(tx store.Tx) error { return putHold(ctx, tx, h) })
		if err == nil {
			b.log.Info("account's mail is held", "account", name, "by", actor)
		}
		return err
	}
	return b.change(ctx, "'s mail is no longer held", name, actor, ErrNotFound, `DELETE FROM sender_hold WHERE name = $1`, name)
}

// Holds lists the senders whose mail is held, by name.
func (b *Book) Holds(ctx context.Context) (all []Hold, err error) {
	err = b.db.View(ctx, func(tx store.Tx) (err error) {
		all, err = readHolds(ctx, tx)
		return err
	})
	return all, err
}

func putHold(ctx context.Context, tx store.Tx, h Hold) error {
	_, err := tx.Exec(ctx, `INSERT INTO sender_hold (name, since, why, who) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`, h.Name, h.Since.Unix(), h.Why, h.Who)
	return err
}

func readHolds(ctx context.Context, tx store.Tx) (all []Hold, err error) {
	rows, err := tx.Query(ctx, `SELECT name, since, why, who FROM sender_hold ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h Hold
		var since int64
		if err := rows.Scan(&h.Name, &since, &h.Why, &h.Who); err != nil {
			return nil, err
		}
		h.Since = time.Unix(since, 0)
		all = append(all, h)
	}
	return all, rows.Err()
}

// Watch keeps in memory which senders are held and what they are used to, in step with
// the store: what the gateway itself holds is in force at once and written within
// moments, what somebody changes by command is in force two seconds later on every
// gateway.
type Watch struct {
	db       Store
	log      *slog.Logger
	now      func() time.Time
	Released func(name string)     // called when a sender is let go; nil: nobody is told
	Busiest  func() map[string]int // recipients of each sender in the last hour; nil: no habits

	mu     sync.Mutex
	held   map[string]Hold
	unsaid map[string]Hold // held here, and the store was not told
	habits map[string]map[int64]int64
	wake   chan struct{}
}

// NewWatch returns a watch; Load must come before its use, and Run keeps it in step.
func NewWatch(db Store, log *slog.Logger) *Watch {
	return &Watch{db: db, log: log, now: time.Now, held: map[string]Hold{}, unsaid: map[string]Hold{}, habits: map[string]map[int64]int64{}, wake: make(chan struct{}, 1)}
}

// Held tells whether a sender's mail is held, and why.
func (w *Watch) Held(name string) (why string, held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, held := w.held[name]
	return h.Why, held
}

// Hold holds a sender's mail from now on.
func (w *Watch) Hold(name, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, already := w.held[name]; already {
		return
	}
	h := Hold{Name: name, Since: w.now(), Why: why}
	w.held[name], w.unsaid[name] = h, h
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// habitDays is how far back a habit reaches.
const habitDays = 30

func dayOf(t time.Time) int64 { return t.Unix() / 86400 }

// Usual returns the most recipients that a sender had in one hour of the days before
// today, and of how many days that is known.
func (w *Watch) Usual(name string) (most, days int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	today := dayOf(w.now())
	for day, n := range w.habits[name] {
		if day < today && day >= today-habitDays {
			most, days = max(most, int(n)), days+1
		}
	}
	return most, days
}

// Load reads everything.
func (w *Watch) Load(ctx context.Context) error {
	if err := w.readHabits(ctx); err != nil {
		return err
	}
	return w.exchange(ctx)
}

// Run keeps memory and store in step until ctx ends, and then once more.
func (w *Watch) Run(ctx context.Context) error {
	tick, slow := time.NewTicker(flushEvery), time.NewTicker(time.Minute)
	defer tick.Stop()
	defer slow.Stop()
	for {
		select {
		case <-w.wake:
			w.note(w.exchange(ctx))
		case <-tick.C:
			w.note(w.exchange(ctx))
		case <-slow.C:
			w.note(w.learn(ctx))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			w.note(w.exchange(last))
			w.note(w.learn(last))
			return ctx.Err()
		}
	}
}

func (w *Watch) note(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		w.log.Warn("held senders: not in step with the store, tried again soon", "error", err)
	}
}

// exchange tells the store whom this gateway holds and reads whom all of them hold.
func (w *Watch) exchange(ctx context.Context) error {
	w.mu.Lock()
	unsaid := maps.Clone(w.unsaid)
	w.mu.Unlock()
	if len(unsaid) > 0 {
		err := w.db.Update(ctx, func(tx store.Tx) error {
			for _, name := range slices.Sorted(maps.Keys(unsaid)) {
				if err := putHold(ctx, tx, unsaid[name]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var all []Hold
	err := w.db.View(ctx, func(tx store.Tx) (err error) {
		all, err = readHolds(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range w.take(unsaid, all) {
		w.log.Info("sender's mail is no longer held", "sender", name)
		if w.Released != nil {
			w.Released(name)
		}
	}
	return nil
}

// take sets what is held to what the store says and what it has not been told, and
// returns whom somebody has let go.
func (w *Watch) take(said map[string]Hold, all []Hold) (released []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range said {
		delete(w.unsaid, name)
	}
	held := maps.Clone(w.unsaid)
	for _, h := range all {
		held[h.Name] = h
	}
	for name := range w.held {
		if _, still := held[name]; !still {
			released = append(released, name)
		}
	}
	w.held = held
	return released
}

func (w *Watch) readHabits(ctx context.Context) error {
	oldest := dayOf(w.now()) - habitDays
	habits := map[string]map[int64]int64{}
	err := w.db.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT name, day, most FROM sender_habit WHERE day >= $1`, oldest)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var day, most int64
			if err := rows.Scan(&name, &day, &most); err != nil {
				return err
			}
			if habits[name] == nil {
				habits[name] = map[int64]int64{}
			}
			habits[name][day] = most
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.habits = habits
	return nil
}

// learn writes down how busy each sender was today. A day that is over stays as it was.
func (w *Watch) learn(ctx context.Context) error {
	if w.Busiest == nil {
		return nil
	}
	busiest, today := w.Busiest(), dayOf(w.now())
	w.mu.Lock()
	more := map[string]int64{}
	for name, n := range busiest {
		if w.habits[name] == nil {
			w.habits[name] = map[int64]int64{}
		}
		if int64(n) > w.habits[name][today] {
			w.habits[name][today] = int64(n)
			more[name] = int64(n)
		}
		delete(w.habits[name], today-habitDays-1)
	}
	w.mu.Unlock()
	if len(more) == 0 {
		return nil
	}
	return w.db.Update(ctx, func(tx store.Tx) error {
		for _, name := range slices.Sorted(maps.Keys(more)) {
			if err := putHabit(ctx, tx, name, today, more[name]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM sender_habit WHERE day < $1`, today-habitDays)
		return err
	})
}

func putHabit(ctx context.Context, tx store.Tx, name string, day, most int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO sender_habit (name, day, most) VALUES ($1, $2, $3)
		ON CONFLICT (name, day) DO UPDATE SET most = CASE WHEN excluded.most > sender_habit.most THEN excluded.most ELSE sender_habit.most END`, name, day, most)
	return err
}
