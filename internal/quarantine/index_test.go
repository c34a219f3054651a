package quarantine

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// Whatever is done, the index lists what the rows say, at each of two gateways.
func TestIndexIsWhatTheRowsAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		undo := func(o *Options) { o.Undo = time.Hour }
		a := rigAt(t, url, undo)
		both := []*rig{a}
		if url != storetest.SQLite {
			both = append(both, rigAt(t, url, undo))
		}
		rows := func(o *Options) { undo(o); o.Index, o.Store = 0, a.db }
		slow := rigOn(t, a, rows)
		same := func(when string) {
			t.Helper()
			for _, f := range []Filter{{}, {Text: "hoa don"}, {Sender: "evil"}, {Symbol: "link_ip_host"}, {Reason: "score"}, {Class: Malware}, {Recipient: "b@y"}, {Deleted: true}, {Agency: "y.test"}, {Limit: 3, Offset: 2}, {Until: t0.Add(3 * time.Second)}} {
				want := slow.ids(f)
				for n, r := range both {
					if got := r.ids(f); got != want {
						t.Errorf("%s: gateway %d, %+v: %s, want %s", when, n, f, got, want)
					}
				}
			}
		}
		same("empty")
		for n := range 12 {
			r := both[n%len(both)]
			r.now = t0.Add(time.Duration(n) * time.Second)
			m := message(fmt.Sprintf("M%02d", n), "Hóa đơn")
			d := decision("a@x.test", "b@y.test")
			if n%3 == 0 {
				d.Reason, d.Why.Counted = "YARA_MALWARE", []msg.Weighed{{Finding: msg.Finding{Symbol: "YARA_MALWARE"}}}
			}
			if err := r.Hold(t.Context(), m, d, content(m)); err != nil {
				t.Fatal(err)
			}
		}
		same("held")
		for n, do := range []func(*rig, string) error{
			func(r *rig, id string) error { return r.Delete(t.Context(), id, "lan") },
			func(r *rig, id string) error { _, err := r.Release(t.Context(), id, nil, "lan"); return err },
			func(r *rig, id string) error {
				_, err := r.Release(t.Context(), id, []string{"b@y.test"}, "lan")
				return err
			},
			func(r *rig, id string) error {
				_, err := r.Within(func(d string) bool { return d == "x.test" }).Delete(t.Context(), id, Act{Actor: "lan"})
				return err
			},
		} {
			if err := do(both[n%len(both)], fmt.Sprintf("M%02d", n)); err != nil {
				t.Fatal(err)
			}
			same(fmt.Sprint("act ", n))
		}
		if _, err := a.All().Undo(t.Context(), "M00", Act{Actor: "mai"}); err != nil {
			t.Fatal(err)
		}
		same("undone")
		for _, r := range append(both, slow) {
			r.now = t0.Add(2 * time.Hour)
		}
		if _, err := both[len(both)-1].Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		same("buried")
		for _, r := range append(both, slow) {
			r.now = t0.Add(40 * 24 * time.Hour)
		}
		same("expired, not removed yet")
		if _, err := a.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		same("expired")
	})
}

// What does not fit into the index is read from the rows.
func TestIndexIsBounded(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Index = 2000 })
	for n := range 10 {
		r.hold(message(fmt.Sprint("M", n), "s"), "a@x.test")
		if got := len(mustList(t, r)); got != n+1 {
			t.Fatalf("%d of %d", got, n+1)
		}
	}
	if r.index.ready || len(r.index.list) != 0 {
		t.Error("the index has no bound")
	}
}

// A message that is held while the index is read is in it.
func TestIndexWhileMailComes(t *testing.T) {
	r := newRig(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 200 {
			m := message(fmt.Sprint("M", n), "s")
			if err := r.Hold(t.Context(), m, decision("a@x.test"), content(m)); err != nil {
				t.Error(err)
			}
		}
	}()
	for going := true; going; {
		select {
		case <-done:
			going = false
		default:
			mustList(t, r)
		}
	}
	if got := len(mustList(t, r)); got != 200 {
		t.Errorf("%d of 200", got)
	}
}

