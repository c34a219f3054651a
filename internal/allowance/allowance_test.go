package allowance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

var t0 = time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)

// shelf is a book with its store and a clock.
type shelf struct {
	*Book
	t   testing.TB
	db  *store.DB
	now *time.Time
}

func open(t testing.TB, url string) *shelf {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := t0
	s := &shelf{t: t, db: db, now: &now}
	s.Book = s.another()
	return s
}

// another is the book of another gateway on the same store.
func (s *shelf) another() *Book {
	s.t.Helper()
	b := New(Options{Now: func() time.Time { return *s.now }, Max: 5})
	b.Keep(s.db)
	if err := b.Follow(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *shelf) give(sender string, to ...string) error {
	s.t.Helper()
	_, c, err := s.Give(sender, to, "lan", "L1", 24*time.Hour)
	if err != nil {
		return err
	}
	return s.db.Commit(s.t.Context(), c)
}

func paths(list string) (out []msg.Path) {
	for _, a := range strings.Fields(list) {
		local, domain, _ := strings.Cut(a, "@")
		out = append(out, msg.Path{Raw: a, Local: local, Domain: domain})
	}
	return out
}

func everywhere(string) bool { return true }

// A sender is allowed for exactly whom it was said, and only when that is all recipients.
func TestFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		for sender, to := range map[string]string{"x@a.test": "lan@yte.test", "y@a.test": "yte.test so.yte.test"} {
			if err := s.give(sender, strings.Fields(to)...); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			sender, to string
			want       int
		}{
			{"x@a.test", "lan@yte.test", 1},
			{"x@a.test", "LAN@yte.test", 1},
			{"x@a.test", "an@yte.test", 0},
			{"x@a.test", "lan@yte.test an@yte.test", 0},
			{"x@a.test", "lan@so.yte.test", 0},
			{"x@a.test", "", 0},
			{"x@a.test", "postmaster", 0},
			{"z@a.test", "lan@yte.test", 0},
			{"a.test", "lan@yte.test", 0},
			{"", "lan@yte.test", 0},
			{"y@a.test", "lan@yte.test an@yte.test", 1},
			{"y@a.test", "lan@yte.test an@so.yte.test", 2},
			{"y@a.test", "lan@yte.test an@gtvt.test", 0},
			{"y@a.test", "lan@x.yte.test", 0},
			{"y@a.test", "postmaster", 0},
		} {
			if got := s.For(c.sender, paths(c.to)); len(got) != c.want {
				t.Errorf("%s to %s: %+v, want %d", c.sender, c.to, got, c.want)
			}
		}
		got := s.For("x@a.test", paths("lan@yte.test"))[0]
		if want := (Allowance{ID("x@a.test", "lan@yte.test"), "x@a.test", "lan@yte.test", "lan", t0, t0.Add(24 * time.Hour), "L1"}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// What one gateway does the other knows with its next look; a restart forgets nothing.
func TestGatewaysAgree(t *testing.T) {
	s := open(t, storetest.Postgres(t))
	far := s.another()
	lan := paths("lan@yte.test")
	if err := s.give("x@a.test", "lan@yte.test"); err != nil {
		t.Fatal(err)
	}
	if len(s.For("x@a.test", lan)) != 1 || len(far.For("x@a.test", lan)) != 0 {
		t.Error("the one does not know at once, or the other does")
	}
	if err := far.Follow(t.Context()); err != nil || len(far.For("x@a.test", lan)) != 1 {
		t.Error("the other does not know after it has looked", err)
	}
	a, err := far.Get(t.Context(), ID("x@a.test", "lan@yte.test"))
	if err == nil {
		err = far.Revoke(t.Context(), a, &store.Change{Apply: func(context.Context, store.Tx) error { return nil }})
	}
	if err != nil || len(far.For("x@a.test", lan)) != 0 {
		t.Error("taken back, and it counts still", err)
	}
	if err := s.Follow(t.Context()); err != nil || len(s.For("x@a.test", lan)) != 0 {
		t.Error("taken back by the other, and it counts still", err)
	}
}

func TestEndsAndIsTidied(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s, lan := open(t, url), paths("lan@yte.test")
		if err := errors.Join(s.give("x@a.test", "lan@yte.test"), s.give("y@a.test", "lan@yte.test")); err != nil {
			t.Fatal(err)
		}
		*s.now = t0.Add(23 * time.Hour)
		if err := s.give("y@a.test", "lan@yte.test"); err != nil { // again: another end
			t.Fatal(err)
		}
		*s.now = t0.Add(24 * time.Hour)
		if err := s.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.For("x@a.test", lan)) != 0 || len(s.For("y@a.test", lan)) != 1 {
			t.Error("an end is not kept")
		}
		if list, err := s.List(t.Context(), everywhere); err != nil || len(list) != 1 || list[0].Sender != "y@a.test" {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := s.Get(t.Context(), ID("x@a.test", "lan@yte.test")); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if err := errors.Join(s.Expire(t.Context()), s.Follow(t.Context()), s.Expire(t.Context())); err != nil {
			t.Fatal(err)
		}
		n, _ := s.Len()
		if list, err := s.read(t.Context(), ``); err != nil || len(list) != 1 || n != 1 {
			t.Errorf("%+v %v, %d in memory", list, err, n)
		}
	})
}

