package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/audit"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// rig is a log with its store.
type rig struct {
	*audit.Log
	db     *store.DB
	anchor string
}

func rigAt(t testing.TB, url, dir string) *rig {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{URL: url, Dir: dir, Key: storetest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	anchor := filepath.Join(dir, "audit.head")
	return &rig{audit.New(audit.Options{Store: db, Gateway: "gw.test", Anchor: anchor}), db, anchor}
}

func newRig(t testing.TB) *rig { return rigAt(t, storetest.SQLite, t.TempDir()) }

func (r *rig) write(t testing.TB, n int) {
	t.Helper()
	for i := range n {
		if err := r.Record(t.Context(), audit.Entry{Actor: "lan", Act: "quarantine.show", Object: fmt.Sprint("id", i), Agency: []string{"yte", "gtvt"}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *rig) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	err := r.db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// broken is the number of the first fault, 0 when the chain is whole.
func (r *rig) broken(t testing.TB) (n int64, what string) {
	t.Helper()
	got, err := r.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Broken == nil {
		return 0, ""
	}
	if got.Broken.What.VI == "" {
		t.Error("not said in Vietnamese")
	}
	return got.Broken.N, got.Broken.What.EN
}

func TestChain(t *testing.T) { storetest.Each(t, testChain) }

func testChain(t *testing.T, url string) {
	r := rigAt(t, url, t.TempDir())
	if n, what := r.broken(t); n != 0 {
		t.Errorf("empty: %d %s", n, what)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { r.write(t, 25) })
	}
	wg.Wait()
	got, err := r.Verify(t.Context())
	if err != nil || got.Entries != 100 || got.First != 1 || got.Last != 100 || got.Broken != nil || !got.Marks {
		t.Errorf("%+v %v", got, err)
	}
	list, err := r.List(t.Context(), audit.Filter{Limit: 3})
	if err != nil || len(list) != 3 || list[0].N != 100 || list[0].Gateway != "gw.test" || list[0].At.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
	if mine, err := r.List(t.Context(), audit.Filter{Show: func(e audit.Entry) (audit.Entry, bool) { return e, e.Agency == "yte" }, Limit: 1000}); err != nil || len(mine) != 52 {
		t.Errorf("%d of one agency: %v", len(mine), err)
	}
}

// Whatever is altered, removed, moved or added is found at its place, in either engine.
func TestTampering(t *testing.T) { storetest.Each(t, testTampering) }

func testTampering(t *testing.T, url string) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, r *rig)
		n    int64
		what string
	}{
		"altered": {func(t *testing.T, r *rig) {
			r.exec(t, `UPDATE audit SET entry = REPLACE(entry, 'lan', 'mai') WHERE n = 5`)
		}, 5, "altered"},
		"a space more": {func(t *testing.T, r *rig) { r.exec(t, `UPDATE audit SET entry = entry || ' ' WHERE n = 5`) }, 5, "altered"},
		"removed":      {func(t *testing.T, r *rig) { r.exec(t, `DELETE FROM audit WHERE n = 5`) }, 5, "missing"},
		"the first":    {func(t *testing.T, r *rig) { r.exec(t, `DELETE FROM audit WHERE n = 1`) }, 1, "missing"},
		"the last":     {func(t *testing.T, r *rig) { r.exec(t, `DELETE FROM audit WHERE n = 10`) }, 10, "taken away"},
		"all":          {func(t *testing.T, r *rig) { r.exec(t, `DELETE FROM audit`) }, 1, "taken away"},
		"the last, neatly": {func(t *testing.T, r *rig) {
			r.exec(t, `DELETE FROM audit WHERE n > 8`)
			r.exec(t, `UPDATE audit_head SET n = 8, hash = (SELECT hash FROM audit WHERE n = 8)`)
		}, 9, "an older one"},
		"the first, neatly": {func(t *testing.T, r *rig) {
			r.exec(t, `UPDATE audit_base SET n = 3, hash = 'aa', seal = (SELECT seal FROM audit WHERE n = 3)`)
			r.exec(t, `DELETE FROM audit WHERE n <= 3`)
		}, 3, "not written by the gateway"},
		"moved": {func(t *testing.T, r *rig) {
			r.exec(t, `UPDATE audit SET entry = (SELECT entry FROM audit a WHERE a.n = 6) WHERE n = 5`)
		}, 5, "altered"},
		"numbers change places": {func(t *testing.T, r *rig) {
			r.exec(t, `UPDATE audit SET n = 99 WHERE n = 5`)
			r.exec(t, `UPDATE audit SET n = 5 WHERE n = 6`)
			r.exec(t, `UPDATE audit SET n = 6 WHERE n = 99`)
		}, 5, "altered"},
		"added": {func(t *testing.T, r *rig) {
			r.exec(t, `INSERT INTO audit (n, at, entry, hash, seal) VALUES (11, 0, '{"n":11}', 'aa', (SELECT seal FROM audit WHERE n = 10))`)
		}, 11, "altered"},
		"a mark of another": {func(t *testing.T, r *rig) {
			r.exec(t, `UPDATE audit SET seal = (SELECT seal FROM audit a WHERE a.n = 6) WHERE n = 5`)
		}, 5, "not written by the gateway"},
		"no mark": {func(t *testing.T, r *rig) { r.exec(t, `UPDATE audit SET seal = ''  WHERE n = 5`) }, 5, "not written by the gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			if url != storetest.SQLite {
				url = storetest.Postgres(t) // one of its own
			}
			r := rigAt(t, url, t.TempDir())
			r.write(t, 10)
			c.do(t, r)
			if n, what := r.broken(t); n != c.n || !strings.Contains(what, c.what) {
				t.Errorf("%d %q, want %d %q", n, what, c.n, c.what)
			}
		})
	}
}