func mustList(t *testing.T, r *rig) []Item {
	t.Helper()
	is, err := r.List(t.Context(), Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// rigOn is another view of the store of a rig.
func rigOn(t *testing.T, of *rig, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, url: of.url, dir: of.dir, db: of.db, out: &outbox{}, now: of.now}
	o := Options{Requeue: r.out, Now: func() time.Time { return r.now }}
	change(&o)
	r.Quarantine = New(o)
	return r
}

// A hundred thousand held messages: a list with a filter comes within its time, for
// the province and for one agency, and takes no memory to speak of.
func TestHundredThousand(t *testing.T) {
	if os.Getenv("CONGTHU_FAULTS") != "long" {
		t.Skip("make test-faults holds a hundred thousand messages")
	}
	const many = 100000
	r := rigAt(t, storetest.SQLite)
	for n := 0; n < many; {
		var changes []*store.Change
		for range 1000 {
			m := message(fmt.Sprint("m", n), fmt.Sprintf("Công văn số %d về việc báo cáo", n))
			r.now = r.now.Add(time.Second)
			c, err := r.Prepare(t.Context(), m, decision(fmt.Sprintf("van-thu@so%d.test", n%50)), content(m))
			if err != nil {
				t.Fatal(err)
			}
			changes = append(changes, c)
			n++
		}
		if err := r.db.Commit(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
	}
	began := cpu(t)
	if got, err := r.List(t.Context(), Filter{Limit: 1}); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	t.Logf("the index: %v of CPU, about %d MB", cpu(t)-began, r.index.size>>20)
	one := r.Within(func(d string) bool { return d == "so7.test" })
	for name, c := range map[string]struct {
		list func() ([]Item, error)
		want int
	}{
		"a sender, none": {func() ([]Item, error) { return r.List(t.Context(), Filter{Sender: "nobody"}) }, 0},
		"a symbol": {func() ([]Item, error) {
			return r.List(t.Context(), Filter{Symbol: "LINK_IP_HOST", Recipient: "so49.test"})
		}, 100},
		"a class":             {func() ([]Item, error) { return r.List(t.Context(), Filter{Class: Malware}) }, 0},
		"deleted":             {func() ([]Item, error) { return r.List(t.Context(), Filter{Deleted: true}) }, 0},
		"newest":              {func() ([]Item, error) { return r.List(t.Context(), Filter{}) }, 100},
		"rare word":           {func() ([]Item, error) { return r.List(t.Context(), Filter{Text: "so 99 ve"}) }, 1},
		"no such word":        {func() ([]Item, error) { return r.List(t.Context(), Filter{Text: "khong co"}) }, 0},
		"an agency":           {func() ([]Item, error) { return one.List(t.Context(), Filter{}) }, 100},
		"an agency, rare":     {func() ([]Item, error) { return one.List(t.Context(), Filter{Text: "so 57 ve"}) }, 1},
		"an agency, the last": {func() ([]Item, error) { return one.List(t.Context(), Filter{Offset: 1990}) }, 10},
	} {
		var took []time.Duration
		for range 3 {
			began := cpu(t)
			got, err := c.list()
			took = append(took, cpu(t)-began)
			if err != nil || len(got) != c.want {
				t.Errorf("%s: %d %v", name, len(got), err)
			}
		}
		best := slices.Min(took)
		t.Logf("%s: %v of CPU", name, best)
		if best > 200*time.Millisecond {
			t.Errorf("%s takes %v", name, best)
		}
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	t.Logf("heap %d MB, of the system %d MB", mem.HeapAlloc>>20, mem.Sys>>20)
	if mem.Sys > 300<<20 {
		t.Errorf("%d MB", mem.Sys>>20)
	}
}

// cpu is what this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
