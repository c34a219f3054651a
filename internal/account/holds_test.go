package account

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"congthu/internal/store/storetest"
)

func watchOf(t *testing.T, db Store, now *time.Time) *Watch {
	t.Helper()
	w := NewWatch(db, slog.New(slog.DiscardHandler))
	w.now = func() time.Time { return *now }
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// What the gateway holds is in force at once, after a restart, on another gateway, and
// until somebody lets it go.
func TestHolds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		now := time.Unix(1e9, 0)
		db := open(t, url)
		book, a, b := NewBook(db, slog.New(slog.DiscardHandler)), watchOf(t, db, &now), watchOf(t, db, &now)
		var released []string
		a.Released = func(name string) { released = append(released, name) }
		a.Hold("lan", "60 người lạ")
		if why, held := a.Held("lan"); !held || why != "60 người lạ" {
			t.Errorf("not held at once: %q", why)
		}
		a.Hold("lan", "lần nữa")
		if err := errors.Join(a.exchange(t.Context()), b.exchange(t.Context())); err != nil {
			t.Fatal(err)
		}
		for _, w := range []*Watch{a, b, watchOf(t, db, &now)} {
			if why, held := w.Held("lan"); !held || why != "60 người lạ" {
				t.Errorf("not held everywhere: %q", why)
			}
		}
		if err := book.SetHold(t.Context(), "agency:so-y-te", true, "theo lệnh", "root"); err != nil {
			t.Fatal(err)
		}
		if err := book.SetHold(t.Context(), "lna", true, "", "root"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a slip was held: %v", err)
		}
		list, err := book.Holds(t.Context())
		if err != nil || len(list) != 2 || list[0].Name != "agency:so-y-te" || list[0].Who != "root" || list[1].Since != now {
			t.Errorf("%+v %v", list, err)
		}
		if err := book.SetHold(t.Context(), "lan", false, "", "root"); err != nil {
			t.Fatal(err)
		}
		if err := a.exchange(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, held := a.Held("lan"); held || !slices.Equal(released, []string{"lan"}) {
			t.Errorf("still held, or nobody was told: %q", released)
		}
		if _, held := a.Held("agency:so-y-te"); !held {
			t.Error("what was held by command is not")
		}
		if err := book.SetHold(t.Context(), "lan", false, "", "root"); !errors.Is(err, ErrNotFound) {
			t.Errorf("let go twice: %v", err)
		}
	})
}

// A hold that the store could not be told of stays, and is told later.
func TestHoldWhileTheStoreIsDown(t *testing.T) {
	now := time.Unix(1e9, 0)
	db := open(t, storetest.SQLite)
	w := watchOf(t, db, &now)
	w.Hold("lan", "x")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.exchange(gone); err == nil {
		t.Skip("the store took it although nobody waited")
	}
	if _, held := w.Held("lan"); !held {
		t.Error("let go because the store was down")
	}
	if err := w.exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, held := watchOf(t, db, &now).Held("lan"); !held {
		t.Error("never told")
	}
}

func TestHabits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		now := time.Unix(1e9, 0)
		db := open(t, url)
		w := watchOf(t, db, &now)
		busy := map[string]int{}
		w.Busiest = func() map[string]int { return busy }
		for _, n := range []int{3, 9, 4} { // the second day is the busiest
			busy["lan"] = n
			if err := w.learn(t.Context()); err != nil {
				t.Fatal(err)
			}
			busy["lan"] = 1 // a quiet hour changes nothing
			if err := w.learn(t.Context()); err != nil {
				t.Fatal(err)
			}
			now = now.Add(24 * time.Hour)
		}
		for _, x := range []*Watch{w, watchOf(t, db, &now)} {
			if most, days := x.Usual("lan"); most != 9 || days != 3 {
				t.Errorf("%d in %d days", most, days)
			}
		}
		busy["lan"] = 500 // today is not yet a habit
		if err := w.learn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most, days := w.Usual("lan"); most != 9 || days != 3 {
			t.Errorf("%d in %d days", most, days)
		}
		now = now.Add(40 * 24 * time.Hour)
		if most, days := watchOf(t, db, &now).Usual("lan"); most != 0 || days != 0 {
			t.Errorf("after a month %d in %d days", most, days)
		}
	})
}

func TestWatchRuns(t *testing.T) {
	now := time.Unix(1e9, 0)
	db := open(t, storetest.SQLite)
	w := watchOf(t, db, &now)
	w.Busiest = func() map[string]int { return map[string]int{"lan": 7} }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	w.Hold("lan", "x")
	deadline := time.Now().Add(10 * time.Second)
	for {
		if list, err := NewBook(db, slog.New(slog.DiscardHandler)).Holds(t.Context()); err == nil && len(list) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the hold was not written")
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	now = now.Add(24 * time.Hour)
	if most, _ := watchOf(t, db, &now).Usual("lan"); most != 7 {
		t.Errorf("the habit of the last hour is forgotten: %d", most)
	}
}