// A database of yesterday, whole in itself, is found by the anchor.
func TestOldDatabase(t *testing.T) {
	r := newRig(t)
	r.write(t, 5)
	if err := os.WriteFile(r.anchor, []byte(`{"n":7,"hash":"aa"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, what := r.broken(t); n != 6 || !strings.Contains(what, "older") {
		t.Error(n, what)
	}
	if err := os.WriteFile(r.anchor, []byte(`{"n":3,"hash":"aa"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, what := r.broken(t); n != 3 || !strings.Contains(what, "noted before") {
		t.Error(n, what)
	}
	if err := os.WriteFile(r.anchor, []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(t.Context()); err == nil {
		t.Error("an anchor that cannot be read passes")
	}
}

// What is removed because its time is over leaves a chain that is whole, and nothing
// is removed out of the middle when a clock was wrong.
func TestExpire(t *testing.T) { storetest.Each(t, testExpire) }

func testExpire(t *testing.T, url string) {
	r := rigAt(t, url, t.TempDir())
	day := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	for _, d := range []int{0, 1, 2, 30, 3, 31} { // the clock jumped ahead, and back
		if err := r.Record(t.Context(), audit.Entry{At: day.AddDate(0, 0, d), Actor: "lan", Act: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		days    int
		removed int64
		first   int64
	}{{0, 0, 1}, {2, 2, 3}, {10, 1, 4}, {10, 0, 4}} {
		n, err := r.Expire(t.Context(), day.AddDate(0, 0, c.days))
		got, err2 := r.Verify(t.Context())
		if err != nil || err2 != nil || n != c.removed || got.First != c.first || got.Broken != nil {
			t.Errorf("before day %d: %d removed, %+v %v %v", c.days, n, got, err, err2)
		}
	}
	r.write(t, 1)
	if n, what := r.broken(t); n != 0 {
		t.Error(n, what)
	}
}

func TestExport(t *testing.T) {
	r := newRig(t)
	r.write(t, 10)
	n, hash, err := r.Head(t.Context())
	var out bytes.Buffer
	if err != nil || r.Export(t.Context(), &out) != nil {
		t.Fatal(err)
	}
	whole := out.String()
	lines := strings.SplitAfter(whole, "\n")
	for name, c := range map[string]struct {
		text string
		n    int64
	}{
		"whole":     {whole, 0},
		"altered":   {strings.Replace(whole, "id4", "id9", 1), 5},
		"a line":    {strings.Join(append(append([]string{}, lines[:4]...), lines[5:]...), ""), 4},
		"cut short": {strings.Join(lines[:8], ""), 8},
	} {
		got, err := audit.VerifyExport(strings.NewReader(c.text), n, hash)
		if err != nil || (c.n == 0) != (got.Broken == nil) || got.Broken != nil && got.Broken.N != c.n || got.Marks {
			t.Errorf("%s: %+v %+v %v", name, got, got.Broken, err)
		}
	}
	if _, err := audit.VerifyExport(strings.NewReader(whole+"?"), 0, ""); err == nil || !strings.Contains(err.Error(), "line 12") {
		t.Error(err)
	}
}

// An act and its entry commit together or not at all.
func TestWithItsAct(t *testing.T) {
	r := newRig(t)
	fails := &store.Change{Apply: func(context.Context, store.Tx) error { return sql.ErrTxDone }}
	if err := r.db.Commit(t.Context(), r.Change(audit.Entry{Act: "x"}), fails); err == nil {
		t.Fatal("committed")
	}
	if n, _, err := r.Head(t.Context()); err != nil || n != 0 {
		t.Error(n, err)
	}
	r.write(t, 1)
	if n, what := r.broken(t); n != 0 {
		t.Error(n, what)
	}
}

func FuzzVerifyExport(f *testing.F) {
	r := newRig(f)
	r.write(f, 3)
	var out bytes.Buffer
	if err := r.Export(f.Context(), &out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes(), int64(3))
	f.Add([]byte(`{"n":9223372036854775807}`), int64(-1))
	f.Fuzz(func(t *testing.T, text []byte, n int64) {
		got, err := audit.VerifyExport(bytes.NewReader(text), n, "x")
		if err == nil && got.Broken == nil && n > 0 && n >= got.First {
			t.Errorf("%+v: nothing has the hash x", got)
		}
	})
}
