package review_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
	"congthu/internal/token"
)

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// outbox stands for the queue.
type outbox struct {
	mu  sync.Mutex
	got []*msg.Transfer
}

func (o *outbox) PrepareQuiet(_ context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	return &store.Change{
		Apply: func(context.Context, store.Tx) error { return nil },
		Done:  func() { o.mu.Lock(); defer o.mu.Unlock(); o.got = append(o.got, ts...) },
	}, nil
}

// fits is how many senders can be allowed at a rig.
const fits = 20

// rig is a desk with all that lies behind it.
type rig struct {
	*review.Desk
	t      *testing.T
	db     *store.DB
	held   *quarantine.Quarantine
	log    *audit.Log
	out    *outbox
	now    time.Time
	today  review.Today // what the rules of today say of everything
	book   *allowance.Book
	taught []string
}

func newRig(t *testing.T) *rig { return rigAt(t, storetest.SQLite) }

func rigAt(t *testing.T, url string) *rig {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: dir, Key: storetest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &rig{t: t, db: db, out: &outbox{}, now: t0}
	r.held = quarantine.New(quarantine.Options{Store: db, Requeue: r.out, Undo: 24 * time.Hour, Now: func() time.Time { return r.now }})
	r.log = audit.New(audit.Options{Store: db, Gateway: "gw.test", Anchor: filepath.Join(dir, "audit.head")})
	r.book = allowance.New(allowance.Options{Store: db, Max: fits, Now: func() time.Time { return r.now }})
	r.Desk = review.New(review.Options{
		Quarantine: r.held, Audit: r.log, Allowed: r.book, AllowFor: 180 * 24 * time.Hour,
		Agency: func(domain string) []string {
			return map[string][]string{"yte.test": {"yte.test", "so.yte.test", "*.tram.test"}, "gtvt.test": {"gtvt.test", "yte-gtvt.test"}}[domain]
		},
		Rescan: func(context.Context, quarantine.Item, []byte) (review.Today, error) { return r.today, nil },
		Explain: func(_ context.Context, i quarantine.Item, _ []byte, now bool) (any, error) {
			return fmt.Sprint("why ", i.ID, " ", now), nil
		},
		Teach: func(ctx context.Context, _ []byte, l review.Lesson) (lessons.Lesson, error) {
			r.taught = append(r.taught, fmt.Sprint(l.Source, " ", l.Spam))
			return lessons.Lesson{ID: "L1"}, db.Commit(ctx, l.Record)
		},
	})
	return r
}

func path(s string) msg.Path {
	local, domain, _ := strings.Cut(s, "@")
	return msg.Path{Raw: s, Local: local, Domain: domain}
}

// hold holds a message for some recipients.
func (r *rig) hold(id, reason string, to ...string) {
	r.t.Helper()
	m := &msg.Message{
		ID: id, Session: msg.Session{Remote: netip.MustParseAddrPort("192.0.2.1:25")}, Envelope: msg.Envelope{From: path("x@evil.test")},
		Raw: []byte("Subject: thu " + id + "\r\nFrom: x@evil.test\r\n\r\nxin chao\x1b[2J\r\n"),
	}
	d := msg.Decision{Action: msg.Quarantine, NextHop: "hop:25", Reason: reason}
	for _, a := range to {
		d.To = append(d.To, path(a))
	}
	if strings.Contains(reason, "MALWARE") {
		d.Why.Counted = []msg.Weighed{{Finding: msg.Finding{Symbol: reason}, Score: 10}}
	}
	if err := r.held.Hold(r.t.Context(), m, d, [][]byte{m.Raw}); err != nil {
		r.t.Fatal(err)
	}
}

