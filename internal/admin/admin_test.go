package admin_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"congthu/internal/admin"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/pgp"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/token"
	"congthu/internal/tomlfile"
)

// Each call about held mail arrives as it was made, from who has made it.
func TestHeld(t *testing.T) {
	s := &services{}
	c, ctx := serve(t, s), t.Context()
	f := quarantine.Filter{
		Text: "t", Agency: "a", Recipient: "r", Sender: "s", Symbol: "S", Reason: "R", Class: quarantine.Spam,
		Since: time.Unix(1, 0).UTC(), Until: time.Unix(2, 0).UTC(), Deleted: true, Limit: 5, Offset: 6, After: "1.x",
	}
	if _, err := c.Page(ctx, f); err != nil || s.filter != f {
		t.Errorf("%+v %v", s.filter, err)
	}
	v, err := c.View(ctx, "A")
	var doc map[string]string
	err2 := c.ExplainHeld(ctx, "A", true, &doc)
	raw, err3 := c.Export(ctx, "A", true)
	d, err4 := c.Bulk(ctx, review.Bulk{Act: "delete", Filter: f, Confirm: "y"})
	list, err5 := c.Allowed(ctx)
	err = errors.Join(err, err2, err3, err4, err5, c.Disallow(ctx, "A"), c.Approve(ctx, "A"), c.Undelete(ctx, "A"), c.LearnHeld(ctx, "A", true))
	if err != nil || v.Item.ID != "A" || doc["why"] != "A" || string(raw) != "raw" || d.Count != 3 || len(list) != 1 || list[0].ID != "A" {
		t.Error(v, doc, raw, d, err)
	}
	want := []string{"list", "view A", "explain A true", "export A true", "bulk delete s y", "allowed " + me(), "disallow A " + me(), "approve A " + me(), "undo A " + me(), "learn A true"}
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
}

// Each call about keys arrives as it was made.
func TestKeys(t *testing.T) {
	s := &services{}
	c := serve(t, s)
	k, ctx := c.Keys(), t.Context()
	list, err := k.List(ctx)
	_, err2 := k.Show(ctx, "a@x.test")
	out, err3 := k.Export(ctx, []string{"A", "B"})
	_, err4 := k.Import(ctx, keyring.Import{Octets: []byte("KEY"), Source: "file", Actor: "me"})
	_, err5 := k.Pin(ctx, keyring.Pinning{Key: "A", Subjects: []string{"@x.test"}, Actor: "me"})
	err6 := k.Unpin(ctx, []string{"@x.test", "b@x.test"}, "me")
	err7 := k.Delete(ctx, []string{"A"}, "me")
	_, err8 := k.Calendar(ctx, 24*time.Hour)
	_, err9 := k.SetSecret(ctx, keyring.NewSecret{Domain: "x.test", Actor: "me"})
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7, err8, err9); err != nil || list == nil || string(out) != "out" {
		t.Errorf("%v %v %q", err, list, out)
	}
	want := []string{"keys", "key a@x.test", "export A,B", "import file " + me(), "pin A @x.test " + me(), "unpin @x.test,b@x.test " + me(), "delete A " + me(), "calendar 24h0m0s", "sign x.test " + me()}
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
}

// So does each about secret keys.
func TestSecretKeys(t *testing.T) {
	s := &services{}
	k, ctx := serve(t, s).Keys(), t.Context()
	added, err := k.AddOpener(ctx, keyring.NewOpener{Domain: "x.test", Octets: []byte("KEY"), Actor: "me"})
	list, err2 := k.Secrets(ctx)
	gone, err3 := k.DeleteSecrets(ctx, []string{"x.test", "A"}, "me")
	if err := errors.Join(err, err2, err3); err != nil || added.Domain != "x.test" || len(list) != 1 || list[0].Use != keyring.Opens || len(gone) != 1 {
		t.Errorf("%v %v %v %v", err, added, list, gone)
	}
	if want := []string{"open x.test " + me(), "forget x.test " + me()}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
	if _, err := k.DeleteSecrets(ctx, nil, "me"); err == nil {
		t.Error("deleting nothing is done")
	}
}

// me is who the kernel says has opened the socket.
func me() string {
	u, err := user.Current()
	if err != nil {
		return "uid " + strconv.Itoa(os.Getuid())
	}
	return u.Username
}