// Who has not been able to look for long lets nobody through: it may have been taken back.
func TestStale(t *testing.T) {
	s, lan := open(t, storetest.SQLite), paths("lan@yte.test")
	if err := s.give("x@a.test", "lan@yte.test"); err != nil {
		t.Fatal(err)
	}
	*s.now = t0.Add(2 * staleAfter)
	if len(s.For("x@a.test", lan)) != 1 {
		t.Error("a command that has looked once forgets")
	}
	s.runs.Store(true)
	*s.now = t0.Add(staleAfter)
	if len(s.For("x@a.test", lan)) != 1 {
		t.Error("not for a while")
	}
	*s.now = t0.Add(staleAfter + 1)
	if len(s.For("x@a.test", lan)) != 0 {
		t.Error("for ever")
	}
	if err := s.Follow(t.Context()); err != nil || len(s.For("x@a.test", lan)) != 1 {
		t.Error("not again", err)
	}
}

// There is an end to how many there are; what exceeds it undoes what it came with.
func TestIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		for i := range 4 {
			if err := s.give(fmt.Sprint("x", i, "@a.test"), "lan@yte.test"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.give("y@a.test", "lan@yte.test", "an@yte.test"); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
		if err := errors.Join(s.give("x4@a.test", "lan@yte.test"), s.give("x4@a.test", "lan@yte.test")); err != nil {
			t.Error("as many as fit, and one of them again:", err)
		}
		if err := s.give("y@a.test", "lan@yte.test"); !errors.Is(err, ErrFull) {
			t.Error(err)
		}
		if n, _ := s.Len(); n != 5 || len(s.For("y@a.test", paths("lan@yte.test"))) != 0 {
			t.Errorf("%d in memory", n)
		}
	})
}

func TestRevoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		if err := s.give("x@a.test", "lan@yte.test", "gtvt.test"); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(ctx, func(d string) bool { return d == "yte.test" })
		if err != nil || len(list) != 1 || list[0].For != "lan@yte.test" {
			t.Fatalf("%+v %v", list, err)
		}
		broken := errors.New("no entry, no act")
		if err := s.Revoke(ctx, list[0], &store.Change{Apply: func(context.Context, store.Tx) error { return broken }}); !errors.Is(err, broken) {
			t.Error(err)
		}
		if len(s.For("x@a.test", paths("lan@yte.test"))) != 1 {
			t.Error("it was taken back without a record")
		}
		nothing := &store.Change{Apply: func(context.Context, store.Tx) error { return nil }}
		if err := s.Revoke(ctx, list[0], nothing); err != nil {
			t.Error(err)
		}
		if err := s.Revoke(ctx, list[0], nothing); !errors.Is(err, ErrNotFound) {
			t.Error("twice:", err)
		}
		if list, err := s.List(ctx, everywhere); err != nil || len(list) != 1 || list[0].For != "gtvt.test" {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func TestWithoutAStore(t *testing.T) {
	b := New(Options{})
	if err := b.Follow(t.Context()); err != nil || b.For("x@a.test", paths("lan@yte.test")) != nil {
		t.Error("without a store somebody is allowed", err)
	}
	if list, err := b.List(t.Context(), everywhere); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	if n, read := b.Len(); n != 0 || read {
		t.Error("what was not read is known")
	}
}

func TestRunFollows(t *testing.T) {
	s := open(t, storetest.SQLite)
	ctx, cancel := context.WithCancel(t.Context())
	b := New(Options{})
	b.Keep(s.db)
	if err := s.give("x@a.test", "lan@yte.test"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	for _, read := b.Len(); !read; _, read = b.Len() {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzGive: what is kept can be shown and found again, whatever the addresses are made of.
func FuzzGive(f *testing.F) {
	f.Add("x@a.test", "lan@yte.test")
	f.Add("\"a b\"@a.test", "yte.test")
	f.Add("x\x00@a.test", "\xff@yte.test")
	f.Add(strings.Repeat("x", 400), "@")
	b := New(Options{Now: func() time.Time { return t0 }})
	f.Fuzz(func(t *testing.T, sender, to string) {
		list, change, err := b.Give(sender, []string{to}, "lan", "L", time.Hour)
		if err != nil {
			if change != nil || list != nil {
				t.Error("refused, and done")
			}
			return
		}
		for _, s := range []string{list[0].Sender, list[0].For} {
			if len(s) > longest || strings.ContainsAny(s, "\x00\n\x1b") || s == "" {
				t.Errorf("%q is kept", s)
			}
		}
		if list[0].ID != ID(list[0].Sender, list[0].For) || len(list[0].ID) != idLength {
			t.Errorf("%+v", list[0])
		}
		if local, isAddress := strings.CutSuffix(list[0].For, "@"+list[0].Domain()); isAddress && list[0].Domain() != "" && !list[0].covers(msg.Path{Local: local, Domain: list[0].Domain()}) {
			t.Errorf("%+v is not for whom it is", list[0])
		}
	})
}

func BenchmarkFor(b *testing.B) {
	k := &known{bySender: map[string][]Allowance{}, at: t0}
	for i := range Max {
		s := fmt.Sprint("x", i, "@a.test")
		k.bySender[s] = []Allowance{{Sender: s, For: "yte.test", Until: t0.Add(time.Hour)}}
	}
	book := New(Options{Now: func() time.Time { return t0 }})
	book.known.Store(k)
	to := paths("lan@yte.test an@yte.test")
	for _, who := range []string{"x77@a.test", "stranger@a.test"} {
		b.Run(who, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = book.For(who, to)
			}
		})
	}
}
