package store

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxBatch = 256                   // requests in one COMMIT
	maxHold  = 50 * time.Millisecond // how long a batch stays open for newcomers
)

// A request is one call of Update.
type request struct {
	fn    func(Tx) error
	state atomic.Int32
	done  chan struct{} // closed when err and after are final
	err   error
	after []func()
}

// States of a request. Whoever moves it out of waiting owns it.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// writer is the one goroutine that writes. SQLite has one writer at a time in
// any case; having it in one place lets requests that arrive during a sync share
// the next one, with PostgreSQL too.
type writer struct {
	conn    conn
	health  *health
	log     *slog.Logger
	max     int
	queue   chan *request
	mu      sync.RWMutex // guards closed against sends on queue
	closed  bool
	stopped chan struct{}
	err     error // of closing the connection; valid after stopped
}

func startWriter(conn conn, h *health, log *slog.Logger, limit int) *writer {
	if limit <= 0 {
		limit = maxBatch
	}
	w := &writer{conn: conn, health: h, log: log, max: limit, queue: make(chan *request, maxBatch), stopped: make(chan struct{})}
	go w.run()
	return w
}

// do hands fn to the writer and waits for its outcome.
func (w *writer) do(ctx context.Context, fn func(Tx) error) error {
	r := &request{fn: fn, done: make(chan struct{})}
	if err := w.send(ctx, r); err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return context.Cause(ctx)
		}
		<-r.done
	}
	if r.err != nil {
		return r.err
	}
	for _, f := range r.after {
		f()
	}
	return nil
}

func (w *writer) send(ctx context.Context, r *request) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case w.queue <- r:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close refuses new requests, finishes the taken ones and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
	return w.err
}

func (w *writer) run() {
	defer close(w.stopped)
	tick := time.NewTicker(probe)
	defer tick.Stop()
	for {
		select {
		case r, ok := <-w.queue:
			if !ok {
				w.err = w.conn.close()
				return
			}
			w.batch(r)
		case <-tick.C:
			if w.health.healing() {
				w.batch(&request{fn: touch, done: make(chan struct{})})
			}
		}
	}
}

// batch runs the first request and those that wait behind it in one
// transaction, and tells all of them what came of its COMMIT. When the database
// cannot be had at all, all that wait are told now: each would wait for the same.
func (w *writer) batch(first *request) {
	var done []*request
	var unrefs []string
	err := w.health.broken()
	if err == nil {
		err = w.conn.begin()
	}
	none := err != nil
	start := time.Now()
	for r := first; r != nil; r = w.next(len(done), start, err != nil && !none) {
		if !r.state.CompareAndSwap(waiting, taken) {
			continue
		}
		done = append(done, r)
		if err == nil {
			var ids []string
			ids, err = w.one(r)
			unrefs = append(unrefs, ids...)
		}
	}
	if err == nil && len(unrefs) > 0 {
		err = w.conn.unref(unrefs)
	}
	w.finish(done, err)
}

// next returns the next waiting request, if the batch has room for it.
func (w *writer) next(n int, start time.Time, failed bool) *request {
	if n >= w.max || failed || time.Since(start) > maxHold {
		return nil
	}
	select {
	case r := <-w.queue: // nil when closed
		return r
	default:
		return nil
	}
}

// one runs a request between savepoints and returns the bodies it gave up. The error
// is not the request's own (that is in r.err) but one that ends the whole batch.
func (w *writer) one(r *request) ([]string, error) {
	if err := w.conn.savepoint(); err != nil {
		return nil, err
	}
	tx := &writeTx{c: w.conn}
	r.err = w.guard(r.fn, tx)
	switch {
	case tx.failed != nil:
		return nil, tx.failed
	case r.err == nil && tx.broken != nil:
		r.err = tx.broken
	}
	if r.err == nil {
		r.after = tx.after
		return tx.unrefs, w.conn.release()
	}
	if w.conn.grade(r.err) != mild {
		return nil, r.err
	}
	return nil, w.conn.undo()
}

// guard turns a panic of fn into an error: one caller's mistake must not stop
// the writing for all, and must not be acknowledged.
func (w *writer) guard(fn func(Tx) error, tx Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("panic in a store update", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("store: panic in an update: %v", p)
		}
	}()
	return fn(tx)
}

// finish commits, or rolls back when err is set, and answers.
func (w *writer) finish(done []*request, err error) {
	if err == nil {
		err = w.conn.commit()
	}
	if err != nil {
		w.conn.rollback()
		err = w.note("store: a batch was not committed and not acknowledged", err)
	} else {
		w.health.fine()
	}
	for _, r := range done {
		if err != nil {
			r.err = err
		}
		close(r.done)
	}
	if err == nil {
		if err := w.conn.settle(); err != nil {
			_ = w.note("store: checkpoint failed", err) // the work itself is safe
		}
	}
}

// note records a failure, and logs it if it is news: a full disk must not be
// filled further by a line for every refused message.
func (w *writer) note(what string, err error) error {
	level := slog.LevelError
	if w.health.err() != nil {
		level = slog.LevelDebug
	}
	err = w.health.note(err, w.conn.grade(err))
	w.log.Log(context.Background(), level, what, "error", err)
	return err
}