// record is what the chain says, oldest first.
func (r *rig) record() (out []string) {
	r.t.Helper()
	list, err := r.log.List(r.t.Context(), audit.Filter{Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range slices.Backward(list) {
		out = append(out, strings.TrimSpace(e.Actor+" "+e.Act+" "+e.Object))
	}
	return out
}

func admin(name string) token.Who {
	return token.Who{Name: name, Role: token.Administrator, Via: "socket"}
}

func reviewer(name string, domains ...string) token.Who {
	return token.Who{Name: name, Role: token.Reviewer, Domains: domains, Via: "192.0.2.9"}
}

func code(err error) string {
	var r *review.Refusal
	switch {
	case errors.As(err, &r):
		if r.In(lang.VI) == "" || r.In(lang.EN) == "" || r.In(lang.VI) == r.In(lang.EN) {
			return "not in both languages"
		}
		return r.Code
	case errors.Is(err, review.ErrNotFound):
		return "not found"
	case errors.Is(err, review.ErrForbidden):
		return "forbidden"
	case err != nil:
		return err.Error()
	}
	return ""
}

// Every act of every kind of caller on everything: what is the other's is as if it were
// not there, and nothing of it is changed.
func TestTwoAgencies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := rigAt(t, url)
		r.hold("YTE00000AAAA1111", "SCORE", "a@yte.test")
		r.hold("GTVT0000BBBB2222", "SCORE", "b@gtvt.test")
		r.hold("BOTH0000CCCC3333", "SCORE", "a@yte.test", "b@gtvt.test")
		yte := r.For(reviewer("lan", "yte.test"))
		ctx := t.Context()
		theirs := r.allowOf("mai", "gtvt.test", "b@gtvt.test")
		for name, id := range map[string]string{"id": "GTVT0000BBBB2222", "end": "BBBB2222", "beginning": "gtvt0000", "none": "ZZZZ9999"} {
			for act, do := range map[string]func() error{
				"show":    func() error { _, _, err := yte.Show(ctx, id, true); return err },
				"view":    func() error { _, err := yte.View(ctx, id); return err },
				"explain": func() error { _, err := yte.Explain(ctx, id, true); return err },
				"export":  func() error { _, err := yte.Export(ctx, id, true); return err },
				"release": func() error { _, err := yte.Release(ctx, id, review.Order{Learn: true}); return err },
				"approve": func() error { return yte.Approve(ctx, id) },
				"delete":  func() error { return yte.Delete(ctx, id) },
				"undo":    func() error { return yte.Undo(ctx, id) },
				"learn":   func() error { return yte.Learn(ctx, id, true) },
				"allow": func() error {
					_, err := yte.Release(ctx, id, review.Order{AllowSender: review.ToAgency})
					return err
				},
			} {
				if got := code(do()); got != "not found" {
					t.Errorf("%s by %s: %s", act, name, got)
				}
			}
		}
		for _, f := range []quarantine.Filter{{Recipient: "b@gtvt.test"}, {Text: "b@gtvt"}, {Text: "gtvt0000"}, {Agency: "gtvt.test"}} {
			if p, err := yte.List(ctx, f); err != nil || p.Total != 0 || len(p.Items) != 0 {
				t.Errorf("list %+v: %+v %v", f, p, err)
			}
		}
		p, err := yte.List(ctx, quarantine.Filter{})
		if err != nil || p.Total != 2 || strings.Contains(fmt.Sprintf("%+v", p.Items[0].To)+fmt.Sprintf("%+v", p.Items[1].To), "gtvt") {
			t.Errorf("%+v %v", p, err)
		}
		if got := code(func() error {
			_, err := yte.Release(ctx, "CCCC3333", review.Order{To: []string{"b@gtvt.test"}})
			return err
		}()); got != "recipient" {
			t.Error("to the other's recipient:", got)
		}
		for _, act := range []string{"release", "delete", "approve", "spam"} {
			d, err := yte.Bulk(ctx, review.Bulk{Act: act, Filter: quarantine.Filter{Recipient: "gtvt"}})
			if err != nil || d.Count != 0 {
				t.Errorf("bulk %s: %+v %v", act, d, err)
			}
		}
		if err := yte.Delete(ctx, "CCCC3333"); err != nil {
			t.Fatal(err)
		}
		other := r.For(reviewer("mai", "gtvt.test"))
		if p, err := other.List(ctx, quarantine.Filter{}); err != nil || p.Total != 2 {
			t.Errorf("%+v %v", p, err)
		}
		if got := code(other.Undo(ctx, "CCCC3333")); got != "not found" {
			t.Error("undo of the other's deletion:", got)
		}
		if list, err := yte.Allowed(ctx); err != nil || len(list) != 0 {
			t.Errorf("the other's allowed senders: %+v %v", list, err)
		}
		none := yte.Disallow(ctx, "AAAAAAAAAAAA")
		if err := yte.Disallow(ctx, theirs); code(err) != "allowance" || err.Error() != none.Error() {
			t.Errorf("the other's allowance: %v, one that is not there: %v", err, none)
		}
		if list, err := other.Allowed(ctx); err != nil || len(list) != 1 || list[0].ID != theirs {
			t.Errorf("%+v %v", list, err)
		}
		if len(r.out.got) != 1 || len(r.taught) != 0 {
			t.Error("something was released or taught")
		}
	})
}

