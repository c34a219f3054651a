package queue

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func TestOperator(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.hop.set(all(try450))
	r.run()
	r.put(letter("a", "a@x.test", "b@x.test"), letter("b", "a@x.test"))
	r.until("deferred a b@x.test")
	r.until("deferred b a@x.test")
	counts := func(what string, n int, err error, want int) {
		t.Helper()
		if n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", what, n, err, want)
		}
	}
	n, err := r.Hold(ctx, "a")
	counts("hold", n, err, 1)
	r.hop.set(all(ok250))
	n, err = r.Retry(ctx, "b")
	counts("retry", n, err, 1)
	r.until("delivered b a@x.test")
	r.pass(time.Hour)
	r.wantList("a a@x.test held 1 450\na b@x.test held 1 450")
	n, err = r.Retry(ctx, All)
	counts("retry all", n, err, 1)
	r.until("delivered a b@x.test")

	r.hop.set(all(try450))
	r.put(letter("c", "a@x.test"), letter("d", "a@x.test"))
	r.until("deferred c a@x.test")
	r.until("deferred d a@x.test")
	n, err = r.Hold(ctx, All)
	counts("hold all", n, err, 2)
	n, err = r.Drop(ctx, "c")
	counts("drop", n, err, 1)
	n, err = r.Drop(ctx, "c")
	counts("drop again", n, err, 0)
	n, err = r.Drop(ctx, All)
	counts("drop all", n, err, 0)
	n, err = r.Retry(ctx, "none")
	counts("retry none", n, err, 0)
	r.wantList("d a@x.test held 1 450")
	es, err := r.List(ctx, Filter{Limit: 1})
	if err != nil || len(es) != 1 || es[0].From != "sender@so-mau.gov.test" || es[0].NextHop != "hop:25" || es[0].LastReply.Text != "mailbox busy" ||
		!es[0].Created.Equal(t0.Add(time.Hour)) || es[0].Size == 0 {
		t.Errorf("%+v, %v", es, err)
	}
	n, err = r.Depth(ctx)
	counts("depth", n, err, 1)
}

// TestDropWhileTrying: the row is gone, another has come under its id; the
// outcome of the old attempt must not touch it.
func TestDropWhileTrying(t *testing.T) {
	r := newRig(t)
	entered, release := make(chan struct{}), make(chan struct{})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		entered <- struct{}{}
		<-release
		return all(ok250)(ctx, t)
	})
	r.run()
	r.put(letter("m", "a@x.test"))
	<-entered
	r.wantList("m a@x.test trying 0 0")
	if n, err := r.Drop(t.Context(), "m"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	r.put(letter("m", "b@x.test"))
	release <- struct{}{}
	<-entered // the second attempt, of the new row
	r.wantList("m b@x.test trying 0 0")
	close(release)
	r.until("delivered m b@x.test")
	if strings.Contains(r.log(), "delivered m a@x.test") {
		t.Errorf("events:\n%s", r.log())
	}
}

