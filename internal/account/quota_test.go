package account

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func newQuota(db Store, now *time.Time) *Quota {
	q := NewQuota(db, slog.New(slog.DiscardHandler))
	q.now = func() time.Time { return *now }
	return q
}

// sent takes one recipient at a time until there is no more, and returns how many.
func sent(t *testing.T, q *Quota, user string, hour, day int) (n int) {
	t.Helper()
	for range 10_000 {
		ok, err := q.Take(t.Context(), user, 1, hour, day)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return n
		}
		n++
	}
	t.Fatal("no limit")
	return n
}

func TestQuota(t *testing.T) {
	now := start
	q := newQuota(open(t, storetest.SQLite), &now)
	if n := sent(t, q, "lan", 500, 1200); n != 500 {
		t.Errorf("%d in the first hour", n)
	}
	if ok, err := q.Take(t.Context(), "an", 1, 500, 0); !ok || err != nil {
		t.Errorf("another account: %v %v", ok, err)
	}
	now = now.Add(59 * time.Minute)
	if n := sent(t, q, "lan", 500, 1200); n != 0 {
		t.Errorf("%d within the same hour", n)
	}
	now = now.Add(15 * time.Minute)
	if n := sent(t, q, "lan", 500, 1200); n != 500 {
		t.Errorf("%d in the second hour", n)
	}
	now = now.Add(75 * time.Minute)
	if n := sent(t, q, "lan", 500, 1200); n != 200 {
		t.Errorf("%d in the third hour: the day has 1200", n)
	}
	now = now.Add(25 * time.Hour)
	if n := sent(t, q, "lan", 0, 7); n != 7 {
		t.Errorf("%d of a day alone", n)
	}
	if ok, err := q.Take(t.Context(), "none", 1_000_000, 0, -1); !ok || err != nil {
		t.Errorf("without limit: %v %v", ok, err)
	}
}

func TestGiveBack(t *testing.T) {
	now := start
	q := newQuota(open(t, storetest.SQLite), &now)
	sent(t, q, "lan", 10, 0)
	q.GiveBack("lan", 4)
	if n := sent(t, q, "lan", 10, 0); n != 4 {
		t.Errorf("%d after 4 came back", n)
	}
	q.GiveBack("lan", 100)
	if n := sent(t, q, "lan", 10, 0); n != 10 {
		t.Errorf("%d: more came back than went", n)
	}
	q.GiveBack("nobody", 1)
}

// Two gateways of one store see each other's counts after an exchange, and a restart
// forgets nothing that was exchanged.
func TestQuotaOfSeveralGateways(t *testing.T) { storetest.Each(t, testQuotaOfSeveralGateways) }

func testQuotaOfSeveralGateways(t *testing.T, url string) {
	now, db := time.Now(), open(t, url)
	other := db // SQLite has one gateway; what it shares then is the file
	if url != storetest.SQLite {
		other = open(t, url)
	}
	one, two := newQuota(db, &now), newQuota(other, &now)
	sent(t, one, "lan", 6, 0)
	if ok, err := two.Take(t.Context(), "lan", 1, 10, 0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for range 2 {
		for _, q := range []*Quota{one, two} {
			if err := q.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := sent(t, two, "lan", 10, 0); n != 3 {
		t.Errorf("%d more: 7 of 10 were taken", n)
	}
	if err := two.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := NewBook(db, two.log).Add(t.Context(), Account{Name: "lan", Agency: "a"}, cheapHash(t, secret), ""); err != nil {
		t.Fatal(err)
	}
	if d, err := NewBook(db, two.log).Show(t.Context(), "lan"); err != nil || d.Agency != "a" || d.SentDay != 10 || d.SentHour != 10 {
		t.Errorf("%+v %v", d, err)
	}
	if n := sent(t, newQuota(db, &now), "lan", 10, 0); n != 0 {
		t.Errorf("%d more after a restart", n)
	}
}

func TestQuotaForgetsTheStill(t *testing.T) { storetest.Each(t, testQuotaForgetsTheStill) }

func testQuotaForgetsTheStill(t *testing.T, url string) {
	now, db := start, open(t, url)
	q := newQuota(db, &now)
	sent(t, q, "lan", 3, 0)
	for _, pass := range []time.Duration{0, 2 * time.Hour} {
		now = now.Add(pass)
		if err := q.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(q.users) != 0 {
		t.Errorf("%d users in memory", len(q.users))
	}
	now = now.Add(30 * time.Hour)
	sent(t, q, "lan", 1, 0)
	if err := q.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := db.View(t.Context(), func(tx store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM account_sent`).Scan(&rows)
	}); err != nil || rows != 1 {
		t.Errorf("%d rows (%v): old ones stay", rows, err)
	}
}

// torn is a store that fails when told to.
type torn struct {
	*store.DB
	fails error
}

func (s *torn) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.fails != nil {
		return s.fails
	}
	return s.DB.Update(ctx, fn)
}

func (s *torn) View(ctx context.Context, fn func(store.Tx) error) error {
	if s.fails != nil {
		return s.fails
	}
	return s.DB.View(ctx, fn)
}

func TestQuotaOverATornStore(t *testing.T) {
	now, db := start, &torn{DB: open(t, storetest.SQLite)}
	q := newQuota(db, &now)
	sent(t, q, "lan", 5, 0)
	db.fails = errors.New("no store")
	if err := q.flush(t.Context()); !errors.Is(err, db.fails) {
		t.Errorf("%v", err)
	}
	if n := sent(t, q, "lan", 8, 0); n != 3 {
		t.Errorf("%d more: a failed exchange changed the count", n)
	}
	if ok, err := q.Take(t.Context(), "an", 1, 8, 0); ok || !errors.Is(err, db.fails) {
		t.Errorf("an unknown count is taken for 0: %v %v", ok, err)
	}
	db.fails = nil
	if err := q.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := sent(t, newQuota(db, &now), "lan", 10, 0); n != 2 {
		t.Errorf("%d more: the store should know of 8", n)
	}
}

func TestQuotaRun(t *testing.T) {
	now, db := start, open(t, storetest.SQLite)
	q := newQuota(db, &now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if ok, err := q.Take(t.Context(), "lan", 1, 300, 0); ok && err == nil {
					mu.Lock()
					taken++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || taken != 300 {
		t.Errorf("%v, %d taken", err, taken)
	}
	if n := sent(t, newQuota(db, &now), "lan", 301, 0); n != 1 {
		t.Errorf("%d more: the last exchange is missing", n)
	}
}

// Gateways that exchange at once, about the same senders, neither lock each other out nor
// lose a count.
func TestQuotaExchangedAtOnce(t *testing.T) { storetest.Each(t, testQuotaExchangedAtOnce) }

func testQuotaExchangedAtOnce(t *testing.T, url string) {
	now, db := start, open(t, url)
	names := []string{"an", "binh", "chi", "dung", "em"}
	var wg sync.WaitGroup
	for range 4 {
		q := newQuota(db, &now)
		if url != storetest.SQLite {
			q.db = open(t, url)
		}
		wg.Go(func() {
			for range 20 {
				for _, name := range names {
					if ok, err := q.Take(t.Context(), name, 1, 1000, 0); !ok || err != nil {
						t.Error(ok, err)
					}
				}
				if err := q.flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		if n := sent(t, newQuota(db, &now), name, 100, 0); n != 20 {
			t.Errorf("%s: %d left of 100 after 4 times 20", name, n)
		}
	}
}
