package quarantine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func yte(domain string) bool  { return domain == "yte.test" }
func gtvt(domain string) bool { return domain == "gtvt.test" }

// Two agencies: neither sees nor touches what is the other's, by any id.
func TestWithin(t *testing.T) {
	r := newRig(t)
	hold := func(id, from string, outbound bool, to ...string) {
		m := message(id, "thư "+id)
		m.Envelope.From, m.Session.Outbound = path(from), outbound
		if err := r.Hold(t.Context(), m, decision(to...), content(m)); err != nil {
			t.Fatal(err)
		}
	}
	hold("Y", "x@evil.test", false, "a@yte.test")
	hold("G", "x@yte.test", false, "b@gtvt.test") // forged: the sender is not who it says
	hold("B", "x@evil.test", false, "a@yte.test", "b@gtvt.test", "c@yte.test")
	hold("O", "lan@yte.test", true, "far@away.test")
	w, other := r.Within(yte), r.Within(gtvt)

	ids := func(w *Within, f Filter) (out []string) {
		is, err := w.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range is {
			out = append(out, i.ID+":"+strings.Join(i.To, ","))
		}
		slices.Sort(out)
		return out
	}
	if got := ids(w, Filter{}); !slices.Equal(got, []string{"B:a@yte.test,c@yte.test", "O:far@away.test", "Y:a@yte.test"}) {
		t.Error(got)
	}
	if got := ids(other, Filter{}); !slices.Equal(got, []string{"B:b@gtvt.test", "G:b@gtvt.test"}) {
		t.Error(got)
	}
	if got := ids(other, Filter{Text: "thư y"}); got != nil {
		t.Error("by search:", got)
	}
	for _, id := range []string{"Y", "O", "none"} {
		if _, _, err := other.Show(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("show %s: %v", id, err)
		}
		if _, err := other.Release(t.Context(), id, nil, Act{Actor: "mai"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("release %s: %v", id, err)
		}
		if _, err := other.Delete(t.Context(), id, Act{Actor: "mai"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	if _, err := other.Release(t.Context(), "B", []string{"a@yte.test"}, Act{Actor: "mai"}); !errors.Is(err, ErrRecipient) {
		t.Error("to another's recipient:", err)
	}
	if i, raw, err := w.Show(t.Context(), "B"); err != nil || len(i.To) != 2 || len(raw) == 0 {
		t.Error(i.To, err)
	}
	if _, err := other.Delete(t.Context(), "B", Act{Actor: "mai"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Release(t.Context(), "B", nil, Act{Actor: "lan"}); err != nil || !slices.Equal(got, []string{"a@yte.test", "c@yte.test"}) {
		t.Error(got, err)
	}
	if _, _, err := r.Show(t.Context(), "B"); !errors.Is(err, ErrNotFound) {
		t.Error("it is still there:", err)
	}
	if got, err := w.Release(t.Context(), "O", nil, Act{Actor: "lan"}); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
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
	one := r.Within(func(d string) bool { return d == "so7.test" })
	for name, c := range map[string]struct {
		list func() ([]Item, error)
		want int
	}{
		"newest":              {func() ([]Item, error) { return r.List(t.Context(), Filter{}) }, 100},
		"rare word":           {func() ([]Item, error) { return r.List(t.Context(), Filter{Text: "so 99 ve"}) }, 1},
		"no such word":        {func() ([]Item, error) { return r.List(t.Context(), Filter{Text: "khong co"}) }, 0},
		"an agency":           {func() ([]Item, error) { return one.List(t.Context(), Filter{}) }, 100},
		"an agency, rare":     {func() ([]Item, error) { return one.List(t.Context(), Filter{Text: "so 57 ve"}) }, 1},
		"an agency, the last": {func() ([]Item, error) { return one.List(t.Context(), Filter{Offset: 1990}) }, 10},
	} {
		var took []time.Duration
		for range 3 {
			began := time.Now()
			got, err := c.list()
			took = append(took, time.Since(began))
			if err != nil || len(got) != c.want {
				t.Errorf("%s: %d %v", name, len(got), err)
			}
		}
		best := slices.Min(took)
		t.Logf("%s: %v", name, best)
		if best > time.Second { // a fifth of it on a machine that does nothing else
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