func TestDamagedContentIsKept(t *testing.T) {
	for _, query := range []string{`UPDATE body SET content = $1`, `UPDATE queue SET head = $1`} {
		r := newRig(t)
		r.put(letter("m", "a@x.test"))
		err := r.db.Update(t.Context(), func(tx store.Tx) error {
			_, err := tx.Exec(t.Context(), query, []byte("damage"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		r.run()
		r.put(letter("n", "a@x.test"))
		r.until("corrupt m a@x.test")
		r.until("delivered n a@x.test")
		r.wantList("m a@x.test corrupt 0 0")
	}
}

func TestDamagedFileIsKept(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(o *Options) {
		db, err := store.Open(t.Context(), store.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		o.Store = db
	})
	r.db = r.o.Store
	m := letter("m", "a@x.test")
	m.Content[1] = make([]byte, 1<<20)
	r.put(m)
	files, err := filepath.Glob(filepath.Join(dir, "bodies", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 1000); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.until("corrupt m a@x.test")
	if len(r.hop.transfers()) != 0 {
		t.Error("half a message was sent")
	}
}

func TestReleaseKeepsTheSchedule(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(try450))
	r.run()
	r.put(letter("a", "a@x.test"), letter("b", "a@x.test"))
	r.until("deferred a a@x.test")
	r.until("deferred b a@x.test")
	if n, err := r.Hold(t.Context(), All); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	r.pass(20 * time.Second)
	if n, err := r.Release(t.Context(), "a"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := r.Release(t.Context(), "none"); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	r.wantList("a a@x.test waiting 1 450\nb a@x.test held 1 450")
	d, err := r.Show(t.Context(), "a", nil)
	if err != nil || !d.NextTry.Equal(t0.Add(time.Minute)) {
		t.Errorf("next try %v, %v", d.NextTry, err)
	}
	r.hop.set(all(ok250))
	r.pass(41 * time.Second)
	r.until("delivered a a@x.test")
	if n, err := r.Release(t.Context(), All); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	r.until("delivered b a@x.test")
}

func TestShow(t *testing.T) {
	r := newRig(t)
	r.hop.set(func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{try450, {}} })
	r.run()
	m := letter("a", "a@x.test", "b@x.test")
	m.Content[1] = []byte("Subject: \x1b]0;pwn\x07\r\n and more\r\nX: y\r\n\r\nsecret body\r\n")
	r.put(m)
	r.until("deferred a b@x.test")
	r.clock.add(30 * time.Second)
	d, err := r.Show(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.From != "sender@so-mau.gov.test" || d.State != "waiting" || d.Attempts != 1 || d.Age != 30 || !d.Expires.Equal(t0.Add(5*24*time.Hour)) ||
		len(d.Recipients) != 2 || d.Recipients[0].LastReply.Code != 450 || d.Recipients[1].Address != "b@x.test" || d.Quiet || d.Warned {
		t.Errorf("%+v", d)
	}
	if got := strings.Join(d.Header, "\n"); !strings.Contains(got, `Subject: \x1b]0;pwn\x07 and more`+"\nX: y") || strings.Contains(got, "secret") {
		t.Errorf("header:\n%s", got)
	}
	if _, err := r.Show(t.Context(), "none", nil); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	err = r.db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE body SET content = $1`, []byte("damage"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := r.Show(t.Context(), "a", nil); err != nil || d.Damaged == "" || d.Header != nil {
		t.Errorf("%+v %v", d, err)
	}
}

// A scope sees mail for its domains, and what its domains have sent themselves; of what came
// from outside in their name, and of everything else, there is nothing, by list and by id.
func TestScope(t *testing.T) { storetest.Each(t, testScope) }

func testScope(t *testing.T, url string) {
	r := rigAt(t, url, t.TempDir())
	both := letter("both", "a@yte.test", "b@gtvt.test")
	theirs, forged, sent := letter("theirs", "b@gtvt.test"), letter("forged", "b@gtvt.test"), letter("sent", "c@world.test", "d@world.test")
	forged.From, sent.From, sent.Outbound = path("x@yte.test"), path("x@yte.test"), true
	r.put(both, theirs, forged, sent)
	yte := Scope(func(domain string) bool { return domain == "yte.test" })
	es, err := r.List(t.Context(), Filter{Scope: yte, Limit: 3})
	var got []string
	for _, e := range es {
		got = append(got, e.ID+" "+e.To)
	}
	if want := "both a@yte.test, sent c@world.test, sent d@world.test"; err != nil || strings.Join(got, ", ") != want {
		t.Errorf("%q %v", got, err)
	}
	for id, want := range map[string]int{"both": 1, "sent": 2, "theirs": 0, "forged": 0, "none": 0} {
		d, err := r.Show(t.Context(), id, yte)
		if len(d.Recipients) != want || errors.Is(err, ErrNotFound) != (want == 0) {
			t.Errorf("%s: %+v %v", id, d, err)
		}
	}
	if es, err := r.List(t.Context(), Filter{Scope: func(string) bool { return false }}); err != nil || len(es) != 0 {
		t.Errorf("nobody sees %v %v", es, err)
	}
}

func TestListFilters(t *testing.T) {
	r := newRig(t)
	mx := letter("m", "a@x.test", "b@100%.test")
	mx.NextHop = "mx"
	other := letter("o", "c@y.test")
	other.NextHop, other.From = "OTHER:25", path("boss@big.test")
	r.put(mx, other)
	if n, err := r.Hold(t.Context(), "o"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for _, tt := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "m m-2 o"},
		{Filter{Limit: 2}, "m m-2"},
		{Filter{Hop: "x.TEST"}, "m"},
		{Filter{Hop: "other"}, "o"},
		{Filter{To: "0%."}, "m-2"},
		{Filter{To: "_"}, ""},
		{Filter{From: "so-mau", To: "a@"}, "m"},
		{Filter{State: "held"}, "o"},
		{Filter{State: "waiting", Limit: 1}, "m"},
		{Filter{State: "trying"}, ""},
		{Filter{State: "dead"}, ""},
	} {
		es, err := r.List(t.Context(), tt.f)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, e := range es {
			ids = append(ids, e.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.f, got, tt.want)
		}
	}
}