// serve runs the API on a socket and returns a client.
func serve(t *testing.T, s *services) *admin.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second, ConnContext: admin.WithPeer, Handler: admin.Handler(everything(s))}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	return admin.Dial(socket)
}

func TestEveryCommandReachesItsPart(t *testing.T) {
	s := &services{}
	c, ctx := serve(t, s), t.Context()
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	items, err := c.Quarantine(ctx, quarantine.Filter{Text: "a&b=c", Limit: 7, Offset: 3, Since: since})
	if err != nil || items == nil || s.filter.Text != "a&b=c" || s.filter.Limit != 7 || s.filter.Offset != 3 || !s.filter.Since.Equal(since) {
		t.Errorf("list: %v %v %+v", items, err, s.filter)
	}
	if h, err := c.Held(ctx, "A/../B", true); err != nil || string(h.Raw) != "raw\x00\xff" || h.Item.ID != "A/../B" {
		t.Errorf("show: %+v %v", h, err)
	}
	if r, err := c.Release(ctx, "A", review.Order{To: []string{"x@y.test"}}); err != nil || len(r.To) != 1 {
		t.Errorf("release: %v %v", r, err)
	}
	if n, err := c.Retry(ctx, "all"); err != nil || n != 2 {
		t.Errorf("retry: %d %v", n, err)
	}
	if ks, err := c.Keys().Import(ctx, keyring.Import{Octets: []byte("KEY")}); err != nil || ks[0].Fingerprint != "KEY" {
		t.Errorf("import: %v %v", ks, err)
	}
	if h, err := c.Health(ctx); err != nil || h.What != lang.T("đĩa", "disk") {
		t.Errorf("health: %v %v", h, err)
	}
	if n, err := c.Hold(ctx, "a/b"); err != nil || n != 3 {
		t.Errorf("hold: %d %v", n, err)
	}
	if n, err := c.Unhold(ctx, "all"); err != nil || n != 4 {
		t.Errorf("release: %d %v", n, err)
	}
	if d, err := c.Queued(ctx, "A B"); err != nil || d.ID != "A B" {
		t.Errorf("show: %+v %v", d, err)
	}
	_, queued := c.Queue(ctx, queue.Filter{Hop: "h:25", From: "a&b", To: "c", State: "held"})
	_, dropped := c.Drop(ctx, "Q")
	_, keys := c.Keys().List(ctx)
	if err := errors.Join(queued, dropped, keys, c.Delete(ctx, "A"), c.Reload(ctx, 0, 0), c.Reload(ctx, 2.5, time.Minute), c.Promote(ctx), c.Abort(ctx)); err != nil {
		t.Error(err)
	}
	if r, err := c.Rollback(ctx, "a&b"); err != nil || r.Hash != "a&b" {
		t.Errorf("rollback: %+v %v", r, err)
	}
	if st, err := c.RulesStatus(ctx); err != nil || st.MinEach != 7 {
		t.Errorf("status: %+v %v", st, err)
	}
	want := "list; show A/../B; release A x@y.test " + me() + "; retry all; import  " + me() + "; hold a/b; unhold all; queued A B; queue h:25 a&b c held 1000; drop Q; keys; delete A " + me() + "; reload 0 0s by " + me() + "; reload 2.5 1m0s by " + me() + "; promote by " + me() + "; abort by " + me() + "; rollback by " + me()
	if got := strings.Join(s.asked, "; "); got != want {
		t.Errorf("asked %q\nwant  %q", got, want)
	}
}

// Each kind of trouble arrives as what an operator can act on, in both languages.
func TestTroubles(t *testing.T) {
	for name, c := range map[string]struct {
		fails  error
		vi, en string
	}{
		"wrong id": {errNone, "không có mã này", "there is no such id"},
		"rules":    {tomlfile.Problems{{File: "policy.toml", Line: 3, Column: 5, What: lang.T("sai", "wrong")}}, "policy.toml:3:5: sai", "policy.toml:3:5: wrong"},
		"a reason": {&pgp.Problem{What: lang.T("khoá hỏng", "a bad key")}, "khoá hỏng", "a bad key"},
		"no room":  {fmt.Errorf("audit: rules.reload: %w", store.ErrFull), "đĩa của cổng thư đã đầy", "the gateway's disk is full"},
		"the rest": {errors.New("disk on fire"), "lỗi bên trong: disk on fire", "internal error: disk on fire"},
	} {
		cl := serve(t, &services{fails: c.fails})
		err := cl.Reload(t.Context(), 0, 0)
		if vi, en := said(err, lang.VI), said(err, lang.EN); !strings.Contains(vi, c.vi) || !strings.Contains(en, c.en) {
			t.Errorf("%s: %q / %q", name, vi, en)
		}
	}
}

