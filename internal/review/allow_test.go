package review_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
	"congthu/internal/token"
)

// proven is what stands behind x@partner.test.
var proven = []msg.AuthResult{{Method: "dmarc", Status: "pass", Property: "header.from", Value: "partner.test"}}

// letter is one that is held.
type letter struct {
	id, reason, envelope, from string
	auth                       []msg.AuthResult
	outbound                   bool
	to                         string
}

// good is a letter of a proven sender that looks like spam.
func good(id, to string) letter {
	return letter{id: id, reason: "SCORE", envelope: "x@partner.test", from: "Nam <X@Partner.test>", auth: proven, to: to}
}

func (r *rig) holdLetter(l letter) {
	r.t.Helper()
	m := &msg.Message{ID: l.id, Auth: l.auth, Session: msg.Session{Outbound: l.outbound}, Raw: []byte("Subject: chao\r\nFrom: " + l.from + "\r\n\r\nx\r\n")}
	if l.envelope != "" {
		m.Envelope.From = path(l.envelope)
	}
	d := msg.Decision{Action: msg.Quarantine, NextHop: "hop:25", Reason: l.reason}
	for _, a := range strings.Fields(l.to) {
		d.To = append(d.To, path(a))
	}
	if err := r.held.Hold(r.t.Context(), m, d, [][]byte{m.Raw}); err != nil {
		r.t.Fatal(err)
	}
}

// allowOf has a reviewer allow a sender, and returns the id of that.
func (r *rig) allowOf(name, domain, to string) string {
	r.t.Helper()
	r.holdLetter(good("ALLOW000"+strings.ToUpper(name), to))
	out, err := r.For(reviewer(name, domain)).Release(r.t.Context(), "ALLOW000"+strings.ToUpper(name), review.Order{AllowSender: review.ToRecipient})
	if err != nil || len(out.Allowed) != 1 {
		r.t.Fatalf("%+v %v", out, err)
	}
	return out.Allowed[0].ID
}

// For whom a sender is allowed: those to whom the letter is released, or the domains of
// their agencies that are the reviewer's and have a name.
func TestAllowScopes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := rigAt(t, url)
		for n, c := range []struct {
			who   token.Who
			to    string
			only  []string
			scope review.Scope
			want  string
		}{
			{admin("lan"), "A@yte.test", nil, review.ToRecipient, "a@yte.test"},
			{admin("lan"), "a@yte.test b@gtvt.test", nil, review.ToRecipient, "a@yte.test b@gtvt.test"},
			{admin("lan"), "a@yte.test b@gtvt.test", []string{"b@gtvt.test"}, review.ToRecipient, "b@gtvt.test"},
			{reviewer("mai", "yte.test"), "a@yte.test b@gtvt.test", nil, review.ToRecipient, "a@yte.test"},
			{admin("lan"), "a@yte.test b@yte.test", nil, review.ToAgency, "yte.test so.yte.test"},
			{admin("lan"), "a@yte.test b@gtvt.test", nil, review.ToAgency, "yte.test so.yte.test gtvt.test yte-gtvt.test"},
			{reviewer("mai", "yte.test"), "a@yte.test b@gtvt.test", nil, review.ToAgency, "yte.test"},
			{reviewer("mai", "*.yte.test", "yte.test"), "a@yte.test", nil, review.ToAgency, "yte.test so.yte.test"},
			{admin("lan"), "a@other.test", nil, review.ToAgency, "other.test"},
			{admin("lan"), "postmaster a@yte.test", nil, review.ToRecipient, "a@yte.test"},
		} {
			id := fmt.Sprintf("GOOD0000AAAA%04d", n)
			r.holdLetter(good(id, c.to))
			out, err := r.For(c.who).Release(t.Context(), id, review.Order{To: c.only, AllowSender: c.scope})
			if err != nil {
				t.Errorf("%d: %v", n, err)
				continue
			}
			var got []string
			for _, a := range out.Allowed {
				got = append(got, a.For)
				if a.Sender != "x@partner.test" || a.By != c.who.Name || a.Letter != id || a.Until.Sub(a.At).Hours() != 180*24 || !a.At.Equal(t0) {
					t.Errorf("%d: %+v", n, a)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%d: for %q, want %q", n, s, c.want)
			}
			if list := r.book.For("x@partner.test", []msg.Path{path(strings.Fields(c.want)[0])}); c.scope == review.ToRecipient && len(list) != 1 {
				t.Errorf("%d: the next letter does not meet it", n)
			}
		}
	})
}

