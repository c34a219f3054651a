package admin_test

import (
	"context"
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
	"congthu/internal/allowance"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/pgp"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/rulebook"
	"congthu/internal/store"
	"congthu/internal/token"
	"congthu/internal/tomlfile"
)

var errNone = errors.New("none")

// services answers as the gateway's parts do and remembers what it was asked.
type services struct {
	asked  []string
	fails  error
	filter quarantine.Filter
}

func (s *services) note(parts ...string) error {
	s.asked = append(s.asked, strings.Join(parts, " "))
	return s.fails
}

type held struct {
	*services
	who token.Who
}

func (h held) List(_ context.Context, f quarantine.Filter) (quarantine.Page, error) {
	h.filter = f
	return quarantine.Page{Items: []quarantine.Item{}}, h.note("list")
}

func (h held) Show(_ context.Context, id string, _ bool) (quarantine.Item, []byte, error) {
	return quarantine.Item{ID: id}, []byte("raw\x00\xff"), h.note("show", id)
}

func (h held) View(_ context.Context, id string) (review.View, error) {
	return review.View{Item: quarantine.Item{ID: id}}, h.note("view", id)
}

func (h held) Explain(_ context.Context, id string, now bool) (any, error) {
	return map[string]string{"why": id}, h.note(fmt.Sprint("explain ", id, " ", now))
}

func (h held) Export(_ context.Context, id string, iKnow bool) ([]byte, error) {
	return []byte("raw"), h.note(fmt.Sprint("export ", id, " ", iKnow))
}

func (h held) Release(_ context.Context, id string, o review.Order) (review.Released, error) {
	return review.Released{To: o.To}, h.note("release", id, strings.Join(o.To, ","), h.who.Name)
}

func (h held) Approve(_ context.Context, id string) error { return h.note("approve", id, h.who.Name) }

func (h held) Delete(_ context.Context, id string) error { return h.note("delete", id, h.who.Name) }

func (h held) Undo(_ context.Context, id string) error { return h.note("undo", id, h.who.Name) }

func (h held) Learn(_ context.Context, id string, spam bool) error {
	return h.note(fmt.Sprint("learn ", id, " ", spam))
}

func (h held) Allowed(context.Context) ([]allowance.Allowance, error) {
	return []allowance.Allowance{{ID: "A", Sender: "x@y.test"}}, h.note("allowed", h.who.Name)
}

func (h held) Disallow(_ context.Context, id string) error { return h.note("disallow", id, h.who.Name) }

func (h held) Bulk(_ context.Context, b review.Bulk) (review.Done, error) {
	return review.Done{Count: 3, Confirm: "x"}, h.note("bulk", b.Act, b.Filter.Sender, b.Confirm)
}

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

type waiting struct{ *services }

func (w waiting) List(_ context.Context, f queue.Filter) ([]queue.Entry, error) {
	return nil, w.note("queue", f.Hop, f.From, f.To, f.State, strconv.Itoa(f.Limit))
}

func (w waiting) Show(_ context.Context, id string, _ queue.Scope) (queue.Detail, error) {
	return queue.Detail{ID: id}, w.note("queued", id)
}

func (w waiting) Hold(_ context.Context, id string) (int, error) { return 3, w.note("hold", id) }

func (w waiting) Release(_ context.Context, id string) (int, error) { return 4, w.note("unhold", id) }

func (w waiting) Retry(_ context.Context, id string) (int, error) { return 2, w.note("retry", id) }

func (w waiting) Drop(_ context.Context, id string) (int, error) { return 1, w.note("drop", id) }

type ring struct{ *services }

func (r ring) List(context.Context) ([]keyring.Entry, error) { return nil, r.note("keys") }

func (r ring) Show(_ context.Context, name string) (keyring.Entry, error) {
	return keyring.Entry{Source: name}, r.note("key", name)
}

func (r ring) Export(_ context.Context, names []string) ([]byte, error) {
	return []byte("out"), r.note("export", strings.Join(names, ","))
}

func (r ring) Import(_ context.Context, in keyring.Import) ([]keyring.Imported, error) {
	return []keyring.Imported{{KeyInfo: pgp.KeyInfo{Fingerprint: string(in.Octets)}}}, r.note("import", in.Source, in.Actor)
}

func (r ring) Pin(_ context.Context, in keyring.Pinning) ([]keyring.Pin, error) {
	return nil, r.note("pin", in.Key, strings.Join(in.Subjects, ","), in.Actor)
}

func (r ring) Unpin(_ context.Context, subjects []string, actor string) error {
	return r.note("unpin", strings.Join(subjects, ","), actor)
}

func (r ring) Delete(_ context.Context, names []string, actor string) error {
	return r.note("delete", strings.Join(names, ","), actor)
}

func (r ring) Calendar(_ context.Context, within time.Duration) ([]keyring.Due, error) {
	return nil, r.note("calendar", within.String())
}

func (r ring) AddOpener(_ context.Context, in keyring.NewOpener) (keyring.Secret, error) {
	return keyring.Secret{Domain: in.Domain}, r.note("open", in.Domain, in.Actor)
}

func (r ring) Secrets(context.Context) ([]keyring.Secret, error) {
	return []keyring.Secret{{Domain: "a.test", Use: keyring.Opens}}, nil
}

func (r ring) DeleteSecrets(_ context.Context, names []string, actor string) ([]keyring.Secret, error) {
	return []keyring.Secret{{Domain: names[0]}}, r.note("forget", names[0], actor)
}

func (r ring) SetSecret(_ context.Context, in keyring.NewSecret) (keyring.Secret, error) {
	return keyring.Secret{Domain: in.Domain}, r.note("sign", in.Domain, in.Actor)
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

// sets stands for the rule sets.
type sets struct{ s *services }

func (x sets) Reload(_ context.Context, canary float64, long time.Duration, actor string) error {
	return x.s.note(fmt.Sprintf("reload %g %v by %s", canary, long, actor))
}

func (x sets) Promote(_ context.Context, actor string) error { return x.s.note("promote by " + actor) }

func (x sets) Abort(_ context.Context, actor string) error { return x.s.note("abort by " + actor) }

func (x sets) Rollback(_ context.Context, hash, actor string) (admin.RolledBack, error) {
	return admin.RolledBack{Hash: hash, Written: true}, x.s.note("rollback by " + actor)
}

func (x sets) Status(context.Context) (rulebook.Status, error) {
	return rulebook.Status{MinEach: 7}, nil
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
