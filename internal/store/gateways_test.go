package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"congthu/internal/store/storetest"
)

// Gateways that start at once upgrade the schema once, and a second one in the same
// data directory is refused as ever.
func TestGatewaysOpenTogether(t *testing.T) {
	url := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			db, err := Open(t.Context(), Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()})
			if err != nil {
				t.Error(err)
				return
			}
			_, err = put(t.Context(), db, newID(), []byte("x"))
			if err := errors.Join(err, db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	dir := t.TempDir()
	db := open(t, Options{URL: url, Key: storetest.Key(t), Dir: dir})
	if n := count(t, db, `SELECT COUNT(*) FROM queue`); n != 6 {
		t.Errorf("%d rows, want 6", n)
	}
	if n := count(t, db, `SELECT COUNT(*) FROM schema_version`); n != 1 {
		t.Errorf("%d versions", n)
	}
	if _, err := Open(t.Context(), Options{URL: url, Key: storetest.Key(t), Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two in one data directory: %v", err)
	}
	reader := open(t, Options{URL: url, Key: storetest.Key(t), ReadOnly: true})
	if n := count(t, reader, `SELECT COUNT(*) FROM queue`); n != 6 {
		t.Errorf("a reader sees %d rows", n)
	}
	if err := reader.Update(t.Context(), touch); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader writes: %v", err)
	}
	if name := db.Name(); name == "" || db.Close() != nil || open(t, Options{URL: url, Key: storetest.Key(t), Dir: dir}).Name() != name {
		t.Errorf("the name %q is another after a restart", name)
	}
}

// Of two gateways that each give up one of the last two references to a body, the
// second removes it; and they cannot wait for each other for ever.
func TestLastReferenceGoesWithItsBody(t *testing.T) {
	url, ctx := storetest.Postgres(t), t.Context()
	g := []*DB{open(t, Options{URL: url, Key: storetest.Key(t)}), open(t, Options{URL: url, Key: storetest.Key(t)})}
	const bodies = 60
	var ids []string
	for i := range bodies {
		id, err := put(ctx, g[0], fmt.Sprintf("0-%d", i), []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := g[0].Update(ctx, func(tx Tx) error { return refer(ctx, tx, fmt.Sprintf("1-%d", i), id) }); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var wg sync.WaitGroup
	for n, db := range g {
		for i := range bodies {
			if n == 1 {
				i = bodies - 1 - i // the other way round
			}
			wg.Go(func() {
				err := db.Update(ctx, func(tx Tx) error {
					if _, err := tx.Exec(ctx, `DELETE FROM queue WHERE id = $1`, fmt.Sprintf("%d-%d", n, i)); err != nil {
						return err
					}
					return db.Unref(ctx, tx, ids[i])
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := count(t, g[0], `SELECT COUNT(*) FROM body`); n != 0 {
		t.Errorf("%d bodies stay without a reference", n)
	}
}

// Two requests that lock the same rows in opposite orders are both done: the one in the
// way is run again.
func TestDeadlockIsRunAgain(t *testing.T) {
	url, ctx := storetest.Postgres(t), t.Context()
	g := []*DB{open(t, Options{URL: url, Key: storetest.Key(t)}), open(t, Options{URL: url, Key: storetest.Key(t)})}
	for _, id := range []string{"a", "b"} {
		if _, err := put(ctx, g[0], id, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	var meet sync.WaitGroup
	meet.Add(2)
	var wg sync.WaitGroup
	var runs atomic.Int32
	for n, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			first := true
			err := g[n].Update(ctx, func(tx Tx) error {
				runs.Add(1)
				for i, id := range order {
					if _, err := tx.Exec(ctx, `UPDATE queue SET attempts = attempts + 1 WHERE id = $1`, id); err != nil {
						return err
					}
					if i == 0 && first {
						first = false
						meet.Done()
						meet.Wait() // both have their first row
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := count(t, g[0], `SELECT SUM(attempts) FROM queue`); n != 4 || runs.Load() < 3 {
		t.Errorf("%d of 4 updates, %d runs", n, runs.Load())
	}
}
