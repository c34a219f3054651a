package store

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"congthu/internal/seal"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Body is content on its way into the store: durable already when it is large,
// but not yet referred to by anything.
type Body struct {
	ID   string
	Size int64

	db       *DB
	crc      uint32
	content  []byte // nil: in a file
	attached bool
}

// Checksum is how the store recognises damaged octets (CRC-32C): against decay,
// not against an enemy, who could change the sum as well.
func Checksum(parts ...[]byte) uint32 {
	var sum uint32
	for _, p := range parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// Stage prepares content for an Update. Large content is written to a file,
// which is synced with its directory before Stage returns; small content is only
// gathered. Attach it in an Update, or Discard it.
func (d *DB) Stage(content ...[]byte) (*Body, error) {
	if d.writer == nil {
		return nil, ErrReadOnly
	}
	b := &Body{ID: newID(), db: d, crc: Checksum(content...)}
	for _, c := range content {
		b.Size += int64(len(c))
	}
	if b.Size <= d.engine.inline() {
		b.content = d.keys.Seal(b.ID, content...) // never nil, which would mean a file
		return b, nil
	}
	if err := d.writeFile(b.ID, content); err != nil {
		return nil, err
	}
	return b, nil
}

// newID returns a name that was never used before and cannot be guessed.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return hex.EncodeToString(b[:])
}

func (d *DB) bodyPath(id string) string { return filepath.Join(d.dir, bodiesDir, id) }

// writeFile writes and syncs a file and its name. It needs no temporary name
// and rename: the file exists for readers only once its row is committed, and
// Open sweeps a file that has none.
func (d *DB) writeFile(id string, content [][]byte) error {
	path := d.bodyPath(id)
	if err := d.health.broken(); err != nil {
		return err
	}
	f, err := d.fs.Create(path)
	if err != nil {
		return d.noteFile(path, err)
	}
	err = d.fill(f, id, content)
	if err == nil {
		err = d.fs.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = d.fs.Remove(path) // if this fails too, the next Open does it
		return d.noteFile(path, err)
	}
	return nil
}

func (d *DB) fill(f file, id string, content [][]byte) error {
	out := bufio.NewWriterSize(f, 1<<20)
	if err := errors.Join(d.keys.SealTo(out, id, content...), out.Flush()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// noteFile records a failure of the disk as a failure of the store. Here the
// outcome is known (the file has no row), so what is not an I/O error, such as
// too many open files, passes.
func (d *DB) noteFile(path string, err error) error {
	bad := gradeFile(err)
	if bad == mild {
		return fmt.Errorf("store: %s: %w", path, err)
	}
	return d.health.note(fmt.Errorf("%s: %w", path, err), bad)
}

// Attach records the body in the work of tx. The caller refers to b.ID from a
// row of its own in the same work.
func (b *Body) Attach(ctx context.Context, tx Tx) error {
	var content any // NULL for a file
	if b.content != nil {
		content = b.content
	}
	if _, err := tx.Exec(ctx, `INSERT INTO body (id, size, crc, content) VALUES ($1, $2, $3, $4)`, b.ID, b.Size, int64(b.crc), content); err != nil {
		return fmt.Errorf("store: body %s: %w", b.ID, err)
	}
	tx.AfterCommit(func() { b.attached = true })
	return nil
}

// Discard removes a body that was not committed; after a commit it does
// nothing. After an I/O error the file stays, because the commit may turn out to
// have happened; the next Open knows.
func (b *Body) Discard() {
	if b.attached || b.content != nil || b.Size <= b.db.engine.inline() || b.db.health.broken() != nil {
		return
	}
	if err := b.db.fs.Remove(b.db.bodyPath(b.ID)); err != nil {
		b.db.log.Warn("store: unused body file stays until the next start", "body", b.ID, "error", err)
	}
}

// Unref removes a body that no row refers to any more; with another reference
// left it does nothing. The caller has removed its own row first.
//
// In a database that is shared the body goes just before the commit: two gateways that
// each remove one of its last two references must not both find the other's, and so it
// is locked, in an order in which they cannot wait for each other.
func (d *DB) Unref(ctx context.Context, tx Tx, id string) error {
	if w, ok := tx.(*writeTx); ok && d.engine.shared() {
		w.unrefs = append(w.unrefs, id)
		return nil
	}
	var inline bool
	err := tx.QueryRow(ctx, `SELECT content IS NOT NULL FROM body WHERE id = $1`, id).Scan(&inline)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: body %s: %w", id, err)
	}
	r, err := tx.Exec(ctx, `DELETE FROM body WHERE id = $1 AND`+unused, id)
	if err != nil {
		return fmt.Errorf("store: body %s: %w", id, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 || inline {
		return err
	}
	tx.AfterCommit(func() {
		if err := d.fs.Remove(d.bodyPath(id)); err != nil {
			d.log.Warn("store: body file stays until the next start", "body", id, "error", err)
		}
	})
	return nil
}

// Body reads content back. ErrCorrupt says that it is not what was written;
// such content is never returned. ErrSealed says that another key is needed.
func (d *DB) Body(ctx context.Context, id string) ([]byte, error) {
	var size, crc int64
	var content []byte
	var inline bool
	err := d.View(ctx, func(tx Tx) error {
		return tx.QueryRow(ctx, `SELECT size, crc, content, content IS NOT NULL FROM body WHERE id = $1`, id).Scan(&size, &crc, &content, &inline)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("%w: body %s", ErrNotFound, id)
	case err != nil:
		return nil, fmt.Errorf("store: body %s: %w", id, err)
	}
	if !inline {
		if content, err = readFile(d.bodyPath(id), size); err != nil {
			return nil, err
		}
	}
	if content, err = d.unseal(id, content, (*seal.Keys).OpenInPlace); err != nil {
		return nil, err
	}
	if int64(len(content)) != size || int64(Checksum(content)) != crc {
		return nil, fmt.Errorf("%w: body %s", ErrCorrupt, id)
	}
	return content, nil
}

// readFile reads a file with content of a known size, sealed or not. A missing, short or long one is
// damage; any other trouble may pass, and is not.
func readFile(path string, size int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if st.Size() != size && st.Size() != seal.Size(size) {
		return nil, fmt.Errorf("%w: %s has %d octets, not %d", ErrCorrupt, path, st.Size(), seal.Size(size))
	}
	out := make([]byte, st.Size())
	if _, err := io.ReadFull(f, out); err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	return out, nil
}
