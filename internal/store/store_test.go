package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/store/storetest"
)

func open(t *testing.T, o Options) *DB {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// put stores content under a row that refers to it, as queue and quarantine do,
// and returns the body's name.
func put(ctx context.Context, db *DB, id string, content ...[]byte) (string, error) {
	b, err := db.Stage(content...)
	if err != nil {
		return "", err
	}
	err = db.Commit(ctx, &Change{
		Apply: func(ctx context.Context, tx Tx) error {
			if err := b.Attach(ctx, tx); err != nil {
				return err
			}
			return refer(ctx, tx, id, b.ID)
		},
		Undo: b.Discard,
	})
	return b.ID, err
}

func refer(ctx context.Context, tx Tx, id, body string) error {
	_, err := tx.Exec(ctx, `INSERT INTO queue (id, next_hop, sender, sender_local, sender_domain, smtputf8, eightbit, quiet, warned, state,
		size, created, attempts, next_try, head_crc, body) VALUES ($1, 'h', '', '', '', 0, 0, 0, 0, 'waiting', 0, 0, 0, 0, 0, $2)`, id, body)
	return err
}

func count(t *testing.T, db *DB, query string) int {
	t.Helper()
	var n int
	err := db.View(t.Context(), func(tx Tx) error { return tx.QueryRow(t.Context(), query).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func bodyFiles(t *testing.T, db *DB) int {
	t.Helper()
	es, err := os.ReadDir(filepath.Join(db.dir, bodiesDir))
	if db.Shared() && errors.Is(err, os.ErrNotExist) {
		return 0 // all contents are rows
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(es)
}

func TestBodyRoundTrip(t *testing.T) { storetest.Each(t, testBodyRoundTrip) }

func testBodyRoundTrip(t *testing.T, url string) {
	db := open(t, Options{URL: url})
	big := bytes.Repeat([]byte("0123456789abcdef"), 40<<10) // 640 KB: a file
	tests := []struct {
		name    string
		content [][]byte
		files   int
	}{
		{"empty", nil, 0},
		{"empty segment", [][]byte{{}}, 0},
		{"small", [][]byte{[]byte("a"), nil, []byte("b\r\n\x00\xff")}, 0},
		{"at the limit", [][]byte{big[:inlineMax]}, 0},
		{"over the limit", [][]byte{big[:inlineMax], {'x'}}, 1},
		{"big", [][]byte{[]byte("head"), big}, 2},
	}
	for _, tt := range tests {
		id, err := put(t.Context(), db, tt.name, tt.content...)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		got, err := db.Body(t.Context(), id)
		if err != nil || !bytes.Equal(got, bytes.Join(tt.content, nil)) {
			t.Errorf("%s: %d octets, %v", tt.name, len(got), err)
		}
		if n := bodyFiles(t, db); n != tt.files && !db.Shared() {
			t.Errorf("%s: %d body files, want %d", tt.name, n, tt.files)
		}
	}
	if _, err := db.Body(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing body: %v", err)
	}
}

func TestUnref(t *testing.T) { storetest.Each(t, testUnref) }

func testUnref(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	big := make([]byte, inlineMax+1)
	for _, content := range [][]byte{[]byte("small"), big} {
		id, err := put(ctx, db, "one", content)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(ctx, func(tx Tx) error { return refer(ctx, tx, "two", id) }); err != nil {
			t.Fatal(err)
		}
		for _, row := range []string{"one", "two"} {
			if _, err := db.Body(ctx, id); err != nil {
				t.Fatalf("before %s is removed: %v", row, err)
			}
			err := db.Update(ctx, func(tx Tx) error {
				if _, err := tx.Exec(ctx, `DELETE FROM queue WHERE id = $1`, row); err != nil {
					return err
				}
				return db.Unref(ctx, tx, id)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Body(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("after the last reference: %v", err)
		}
		if n := bodyFiles(t, db); n != 0 {
			t.Errorf("%d files left", n)
		}
	}
	if err := db.Update(ctx, func(tx Tx) error { return db.Unref(ctx, tx, "never was") }); err != nil {
		t.Error(err)
	}
}

func TestBodyCannotBeDeletedWhileReferred(t *testing.T) {
	storetest.Each(t, testBodyCannotBeDeletedWhileReferred)
}

func testBodyCannotBeDeletedWhileReferred(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	id, err := put(ctx, db, "one", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(ctx, func(tx Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM body WHERE id = $1`, id)
		return err
	})
	if err == nil || db.Healthy() != nil {
		t.Errorf("deleting a referred body: %v, health %v", err, db.Healthy())
	}
}

func TestDamageIsSeen(t *testing.T) {
	db, ctx := open(t, Options{}), t.Context()
	big := bytes.Repeat([]byte("mail"), 100<<10)
	damage := map[string]func(path string) error{
		"flipped": func(p string) error { return os.WriteFile(p, append([]byte("M"), big[1:]...), 0o600) },
		"short":   func(p string) error { return os.Truncate(p, 100) },
		"long":    func(p string) error { return os.WriteFile(p, append(big, 'x'), 0o600) },
		"missing": os.Remove,
		"a link": func(p string) error {
			return errors.Join(os.Rename(p, p+"x"), os.Symlink(p+"x", p))
		},
	}
	for name, do := range damage {
		id, err := put(ctx, db, name, big)
		if err != nil {
			t.Fatal(err)
		}
		if err := do(db.bodyPath(id)); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Body(ctx, id); !errors.Is(err, ErrCorrupt) || got != nil {
			t.Errorf("%s: %d octets, %v", name, len(got), err)
		}
	}
	id, err := put(ctx, db, "row", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(ctx, func(tx Tx) error {
		_, err := tx.Exec(ctx, `UPDATE body SET content = $1 WHERE id = $2`, []byte("c0ntent"), id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Body(ctx, id); !errors.Is(err, ErrCorrupt) {
		t.Errorf("flipped row: %v", err)
	}
}

func TestUpdateErrorUndoesOnlyItself(t *testing.T) {
	storetest.Each(t, testUpdateErrorUndoesOnlyItself)
}

func testUpdateErrorUndoesOnlyItself(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	mine := errors.New("mine")
	var wg sync.WaitGroup
	var wrong atomic.Int32
	for i := range 200 {
		wg.Go(func() {
			err := db.Update(ctx, func(tx Tx) error {
				b, err := db.Stage([]byte("x"))
				if err != nil {
					return err
				}
				if err := b.Attach(ctx, tx); err != nil {
					return err
				}
				if err := refer(ctx, tx, fmt.Sprintf("%03d", i), b.ID); err != nil {
					return err
				}
				switch i % 4 {
				case 1:
					return mine
				case 2:
					panic("in an update")
				case 3:
					_, err := tx.Exec(ctx, `INSERT INTO body (id) VALUES ('no size')`) // NOT NULL
					return err
				}
				return nil
			})
			if (err == nil) != (i%4 == 0) || (i%4 == 1) != errors.Is(err, mine) {
				wrong.Add(1)
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db, `SELECT COUNT(*) FROM queue`); n != 50 {
		t.Errorf("%d rows, want 50", n)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM body`); n != 50 {
		t.Errorf("%d bodies, want 50", n)
	}
	if err := db.Healthy(); err != nil {
		t.Errorf("errors of callers are not errors of the store: %v", err)
	}
}

func TestCallersShareCommits(t *testing.T) { storetest.Each(t, testCallersShareCommits) }

func testCallersShareCommits(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	var commits atomic.Int32
	db.writer.conn.base().inject(func(q string) error {
		if q == "COMMIT" {
			commits.Add(1)
		}
		return nil
	})
	// While the first update holds the writer, the others line up behind it.
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = db.Update(ctx, func(Tx) error { close(entered); <-leave; return nil })
	})
	<-entered
	for i := range 50 {
		wg.Go(func() {
			if _, err := put(ctx, db, fmt.Sprint(i), []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
	for len(db.writer.queue) < 50 {
		time.Sleep(time.Millisecond)
	}
	close(leave)
	wg.Wait()
	if n := commits.Load(); n > 2 {
		t.Errorf("51 updates took %d commits", n)
	}
}

func TestUpdateContext(t *testing.T) { storetest.Each(t, testUpdateContext) }

func testUpdateContext(t *testing.T, url string) {
	db := open(t, Options{URL: url})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	if err := db.Update(ctx, func(Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("ended context: %v, ran %v", err, ran)
	}
	// One that ends while the update waits withdraws it; one that ends while
	// it runs does not.
	ctx, cancel = context.WithCancel(t.Context())
	entered, leave := make(chan struct{}), make(chan struct{})
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		first <- db.Update(ctx, func(tx Tx) error {
			close(entered)
			<-leave
			_, err := tx.Exec(ctx, `UPDATE probe SET n = 77`)
			return err
		})
	}()
	<-entered
	go func() { second <- db.Update(ctx, func(Tx) error { ran = true; return nil }) }()
	for len(db.writer.queue) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("withdrawn: %v", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Errorf("running: %v", err)
	}
	if n := count(t, db, `SELECT n FROM probe`); n != 77 || ran {
		t.Errorf("n=%d ran=%v", n, ran)
	}
}

func TestAfterCommit(t *testing.T) { storetest.Each(t, testAfterCommit) }

func testAfterCommit(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	called := 0
	_ = db.Update(ctx, func(tx Tx) error { tx.AfterCommit(func() { called++ }); return errors.New("no") })
	if called != 0 {
		t.Error("called after a failure")
	}
	if err := db.Update(ctx, func(tx Tx) error { tx.AfterCommit(func() { called++ }); return nil }); err != nil || called != 1 {
		t.Errorf("%v, called %d", err, called)
	}
}

func TestCommitIsAllOrNothing(t *testing.T) { storetest.Each(t, testCommitIsAllOrNothing) }

func testCommitIsAllOrNothing(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	var log []string
	change := func(name string, err error) *Change {
		return &Change{
			Apply: func(ctx context.Context, tx Tx) error {
				if _, err := tx.Exec(ctx, `UPDATE probe SET n = n + 1`); err != nil {
					return err
				}
				return err
			},
			Done: func() { log = append(log, name+" done") },
			Undo: func() { log = append(log, name+" undone") },
		}
	}
	if err := db.Commit(ctx, change("a", nil), change("b", errors.New("no"))); err == nil {
		t.Error("no error")
	}
	if err := db.Commit(ctx, change("c", nil), change("d", nil)); err != nil {
		t.Error(err)
	}
	if got := strings.Join(log, ", "); got != "a undone, b undone, c done, d done" {
		t.Error(got)
	}
	if n := count(t, db, `SELECT n FROM probe`); n != 2 {
		t.Errorf("n = %d", n)
	}
}
