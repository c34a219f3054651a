package quarantine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// outbox stands for the queue: it notes what was committed to it.
type outbox struct {
	mu   sync.Mutex
	got  []*msg.Transfer
	undo int
	fail error // in the transaction
}

func (o *outbox) PrepareQuiet(_ context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fail := o.fail
	return &store.Change{
		Apply: func(context.Context, store.Tx) error { return fail },
		Done:  func() { o.mu.Lock(); defer o.mu.Unlock(); o.got = append(o.got, ts...) },
		Undo:  func() { o.mu.Lock(); defer o.mu.Unlock(); o.undo++ },
	}, nil
}

type rig struct {
	*Quarantine
	t      *testing.T
	db     *store.DB
	url    string
	dir    string
	out    *outbox
	now    time.Time
	mu     sync.Mutex
	events []string
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	return rigAt(t, storetest.For(t), change...)
}

// rigAt is one gateway of perhaps several at that store.
func rigAt(t *testing.T, url string, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, url: url, dir: t.TempDir(), out: &outbox{}, now: t0}
	db, err := store.Open(t.Context(), store.Options{URL: r.url, Key: storetest.Key(t), Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r.db = db
	o := Options{Store: db, Requeue: r.out, Index: 64 << 20, Now: func() time.Time { return r.now }, Event: func(event, id, actor, detail string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", event, id, actor, detail)))
	}}
	for _, c := range change {
		c(&o)
	}
	r.Quarantine = New(o)
	return r
}

func path(s string) msg.Path {
	local, domain, _ := strings.Cut(s, "@")
	return msg.Path{Raw: s, Local: local, Domain: domain}
}

func paths(ss ...string) (out []msg.Path) {
	for _, s := range ss {
		out = append(out, path(s))
	}
	return out
}

func message(id, subject string) *msg.Message {
	return &msg.Message{
		ID:       id,
		Session:  msg.Session{Remote: netip.MustParseAddrPort("192.0.2.1:1025"), Helo: "mail\x1b[31m", TLS: "TLS1.3", Outbound: true, Identity: msg.Identity{Agency: "so-y-te", Account: "lan"}},
		Envelope: msg.Envelope{From: path("spam@evil.example"), EightBit: true},
		Auth:     []msg.AuthResult{{Method: "spf", Status: "fail", Property: "smtp.mailfrom", Value: "evil.example"}},
		Raw:      []byte("X-Spam-Flag: NO\r\nSubject: " + subject + "\r\nFrom: x\r\n\r\nbody of " + id + "\r\n"),
	}
}

func decision(to ...string) msg.Decision {
	return msg.Decision{
		Action: msg.Quarantine, To: paths(to...), NextHop: "hop:25", Reason: "SCORE",
		Why: msg.Verdict{
			Score: 12.5, Required: 5, Blind: []string{"clamav"},
			Counted: []msg.Weighed{{Finding: msg.Finding{Symbol: "LINK_IP_HOST", Evidence: "\u202ehttp://evil.example", Part: "1.2"}, Score: 4.5}},
		},
	}
}

// content is what a release delivers: our block, and the message without the
// field that forged ours.
func content(m *msg.Message) [][]byte {
	at := bytes.Index(m.Raw, []byte("Subject:"))
	return [][]byte{[]byte("X-Spam-Flag: YES\r\nReceived: x\r\n"), m.Raw[at:]}
}

func (r *rig) hold(m *msg.Message, to ...string) {
	r.t.Helper()
	if err := r.Hold(r.t.Context(), m, decision(to...), content(m)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) ids(f Filter) string {
	r.t.Helper()
	is, err := r.List(r.t.Context(), f)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, i := range is {
		out = append(out, i.ID)
	}
	return strings.Join(out, " ")
}

// empty checks that nothing is left on disk.
func (r *rig) empty() {
	r.t.Helper()
	for _, table := range []string{"quarantine", "quarantine_rcpt", "body"} {
		var n int
		err := r.db.View(r.t.Context(), func(tx store.Tx) error { return tx.QueryRow(r.t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n) })
		if err != nil || n != 0 {
			r.t.Errorf("%d rows left in %s, %v", n, table, err)
		}
	}
	if r.db.Shared() {
		return // nothing is a file
	}
	if files, err := os.ReadDir(filepath.Join(r.dir, "bodies")); err != nil || len(files) > 0 {
		r.t.Errorf("%d files left, %v", len(files), err)
	}
}

func TestShow(t *testing.T) {
	r := newRig(t)
	m := message("m1", "=?utf-8?q?H=C3=B3a_=C4=91=C6=A1n?=")
	r.hold(m, "a@x.test", "b@x.test")
	item, raw, err := r.Show(t.Context(), "m1")
	if err != nil || !bytes.Equal(raw, m.Raw) {
		t.Fatalf("%q, %v", raw, err)
	}
	item.Held, item.Expires = item.Held.UTC(), item.Expires.UTC()
	got, err := json.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"m1","short":"m1","message":"m1","from":"spam@evil.example","to":["a@x.test","b@x.test"],"subject":"Hóa đơn","class":"phishing","reason":"SCORE","score":12.5,"required":5,` +
		`"findings":[{"symbol":"LINK_IP_HOST","evidence":"\\u202ehttp://evil.example","part":"1.2","score":4.5}],"blind":["clamav"],` +
		`"auth":[{"Method":"spf","Status":"fail","Property":"smtp.mailfrom","Value":"evil.example","Reason":""}],` +
		`"held":"2026-11-24T08:00:00Z","expires":"2026-12-24T08:00:00Z","size":` + fmt.Sprint(len(m.Raw)) + `,"remote":"192.0.2.1:1025","helo":"mail\\x1b[31m","tls":"TLS1.3","outbound":true,"agency":"so-y-te","account":"lan","next_hop":"hop:25"}`
	if string(got) != want {
		t.Errorf("item\n%s\nwant\n%s", got, want)
	}
	if _, _, err := r.Show(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestHoldRefuses(t *testing.T) {
	r := newRig(t)
	for name, spoil := range map[string]func(*msg.Message, *msg.Decision){
		"no id":        func(m *msg.Message, _ *msg.Decision) { m.ID = "" },
		"no recipient": func(_ *msg.Message, d *msg.Decision) { d.To = nil },
		"bad octets":   func(_ *msg.Message, d *msg.Decision) { d.To[0].Raw = "a\xff" },
		"bad sender":   func(m *msg.Message, _ *msg.Decision) { m.Envelope.From.Local = "\x00" },
	} {
		m, d := message("m", "s"), decision("a@x.test")
		m.Raw = append(m.Raw, make([]byte, 1<<20)...)
		spoil(m, &d)
		if err := r.Hold(t.Context(), m, d, content(m)); err == nil {
			t.Errorf("%s: held", name)
		}
	}
	r.empty()
}

func TestList(t *testing.T) {
	r := newRig(t)
	subjects := map[string]string{"m1": "HÓA ĐƠN điện tử", "m2": "hoa don", "m3": "100% off_now!", "m4": "Ho\u0301a do\u031bn"}
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		r.hold(message(id, subjects[id]), id+"@x.test")
		r.now = r.now.Add(time.Hour)
	}
	tests := []struct {
		f    Filter
		want string
	}{
		{Filter{}, "m4 m3 m2 m1"},
		{Filter{Text: "hoa don"}, "m4 m2 m1"},
		{Filter{Text: "hóa"}, "m4 m1"},
		{Filter{Text: "ho\u0301a đơn"}, "m1"},
		{Filter{Text: "Điện Tử"}, "m1"},
		{Filter{Text: "%"}, "m3"},
		{Filter{Text: "off_"}, "m3"},
		{Filter{Text: "w!"}, "m3"},
		{Filter{Text: "M2@X"}, "m2"},
		{Filter{Text: "evil.example", Limit: 2, Offset: 1}, "m3 m2"},
		{Filter{Text: "score", Since: t0.Add(2 * time.Hour)}, "m4 m3"},
		{Filter{Text: "nothing"}, ""},
		{Filter{Text: "\x00'; DROP TABLE quarantine"}, ""},
	}
	for _, tt := range tests {
		if got := r.ids(tt.f); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.f, got, tt.want)
		}
	}
}

func TestSeveralCopies(t *testing.T) {
	r := newRig(t)
	m := message("m", "s")
	var changes []*store.Change
	for _, to := range []string{"a@x.test", "b@x.test", "c@x.test"} {
		c, err := r.Prepare(t.Context(), m, decision(to), content(m))
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, c)
	}
	if err := r.db.Commit(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
	if got := r.ids(Filter{}); got != "m m-2 m-3" {
		t.Error(got)
	}
}

// TestCommitTogether: when another change of the commit fails, nothing is held.
func TestCommitTogether(t *testing.T) {
	r := newRig(t)
	m := message("m", "s")
	m.Raw = append(m.Raw, make([]byte, 1<<20)...)
	c, err := r.Prepare(t.Context(), m, decision("a@x.test"), content(m))
	if err != nil {
		t.Fatal(err)
	}
	bad := &store.Change{Apply: func(context.Context, store.Tx) error { return errors.New("no") }}
	if err := r.db.Commit(t.Context(), c, bad); err == nil || len(r.events) != 0 {
		t.Errorf("%v %v", err, r.events)
	}
	r.empty()
}

func TestDelete(t *testing.T) {
	r := newRig(t)
	m := message("m", "s")
	m.Raw = append(m.Raw, make([]byte, 1<<20)...)
	r.hold(m, "a@x.test")
	if err := r.Delete(t.Context(), "m", "lan"); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), "m", "lan"); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
	r.empty()
	if got := r.events[len(r.events)-1]; got != "deleted m lan a@x.test" {
		t.Error(got)
	}
}

func TestExpire(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Keep = 24 * time.Hour })
	for i := range expireBatch + 5 {
		r.hold(message(fmt.Sprint("m", i), "s"), "a@x.test")
	}
	r.now = r.now.Add(time.Hour)
	r.hold(message("young", "s"), "a@x.test")
	r.now = t0.Add(24*time.Hour - time.Millisecond)
	if n, err := r.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("too early: %d %v", n, err)
	}
	r.now = t0.Add(24 * time.Hour)
	if n, err := r.Expire(t.Context()); n != expireBatch+5 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if got := r.ids(Filter{}); got != "young" {
		t.Error(got)
	}
	r.now = r.now.Add(24 * time.Hour)
	if n, err := r.Expire(t.Context()); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	r.empty()
}

// A clock that is set ahead deletes nothing before its time.
func TestExpireDespiteAJump(t *testing.T) {
	var steady time.Duration
	r := newRig(t, func(o *Options) { o.Keep, o.Steady = 24*time.Hour, func() time.Duration { return steady } })
	r.hold(message("m", "s"), "a@x.test")
	r.now = t0.Add(48 * time.Hour)
	if n, err := r.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("too early: %d %v", n, err)
	}
	steady = 24 * time.Hour
	if n, err := r.Expire(t.Context()); n != 1 || err != nil {
		t.Errorf("its time was over: %d %v", n, err)
	}
}

func TestSubject(t *testing.T) {
	tests := []struct{ raw, want string }{
		{"", ""},
		{"Subject:", ""},
		{"Subject: a", "a"},
		{"From: x\r\nSUBJECT:a\r\n\tb\r\n c\r\nTo: y\r\n\r\n", "a b c"},
		{"X: y\r\n\r\nSubject: in the body\r\n", ""},
		{"Subject: one\r\nSubject: two\r\n\r\n", "one"},
		{"Subject: =?utf-8?b?SMOzYSDEkcahbg==?=\r\n\r\n", "Hóa đơn"},
		{"Subject: =?windows-1258?q?H=F3a?=\r\n\r\n", "Hóa"},
		{"Subject: =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=\r\n\r\n", "日本"},
		{"Subject: =?unknown?q?a?=\r\n\r\n", "=?unknown?q?a?="},
		{"Subject: =?utf-8?q?a=1B[31m=00?=\r\n\r\n", `a\x1b[31m\x00`},
		{"Subject: a\xffb\r\n\r\n", "a\uFFFDb"},
		{"Subject: a\u202eb\r\n\r\n", `a\u202eb`},
		{"Subject: " + strings.Repeat("x", 400) + "\r\n\r\n", strings.Repeat("x", subjectMax) + "…"},
		{"X: " + strings.Repeat("x", headerMax) + "\r\nSubject: far\r\n\r\n", ""},
	}
	for _, tt := range tests {
		if got := subject([]byte(tt.raw)); got != tt.want {
			t.Errorf("%.60q: %q, want %q", tt.raw, got, tt.want)
		}
	}
}

func FuzzSubject(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?b?SMOzYSDEkcahbg==?=\r\n\tb\r\n\r\n"))
	f.Add([]byte("subject:\xff\n \n\t\r\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := subject(raw)
		if strings.ContainsAny(s, "\x00\x1b\r\n\u202e") || len([]rune(s)) > 12*subjectMax {
			t.Errorf("%q", s)
		}
		if text := searchText(&Item{Subject: s}); !clean(text) {
			t.Errorf("%q", text)
		}
	})
}
