// Package record keeps what was found in past letters and what was decided about them,
// so that changed rules can be tried on the mail of last week.
//
// Recording costs the path of a letter a few copies of short texts and a lock: what is
// noted waits in memory, bounded, and is written once a second. A gateway that is killed
// loses that second of its record; when the store cannot take it, letters are counted
// as dropped. No letter ever waits for its record, and none is lost with it.
package record

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"congthu/internal/store"
)

// maxPending bounds what waits in memory: about 20 MB.
const maxPending = 10_000

// Options say how much is kept.
type Options struct {
	Store   *store.DB
	Log     *slog.Logger
	NewID   func() string
	Now     func() time.Time
	Keep    time.Duration // 0: nothing is recorded
	Letters int64         // of all gateways that share the store
	Room    func() bool   // whether there is room for more than mail; nil: always
}

// Recorder is safe for concurrent use.
type Recorder struct {
	o Options

	mu      sync.Mutex
	pending []*Letter
	dropped uint64
	told    uint64     // of dropped, what the log knows of
	writing sync.Mutex // one flush at a time
}

// New returns a recorder that keeps nothing yet.
func New(o Options) *Recorder { return &Recorder{o: o} }

// Note remembers a letter until the next flush.
func (r *Recorder) Note(e Event) {
	if r.o.Keep <= 0 {
		return
	}
	l := e.letter()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) >= maxPending {
		r.dropped++
		return
	}
	r.pending = append(r.pending, l)
}

// Dropped counts the letters that were not recorded.
func (r *Recorder) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// Run writes once a second and tidies up every ten minutes, until the context ends, and
// writes once more then.
func (r *Recorder) Run(ctx context.Context) {
	if r.o.Keep <= 0 {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for next := r.o.Now(); ; {
		select {
		case <-ctx.Done(): // also when it ended while something was written
			r.flush(context.WithoutCancel(ctx))
			return
		case <-tick.C:
		}
		r.flush(context.WithoutCancel(ctx))
		if now := r.o.Now(); now.After(next) && ctx.Err() == nil {
			next = now.Add(10 * time.Minute)
			if err := r.Tidy(ctx); err != nil && ctx.Err() == nil {
				r.o.Log.Warn("the record of past letters was not tidied", "error", err)
			}
		}
	}
}

// flush writes what waits. What a store in trouble does not take is dropped at once
// rather than tried until memory is full: the queue needs the store more than we do.
func (r *Recorder) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := r.Flush(ctx)
	r.mu.Lock()
	lost := r.dropped - r.told
	r.told = r.dropped
	r.mu.Unlock()
	if lost > 0 {
		r.o.Log.Warn("letters were not recorded; rules simulate will not know them", "letters", lost, "error", err)
	}
}

// Flush writes what was noted until now.
func (r *Recorder) Flush(ctx context.Context) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	letters := r.pending
	r.pending = nil
	r.mu.Unlock()
	if r.o.Room != nil && !r.o.Room() {
		r.drop(len(letters)) // what is left of the disk is for the queue and its operators
		return nil
	}
	var failed error
	for set, of := range bySet(letters) {
		for len(of) > 0 {
			n := min(len(of), maxChunk)
			if err := r.write(ctx, set, of[:n]); err != nil {
				failed = err
				r.drop(n)
			}
			of = of[n:]
		}
	}
	return failed
}

func (r *Recorder) drop(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped += uint64(n)
}

func bySet(letters []*Letter) map[string][]*Letter {
	out := map[string][]*Letter{}
	for _, l := range letters {
		out[l.Rules] = append(out[l.Rules], l)
	}
	return out
}
