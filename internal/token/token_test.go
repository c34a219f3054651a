package token_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/store"
	"congthu/internal/store/storetest"
	"congthu/internal/token"
)

type rig struct {
	*token.Book
	now time.Time
	dir string
}

func newRig(t testing.TB, url string) *rig {
	t.Helper()
	r := &rig{now: time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC), dir: t.TempDir()}
	db, err := store.Open(context.Background(), store.Options{URL: url, Dir: r.dir, Key: storetest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r.Book = token.NewBook(db, func() time.Time { return r.now })
	return r
}

func (r *rig) make(t testing.TB, w token.Wanted) (token.Token, string) {
	t.Helper()
	tk, secret, err := r.Make(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return tk, secret
}

var reviewer = token.Wanted{Name: "lan", Role: token.Reviewer, Domains: []string{"yte.gov.test", "*.yte.gov.test"}, Life: 48 * time.Hour}

func TestToken(t *testing.T) { storetest.Each(t, testToken) }

func testToken(t *testing.T, url string) {
	r := newRig(t, url)
	tk, secret := r.make(t, reviewer)
	who, err := r.Check(t.Context(), secret)
	if err != nil || who.Name != "lan" || who.Role != token.Reviewer || !who.Sees("YTE.gov.test.") || !who.Sees("bv.yte.gov.test") || who.Sees("gtvt.gov.test") {
		t.Errorf("%+v %v", who, err)
	}
	list, err := r.List(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != tk.ID || !list[0].Used.Equal(r.now) || list[0].Expires.Sub(r.now) != 48*time.Hour {
		t.Errorf("%+v %v", list, err)
	}
	r.now = r.now.Add(48 * time.Hour)
	refused(t, r, secret, "has expired")
	_, other := r.make(t, token.Wanted{Name: "thanh tra", Role: token.Auditor, Life: time.Hour})
	if err := r.Revoke(t.Context(), strings.Split(other, "_")[1]); err != nil {
		t.Fatal(err)
	}
	refused(t, r, other, "is revoked")
	if err := r.Revoke(t.Context(), "00000000"); !errors.Is(err, token.ErrNotFound) {
		t.Error(err)
	}
}

// refused checks that a token is refused, why, and that its owner is not told.
func refused(t *testing.T, r *rig, presented, why string) {
	t.Helper()
	_, err := r.Check(t.Context(), presented)
	var no *token.Refused
	if !errors.As(err, &no) || !errors.Is(err, token.ErrRefused) || !strings.Contains(no.Why.Error(), why) || err.Error() != token.ErrRefused.Error() {
		t.Errorf("%v, want %q", err, why)
	}
}

func TestNoToken(t *testing.T) {
	r := newRig(t, storetest.SQLite)
	_, secret := r.make(t, reviewer)
	for _, bad := range []string{"", "ct_", secret[:len(secret)-1], secret + "x", strings.ToUpper(secret), "ct_" + secret, "ct_zzzzzzzz_" + secret[12:], "ct_00000000" + secret[11:]} {
		if _, err := r.Check(t.Context(), bad); !errors.Is(err, token.ErrRefused) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Five wrong secrets in a row lock a token for a quarter of an hour, also for its owner;
// a right one in between begins the count anew. The secret is in no file.
func TestLock(t *testing.T) {
	r := newRig(t, storetest.SQLite)
	_, secret := r.make(t, reviewer)
	wrong := secret[:len(secret)-3] + "AAA"
	for range 4 {
		refused(t, r, wrong, "wrong secret")
	}
	if _, err := r.Check(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		refused(t, r, wrong, "wrong secret")
	}
	refused(t, r, secret, "is locked")
	r.now = r.now.Add(16 * time.Minute)
	if _, err := r.Check(t.Context(), secret); err != nil {
		t.Error("after the lock:", err)
	}
	files, _ := filepath.Glob(r.dir + "/*")
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), secret[12:]) {
			t.Error("the secret stands in", f)
		}
	}
}

func TestWanted(t *testing.T) {
	r := newRig(t, storetest.SQLite)
	for want, change := range map[string]func(*token.Wanted){
		"name":            func(w *token.Wanted) { w.Name = " " },
		"characters":      func(w *token.Wanted) { w.Name = "lan\x1b[2J" },
		"role":            func(w *token.Wanted) { w.Role = "root" },
		"needs the":       func(w *token.Wanted) { w.Domains = nil },
		"neither":         func(w *token.Wanted) { w.Domains = []string{"*"} },
		`"a@b.test"`:      func(w *token.Wanted) { w.Domains = []string{"a@b.test"} },
		`"test"`:          func(w *token.Wanted) { w.Domains = []string{"test"} },
		"only a reviewer": func(w *token.Wanted) { w.Role = token.Auditor },
		"366 days":        func(w *token.Wanted) { w.Life = 400 * 24 * time.Hour },
		"1 hour":          func(w *token.Wanted) { w.Life = 0 },
	} {
		w := reviewer
		change(&w)
		var no *token.Refusal
		if _, _, err := r.Make(t.Context(), w); !errors.As(err, &no) || !strings.Contains(no.What.EN, want) || no.What.VI == "" {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestRights(t *testing.T) {
	for role, may := range map[token.Role]string{token.Administrator: "read review manage", token.Reviewer: "read review", token.Auditor: "read", "": "", "root": ""} {
		w := token.Who{Role: role}
		for _, act := range []string{"read", "review", "manage"} {
			if w.May(act) != strings.Contains(may, act) {
				t.Errorf("%q may %s: %v", role, act, w.May(act))
			}
		}
	}
	if (token.Who{}).Sees("a.test") || (token.Who{Role: token.Reviewer}).Sees("a.test") || (token.Who{Role: token.Reviewer}).Sees("") {
		t.Error("who has no domains sees mail")
	}
	if !(token.Who{Role: token.Auditor}).Sees("a.test") {
		t.Error("an auditor does not see all")
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, domain string
		want            bool
	}{
		{"a.test", "a.test", true},
		{"a.test", "A.TEST.", true},
		{"a.test", "x.a.test", false},
		{"*.a.test", "x.a.test", true},
		{"*.a.test", "a.test", false},
		{"*.a.test", "xa.test", false},
		{"*.a.test", "y.x.a.test", true},
		{"", "", false},
		{"*.", "x.", false},
		{"*.", ".", false},
	} {
		if token.Covers(c.pattern, c.domain) != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.domain, !c.want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	r := newRig(f, storetest.SQLite)
	_, secret, err := r.Make(context.Background(), reviewer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("ct_00000000_x")
	f.Add(secret[:30])
	f.Fuzz(func(t *testing.T, presented string) {
		if _, err := r.Check(t.Context(), presented); !errors.Is(err, token.ErrRefused) && presented != secret {
			t.Errorf("%q: %v", presented, err)
		}
	})
}
