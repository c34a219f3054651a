// Package store keeps the durable state of the gateway behind one interface:
// queue, quarantine, and whatever else must survive a crash, are tables of one
// database. That is an SQLite file in the data directory, or a database on a
// PostgreSQL server, which makes one gateway of all that use it. The SQL that other
// packages write is the same for both; where the two differ stands in sqlite.go and
// postgres.go, behind the interface of engine.go.
//
// What is promised:
//
//   - Update returns nil only after the COMMIT that holds its work has been
//     synced. Callers that arrive together share one COMMIT, because the sync is
//     the expensive part.
//   - A failed COMMIT is an error for every caller in it. Its outcome may be
//     unknown: work that was refused to the caller may still be found later, which
//     costs a duplicate, never a loss.
//   - After an I/O error nothing more is written until the daemon is restarted: a
//     second fsync may report success for pages that the kernel has dropped. A
//     full disk is not such an error, nor is a server that went away: the store
//     heals when there is room, or the server, again.
//   - Large contents are files in the data directory of SQLite: written, synced, and
//     their directory synced, before the row that names them is committed. A file
//     without a row is waste and is swept at the next Open; a row without its file is
//     reported, never taken for an empty message. On PostgreSQL all contents are rows,
//     because every gateway must be able to read them.
//   - Contents are sealed with the data key (package seal), in files and in rows: who has
//     the disk, a backup or the database, and not the key, reads none of them.
//
// A data directory belongs to one running gateway with either engine.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"congthu/internal/seal"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrClosed   = errors.New("store: closed")
	ErrReadOnly = errors.New("store: opened for reading only")
	ErrFull     = errors.New("store: no space left")                      // answer 452 4.3.1
	ErrBroken   = errors.New("store: stopped writing after an I/O error") // answer 451 4.3.0
	ErrNotFound = errors.New("store: not found")
	ErrCorrupt  = errors.New("store: content damaged")
	ErrSealed   = errors.New("store: sealed with a data key that is not at hand") // another gateway may have it
)

const (
	fileName  = "congthu.db"
	bodiesDir = "bodies"
)

// Options say where the state is.
type Options struct {
	URL      string // "sqlite" or "" (the same), or postgres://…, as libpq reads it
	Dir      string // the data directory; made with mode 0700 when it is missing
	Log      *slog.Logger
	Key      string // the file with the data key, under Dir; "": data.key. Made when there is none
	ReadOnly bool   // look only: takes no lock, so it works beside a running daemon

	fs       files // nil: the disk
	maxBatch int   // 0: maxBatch
}

// DB is an open store. Its methods are safe for concurrent use.
type DB struct {
	dir     string
	engine  engine
	words   *strings.Replacer
	log     *slog.Logger
	fs      files
	lock    io.Closer
	readers *sql.DB
	writer  *writer // nil when read-only
	health  health
	keys    *seal.Keys // nil when there is no key to read with
	name    string
	closing sync.Once
	closed  error
}

// Open opens the store, making or upgrading it when needed. It fails when
// another process has it, when a newer version of the program has written it, and
// when files are readable by others.
func Open(ctx context.Context, o Options) (*DB, error) {
	e, err := newEngine(o)
	if err != nil {
		return nil, err
	}
	d := &DB{dir: o.Dir, engine: e, words: e.dialect(), log: o.Log, fs: o.fs}
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

func newEngine(o Options) (engine, error) {
	kind, _, _ := strings.Cut(o.URL, ":")
	switch kind {
	case "", "sqlite":
		return sqliteEngine{o.Dir}, nil
	case "postgres", "postgresql":
		return newPostgres(o.URL)
	}
	return nil, problemURL(kind)
}

func (d *DB) open(ctx context.Context, o Options) error {
	if o.ReadOnly {
		if err := d.engine.present(); err != nil {
			return err
		}
		d.keys, _ = seal.Read(o.keyPath()) // without it what is sealed stays so
		return d.openReaders(ctx, true)
	}
	if err := prepareDir(d.dir, &d.lock); err != nil {
		return err
	}
	if err := d.engine.prepare(); err != nil {
		return err
	}
	if d.engine.shared() {
		var err error
		if d.name, err = nameOf(d.dir); err != nil {
			return err
		}
	}
	conn, err := d.engine.writer(ctx)
	if err != nil {
		return d.engine.problem(err)
	}
	if err := migrate(ctx, d.engine, conn.base().conn); err != nil {
		return errors.Join(err, conn.close())
	}
	if err := d.fs.SyncDir(d.dir); err != nil {
		return errors.Join(problemOpen(d.dir, err), conn.close())
	}
	d.writer = startWriter(conn, &d.health, d.log, o.maxBatch)
	if err := d.openReaders(ctx, false); err != nil {
		return err
	}
	if err := d.unlock(ctx, o); err != nil {
		return err
	}
	return d.sweep(ctx)
}

func (d *DB) openReaders(ctx context.Context, readOnly bool) error {
	db, err := d.engine.readers(readOnly)
	if err != nil {
		return d.engine.problem(err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	d.readers = db
	if readOnly {
		return checkVersion(ctx, d.engine, db)
	}
	return nil
}

// Name is the data directory's own name, the same after each restart; "" unless Shared.
func (d *DB) Name() string { return d.name }

// Troubles counts the transactions that failed. One of them may have happened all
// the same: whoever keeps in memory what the tables say looks again when it grows.
func (d *DB) Troubles() uint64 { return d.health.troubles.Load() }

// Shared tells whether other gateways may work on the same tables.
func (d *DB) Shared() bool { return d.engine.shared() }

// Check says what Open would complain of in the database, as far as that can be seen
// without changing anything: whether it can be reached, is safe, and is not newer than
// the program, and whether the data key is there and is that of the database. A database
// that does not exist yet is no complaint.
func Check(ctx context.Context, o Options) error {
	e, err := newEngine(o)
	if err != nil {
		return err
	}
	if err := e.check(ctx); err != nil {
		return err
	}
	return checkKey(ctx, e, o)
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
// do no I/O of its own, and must not call Update. Where gateways share the store it is
// run again when they were in each other's way, so it sets what it returns and does not
// add to it.
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
	ctx, cancel := d.engine.patience(ctx)
	defer cancel()
	tx, err := d.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("store: view: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(readTx{tx, d.words})
}

// snapshot begins a View. A connection that was lost while it was idle, because the
// server was restarted, is found out only by using it.
func (d *DB) snapshot(ctx context.Context) (tx *sql.Tx, err error) {
	for range 3 {
		if tx, err = d.readers.BeginTx(ctx, d.engine.snapshot()); err == nil || ctx.Err() != nil || !d.engine.shared() {
			break
		}
	}
	return tx, err
}

// Healthy returns nil while the store takes work. Otherwise the error is
// ErrBroken, which needs a restart, or another that heals by itself, such as ErrFull.
func (d *DB) Healthy() error { return d.health.err() }

// Free returns the octets that the data directory's file system still has for
// us, and its size. The disk of a PostgreSQL server is not ours to look at: a full one
// is known by Healthy, after it has refused the first work.
func (d *DB) Free() (free, total uint64, err error) { return freeSpace(d.dir) }

// probe is how often a store that ran full tries whether there is room again.
const probe = time.Second