func said(err error, l lang.Lang) string {
	var both interface{ In(lang.Lang) string }
	var p *admin.Problem
	switch {
	case errors.As(err, &p):
		return p.What.In(l)
	case errors.As(err, &both):
		return both.In(l)
	case err != nil:
		return err.Error()
	}
	return ""
}

func TestNobodyAnswers(t *testing.T) {
	err := admin.Dial(filepath.Join(t.TempDir(), "none")).Reload(t.Context(), 0, 0)
	var u *admin.Unreachable
	if !errors.As(err, &u) || u.In(lang.VI) == u.In(lang.EN) {
		t.Errorf("%v", err)
	}
}

func TestBadRequests(t *testing.T) {
	h := admin.Handler(everything(&services{}))
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/v1/quarantine?limit=x", "", http.StatusBadRequest},
		{"GET", "/v1/quarantine?limit=-1", "", http.StatusBadRequest},
		{"GET", "/v1/quarantine?since=yesterday", "", http.StatusBadRequest},
		{"POST", "/v1/quarantine/A/release", "{", http.StatusBadRequest},
		{"POST", "/v1/quarantine", "", http.StatusMethodNotAllowed},
		{"GET", "/v1/queue?limit=-1", "", http.StatusBadRequest},
		{"GET", "/v1/queue?state=lost", "", http.StatusBadRequest},
		{"GET", "/v2/queue", "", http.StatusNotFound},
		{"GET", "/", "", http.StatusNotFound},
		{"GET", "/v1/queue/", "", http.StatusNotFound},
		{"PUT", "/v1/queue/A/hold", "", http.StatusMethodNotAllowed},
		{"GET", "/v1/queue?limits=3", "", http.StatusBadRequest},
		{"GET", "/v1/queue?limit=3&limit=4", "", http.StatusBadRequest},
		{"GET", "/v1/queue?limit=%zz", "", http.StatusBadRequest},
		{"GET", "/v1/queue", "x", http.StatusBadRequest},
		{"GET", "/v1/queue?state=held", "", http.StatusOK},
		{"POST", "/v1/rules/reload?canary=NaN", "", http.StatusBadRequest},
		{"POST", "/v1/rules/reload?canary=101", "", http.StatusBadRequest},
		{"POST", "/v1/quarantine/A/release", `{"to":[]} {}`, http.StatusBadRequest},
		{"POST", "/v1/quarantine/A/release", `{"actor":"mallory"}`, http.StatusBadRequest},
		{"POST", "/v1/quarantine/A/release", `{"to":"x"}`, http.StatusBadRequest},
		{"POST", "/v1/quarantine/A/release", "", http.StatusBadRequest},
		{"DELETE", "/v1/quarantine/A?actor=mallory", "", http.StatusBadRequest},
		{"POST", "/v1/keys", `{"Actor":"mallory"}`, http.StatusBadRequest},
		{"POST", "/v1/keys", `{"octets":"` + strings.Repeat("x", 3<<20) + `"}`, http.StatusRequestEntityTooLarge},
		{"DELETE", "/v1/keys", "", http.StatusBadRequest},
	} {
		if got, _ := request(t, h, admin.Local("lan"), c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s %.40s: %d, want %d", c.method, c.path, c.body, got, c.want)
		}
	}
}

// everything is all parts, as they answer.
func everything(s *services) admin.Services {
	return admin.Services{
		Review: func(w token.Who) admin.Reviewer { return held{s, w} }, Queue: waiting{s}, Keys: ring{s}, Accounts: roll{s}, Rules: sets{s}, Lessons: class{s}, Reports: post{s}, Tokens: purse{s}, Audit: chain{s},
		NotFound: func(err error) bool { return errors.Is(err, errNone) },
		Health:   func() lang.Text { return lang.T("đĩa", "disk") },
	}
}

// request asks a handler under a name.
func request(t *testing.T, h http.Handler, who token.Who, method, path, body string) (int, *httptest.ResponseRecorder) {
	t.Helper()
	r := httptest.NewRequestWithContext(admin.WithCaller(t.Context(), who), method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w
}
