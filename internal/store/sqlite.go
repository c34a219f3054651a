package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// This file holds all that is said to SQLite and not to SQL.

// inlineMax is the largest content that SQLite keeps as a row. Above it one more
// file with its own syncs is cheaper than pages in the write-ahead log, which
// are written twice.
const inlineMax = 256 << 10

// busyTimeout is how long (ms) another process, such as a backup, may hold the
// write lock before a batch fails.
const busyTimeout = "5000"

// Pages of 4 KB in the write-ahead log: from the first number on they are copied
// into the database, at the second the writer waits for readers so that the log
// can start over.
const (
	walCopy  = 4000
	walReset = 16000
)

// sqliteEngine is the database as a file in the data directory. The directory's lock
// makes this process the only one that writes it.
type sqliteEngine struct{ dir string }

func (e sqliteEngine) label() string  { return filepath.Join(e.dir, fileName) }
func (sqliteEngine) shared() bool     { return false }
func (sqliteEngine) inline() int64    { return inlineMax }
func (e sqliteEngine) prepare() error { return prepareFiles(e.dir, e.label()) }

func (e sqliteEngine) problem(err error) error { return problemOpen(e.label(), err) }

func (e sqliteEngine) check(ctx context.Context) error {
	if _, err := os.Lstat(e.label()); errors.Is(err, os.ErrNotExist) {
		return nil // the first start makes it
	}
	db, err := e.readers(true)
	if err != nil {
		return e.problem(err)
	}
	return errors.Join(notNewer(ctx, e, db), db.Close())
}

func (e sqliteEngine) present() error {
	if _, err := os.Lstat(e.label()); err != nil {
		return problemMissing(e.label(), err)
	}
	return nil
}

func (e sqliteEngine) readers(readOnly bool) (*sql.DB, error) {
	return sql.Open("sqlite", readerDSN(e.label(), readOnly))
}

// snapshot: in WAL mode every transaction sees one moment.
func (sqliteEngine) snapshot() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// patience: a reader waits for nobody but the disk.
func (sqliteEngine) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// lock: the lock of the data directory is enough.
func (sqliteEngine) lock(context.Context, *sql.Conn) (func() error, error) {
	return func() error { return nil }, nil
}

func (e sqliteEngine) script(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := tx.ExecContext(ctx, e.dialect().Replace(text))
	return err
}

func (sqliteEngine) noTable(err error) bool { return strings.Contains(err.Error(), "no such table") }

// dialect: the only writer has nobody to lock rows against.
func (sqliteEngine) dialect() *strings.Replacer {
	return words("BLOB", "CAST(unixepoch('subsec') * 1000 AS INTEGER)", "", "", "-- ")
}

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
		// The writer makes its checkpoints itself, see settle.
		"_pragma": {
			"wal_autocheckpoint(0)", "journal_size_limit(67108864)", "cache_size(-16384)",
			// What a savepoint may have to undo is kept in memory: a file for it is one more
			// thing that can fail when the process has no descriptors left.
			"temp_store(memory)",
		},
	})
}

func readerDSN(path string, readOnly bool) string {
	v := url.Values{"_busy_timeout": {busyTimeout}, "_query_only": {"1"}, "_dqs": {"0"}, "_defensive": {"1"}, "_error_rc": {"1"}}
	if readOnly {
		v.Set("mode", "ro")
	}
	return fileURI(path, v)
}

// sqliteConn is the only connection that writes the file.
type sqliteConn struct {
	writeConn
	scrub atomic.Bool // the log is to be emptied
}

func (e sqliteEngine) writer(ctx context.Context) (conn, error) {
	// fdatasync makes the same data durable with less work for the journal of
	// the file system. Where it does not exist, fsync stays.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, err
	}
	db, err := sql.Open("sqlite", writerDSN(e.label()))
	if err != nil {
		return nil, err
	}
	sc, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	c := &sqliteConn{writeConn: writeConn{db: db, conn: sc, words: e.dialect(), stmts: map[string]*sql.Stmt{}}}
	if err := c.check(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// check makes sure that the settings which the promises rest on took effect;
// SQLite answers some pragmas it cannot honour by keeping the old value.
func (c *sqliteConn) check(ctx context.Context) error {
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

func (c *sqliteConn) begin() error     { return c.verb("BEGIN IMMEDIATE") }
func (c *sqliteConn) savepoint() error { return c.verb("SAVEPOINT one") }
func (c *sqliteConn) release() error   { return c.verb("RELEASE one") }
func (c *sqliteConn) commit() error    { return c.verb("COMMIT") }

func (c *sqliteConn) undo() error {
	if err := c.verb("ROLLBACK TO one"); err != nil {
		return err
	}
	return c.release()
}

func (c *sqliteConn) verb(query string) error { return c.exec(context.Background(), query) }

// context: a statement of SQLite that is interrupted can roll back the whole
// transaction, with the work of others in it, and it waits for nobody but the disk.
func (*sqliteConn) context() context.Context { return context.Background() }

// clash: there is no other gateway.
func (*sqliteConn) clash(error) bool { return false }

// unref is for engines that must lock first; here it was done at once.
func (*sqliteConn) unref([]string) error { return nil }

// settle copies the log into the database when it has grown. It runs after
// the callers of a batch have their answer, and unlike SQLite's automatic
// checkpoint it does not keep a failed fsync to itself.
func (c *sqliteConn) settle() error {
	var busy, log, copied int
	if err := c.pragma("PRAGMA wal_checkpoint(NOOP)", &busy, &log, &copied); err != nil {
		return err
	}
	if c.scrub.Load() {
		err := c.pragma("PRAGMA wal_checkpoint(TRUNCATE)", &busy, &log, &copied)
		c.scrub.Store(err == nil && busy != 0) // a reader was in the way: next time
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

func (c *sqliteConn) pragma(query string, dest ...any) error {
	s, err := c.prepare(context.Background(), query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background()).Scan(dest...)
}

// rollback ends a failed transaction. That there is none any more is the usual
// case after an I/O error, and no news.
func (c *sqliteConn) rollback() { _ = c.verb("ROLLBACK") }

func (c *sqliteConn) close() error {
	c.forget()
	return errors.Join(c.conn.Close(), c.db.Close())
}

// grade tells how bad an error is. What is not known to be harmless is fatal.
func (*sqliteConn) grade(err error) badness {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return gradeCode(e.Code() & 0xff) // the low octet is the primary code
	}
	return gradeFile(err)
}

func gradeCode(code int) badness {
	switch code {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_AUTH:
		return mild
	case sqlite3.SQLITE_CANTOPEN: // no descriptor left, mostly; what could not be opened was not written to
		return passing
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_ABORT, sqlite3.SQLITE_SCHEMA:
		return passing
	case sqlite3.SQLITE_FULL:
		return full
	}
	return fatal
}