// Whoever cannot be allowed, and why; and then nothing is released either.
func TestNotAllowed(t *testing.T) {
	with := func(change func(*letter)) letter {
		l := good("GOOD0000AAAA1111", "a@yte.test")
		change(&l)
		return l
	}
	result := func(method, status, property, value string) []msg.AuthResult {
		return []msg.AuthResult{{Method: method, Status: status, Property: property, Value: value}}
	}
	ours := review.Order{AllowSender: review.ToAgency}
	for name, c := range map[string]struct {
		letter letter
		order  review.Order
		want   string
	}{
		"as it should be": {with(func(*letter) {}), ours, ""},
		"by DKIM":         {with(func(l *letter) { l.auth = result("dkim", "pass", "header.d", "partner.test") }), ours, ""},
		"by SPF":          {with(func(l *letter) { l.auth = result("spf", "pass", "smtp.mailfrom", "x@partner.test") }), ours, ""},
		"nothing proven":  {with(func(l *letter) { l.auth = nil }), ours, "unproven"},
		"DMARC fails":     {with(func(l *letter) { l.auth = result("dmarc", "fail", "header.from", "partner.test") }), ours, "unproven"},
		"another's SPF":   {with(func(l *letter) { l.auth = result("spf", "pass", "smtp.mailfrom", "x@mailer.test") }), ours, "unproven"},
		"strict alignment": {with(func(l *letter) {
			l.auth = append(result("dmarc", "fail", "header.from", "partner.test"), result("dkim", "pass", "header.d", "m.partner.test")...)
		}), ours, "unproven"},
		"DMARC not looked": {with(func(l *letter) {
			l.auth = append(result("dmarc", "temperror", "header.from", "partner.test"), result("dkim", "pass", "header.d", "partner.test")...)
		}), ours, "unproven"},
		"the display name":    {with(func(l *letter) { l.from = `"x@partner.test" <y@evil.test>` }), ours, "unproven"},
		"two authors":         {with(func(l *letter) { l.from = "x@partner.test, y@partner.test" }), ours, "unproven"},
		"two fields":          {with(func(l *letter) { l.from = "x@partner.test\r\nFrom: y@partner.test" }), ours, "unproven"},
		"the null sender":     {with(func(l *letter) { l.envelope = "" }), ours, "null"},
		"our own":             {with(func(l *letter) { l.outbound = true }), ours, "ours"},
		"malware":             {with(func(l *letter) { l.reason = "YARA_MALWARE" }), ours, "harmful"},
		"no such scope":       {with(func(*letter) {}), review.Order{AllowSender: "everybody"}, "scope"},
		"only postmaster":     {with(func(l *letter) { l.to = "postmaster" }), ours, "address"},
		"an odd address":      {with(func(l *letter) { l.from = "\"x\ty\"@partner.test" }), ours, "address"},
		"a boundless address": {with(func(l *letter) { l.from = strings.Repeat("x", 400) + "@partner.test" }), ours, "address"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.holdLetter(c.letter)
			out, err := r.For(admin("lan")).Release(t.Context(), "AAAA1111", c.order)
			if code(err) != c.want {
				t.Fatalf("%v, want %q", err, c.want)
			}
			list, err := r.For(admin("mai")).Allowed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			released := len(r.out.got) == 1
			if done := c.want == ""; released != done || (len(out.Allowed) > 0) != done || (len(list) > 0) != done {
				t.Errorf("released %v, answered %+v, allowed %+v", released, out, list)
			}
		})
	}
}