// Who may read only, or nothing.
func TestRights(t *testing.T) {
	r := newRig(t)
	r.hold("YTE00000AAAA1111", "SCORE", "a@yte.test")
	ctx := t.Context()
	for name, w := range map[string]token.Who{"auditor": {Name: "kt", Role: token.Auditor}, "nobody": {}} {
		p := r.For(w)
		for act, err := range map[string]error{
			"release": func() error { _, err := p.Release(ctx, "AAAA1111", review.Order{}); return err }(), "approve": p.Approve(ctx, "AAAA1111"),
			"disallow": p.Disallow(ctx, "AAAAAAAAAAAA"),
			"delete":   p.Delete(ctx, "AAAA1111"), "undo": p.Undo(ctx, "AAAA1111"), "learn": p.Learn(ctx, "AAAA1111", true),
			"bulk": func() error { _, err := p.Bulk(ctx, review.Bulk{Act: "delete"}); return err }(),
		} {
			if code(err) != "forbidden" {
				t.Errorf("%s %s: %v", name, act, err)
			}
		}
		_, err := p.List(ctx, quarantine.Filter{})
		_, allowed := p.Allowed(ctx)
		if code(allowed) != code(err) {
			t.Errorf("%s allowed: %v, list: %v", name, allowed, err)
		}
		if want := map[string]string{"auditor": "", "nobody": "forbidden"}[name]; code(err) != want {
			t.Errorf("%s list: %v", name, err)
		}
	}
}

// A release of what was held as malware takes two people, and what is malware today takes
// a better rule.
func TestTwoPeople(t *testing.T) {
	r := newRig(t)
	r.hold("MAL00000AAAA1111", "YARA_MALWARE", "a@yte.test", "b@gtvt.test")
	ctx := t.Context()
	release := func(p *review.Reviewer) string {
		_, err := p.Release(ctx, "AAAA1111", review.Order{})
		return code(err)
	}
	lan, mai := r.For(admin("lan")), r.For(admin("mai"))
	for _, c := range []struct {
		today review.Today
		want  string
	}{
		{review.Today{Findings: []msg.Weighed{{Finding: msg.Finding{Symbol: "CLAMAV_MALWARE"}}}}, "malware"},
		{review.Today{Reason: "YARA_EXTRA_MALWARE"}, "malware"},
		{review.Today{Blind: []string{"attach"}}, "blind"},
		{review.Today{}, "approval"},
	} {
		if r.today = c.today; release(lan) != c.want {
			t.Errorf("%+v: %s", c.today, release(lan))
		}
	}
	if err := lan.Approve(ctx, "AAAA1111"); err != nil {
		t.Fatal(err)
	}
	if got := release(lan); got != "same-person" {
		t.Error("who approves releases:", got)
	}
	if _, err := r.ForRecipient("A@yte.test").Release(ctx, "AAAA1111", review.Order{}); code(err) != "administrator" {
		t.Error("by reply:", err)
	}
	hai := r.For(reviewer("hai", "gtvt.test"))
	if got := release(hai); got != "" {
		t.Error("a second person:", got)
	}
	if err := r.For(reviewer("ba", "yte.test")).Approve(ctx, "AAAA1111"); err != nil {
		t.Fatal(err)
	}
	if got := release(mai); got != "" {
		t.Error(got)
	}
	if len(r.out.got) != 2 {
		t.Error(r.out.got)
	}
	want := []string{"lan quarantine.approve MAL00000AAAA1111", "hai quarantine.release MAL00000AAAA1111", "ba quarantine.approve MAL00000AAAA1111", "mai quarantine.release MAL00000AAAA1111"}
	if got := r.record(); !slices.Equal(got, want) {
		t.Errorf("record %q", got)
	}
}

