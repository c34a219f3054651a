package store

import (
	"context"
	"database/sql"
	"strings"
)

// Tx is one piece of work on the store. Queries use $1, $2 for their arguments,
// are constant texts (the writer keeps them prepared), and rows are closed
// before the next statement. After a statement that failed the work cannot succeed
// any more, whatever its function returns.
type Tx interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row
	// AfterCommit has fn called when the work is durable, in the goroutine that
	// called Update; it is not called when the work fails, nor by View.
	AfterCommit(fn func())
}

// Row is the result of QueryRow.
type Row interface{ Scan(dest ...any) error }

// writeTx is the Tx of one request. The contexts given to it are not used: an
// interrupted statement can undo the whole transaction, with the work of others in
// it.
type writeTx struct {
	c      conn
	failed error // the first error that leaves the transaction in doubt
	broken error // the first statement that failed: PostgreSQL runs none after it
	after  []func()
	unrefs []string
}

// stmt returns the prepared statement, or the error that ended this work.
func (t *writeTx) stmt(query string) (*sql.Stmt, error) {
	if t.failed != nil {
		return nil, t.failed
	}
	s, err := t.c.base().prepare(t.c.context(), query)
	return s, t.note(err)
}

// note remembers an error after which the transaction may be gone, so that a
// function that ignores errors cannot go on outside of it.
func (t *writeTx) note(err error) error {
	if err == nil {
		return nil
	}
	if t.broken == nil {
		t.broken = err
	}
	if t.failed == nil && t.c.grade(err) != mild {
		t.failed = err
	}
	return err
}

// Exec implements Tx.
func (t *writeTx) Exec(_ context.Context, query string, args ...any) (sql.Result, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	r, err := s.ExecContext(t.c.context(), args...)
	return r, t.note(err)
}

// Query implements Tx.
func (t *writeTx) Query(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(t.c.context(), args...)
	return r, t.note(err)
}

// QueryRow implements Tx.
func (t *writeTx) QueryRow(_ context.Context, query string, args ...any) Row {
	s, err := t.stmt(query)
	if err != nil {
		return failedRow{err}
	}
	r := s.QueryRowContext(t.c.context(), args...)
	_ = t.note(r.Err()) // Scan returns it
	return r
}

// AfterCommit implements Tx.
func (t *writeTx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// readTx is the Tx of View.
type readTx struct {
	tx    *sql.Tx
	words *strings.Replacer
}

// Exec implements Tx; the connection refuses to write.
func (t readTx) Exec(context.Context, string, ...any) (sql.Result, error) { return nil, ErrReadOnly }

// Query implements Tx.
func (t readTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.words.Replace(query), args...)
}

// QueryRow implements Tx.
func (t readTx) QueryRow(ctx context.Context, query string, args ...any) Row {
	return t.tx.QueryRowContext(ctx, t.words.Replace(query), args...)
}

// AfterCommit implements Tx: there is no commit.
func (t readTx) AfterCommit(func()) {}
