package store

import (
	"context"
	"database/sql"
)

// Tx is one piece of work on the store. Queries use $1, $2 for their arguments,
// are constant texts (the writer keeps them prepared), and rows are closed
// before the next statement.
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
// interrupted statement can roll back the whole transaction, with the work of
// others in it.
type writeTx struct {
	c      *writeConn
	failed error // the first error that leaves the transaction in doubt
	after  []func()
}

// stmt returns the prepared statement, or the error that ended this work.
func (t *writeTx) stmt(query string) (*sql.Stmt, error) {
	if t.failed != nil {
		return nil, t.failed
	}
	s, err := t.c.prepare(query)
	return s, t.note(err)
}

// note remembers an error after which the transaction may be gone, so that a
// function that ignores errors cannot go on outside of it.
func (t *writeTx) note(err error) error {
	if t.failed == nil && err != nil && grade(err) != mild {
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
	r, err := s.ExecContext(context.Background(), args...)
	return r, t.note(err)
}

// Query implements Tx.
func (t *writeTx) Query(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(context.Background(), args...)
	return r, t.note(err)
}

// QueryRow implements Tx.
func (t *writeTx) QueryRow(_ context.Context, query string, args ...any) Row {
	s, err := t.stmt(query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(context.Background(), args...)
}

// AfterCommit implements Tx.
func (t *writeTx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// readTx is the Tx of View.
type readTx struct{ tx *sql.Tx }

// Exec implements Tx; the connection refuses to write.
func (t readTx) Exec(context.Context, string, ...any) (sql.Result, error) { return nil, ErrReadOnly }

// Query implements Tx.
func (t readTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, query, args...)
}

// QueryRow implements Tx.
func (t readTx) QueryRow(ctx context.Context, query string, args ...any) Row {
	return t.tx.QueryRowContext(ctx, query, args...)
}

// AfterCommit implements Tx: there is no commit.
func (t readTx) AfterCommit(func()) {}
