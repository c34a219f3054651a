// Package lessons is what people have taught the classifier of a site, and the model that
// comes of it: a starting model and every lesson that counts, in the order in which they
// were taught. The table of lessons is all that is kept. The model is made of it anew at
// each start and after each lesson that is taken back, so a lesson is undone exactly, a
// killed gateway loses nothing that was acknowledged, and gateways that share the store
// come to the same model by reading the same rows. Until the lessons are read after a
// start, the starting model judges.
//
// Only the features of a letter are kept (see learn.Example), with who taught it, when,
// the hash of its content, its sender and subject. The same content counts once, whoever
// teaches it; taught the other way round it replaces what was taught before.
//
// What a report may move is bounded, because reports can be wrong, or made by somebody
// who wants letters to be held: so many count for one reporter, and for all together, in
// 24 hours, and a letter of a trusted agency is never learned as spam. What does not
// count is recorded all the same. What an administrator imports in bulk is outside of the
// two numbers, both ways: it is not stopped by them and leaves reporters theirs.
package lessons

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"congthu/internal/learn"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound = errors.New("lessons: there is no such lesson")
	ErrUndone   = errors.New("lessons: the lesson was taken back already")
)

// Why a lesson does not count.
const (
	TooManyOfReporter = "reporter"
	TooManyToday      = "day"
	TrustedSender     = "trusted"
)

// Bulk is in the place of why a lesson does not count when it does, and was imported by an
// administrator.
const Bulk = "bulk"

