package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// This file holds all that is said to SQLite and not to SQL.

// blobType is the column type for octets.
const blobType = "BLOB"

// busyTimeout is how long (ms) another process, such as a backup, may hold the
// write lock before a batch fails.
const busyTimeout = "5000"

// maxStatements bounds the prepared statements kept. Queries are constants, so
// the program has a few dozen; a query built from data is a mistake that must
// not eat memory.
const maxStatements = 256

// Pages of 4 KB in the write-ahead log: from the first number on they are copied
// into the database, at the second the writer waits for readers so that the log
// can start over.
const (
	walCopy  = 4000
	walReset = 16000
)

// fileURI names the database so that any character may be in its path.
func fileURI(path string, params url.Values) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path // the working directory is gone; opening will say so
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: params.Encode()}
	return u.String()
}

func writerDSN(path string) string {
	return fileURI(path, url.Values{
		"_busy_timeout": {busyTimeout}, "_foreign_keys": {"1"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"},
		"_dqs": {"0"}, "_defensive": {"1"}, "_error_rc": {"1"},
		// The writer makes its checkpoints itself, see checkpoint.
		"_pragma": {"wal_autocheckpoint(0)", "journal_size_limit(67108864)", "cache_size(-16384)"},
	})
}

func readerDSN(path string, readOnly bool) string {
	v := url.Values{"_busy_timeout": {busyTimeout}, "_query_only": {"1"}, "_dqs": {"0"}, "_defensive": {"1"}, "_error_rc": {"1"}}
	if readOnly {
		v.Set("mode", "ro")
	}
	return fileURI(path, v)
}

// writeConn is the only connection that writes.
type writeConn struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	fail  func(query string) error // tests: an error instead of running it
}

func openWriter(ctx context.Context, path string) (*writeConn, error) {
	// fdatasync makes the same data durable with less work for the journal of
	// the file system. Where it does not exist, fsync stays.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, err
	}
	db, err := sql.Open("sqlite", writerDSN(path))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	c := &writeConn{db: db, conn: conn, stmts: map[string]*sql.Stmt{}}
	if err := c.check(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// check makes sure that the settings which the promises rest on took effect;
// SQLite answers some pragmas it cannot honour by keeping the old value.
func (c *writeConn) check(ctx context.Context) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := c.conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("pragma %s is %s, not %s: this file system cannot keep mail safely", pragma, got, want)
		}
	}
	return nil
}

// prepare returns the statement for the query, from memory if it was used
// before.
func (c *writeConn) prepare(query string) (*sql.Stmt, error) {
	if c.fail != nil {
		if err := c.fail(query); err != nil {
			return nil, err
		}
	}
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		c.forget()
	}
	s, err := c.conn.PrepareContext(context.Background(), query)
	if err == nil {
		c.stmts[query] = s
	}
	return s, err
}

func (c *writeConn) forget() {
	for q, s := range c.stmts {
		_ = s.Close() // frees memory only
		delete(c.stmts, q)
	}
}

func (c *writeConn) exec(query string) error {
	s, err := c.prepare(query)
	if err == nil {
		_, err = s.ExecContext(context.Background())
	}
	return err
}

// checkpoint copies the log into the database when it has grown. It runs after
// the callers of a batch have their answer, and unlike SQLite's automatic
// checkpoint it does not keep a failed fsync to itself.
func (c *writeConn) checkpoint() error {
	var busy, log, copied int
	if err := c.pragma("PRAGMA wal_checkpoint(NOOP)", &busy, &log, &copied); err != nil {
		return err
	}
	switch {
	case log > walReset:
		return c.pragma("PRAGMA wal_checkpoint(RESTART)", &busy, &log, &copied)
	case log-copied > walCopy:
		return c.pragma("PRAGMA wal_checkpoint(PASSIVE)", &busy, &log, &copied)
	}
	return nil
}

func (c *writeConn) pragma(query string, dest ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background()).Scan(dest...)
}

// rollback ends a failed transaction. That there is none any more is the usual
// case after an I/O error, and no news.
func (c *writeConn) rollback() { _ = c.exec("ROLLBACK") }

func (c *writeConn) close() error {
	c.forget()
	return errors.Join(c.conn.Close(), c.db.Close())
}

// grade tells how bad an error is. What is not known to be harmless is fatal.
func grade(err error) badness {
	var e *sqlite.Error
	switch {
	case err == nil:
		return mild
	case errors.As(err, &e):
		return gradeCode(e.Code() & 0xff) // the low octet is the primary code
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return full
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.EROFS):
		return fatal
	}
	return mild // an error of the caller's own
}

func gradeCode(code int) badness {
	switch code {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_AUTH:
		return mild
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_ABORT, sqlite3.SQLITE_SCHEMA:
		return passing
	case sqlite3.SQLITE_FULL:
		return full
	}
	return fatal
}
