package digest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/configs"
	"congthu/internal/digest"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/quarantine"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var hanoi = time.FixedZone("+07", 7*3600)

// post is a queue that keeps what is committed.
type post struct {
	mu      sync.Mutex
	letters []*msg.Transfer
	fail    error
}

func (p *post) PrepareQuiet(_ context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	return &store.Change{Apply: func(context.Context, store.Tx) error { return nil }, Done: func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.letters = append(p.letters, ts...)
	}}, nil
}

// to returns the letters to an address.
func (p *post) to(a string) (out []*msg.Transfer) {
	for _, t := range p.letters {
		if t.To[0].Raw == a {
			out = append(out, t)
		}
	}
	return out
}

type held []quarantine.Item

// between is quarantine.Between over a list.
func (h *held) between(_ context.Context, after, until time.Time, last *quarantine.Item, limit int) (out []quarantine.Item, err error) {
	begun := last == nil
	for _, it := range *h {
		if begun && it.Held.After(after) && !it.Held.After(until) && len(out) < limit {
			out = append(out, it)
		}
		begun = begun || it.ID == last.ID
	}
	return out, nil
}

func (h *held) add(at time.Time, from, subject, reason string, to ...string) {
	*h = append(*h, quarantine.Item{ID: fmt.Sprintf("06BKGZ2S9T%06d", len(*h)), From: from, Subject: subject, Reason: reason, To: to, Held: at, Expires: at.Add(720 * time.Hour)})
}

func path(a string) msg.Path {
	at := strings.LastIndexByte(a, '@')
	return msg.Path{Raw: a, Local: a[:at], Domain: strings.ToLower(a[at+1:])}
}

func texts(t testing.TB) *notice.Texts {
	t.Helper()
	x, err := shippedTexts()
	if err != nil {
		t.Fatal(err)
	}
	return x()
}

func shippedTexts() (func() *notice.Texts, error) {
	sub, err := fs.Sub(configs.Notices, "notices")
	if err != nil {
		return nil, err
	}
	x, err := notice.Load(sub, "")
	return func() *notice.Texts { return x }, err
}

// rig is a sender of digests on a store.
type rig struct {
	db   *store.DB
	post *post
	held held
	now  time.Time
	o    digest.Options
}

func newRig(t *testing.T, url string) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &rig{db: db, post: &post{}, now: time.Date(2026, 11, 28, 7, 0, 0, 0, hanoi)}
	x, n := texts(t), 0
	r.o = digest.Options{
		Store: db, Queue: r.post, Held: r.held.between, Texts: func() *notice.Texts { return x }, Codes: digest.Codes{Tags: tags("k")},
		NextHop: func(string) (string, bool) { return "hop:25", true },
		Box: func(a string) (digest.Box, bool) {
			switch p := path(a); p.Domain {
			case "so.test":
				return digest.Box{To: p}, true
			case "xa.test":
				return digest.Box{To: path("van-thu@xa.test"), Shared: true}, true
			}
			return digest.Box{}, false
		},
		Reason:  func(quarantine.Item) lang.Text { return lang.T("Thư giống thư rác.", "It looks like spam.") },
		May:     func(it quarantine.Item) (bool, bool) { return it.Reason == "SCORE", it.Reason == "VIRUS" },
		Address: "cong-thu@gw.test", Name: "Cổng thư", Hostname: "gw.test", Reply: true, Settle: time.Minute, Entries: 3, Life: 336 * time.Hour,
		NewID: func() string { n++; return fmt.Sprint("D", n) }, Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
	}
	return r
}

func (r *rig) send(t *testing.T) digest.Sent {
	t.Helper()
	r.o.Held = r.held.between
	s, err := digest.New(r.o).Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns the text of a letter.
func read(t *testing.T, tr *msg.Transfer) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(bytes.Join(tr.Content, nil)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(body), "\r\n", "\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", file, got)
	}
}

var linked = regexp.MustCompile(`(?i)[a-z]+:/|www\.|@|[\pL\pN]\.\pL{2}`)

