package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/lang"
	"congthu/internal/store/storetest"
)

func TestClose(t *testing.T) { storetest.Each(t, testClose) }

func testClose(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := db.Update(ctx, touch); !errors.Is(err, ErrClosed) {
		t.Errorf("update after close: %v", err)
	}
	if err := db.View(ctx, func(Tx) error { return nil }); err == nil {
		t.Error("view after close")
	}
}

func TestOneDaemonPerDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dữ liệu?#%20") // no character of the path is special
	db := open(t, Options{Dir: dir})
	if _, err := put(t.Context(), db, "one", []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	var p *Problem
	if !errors.As(err, &p) || !strings.Contains(p.In(lang.EN), fmt.Sprintf("pid %d", os.Getpid())) || !strings.Contains(p.In(lang.VI), "tiến trình khác") {
		t.Errorf("second open: %v", err)
	}
	reader := open(t, Options{Dir: dir, ReadOnly: true})
	if n := count(t, reader, `SELECT COUNT(*) FROM queue`); n != 1 {
		t.Errorf("a reader sees %d rows", n)
	}
	if err := reader.Update(t.Context(), touch); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader writes: %v", err)
	}
	if _, err := reader.Stage(nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader stages: %v", err)
	}
	// The failed open and the reader must not have disturbed the locks.
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if _, err := put(t.Context(), db, "two", []byte("x")); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Options{Dir: dir})
	if n := count(t, again, `SELECT COUNT(*) FROM queue`); n != 2 {
		t.Errorf("%d rows after reopening", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	version := func(v int) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			db := open(t, Options{Dir: dir})
			err := db.Update(t.Context(), func(tx Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE schema_version SET version = $1`, v)
				return err
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		o       Options
		want    string
	}{
		{"other kind", func(*testing.T, string) {}, Options{URL: "mysql://u:secret@x/y"}, `store.url: no such kind of store: "mysql"`},
		{"nothing to read", func(*testing.T, string) {}, Options{ReadOnly: true}, "no store to read"},
		{"newer", version(99), Options{}, "version 99, this program understands up to"},
		{"newer, reading", version(99), Options{ReadOnly: true}, "version 99"},
		{"older, reading", version(0), Options{ReadOnly: true}, "old version 0"},
		{"open directory", func(t *testing.T, dir string) { chmod(t, dir, 0o777) }, Options{}, "mode 0777"},
		{"open bodies", func(t *testing.T, dir string) { version(1)(t, dir); chmod(t, filepath.Join(dir, bodiesDir), 0o750) }, Options{}, "chmod 0700"},
		{"open file", func(t *testing.T, dir string) { version(1)(t, dir); chmod(t, filepath.Join(dir, fileName), 0o644) }, Options{}, "chmod 0600"},
		{"link", func(t *testing.T, dir string) { link(t, dir, fileName) }, Options{}, "not the kind of file"},
		{"linked bodies", func(t *testing.T, dir string) { link(t, dir, bodiesDir) }, Options{}, "not the kind of file"},
		{"linked lock", func(t *testing.T, dir string) { link(t, dir, lockName) }, Options{}, "cannot open"},
		{"not a database", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, fileName), bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, Options{}, "cannot open the store"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Dir = t.TempDir()
			tt.prepare(t, tt.o.Dir)
			db, err := Open(t.Context(), tt.o)
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nwant %q in it", err, tt.want)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := open(t, Options{Dir: dir})
	if _, err := put(t.Context(), db, "big", make([]byte, inlineMax+1)); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSweep(t *testing.T) { storetest.Each(t, testSweep) }

func testSweep(t *testing.T, url string) {
	dir := t.TempDir()
	db := open(t, Options{URL: url, Dir: dir})
	kept, err := put(t.Context(), db, "kept", make([]byte, inlineMax+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Stage(make([]byte, inlineMax+1)); err != nil { // as if the process had died before the commit
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx Tx) error { // a body that nothing refers to
		b, err := db.Stage([]byte("x"))
		if err != nil {
			return err
		}
		return b.Attach(t.Context(), tx)
	}); err != nil {
		t.Fatal(err)
	}
	if n := bodyFiles(t, db); n != 2 && !db.Shared() {
		t.Fatalf("%d files", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, Options{URL: url, Dir: dir})
	if n := bodyFiles(t, db); n != 1 && !db.Shared() {
		t.Errorf("%d files after the sweep", n)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM body`); n != 1 {
		t.Errorf("%d bodies after the sweep", n)
	}
	if _, err := db.Body(t.Context(), kept); err != nil {
		t.Error(err)
	}
}

func TestFree(t *testing.T) { storetest.Each(t, testFree) }

func testFree(t *testing.T, url string) {
	free, total, err := open(t, Options{URL: url}).Free()
	if err != nil || free == 0 || free > total {
		t.Errorf("%d of %d, %v", free, total, err)
	}
}
