package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
)

// How bad an error of the database is.
type badness uint8

const (
	mild    badness = iota // the statement's own fault: a constraint, a typing error
	passing                // the transaction is lost, the next may do: busy, out of memory
	full                   // no room
	fatal                  // I/O error, damage: what is on disk is no longer known
)

// gradeFile grades an error of the data directory's disk. What is not the disk's is
// the caller's own.
func gradeFile(err error) badness {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return full
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.EROFS):
		return fatal
	}
	return mild
}

// health remembers the last failure of the writer.
type health struct {
	troubles atomic.Uint64

	mu    sync.Mutex
	cause error
	fatal bool
}

// err returns what Healthy returns.
func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause
}

// broken returns the failure after which nothing may be written any more.
func (h *health) broken() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fatal {
		return h.cause
	}
	return nil
}

// healing tells whether a test write may show that the trouble is over.
func (h *health) healing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause != nil && !h.fatal
}

// fine is called after a successful COMMIT.
func (h *health) fine() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.fatal {
		h.cause = nil
	}
}

// note records a failure, which is that bad, and returns it as callers shall see it.
func (h *health) note(err error, bad badness) error {
	h.troubles.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fatal {
		return h.cause
	}
	switch bad {
	case full:
		h.cause = fmt.Errorf("%w: %w", ErrFull, err)
	case fatal:
		h.cause, h.fatal = fmt.Errorf("%w: %w", ErrBroken, err), true
	default:
		h.cause = fmt.Errorf("store: not committed: %w", err)
	}
	return h.cause
}

// touch is the test write of a store in trouble.
func touch(tx Tx) error {
	_, err := tx.Exec(context.Background(), `UPDATE probe SET n = n + 1`)
	return err
}