func TestDigest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		at := r.now.Add(-3 * time.Hour)
		r.held.add(at, "an@evil.example", "Trúng thưởng http://evil.example/\u202e", "SCORE", "a@so.test", "b@so.test", "x@elsewhere.test")
		r.held.add(at.Add(time.Minute), "", "NHAN www.evil.example @b", "VIRUS", "a@so.test")
		r.held.add(at.Add(2*time.Minute), "b@c.example", "Hai hộp thư", "SCORE", "c@xa.test", "d@xa.test")
		r.held.add(at.Add(3*time.Minute), "b@c.example", "Tệp", "TYPE", "a@so.test")
		r.held.add(at.Add(4*time.Minute), "b@c.example", "Thừa", "SCORE", "a@so.test")
		if got := r.send(t); got != (digest.Sent{Digests: 3, Letters: 6}) {
			t.Errorf("%+v", got)
		}
		golden(t, "recipient.txt", read(t, r.post.to("a@so.test")[0]))
		golden(t, "mailbox.txt", read(t, r.post.to("van-thu@xa.test")[0]))
		for _, tr := range r.post.letters {
			text := read(t, tr)
			if m := linked.FindString(text); m != "" {
				t.Errorf("%s makes a link of %q", tr.To[0].Raw, m)
			}
			if len(tr.To) != 1 || !tr.From.IsNull() || !tr.Outbound || !bytes.Contains(tr.Content[0], []byte("\r\nAuto-Submitted: auto-generated\r\n")) {
				t.Errorf("%+v", tr)
			}
		}
		// who else had the letter is nobody's to know
		if b := read(t, r.post.to("b@so.test")[0]); strings.Contains(b, "a(at)") || strings.Contains(b, "elsewhere") {
			t.Errorf("another recipient is disclosed:\n%s", b)
		}
		if len(r.post.to("x@elsewhere.test")) != 0 {
			t.Error("a stranger has a digest")
		}
	})
}

// One a day, with what is new; nothing is left out and nothing comes twice.
func TestOneADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		if got := r.send(t); got.Digests != 0 {
			t.Errorf("an empty digest: %+v", got)
		}
		r.held.add(r.now.Add(-time.Hour), "x@y.example", "một", "SCORE", "a@so.test")
		r.send(t)
		r.held.add(r.now.Add(-time.Second), "x@y.example", "hai", "SCORE", "a@so.test") // being held elsewhere
		r.now = r.now.Add(5 * time.Hour)
		r.send(t)
		if n := len(r.post.letters); n != 1 {
			t.Fatalf("%d on one day", n)
		}
		r.held.add(r.now, "x@y.example", "ba", "SCORE", "a@so.test")
		r.now = r.now.AddDate(0, 0, 1)
		r.send(t)
		all := r.post.to("a@so.test")
		if len(all) != 2 {
			t.Fatalf("%d in two days", len(all))
		}
		first, second := read(t, all[0]), read(t, all[1])
		if !strings.Contains(first, ": một\n") || strings.Contains(first, ": hai\n") || strings.Contains(second, ": một\n") || !strings.Contains(second, ": hai\n") || !strings.Contains(second, ": ba\n") {
			t.Errorf("first:\n%s\nsecond:\n%s", first, second)
		}
		r.now = r.now.AddDate(0, 0, 1)
		if got := r.send(t); got.Digests != 0 {
			t.Errorf("nothing new: %+v", got)
		}
	})
}

// What could not be queued is in the next digest.
func TestFailureIsMadeUpFor(t *testing.T) {
	r := newRig(t, "sqlite")
	r.held.add(r.now.Add(-time.Hour), "x@y.example", "một", "SCORE", "a@so.test")
	r.post.fail = errors.New("no room")
	if _, err := digest.New(r.o).Send(t.Context()); err == nil {
		t.Fatal("no error")
	}
	r.post.fail = nil
	r.now = r.now.AddDate(0, 0, 1)
	if got := r.send(t); got.Letters != 1 {
		t.Errorf("%+v", got)
	}
}

// A clock that was years ahead for a moment does not end the digests.
func TestClockAhead(t *testing.T) {
	r := newRig(t, "sqlite")
	today := r.now
	r.now = today.AddDate(9, 0, 0)
	r.held.add(r.now.Add(-time.Hour), "x@y.example", "chín năm sau", "SCORE", "a@so.test")
	r.send(t)
	r.now, r.held = today, nil
	r.held.add(r.now.Add(-time.Hour), "x@y.example", "hôm nay", "SCORE", "a@so.test")
	if got := r.send(t); got.Digests != 1 {
		t.Errorf("%+v", got)
	}
	if got := r.send(t); got.Digests != 0 {
		t.Errorf("twice: %+v", got)
	}
}

// Of several gateways on one store each address has one digest.
func TestGatewaysTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		dbs := []*store.DB{r.db, r.db}
		if url != storetest.SQLite {
			dir := t.TempDir()
			key, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "data.key"))
			if err != nil || len(key) != 1 {
				t.Fatal(key, err)
			}
			other, err := store.Open(t.Context(), store.Options{URL: url, Dir: dir, Key: key[0]})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.Close() })
			dbs[1] = other
		}
		for i := range 40 {
			r.held.add(r.now.Add(-time.Hour), "x@y.example", "thư", "SCORE", fmt.Sprintf("u%d@so.test", i))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for _, db := range dbs {
			o := r.o
			o.Store, o.Held = db, r.held.between
			var n int
			o.NewID = func() string { n++; return fmt.Sprintf("%p-%d", db, n) }
			wg.Go(func() {
				s, err := digest.New(o).Send(t.Context())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				total += s.Digests
				mu.Unlock()
			})
		}
		wg.Wait()
		if total != 40 || len(r.post.letters) != 40 {
			t.Errorf("%d sent, %d queued; want 40", total, len(r.post.letters))
		}
	})
}
