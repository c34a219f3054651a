package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// faultyDisk is the disk with a failure at one step.
type faultyDisk struct {
	disk
	step string // create, write, sync, close or syncdir
	err  error
	mu   sync.Mutex
	log  []string
}

func (d *faultyDisk) do(step string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, step)
	if step == d.step {
		return d.err
	}
	return nil
}

func (d *faultyDisk) Create(path string) (file, error) {
	if err := d.do("create"); err != nil {
		return nil, err
	}
	f, err := d.disk.Create(path)
	return faultyFile{f, d}, err
}

func (d *faultyDisk) SyncDir(path string) error {
	if err := d.do("syncdir"); err != nil {
		return err
	}
	return d.disk.SyncDir(path)
}

type faultyFile struct {
	file
	d *faultyDisk
}

func (f faultyFile) Write(b []byte) (int, error) {
	if err := f.d.do("write"); err != nil {
		return 0, err
	}
	return f.file.Write(b)
}

func (f faultyFile) Sync() error {
	return errors.Join(f.d.do("sync"), f.file.Sync())
}

func (f faultyFile) Close() error {
	return errors.Join(f.d.do("close"), f.file.Close())
}

func TestBodyFileFailures(t *testing.T) {
	tests := []struct {
		step   string
		err    error
		want   error // what the caller can tell it by
		health error
	}{
		{"create", syscall.EMFILE, syscall.EMFILE, nil}, // passes by itself
		{"create", syscall.EROFS, ErrBroken, ErrBroken},
		{"write", syscall.ENOSPC, ErrFull, ErrFull},
		{"write", io.ErrShortWrite, io.ErrShortWrite, nil},
		{"write", syscall.EIO, ErrBroken, ErrBroken},
		{"sync", syscall.EIO, ErrBroken, ErrBroken},
		{"sync", syscall.EDQUOT, ErrFull, ErrFull},
		{"close", syscall.EIO, ErrBroken, ErrBroken},
		{"syncdir", syscall.EIO, ErrBroken, ErrBroken},
		{"syncdir", syscall.ENOSPC, ErrFull, ErrFull},
	}
	for _, tt := range tests {
		t.Run(tt.step+" "+tt.err.Error(), func(t *testing.T) {
			d := &faultyDisk{}
			db := open(t, Options{fs: d})
			d.step, d.err = tt.step, &os.PathError{Op: tt.step, Path: "x", Err: tt.err}
			if _, err := put(t.Context(), db, "big", make([]byte, inlineMax+1)); !errors.Is(err, tt.want) {
				t.Errorf("put: %v", err)
			}
			if err := db.Healthy(); !errors.Is(err, tt.health) || (tt.health == nil && err != nil) {
				t.Errorf("health: %v", err)
			}
			if n := bodyFiles(t, db); n != 0 {
				t.Errorf("%d files left", n)
			}
			d.step = ""
			_, err := put(t.Context(), db, "later", make([]byte, inlineMax+1))
			if broken := errors.Is(tt.health, ErrBroken); broken != (err != nil) || broken && !errors.Is(err, ErrBroken) {
				t.Errorf("afterwards: %v", err)
			}
			if n := count(t, db, `SELECT COUNT(*) FROM queue WHERE id = 'big'`); n != 0 {
				t.Error("a row without its file")
			}
		})
	}
}

// TestBodyFileOrder: content, its sync and its name's sync come before the row.
func TestBodyFileOrder(t *testing.T) {
	d := &faultyDisk{}
	db := open(t, Options{fs: d})
	d.log = nil
	db.writer.conn.base().inject(func(q string) error {
		if q == "COMMIT" {
			return d.do("commit")
		}
		return nil
	})
	if _, err := put(t.Context(), db, "big", make([]byte, inlineMax+1)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.log); got != "[create write sync close syncdir commit]" {
		t.Error(got)
	}
}

// TestFailedCommit: every caller of the batch learns of it, whatever failed.
func TestFailedCommit(t *testing.T) {
	for _, query := range []string{"BEGIN IMMEDIATE", "COMMIT", "RELEASE one", "SAVEPOINT one"} {
		t.Run(query, func(t *testing.T) {
			db := open(t, Options{})
			eio := &os.SyscallError{Syscall: "fdatasync", Err: syscall.EIO}
			db.writer.conn.base().inject(func(q string) error {
				if q == query {
					return eio
				}
				return nil
			})
			var wg sync.WaitGroup
			for i := range 40 {
				wg.Go(func() {
					if _, err := put(t.Context(), db, fmt.Sprint(i), []byte("x")); !errors.Is(err, ErrBroken) || !errors.Is(err, syscall.EIO) {
						t.Errorf("%d: %v", i, err)
					}
				})
			}
			wg.Wait()
			db.writer.conn.base().inject(nil)
			if err := db.Update(t.Context(), touch); !errors.Is(err, ErrBroken) {
				t.Errorf("the store writes again after an I/O error: %v", err)
			}
			if err := db.Healthy(); !errors.Is(err, ErrBroken) {
				t.Errorf("health: %v", err)
			}
			if n := count(t, db, `SELECT COUNT(*) FROM queue`); n != 0 {
				t.Errorf("%d rows of refused work", n)
			}
		})
	}
}

