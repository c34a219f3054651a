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

// batch is one transaction and the requests in it.
type batch struct {
	done    []*request
	clashed []*request // undone because another gateway was in the way
	unrefs  []string
	err     error // ends the batch for all of them
}

// batch runs the first request and those that wait behind it in one
// transaction, and tells all of them what came of its COMMIT. When the database
// cannot be had at all, all that wait are told now: each would wait for the same.
func (w *writer) batch(first *request) {
	b := w.begin()
	none := b.err != nil
	start := time.Now()
	for r := first; r != nil; r = w.next(len(b.done), start, b.err != nil && !none) {
		if r.state.CompareAndSwap(waiting, taken) {
			w.add(b, r)
		}
	}
	w.finish(b)
	for _, r := range b.clashed {
		w.alone(r)
	}
}

func (w *writer) begin() *batch {
	b := &batch{err: w.health.broken()}
	if b.err == nil {
		b.err = w.conn.begin()
	}
	return b
}

// add runs a request as part of the batch, unless that has failed already.
func (w *writer) add(b *batch, r *request) {
	var ids []string
	if b.err == nil {
		ids, b.err = w.one(r)
	}
	if b.err == nil && r.err != nil && w.conn.clash(r.err) {
		b.clashed = append(b.clashed, r)
		return
	}
	b.done, b.unrefs = append(b.done, r), append(b.unrefs, ids...)
}

// clashes bounds how often a request is run again: about five seconds.
const clashes = 10

// alone runs a request again that clashed: in a batch two gateways can wait for each
// other's rows, with one request in a transaction hardly ever.
func (w *writer) alone(r *request) {
	for n := 1; ; n++ {
		b := w.begin()
		w.add(b, r)
		if len(b.clashed) > 0 && n == clashes {
			b.done = b.clashed
		}
		w.finish(b)
		if len(b.done) > 0 {
			return
		}
	}
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

// finish commits, or rolls back when the batch failed, and answers.
func (w *writer) finish(b *batch) {
	if b.err == nil {
		b.err = w.health.broken() // a body file may have failed meanwhile
	}
	if b.err == nil && len(b.unrefs) > 0 {
		b.err = w.conn.unref(b.unrefs)
	}
	if b.err == nil {
		b.err = w.conn.commit()
	}
	if b.err != nil {
		w.conn.rollback()
		b.err = w.note("store: a batch was not committed and not acknowledged", b.err)
	} else {
		w.health.fine()
	}
	for _, r := range b.done {
		if b.err != nil {
			r.err = b.err
		}
		close(r.done)
	}
	if b.err == nil {
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
