package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/store"
	"congthu/internal/token"
)

// door is a gate before a handler that says who has come through, with its clock.
type door struct {
	gate    *admin.Gate
	handler http.Handler
	now     time.Time
	entries []audit.Entry
}

func newDoor(check func(context.Context, string) (token.Who, error)) *door {
	d := &door{now: time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)}
	d.gate = &admin.Gate{
		Check: check, Delay: time.Nanosecond, Now: func() time.Time { return d.now },
		Record: func(_ context.Context, e audit.Entry) error { d.entries = append(d.entries, e); return nil },
	}
	d.handler = d.gate.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%+v", admin.Caller(r.Context()))
	}))
	return d
}

func (d *door) knock(t *testing.T, from string, authorization ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/queue", nil)
	r.RemoteAddr = from
	r.Header.Set("Origin", "https://evil.test")
	for _, a := range authorization {
		r.Header.Add("Authorization", a)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

// Whatever is wrong with a token, the answer is the same, octet for octet; and it is the
// real book that is asked.
func TestOneAnswerForAllWrongTokens(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing that counts
	now := time.Now()
	book := token.NewBook(db, func() time.Time { return now })
	mint := func(name string, life time.Duration) (token.Token, string) {
		one, secret, err := book.Make(t.Context(), token.Wanted{Name: name, Role: token.Auditor, Life: life})
		if err != nil {
			t.Fatal(err)
		}
		return one, secret
	}
	granted, good := mint("lan", 24*time.Hour)
	_, expired := mint("an", time.Hour)
	gone, revoked := mint("binh", 24*time.Hour)
	_, locked := mint("chi", 24*time.Hour)
	if err := book.Revoke(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	for range 5 {
		_, _ = book.Check(t.Context(), locked[:len(locked)-1]+"-") // locks it
	}
	d := newDoor(book.Check)
	if w := d.knock(t, "192.0.2.1:5", "Bearer "+good); w.Code != http.StatusOK || w.Body.String() != "{Name:lan Person:lan Token:"+granted.ID+" Role:auditor Domains:[] Via:192.0.2.1}" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var first string
	for name, auth := range map[string][]string{
		"none": nil, "empty": {""}, "basic": {"Basic " + good}, "bare": {good}, "two": {"Bearer " + good, "Bearer " + good}, "no token": {"Bearer x"},
		"unknown": {"Bearer ct_00000000" + good[11:]}, "wrong secret": {"Bearer " + good[:len(good)-2] + "zz"}, "expired": {"Bearer " + expired}, "revoked": {"Bearer " + revoked}, "locked": {"Bearer " + locked},
	} {
		w := d.knock(t, fmt.Sprintf("198.51.100.%d:5", len(name)), auth...)
		said := fmt.Sprint(w.Code, w.Header(), w.Body)
		if first == "" {
			first = said
		}
		if w.Code != http.StatusUnauthorized || said != first || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s\nanother: %s", name, said, first)
		}
		if slices.ContainsFunc(w.Header().Values("Access-Control-Allow-Origin"), func(string) bool { return true }) {
			t.Errorf("%s: other sites may read the answer", name)
		}
	}
}

// A refusal takes its time, so that what was looked up cannot be told from it; who is let
// in does not wait.
func TestRefusalsTakeTheirTime(t *testing.T) {
	d := newDoor(func(_ context.Context, s string) (token.Who, error) {
		if s == "good" {
			return token.Who{Name: "lan", Role: token.Auditor}, nil
		}
		return token.Who{}, &token.Refused{Why: errors.New("x")}
	})
	d.gate.Delay = time.Second
	for range 2 {
		began := time.Now()
		d.knock(t, "192.0.2.1:5", "Bearer bad")
		if took := time.Since(began); took < d.gate.Delay {
			t.Errorf("a refusal took %v", took)
		}
	}
	began := time.Now()
	if w := d.knock(t, "192.0.2.1:5", "Bearer good"); w.Code != http.StatusOK || time.Since(began) >= d.gate.Delay {
		t.Errorf("%d after %v", w.Code, time.Since(began))
	}
}

// An address that guesses is locked out, with a right token too; others are not; it ends.
func TestGuessingAddressIsLockedOut(t *testing.T) {
	asked := 0
	d := newDoor(func(_ context.Context, s string) (token.Who, error) {
		asked++
		if s == "good" {
			return token.Who{Name: "lan", Role: token.Auditor}, nil
		}
		return token.Who{}, &token.Refused{Why: errors.New("wrong \x1b secret")}
	})
	for i := range 20 {
		if w := d.knock(t, fmt.Sprintf("[2001:db8:0:1::%x]:5", i), "Bearer bad"); w.Code != http.StatusUnauthorized {
			t.Fatalf("%d: %d", i, w.Code)
		}
	}
	asked = 0
	if w := d.knock(t, "[2001:db8:0:1:ffff::1]:5", "Bearer good"); w.Code != http.StatusTooManyRequests || asked != 0 {
		t.Errorf("the same network: %d, asked %d", w.Code, asked)
	}
	if w := d.knock(t, "[2001:db8:0:2::1]:5", "Bearer good"); w.Code != http.StatusOK {
		t.Errorf("another network: %d", w.Code)
	}
	if len(d.entries) != 1 || d.entries[0].Act != "login.refused" || d.entries[0].Object != "2001:db8:0:1::" || strings.Contains(d.entries[0].Detail, "\x1b") {
		t.Errorf("on record: %+v", d.entries)
	}
	d.now = d.now.Add(16 * time.Minute)
	if w := d.knock(t, "[2001:db8:0:1::1]:5", "Bearer good"); w.Code != http.StatusOK {
		t.Errorf("after 16 minutes: %d", w.Code)
	}
}

// Slow guessing is on record once a minute for an address, and 60 times a minute for all.
func TestRefusalsOnRecordAreBounded(t *testing.T) {
	d := newDoor(func(context.Context, string) (token.Who, error) {
		return token.Who{}, &token.Refused{Why: errors.New("x")}
	})
	for i := range 5000 {
		d.knock(t, fmt.Sprintf("10.%d.%d.1:5", i/250, i%250), "Bearer bad")
	}
	if len(d.entries) != 60 {
		t.Errorf("%d on record in one minute", len(d.entries))
	}
	d.entries = nil
	for range 15 {
		d.now = d.now.Add(20 * time.Second)
		d.knock(t, "192.0.2.77:5", "Bearer bad")
	}
	if len(d.entries) != 5 {
		t.Errorf("%d on record in five minutes", len(d.entries))
	}
	if n := d.gate.Sources(); n > 4096 {
		t.Errorf("%d addresses are remembered", n)
	}
}

// Trouble with the store is neither a refusal nor counted as one.
func TestTroubleIsNoRefusal(t *testing.T) {
	d := newDoor(func(context.Context, string) (token.Who, error) { return token.Who{}, errors.New("disk on fire") })
	for range 30 {
		if w := d.knock(t, "192.0.2.1:5", "Bearer x"); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fire") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if len(d.entries) != 0 {
		t.Errorf("%+v", d.entries)
	}
}