// TestBodyFileSurvivesUnknownCommit: when nobody knows whether a commit
// happened, its file must stay, for the row may be there after a restart.
func TestBodyFileSurvivesUnknownCommit(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Options{Dir: dir})
	db.writer.conn.base().inject(func(q string) error {
		if q == "COMMIT" {
			return syscall.EIO
		}
		return nil
	})
	if _, err := put(t.Context(), db, "big", make([]byte, inlineMax+1)); !errors.Is(err, ErrBroken) {
		t.Fatal(err)
	}
	if n := bodyFiles(t, db); n != 1 {
		t.Errorf("%d files while the outcome is unknown", n)
	}
	_ = db.Close()
	if n := bodyFiles(t, open(t, Options{Dir: dir})); n != 0 {
		t.Errorf("%d files after the restart", n)
	}
}

// TestIgnoredErrorCannotEscape: a function that goes on after a fatal error does
// not write outside of the transaction.
func TestIgnoredErrorCannotEscape(t *testing.T) {
	db, ctx := open(t, Options{}), t.Context()
	limitPages(t, db, 0)
	err := db.Update(ctx, func(tx Tx) error {
		_, _ = tx.Exec(ctx, `INSERT INTO body (id, size, crc, content) VALUES ('x', 1, 1, $1)`, make([]byte, 1<<20))
		if _, err := tx.Exec(ctx, `UPDATE probe SET n = 99`); err == nil {
			t.Error("a statement ran after the transaction was lost")
		}
		if _, err := tx.Query(ctx, `SELECT 1`); err == nil { //nolint:sqlclosecheck // it fails
			t.Error("a query ran")
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT 1`).Scan(&n); err == nil {
			t.Error("a row was read")
		}
		return nil
	})
	if !errors.Is(err, ErrFull) {
		t.Errorf("err = %v", err)
	}
	if n := count(t, db, `SELECT n FROM probe`); n != 0 {
		t.Errorf("n = %d", n)
	}
}

// limitPages lets the database grow by so many pages more; negative: no limit.
func limitPages(t *testing.T, db *DB, more int) {
	t.Helper()
	err := db.Update(t.Context(), func(tx Tx) error {
		var n int
		if err := tx.QueryRow(t.Context(), `PRAGMA page_count`).Scan(&n); err != nil {
			return err
		}
		if more < 0 {
			n, more = 1<<30, 0
		}
		return tx.QueryRow(t.Context(), fmt.Sprintf(`PRAGMA max_page_count(%d)`, n+more)).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullHeals: a full database refuses, says so, and takes work again by
// itself when there is room.
func TestFullHeals(t *testing.T) {
	db := open(t, Options{})
	limitPages(t, db, 8)
	acked := 0
	var err error
	for i := 0; err == nil; i++ {
		if _, err = put(t.Context(), db, fmt.Sprint(i), make([]byte, 10<<10)); err == nil {
			acked++
		}
	}
	if !errors.Is(err, ErrFull) || !errors.Is(db.Healthy(), ErrFull) {
		t.Fatalf("%v, health %v", err, db.Healthy())
	}
	if n := count(t, db, `SELECT COUNT(*) FROM queue`); n != acked {
		t.Errorf("%d rows, %d acknowledged", n, acked)
	}
	limitPages(t, db, -1)
	for end := time.Now().Add(5 * time.Second); db.Healthy() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not healed: %v", db.Healthy())
		}
	}
	if _, err := put(t.Context(), db, "after", make([]byte, 10<<10)); err != nil {
		t.Error(err)
	}
}

// TestFullDisk fills a real small file system.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=0700"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	db := open(t, Options{Dir: dir})
	for _, size := range []int{10 << 10, inlineMax + 1} {
		acked, err := map[string]string{}, error(nil)
		for i := 0; err == nil && i < 1000; i++ {
			var body string
			name := fmt.Sprintf("%d-%d", size, i)
			if body, err = put(t.Context(), db, name, make([]byte, size)); err == nil {
				acked[name] = body
			}
		}
		if !errors.Is(err, ErrFull) {
			t.Fatalf("after %d of %d octets: %v", len(acked), size, err)
		}
		for name, body := range acked {
			if b, err := db.Body(t.Context(), body); err != nil || len(b) != size {
				t.Errorf("%s: %d octets, %v", name, len(b), err)
			}
		}
		t.Logf("%d of %d octets fitted", len(acked), size)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); db.Healthy() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not healed: %v", db.Healthy())
		}
	}
	if _, err := put(t.Context(), db, "after", make([]byte, 1<<20)); err != nil {
		t.Error(err)
	}
}

// TestUnwritableBodies: a directory that cannot be written to is an error, not
// an acknowledgement.
func TestUnwritableBodies(t *testing.T) {
	db := open(t, Options{})
	if err := os.Remove(filepath.Join(db.dir, bodiesDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t.Context(), db, "big", make([]byte, inlineMax+1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := put(t.Context(), db, "small", []byte("x")); err != nil {
		t.Errorf("small contents need no file: %v", err)
	}
}

// TestCheckpoints: the log does not grow without end, readers or not.
func TestCheckpoints(t *testing.T) {
	db := open(t, Options{})
	for i := range 60 {
		err := db.Update(t.Context(), func(tx Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO body (id, size, crc, content) VALUES ($1, 0, 0, $2)`, fmt.Sprint(i), make([]byte, 1<<20))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(filepath.Join(db.dir, fileName+"-wal"))
	if err != nil || st.Size() > 24<<20 {
		t.Errorf("log of %d octets after 60 MB, %v", st.Size(), err)
	}
}
