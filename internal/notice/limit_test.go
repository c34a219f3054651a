package notice_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"congthu/internal/notice"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func open(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// counter is a change that counts what became of it.
type counter struct{ applied, done, undone int }

func (c *counter) change() *store.Change {
	return &store.Change{
		Apply: func(context.Context, store.Tx) error { c.applied++; return nil },
		Done:  func() { c.done++ }, Undo: func() { c.undone++ },
	}
}

func TestLimited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, now := open(t, url), time.Unix(1e9, 0)
		var c counter
		for range 5 {
			if err := db.Commit(t.Context(), notice.Limited(c.change(), "a@so.test", 3, now)); err != nil {
				t.Fatal(err)
			}
		}
		if c != (counter{3, 3, 2}) {
			t.Errorf("of five with a limit of three: %+v", c)
		}
		var other counter
		err := db.Commit(t.Context(), notice.Limited(other.change(), "b@so.test", 3, now), notice.Limited(other.change(), "a@so.test", 3, now.Add(time.Hour)))
		if err != nil || other != (counter{2, 2, 0}) {
			t.Errorf("another address, another hour: %+v %v", other, err)
		}
		if err := notice.Expire(t.Context(), db, now.Add(3*time.Hour)); err != nil {
			t.Error(err)
		}
		var again counter
		if err := db.Commit(t.Context(), notice.Limited(again.change(), "a@so.test", 3, now)); err != nil || again.done != 1 {
			t.Errorf("expired: %+v %v", again, err)
		}
	})
}

// What is over the limit does not happen, and what it commits with does; what fails takes
// the count back.
func TestLimitedFailsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, now := open(t, url), time.Unix(1e9, 0)
		var c counter
		bad := &store.Change{Apply: func(context.Context, store.Tx) error { return errors.New("no") }}
		if err := db.Commit(t.Context(), notice.Limited(c.change(), "a", 1, now), bad); err == nil {
			t.Fatal("a change that failed was committed")
		}
		if err := db.Commit(t.Context(), notice.Limited(c.change(), "a", 1, now)); err != nil || c.done != 1 || c.undone != 1 {
			t.Errorf("%+v %v", c, err)
		}
	})
}

func TestOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, now := open(t, url), time.Unix(1e9, 0)
		var c counter
		for range 3 {
			if err := db.Commit(t.Context(), notice.Once(notice.Limited(c.change(), "a", 10, now), "letter", now)); err != nil {
				t.Fatal(err)
			}
		}
		if c != (counter{1, 1, 2}) {
			t.Errorf("%+v", c)
		}
	})
}