// What reviewers cannot do, whatever the letter is.
func TestNotAllowedHere(t *testing.T) {
	r := newRig(t)
	r.holdLetter(good("GOOD0000AAAA1111", "a@yte.test"))
	ctx, order := t.Context(), review.Order{AllowSender: review.ToRecipient}
	if _, err := r.ForRecipient("a@yte.test").Release(ctx, "AAAA1111", order); code(err) != "forbidden" {
		t.Error("by reply:", err)
	}
	if _, err := r.ForRecipient("a@yte.test").Allowed(ctx); code(err) != "forbidden" {
		t.Error("list by reply:", err)
	}
	if err := r.ForRecipient("a@yte.test").Disallow(ctx, "AAAAAAAAAAAA"); code(err) != "forbidden" {
		t.Error("taken back by reply:", err)
	}
	for _, confirm := range []string{"", "x-y"} {
		if _, err := r.For(admin("lan")).Bulk(ctx, review.Bulk{Act: "release", Order: order, Confirm: confirm}); code(err) != "allow" {
			t.Error("in bulk:", err)
		}
	}
	off := review.New(review.Options{Quarantine: r.held, Audit: r.log, Rescan: func(context.Context, quarantine.Item, []byte) (review.Today, error) { return r.today, nil }})
	if _, err := off.For(admin("lan")).Release(ctx, "AAAA1111", order); code(err) != "off" {
		t.Error("switched off:", err)
	}
	if list, err := off.For(admin("lan")).Allowed(ctx); err != nil || list == nil || len(list) != 0 {
		t.Error(list, err)
	}
	if err := off.For(admin("lan")).Disallow(ctx, "AAAAAAAAAAAA"); code(err) != "allowance" {
		t.Error(err)
	}
	if len(r.out.got) != 0 {
		t.Error("something was released")
	}
}

// When no more fit, the letter stays held.
func TestAllowIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := rigAt(t, url)
		r.holdLetter(good("GOOD0000AAAA1111", "a@yte.test"))
		if err := r.fill(fits); err != nil {
			t.Fatal(err)
		}
		_, err := r.For(admin("lan")).Release(t.Context(), "AAAA1111", review.Order{AllowSender: review.ToRecipient})
		if code(err) != "many" || len(r.out.got) != 0 || len(r.record()) != 0 {
			t.Errorf("%v, %d released, %q", err, len(r.out.got), r.record())
		}
		if _, err := r.For(admin("lan")).Release(t.Context(), "AAAA1111", review.Order{}); err != nil {
			t.Error(err)
		}
	})
}

func (r *rig) fill(n int) error {
	return r.db.Update(r.t.Context(), func(tx store.Tx) error {
		for i := range n {
			if _, err := tx.Exec(r.t.Context(), `INSERT INTO allowance (id, sender, rcpt, actor, at, expires, letter) VALUES ($1, $2, 'yte.test', 'x', 0, $3, '')`,
				fmt.Sprint("F", i), fmt.Sprint(i, "@a.test"), t0.UnixMilli()+1e9); err != nil {
				return err
			}
		}
		return nil
	})
}

// Who allowed and took back stands on record, with for whom; the answer says what another
// such letter meets.
func TestAllowIsOnRecord(t *testing.T) {
	r := newRig(t)
	r.today.Beyond = "ATTACH_MACRO"
	r.holdLetter(good("GOOD0000AAAA1111", "a@yte.test"))
	ctx, lan := t.Context(), r.For(reviewer("lan", "yte.test"))
	out, err := lan.Release(ctx, "AAAA1111", review.Order{AllowSender: review.ToAgency})
	if err != nil || out.Beyond != "ATTACH_MACRO" || len(out.Allowed) != 1 {
		t.Fatalf("%+v %v", out, err)
	}
	id := out.Allowed[0].ID
	if err := r.For(reviewer("mai", "yte.test")).Disallow(ctx, " "+strings.ToLower(id)); err != nil {
		t.Fatal(err)
	}
	if got := code(lan.Disallow(ctx, id)); got != "allowance" {
		t.Error("twice:", got)
	}
	list, err := r.log.List(ctx, audit.Filter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Backward(list) {
		got = append(got, strings.Join([]string{e.Actor, e.Act, e.Object, e.Agency, e.Detail}, "|"))
	}
	want := []string{
		"lan|quarantine.release|GOOD0000AAAA1111|yte.test|to a@yte.test; spam",
		"lan|sender.allow|x@partner.test|yte.test|for yte.test until 2027-05-23T08:00:00Z; with GOOD0000AAAA1111",
		"mai|sender.disallow|x@partner.test|yte.test|for yte.test",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if v, err := r.log.Verify(ctx); err != nil || v.Broken != nil {
		t.Errorf("%+v %v", v, err)
	}
	for _, l := range []lang.Lang{lang.VI, lang.EN} {
		err, _ := lan.Disallow(ctx, id).(*review.Refusal)
		if err == nil || !strings.Contains(err.In(l), "congthu quarantine allowed") {
			t.Error(err)
		}
	}
}
