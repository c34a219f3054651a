package acquaint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func loaded(t testing.TB, db Store, now *time.Time) *Memory {
	t.Helper()
	m := New(db, slog.New(slog.DiscardHandler))
	m.now = func() time.Time { return *now }
	if err := m.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRemembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, now := open(t, url), time.Unix(1e9, 0)
		m := loaded(t, db, &now)
		lan, an := m.Key(Written, "Lan@A.test"), m.Key(Written, "an@a.test")
		if m.Get(lan) != (Entry{}) {
			t.Error("knows somebody from the start")
		}
		m.Add(lan)
		now = now.Add(time.Hour)
		m.Add(m.Key(Written, "lan@a.test"))
		want := Entry{2, time.Unix(1e9, 0), time.Unix(1e9+3600, 0)}
		if got := m.Get(lan); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if m.Get(an) != (Entry{}) || m.Get(m.Key(Pair, "lan@a.test")) != (Entry{}) || m.Get(m.Key(Written, "lan", "a.test")) != (Entry{}) {
			t.Error("takes one for another")
		}
		if err := m.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.Add(lan)
		if err := m.flush(t.Context()); err != nil { // adds up
			t.Fatal(err)
		}
		want.N = 3
		again := loaded(t, db, &now)
		if got := again.Get(lan); got != want {
			t.Errorf("after a restart %+v, want %+v", got, want)
		}
		if m.Since() != time.Unix(1e9, 0) || again.Since() != time.Unix(1e9, 0) {
			t.Errorf("remembers since %v, after a restart since %v", m.Since(), again.Since())
		}
		if len(m.fresh) != 0 {
			t.Errorf("%d wait although all was written", len(m.fresh))
		}
	})
}

func TestGatewaysLearnFromEachOther(t *testing.T) {
	db, now := open(t, storetest.Postgres(t)), time.Unix(1e9, 0)
	a, b := loaded(t, db, &now), loaded(t, db, &now)
	a.Add(a.Key(Written, "lan"))
	b.Add(b.Key(Written, "lan"))
	for _, m := range []*Memory{a, b} {
		if err := m.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a.Add(a.Key(Written, "lan")) // not yet written
	if err := errors.Join(a.hear(t.Context()), b.hear(t.Context())); err != nil {
		t.Fatal(err)
	}
	if n := a.Get(a.Key(Written, "lan")).N; n != 3 {
		t.Errorf("the first knows %d", n)
	}
	if n := b.Get(b.Key(Written, "lan")).N; n != 2 {
		t.Errorf("the second knows %d", n)
	}
}

func TestExpires(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, now := open(t, url), time.Unix(1e9, 0)
		m := loaded(t, db, &now)
		knock, written := m.Key(Knock, "x"), m.Key(Written, "x")
		m.Add(knock)
		m.Add(written)
		if err := m.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(Knock.Life() + time.Second)
		if m.Get(knock) != (Entry{}) || m.Get(written).N != 1 {
			t.Error("a life is not kept")
		}
		if err := m.expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := loaded(t, db, &now); again.Len() != 1 || m.Len() != 1 {
			t.Errorf("%d entries are left in the store, %d in memory", again.Len(), m.Len())
		}
	})
}

// failing is a store that fails while down is set.
type failing struct {
	Store
	down bool
}

func (f *failing) Update(ctx context.Context, fn func(store.Tx) error) error {
	if f.down {
		return errors.New("down")
	}
	return f.Store.Update(ctx, fn)
}

// What could not be written waits, up to a bound, and is written once the store is back.
func TestStoreIsDown(t *testing.T) {
	now := time.Unix(1e9, 0)
	f := &failing{Store: open(t, storetest.SQLite)}
	m := loaded(t, f, &now)
	f.down = true
	for i := range maxFresh + 10 {
		m.Add(m.Key(Pair, fmt.Sprint(i)))
	}
	if err := m.flush(t.Context()); err == nil {
		t.Error("a store that is down took it")
	}
	if len(m.fresh) != maxFresh || m.lost != 10 {
		t.Errorf("%d wait, %d lost", len(m.fresh), m.lost)
	}
	f.down = false
	if err := m.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := loaded(t, f, &now).Len(); n != maxFresh {
		t.Errorf("%d were written", n)
	}
}

func TestIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	m := loaded(t, open(t, storetest.SQLite), &now)
	m.limit = 100
	old := m.Key(Written, "old")
	m.Add(old)
	for i := range 1000 {
		now = now.Add(time.Second)
		m.Add(m.Key(Written, fmt.Sprint(i)))
	}
	if m.Len() != 100 || m.Get(m.Key(Written, "999")).N != 1 {
		t.Errorf("%d entries", m.Len())
	}
	if m.Get(old).N != 0 { // drawn with one chance in three at each of 900 steps
		t.Error("the oldest is still there")
	}
}

// The table holds no address, and another house's secret gives other names.
func TestNoAddressIsStored(t *testing.T) {
	now := time.Unix(1e9, 0)
	a, b := loaded(t, open(t, storetest.SQLite), &now), loaded(t, open(t, storetest.SQLite), &now)
	if len(a.secret) != 32 || a.Key(Written, "lan@a.test") == b.Key(Written, "lan@a.test") {
		t.Error("two houses have one secret")
	}
}

func TestRunWritesAtTheEnd(t *testing.T) {
	now := time.Unix(1e9, 0)
	db := open(t, storetest.SQLite)
	m := loaded(t, db, &now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	k := m.Key(Heard, "lan")
	m.Add(k)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if loaded(t, db, &now).Get(k).N != 1 {
		t.Error("what was learnt last is forgotten")
	}
}

func BenchmarkGet(b *testing.B) {
	now := time.Unix(1e9, 0)
	m := loaded(b, open(b, storetest.SQLite), &now)
	for b.Loop() {
		_ = m.Get(m.Key(Pair, "van-thu@tinh-mau.gov.vn", "ai-do@ngoai.example"))
	}
}
