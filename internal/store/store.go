// Package store keeps the durable state of the gateway behind one interface:
// queue, quarantine, and whatever else must survive a crash, are tables of one
// database. Today the database is an SQLite file in the data directory; the SQL
// that the other packages write is plain enough for PostgreSQL, and everything
// that is not stands in sqlite.go.
//
// What is promised:
//
//   - Update returns nil only after the COMMIT that holds its work has been
//     synced. Callers that arrive together share one COMMIT, because the sync is
//     the expensive part.
//   - A failed COMMIT is an error for every caller in it. Its outcome may be
//     unknown: work that was refused to the caller may still be found after a
//     restart, which costs a duplicate, never a loss.
//   - After an I/O error nothing more is written until the daemon is restarted: a
//     second fsync may report success for pages that the kernel has dropped. A
//     full disk is not such an error; the store heals when there is room again.
//   - Large contents are files: written, synced, and their directory synced, before
//     the row that names them is committed. A file without a row is waste and
//     is swept at the next Open; a row without its file is reported, never
//     taken for an empty message.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrClosed   = errors.New("store: closed")
	ErrReadOnly = errors.New("store: opened for reading only")
	ErrFull     = errors.New("store: no space left")                      // answer 452 4.3.1
	ErrBroken   = errors.New("store: stopped writing after an I/O error") // answer 451 4.3.0
	ErrNotFound = errors.New("store: not found")
	ErrCorrupt  = errors.New("store: content damaged")
)

const (
	fileName  = "congthu.db"
	bodiesDir = "bodies"

	// inlineMax is the largest content that is kept as a row. Above it one more
	// file with its own syncs is cheaper than pages in the write-ahead log, which
	// are written twice.
	inlineMax = 256 << 10
)

// Options say where the state is.
type Options struct {
	URL      string // "sqlite" or "" (the same)
	Dir      string // the data directory; made with mode 0700 when it is missing
	Log      *slog.Logger
	ReadOnly bool // look only: takes no lock, so it works beside a running daemon

	fs       files // nil: the disk
	maxBatch int   // 0: maxBatch
}

// DB is an open store. Its methods are safe for concurrent use.
type DB struct {
	dir     string
	log     *slog.Logger
	fs      files
	lock    io.Closer
	readers *sql.DB
	writer  *writer // nil when read-only
	health  health
	closing sync.Once
	closed  error
}

// Open opens the store, making or upgrading it when needed. It fails when
// another process has it, when a newer version of the program has written it, and
// when files are readable by others.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.URL != "" && o.URL != "sqlite" {
		return nil, problemURL(o.URL)
	}
	d := &DB{dir: o.Dir, log: o.Log, fs: o.fs}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.fs == nil {
		d.fs = disk{}
	}
	if err := d.open(ctx, o); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, o Options) error {
	path := filepath.Join(d.dir, fileName)
	if o.ReadOnly {
		if _, err := os.Lstat(path); err != nil {
			return problemMissing(path, err)
		}
		return d.openReaders(ctx, path, true)
	}
	if err := prepareDir(d.dir, path, &d.lock); err != nil {
		return err
	}
	conn, err := openWriter(ctx, path)
	if err != nil {
		return problemOpen(path, err)
	}
	if err := migrate(ctx, conn.conn, path); err != nil {
		return errors.Join(err, conn.close())
	}
	if err := d.fs.SyncDir(d.dir); err != nil {
		return errors.Join(problemOpen(d.dir, err), conn.close())
	}
	d.writer = startWriter(conn, &d.health, d.log, o.maxBatch)
	if err := d.openReaders(ctx, path, false); err != nil {
		return err
	}
	return d.sweep(ctx)
}

func (d *DB) openReaders(ctx context.Context, path string, readOnly bool) error {
	db, err := sql.Open("sqlite", readerDSN(path, readOnly))
	if err != nil {
		return problemOpen(path, err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	d.readers = db
	if readOnly {
		return checkVersion(ctx, db, path)
	}
	return nil
}

// Close waits for the work that Update has taken, then closes the files and
// gives the lock back.
func (d *DB) Close() error {
	d.closing.Do(func() { d.closed = d.close() })
	return d.closed
}

func (d *DB) close() error {
	var errs []error
	if d.readers != nil {
		errs = append(errs, d.readers.Close())
	}
	if d.writer != nil {
		errs = append(errs, d.writer.close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}

// Update runs fn in the writer's transaction and returns nil only once that is
// committed and synced. An error of fn undoes what fn did and nothing else. fn
// runs in another goroutine, together with the work of others: it must be short,
// do no I/O of its own, and must not call Update.
//
// A ctx that ends before fn has begun withdraws it. Afterwards Update waits for
// the outcome: nobody is helped by not knowing.
func (d *DB) Update(ctx context.Context, fn func(Tx) error) error {
	if d.writer == nil {
		return ErrReadOnly
	}
	return d.writer.do(ctx, fn)
}

// View runs fn on a consistent snapshot. Rows must be closed before fn returns.
func (d *DB) View(ctx context.Context, fn func(Tx) error) error {
	tx, err := d.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("store: view: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(readTx{tx})
}

// Healthy returns nil while the store takes work. Otherwise the error is
// ErrFull, which heals by itself, or ErrBroken, which needs a restart.
func (d *DB) Healthy() error { return d.health.err() }

// Free returns the octets that the data directory's file system still has for
// us, and its size.
func (d *DB) Free() (free, total uint64, err error) { return freeSpace(d.dir) }

// probe is how often a store that ran full tries whether there is room again.
const probe = time.Second
