package keyring_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/keyring"
	"congthu/internal/store"
)

// watched counts what is asked of the tables in each of the writer's transactions.
type watched struct {
	*store.DB
	most, rows, works atomic.Int64
}

// Update counts the statements of one transaction.
func (w *watched) Update(ctx context.Context, fn func(store.Tx) error) error {
	return w.DB.Update(ctx, func(tx store.Tx) error {
		c := &countedTx{Tx: tx, by: w}
		err := fn(c)
		w.works.Add(1)
		w.most.Store(max(w.most.Load(), c.n))
		return err
	})
}

type countedTx struct {
	store.Tx
	by *watched
	n  int64
}

// Exec counts.
func (c *countedTx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.n++
	return c.Tx.Exec(ctx, query, args...)
}

// Query counts: whole tables are not to be read while others wait.
func (c *countedTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.by.rows.Add(1)
	return c.Tx.Query(ctx, query, args...)
}

func manyKeys(t *testing.T, n int) []byte {
	t.Helper()
	es := make([]*openpgp.Entity, n)
	for i := range es {
		es[i] = entity(t, fmt.Sprintf("nguoi-%d@x.test", i), 0)
	}
	return public(t, es...)
}

// A thousand keys come in, twice, while others write: they are taken a few at a time, joined
// and judged before the writer is asked, and whoever takes mail goes in between.
func TestAThousandKeysBlockNobody(t *testing.T) {
	const n = 1000
	w := &watched{DB: database(t, "sqlite")}
	r := ring(t, keyring.Options{Store: w})
	octets := manyKeys(t, n)
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	var waits []time.Duration
	others.Go(func() {
		for ctx.Err() == nil {
			start := time.Now()
			if err := w.DB.Update(t.Context(), func(store.Tx) error { return nil }); err != nil {
				t.Error(err)
			}
			waits = append(waits, time.Since(start))
		}
	})
	for range 2 {
		if done := imported(t, r, octets); len(done) != n || slices.ContainsFunc(done, func(d keyring.Imported) bool { return !d.Taken }) {
			t.Fatalf("%d of %d", len(done), n)
		}
	}
	stop()
	others.Wait()
	slices.Sort(waits)
	t.Logf("%d keys twice in %d transactions of at most %d statements; beside them %d others, the longest waited %v", n, w.works.Load(), w.most.Load(), len(waits), waits[len(waits)-1])
	if r.Count() != n || w.most.Load() > 4*32 || w.rows.Load() > 0 {
		t.Errorf("%d keys; %d statements in one transaction, %d tables read in them", r.Count(), w.most.Load(), w.rows.Load())
	}
	if int64(len(waits)) < w.works.Load()/2 {
		t.Errorf("only %d others came in between", len(waits))
	}
	if !r.Lookup("nguoi-999@x.test").Usable() {
		t.Error("the last one is not pinned")
	}
}