// Lesson is one letter that was taught.
type Lesson struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Spam     bool      `json:"spam"`
	Content  string    `json:"content"` // hash
	Source   string    `json:"source,omitempty"`
	Sender   string    `json:"sender,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	Counts   bool      `json:"counts"`
	Why      string    `json:"why,omitempty"` // it does not count: TooManyOfReporter, …; or Bulk
	Known    bool      `json:"known"`         // it was taught before: nothing was done
	Replaces string    `json:"replaces,omitempty"`
	Undone   time.Time `json:"undone,omitzero"`
	UndoneBy string    `json:"undone_by,omitempty"`
}

// Report is what somebody says of a letter.
type Report struct {
	Spam    bool
	Actor   string        // who
	Source  string        // the file or held message it came from
	Trusted bool          // it is of an agency whose letters must not be learned as spam
	With    *store.Change // commits together with the lesson; nil: nothing
	Bulk    bool          // an administrator imports it
}

// Options are the parts of the lessons.
type Options struct {
	Store *store.DB // nil: nothing was taught, and nothing can be, until Keep
	Base  func() (*learn.Model, error)
	NewID func() string
	Log   *slog.Logger
	Now   func() time.Time
	// How many lessons count in 24 hours: of one reporter, and of all. 0: 50 and 500.
	PerReporter, PerDay int
	Keep                int // lessons; the oldest are forgotten. 0: 20,000
}

// Lessons is the taught model. Its methods are safe for concurrent use.
type Lessons struct {
	o      Options
	follow sync.Mutex // one at a time brings the model up to date
	n      int64      // turn up to which it is; guarded by follow
	mu     sync.RWMutex
	model  *learn.Model
	taught int // lessons in the model
}

// Open makes the starting model; lessons are learned by Run, or by Follow.
func Open(o Options) (*Lessons, error) {
	def := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	def(&o.PerReporter, 50)
	def(&o.PerDay, 500)
	def(&o.Keep, 20000)
	m, err := o.Base()
	if err != nil {
		return nil, err
	}
	return &Lessons{o: o, model: m}, nil
}

// Keep gives the lessons their store; before that the starting model judges alone. It is
// called before Run.
func (l *Lessons) Keep(db *store.DB) { l.o.Store = db }

// poll is how often a gateway looks for lessons that others have learned.
const poll = 20 * time.Second

// Run keeps the model up to date until the context ends.
func (l *Lessons) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if err := l.Follow(ctx); err != nil && ctx.Err() == nil {
			l.o.Log.Error("the classifier does not know the newest lessons", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Judge gives the opinion of the model as it is now.
func (l *Lessons) Judge(m *msg.Message) learn.Opinion {
	e := learn.Read(learn.Of(m))
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.model.Judge(e)
}

// Reasons gives the strongest features of a letter for each side.
func (l *Lessons) Reasons(m *msg.Message, n int) (forSpam, forHam []learn.Reason) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.model.Reasons(learn.Of(m), n)
}

// Seen is how many letters of each kind the model has learned.
func (l *Lessons) Seen() (ham, spam int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.model.Seen()
}

// Taught is how many lessons of the site the model has learned, beside what it began with.
func (l *Lessons) Taught() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.taught
}

// Follow learns what was taught since, here or at another gateway. When a lesson was taken
// back, the model is made anew; that takes about a second for each ten thousand lessons,
// in which the old one judges.
func (l *Lessons) Follow(ctx context.Context) error {
	l.follow.Lock()
	defer l.follow.Unlock()
	if l.o.Store == nil {
		return nil
	}
	now, back, err := l.turn(ctx)
	if err != nil || now == l.n {
		return err
	}
	from, model := l.n, l.model
	if back {
		from = 0
		if model, err = l.o.Base(); err != nil {
			return err
		}
	}
	learned, err := l.learn(ctx, model, from, now)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.model, l.n = model, now
	if back {
		l.taught = learned
	}
	l.mu.Unlock()
	return nil
}

// turn reads the number of the last turn, and whether since ours a lesson was taken back
// that we have learned.
func (l *Lessons) turn(ctx context.Context) (n int64, back bool, err error) {
	var undone int
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT n FROM lesson_turn`).Scan(&n); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM lesson WHERE undone > $1 AND n <= $1 AND counts = 1`, l.n).Scan(&undone)
	})
	if err != nil {
		return 0, false, fmt.Errorf("lessons: %w", err)
	}
	return n, undone > 0, nil
}

// chunk is how many lessons are read at a time.
const chunk = 200

// learn teaches a model the lessons of the turns after from. A model that judges already
// is locked for one lesson at a time. It returns how many there were.
func (l *Lessons) learn(ctx context.Context, m *learn.Model, from, to int64) (n int, err error) {
	live := m == l.model
	for {
		list, last, err := l.read(ctx, from, to)
		if err != nil || last == 0 {
			return n, err
		}
		n += len(list)
		for _, x := range list {
			if live {
				l.mu.Lock()
			}
			m.Teach(x.Example, x.Spam)
			if live {
				l.taught++
				l.mu.Unlock()
			}
		}
		from = last
		if live {
			l.n = last // what is learned is not learned again if the next read fails
		}
	}
}

// read reads lessons that count, in their order, and the turn of the last; 0: none is left.
func (l *Lessons) read(ctx context.Context, from, to int64) (out []learn.Lesson, last int64, err error) {
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT n, id, spam, example FROM lesson WHERE n > $1 AND n <= $2 AND undone = 0 AND counts = 1 ORDER BY n LIMIT $3`, from, to, chunk)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var spam bool
			var id string
			var sealed []byte
			if err := rows.Scan(&last, &id, &spam, &sealed); err != nil {
				return err
			}
			packed, err := l.o.Store.Unseal(exampleName(id), sealed)
			if err != nil {
				return err
			}
			e, err := learn.UnpackExample(packed)
			if err != nil { // of a version that read letters otherwise: it cannot be learned any more
				l.o.Log.Warn("a lesson of an older version is left out", "turn", last)
				continue
			}
			out = append(out, learn.Lesson{Example: e, Spam: spam})
		}
		return rows.Err()
	})
	if err != nil {
		return nil, 0, fmt.Errorf("lessons: %w", err)
	}
	return out, last, nil
}
