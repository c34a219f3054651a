package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/dmarcreport"
	"congthu/internal/dns/fake"
	"congthu/internal/inspect/auth"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/store"
)

// outbox is a queue that keeps what is committed to it.
type outbox struct {
	mu   sync.Mutex
	sent []*msg.Transfer
}

func (o *outbox) Prepare(_ context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	return &store.Change{Apply: func(context.Context, store.Tx) error { return nil }, Done: func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sent = append(o.sent, ts...)
	}}, nil
}

// reportsBench is the daemon's part in reports on a store of its own, with its log.
func reportsBench(t *testing.T, daily bool) (*reports, *outbox, *bytes.Buffer) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var text bytes.Buffer
	log, o := slog.New(slog.NewTextHandler(&text, nil)), &outbox{}
	r := &reports{
		db: db, log: log, daily: daily, receive: []string{"dmarc@gov.test"}, routes: policy.Routes{{Domains: []string{"gov.test"}, NextHop: "hop:25"}},
		counts: dmarcreport.NewCollector(db, log), inbox: &dmarcreport.Inbox{Store: db, Log: log, Now: time.Now},
		sending: &dmarcreport.Sending{
			Store: db, Resolver: fake.Zone{}, Queue: o, Log: log, Now: time.Now, NewID: newID,
			NextHop:  func(string) (string, bool) { return "hop:25", true },
			Identity: dmarcreport.Identity{Hostname: "gw.gov.test", From: "r@gov.test"},
		},
	}
	return r, o, &text
}

// fromOutside is a message as the pipeline has left it, and what authentication saw.
func fromOutside(t *testing.T, id, status string) (*msg.Message, auth.Evidence) {
	t.Helper()
	rec, err := dmarc.Parse("v=DMARC1; p=reject; rua=mailto:d@a.test")
	if err != nil {
		t.Fatal(err)
	}
	m := &msg.Message{ID: id, Raw: []byte("From: x@a.test\r\n\r\n"), Session: msg.Session{Remote: netip.MustParseAddrPort("192.0.2.1:25")}}
	m.Auth = []msg.AuthResult{{Method: "dmarc", Status: status}}
	return m, auth.Evidence{
		Sender:     msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "x@bounce.test"},
		Signatures: []dkim.Signature{{Status: "pass", Domain: "a.test", Selector: "k1"}},
		Author:     dmarc.Result{Status: status, Policy: "reject", Domain: "a.test", PolicyAt: "a.test", Record: &rec, KeyAligned: status == "pass"},
	}
}

func walk(code int, ds ...msg.Decision) pipeline.Walk {
	return pipeline.Walk{Reply: msg.Reply{Code: code}, Decisions: ds}
}

// A day that is over is sent by itself, once, and not the day that is not.
func TestReportsGoOutOnceADay(t *testing.T) {
	for _, daily := range []bool{true, false} {
		r, o, _ := reportsBench(t, daily)
		for i, ago := range []time.Duration{0, 48 * time.Hour} {
			r.counts.Now = func() time.Time { return time.Now().Add(-ago) }
			m, e := fromOutside(t, fmt.Sprint("M", i), "pass")
			r.seen()(m, e)
			r.done(m, walk(250, msg.Decision{Action: msg.Deliver}))
			if err := r.counts.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.everyDay(t.Context())
		r.everyDay(t.Context())
		if want := map[bool]int{true: 1, false: 0}[daily]; len(o.sent) != want {
			t.Fatalf("daily=%v: %d letters, want %d", daily, len(o.sent), want)
		}
		if !daily {
			continue
		}
		rep, err := dmarcreport.Read(o.sent[0].Content[0])
		if err != nil || rep.Messages() != 1 || !rep.End.Before(time.Now().Add(-23*time.Hour)) {
			t.Fatalf("%+v %v", rep, err)
		}
		x := rep.Records[0]
		if got, want := fmt.Sprintf("%s %s %+v %+v", x.DKIM, x.SPF, x.Keys, *x.Sender), "pass fail [{Domain:a.test Selector:k1 Result:pass}] {Domain:bounce.test Scope:mfrom Result:pass}"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestOutcomeForReports(t *testing.T) {
	deliver := msg.Decision{Action: msg.Deliver}
	for _, c := range []struct {
		name    string
		w       pipeline.Walk
		action  msg.Action
		byDMARC bool
	}{
		{"delivered", walk(250, deliver), msg.Deliver, false},
		{"refused by DMARC", walk(550, msg.Decision{Action: msg.Reject, Reason: auth.DMARCReject}), msg.Reject, true},
		{"held by DMARC for one recipient", walk(250, deliver, msg.Decision{Action: msg.Quarantine, Reason: auth.DMARCQuarantine}), msg.Quarantine, true},
		{"held for a virus", walk(250, msg.Decision{Action: msg.Quarantine, Reason: "YARA_MALWARE"}), msg.Quarantine, false},
		{"to come again", walk(451, msg.Decision{Action: msg.Reject, Reason: auth.DMARCReject}), msg.Defer, false},
		{"no answer", walk(0), msg.Defer, false},
	} {
		if action, byDMARC := outcome(c.w); action != c.action || byDMARC != c.byDMARC {
			t.Errorf("%s: %v %v", c.name, action, byDMARC)
		}
	}
}

// Only a letter that was delivered to the report address, by an author who is
// authenticated, is kept for reading.
func TestWhichLettersAreKept(t *testing.T) {
	to := msg.Decision{Action: msg.Deliver, To: []msg.Path{{Raw: "DMARC@gov.test", Local: "DMARC", Domain: "gov.test"}}}
	other, held := to, to
	other.To = []msg.Path{{Raw: "x@gov.test", Local: "x", Domain: "gov.test"}}
	held.Action = msg.Quarantine
	for _, c := range []struct {
		name, status string
		w            pipeline.Walk
		want         bool
	}{
		{"a report", "pass", walk(250, to), true},
		{"to somebody else", "pass", walk(250, other), false},
		{"held", "pass", walk(250, held), false},
		{"not taken by the next hop", "pass", walk(451, to), false},
		{"nobody stands for it", "fail", walk(250, to), false},
		{"no policy", "none", walk(250, to), false},
	} {
		r, _, _ := reportsBench(t, false)
		m, _ := fromOutside(t, "M", c.status)
		r.done(m, c.w)
		if err := r.inbox.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l, err := r.inbox.Next(t.Context()); err != nil || (l != nil) != c.want {
			t.Errorf("%s: kept %v, %v", c.name, l != nil, err)
		}
	}
}

// A reader that does not do its work costs tries, never the daemon; then the letter is
// given up, and the log says so. (The reader here is the test's own program, which has
// no such command.)
func TestReaderThatFails(t *testing.T) {
	r, _, log := reportsBench(t, false)
	r.inbox.Keep("M1", []byte("From: a@b.test\r\n\r\n"))
	for range 5 {
		r.readAll(t.Context())
	}
	if n := strings.Count(log.String(), "DMARC report not read"); n != 3 {
		t.Errorf("%d complaints:\n%s", n, log)
	}
	if l, err := r.inbox.Next(t.Context()); err != nil || l != nil {
		t.Errorf("still there: %+v %v", l, err)
	}
}