func TestBulk(t *testing.T) {
	r := newRig(t)
	r.now = time.Now().Add(-time.Hour)
	for n := range 30 {
		r.hold(fmt.Sprintf("AAAA%08dXY%02d", n, n), "SCORE", "a@yte.test")
	}
	r.hold("MAL00000AAAA1111", "YARA_MALWARE", "a@yte.test")
	ctx, lan := t.Context(), r.For(admin("lan"))
	b := review.Bulk{Act: "release", Filter: quarantine.Filter{Recipient: "yte"}}
	plan, err := lan.Bulk(ctx, b)
	if err != nil || plan.Count != 31 || plan.Classes[quarantine.Spam] != 30 || plan.Done != 0 || plan.Confirm == "" || len(r.out.got) != 0 {
		t.Fatalf("%+v %v", plan, err)
	}
	r.now = time.Now().Add(time.Hour)
	r.hold("LATER000AAAA9999", "SCORE", "a@yte.test")
	for _, wrong := range []string{"x", "00-00", plan.Confirm + "0"} {
		b.Confirm = wrong
		if _, err := lan.Bulk(ctx, b); code(err) != "confirm" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	b.Confirm, b.Act = plan.Confirm, "delete"
	if _, err := lan.Bulk(ctx, b); code(err) != "confirm" {
		t.Error("another act:", err)
	}
	b.Act = "release"
	done, err := lan.Bulk(ctx, b)
	if err != nil || done.Done != 30 || len(done.Refused) != 1 || done.Refused[0].ID != "MAL00000AAAA1111" || len(r.out.got) != 30 {
		t.Fatalf("%+v %v", done, err)
	}
	if _, err := lan.Bulk(ctx, b); code(err) != "confirm" {
		t.Error("twice:", err)
	}
	if _, _, err := lan.Show(ctx, "LATER000AAAA9999", true); err != nil {
		t.Error("what came later:", err)
	}
	if got := len(r.record()); got != 1+30+1 {
		t.Errorf("%d entries", got)
	}
}

func TestShortIDs(t *testing.T) {
	r := newRig(t)
	r.hold("AAAA0000BBBB1111", "SCORE", "a@yte.test")
	r.hold("AAAA0000BBBB2222", "SCORE", "b@gtvt.test")
	r.hold("CCCC0000BBBB1111", "SCORE", "b@gtvt.test")
	ctx := t.Context()
	show := func(w token.Who, part string) string {
		i, _, err := r.For(w).Show(ctx, part, true)
		if err != nil {
			return code(err)
		}
		return i.ID
	}
	for _, c := range []struct {
		who        token.Who
		part, want string
	}{
		{admin("lan"), "bbbb2222", "AAAA0000BBBB2222"},
		{admin("lan"), "BBBB1111", "ambiguous"},
		{admin("lan"), "AAAA", "ambiguous"},
		{admin("lan"), "CCCC", "CCCC0000BBBB1111"},
		{reviewer("mai", "yte.test"), "AAAA", "AAAA0000BBBB1111"},
		{reviewer("mai", "yte.test"), "BBBB1111", "AAAA0000BBBB1111"},
		{reviewer("mai", "yte.test"), "2222", "not found"},
		{admin("lan"), "111", "not found"},
		{admin("lan"), "", "not found"},
		{admin("lan"), "%%%%", "not found"},
		{admin("lan"), "____", "not found"},
		{admin("lan"), "BBBB'--", "not found"},
	} {
		if got := show(c.who, c.part); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.who.Name, c.part, got, c.want)
		}
	}
}
