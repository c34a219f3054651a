package dmarcreport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// noon is the time of most tests; its day is not over.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func collector(db *store.DB) *Collector {
	c := NewCollector(db, slog.New(slog.DiscardHandler))
	c.Now = func() time.Time { return noon }
	return c
}

// outbox is a queue that keeps what it is given, when it is committed.
type outbox struct {
	mu   sync.Mutex
	sent []*msg.Transfer
	err  error
}

func (o *outbox) Prepare(_ context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	return &store.Change{
		Apply: func(context.Context, store.Tx) error { return o.err },
		Done: func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.sent = append(o.sent, ts...)
		},
	}, nil
}

// zone is where a.test wants reports at home, b.test elsewhere.
func zone() fake.Zone {
	return fake.Zone{
		"_dmarc.a.test":                    {fake.TXT("v=DMARC1; p=reject; rua=mailto:d@a.test")},
		"_dmarc.b.test":                    {fake.TXT("v=DMARC1; p=none")},
		"b.test._report._dmarc.watch.test": {fake.TXT("v=DMARC1")},
		"c.test._report._dmarc.down.test":  {fake.ServFail("")},
	}
}

func sending(db *store.DB, o *outbox) *Sending {
	n := 0
	var mu sync.Mutex
	return &Sending{
		Store: db, Resolver: zone(), Queue: o, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
		NextHop:  func(domain string) (string, bool) { return "hop:25", domain != "nowhere.test" },
		Identity: Identity{Hostname: "gw.gov.test", From: "bao-cao@gov.test", Org: "Cổng thư"},
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("R%d", n)
		},
	}
}

// seen is a message of a domain from a client. rua "" is the domain's own.
func seen(domain, client, rua string, passes bool) Seen {
	rec, err := dmarc.Parse("v=DMARC1; p=reject; sp=none; rua=" + rua)
	if err != nil {
		panic(err)
	}
	s := Seen{
		Client: netip.MustParseAddr(client), EnvelopeFrom: domain, Sender: aggregate.Sender{Domain: domain, Scope: "mfrom", Result: "fail"},
		Result: dmarc.Result{Status: dmarc.Fail, Policy: "reject", Domain: domain, PolicyAt: domain, Record: &rec},
	}
	if passes {
		s.Result.Status, s.Result.KeyAligned = dmarc.Pass, true
		s.Keys = []aggregate.Key{{Domain: domain, Selector: "k", Result: "pass"}}
	}
	return s
}

// count counts n messages.
func count(c *Collector, n int, s Seen, action msg.Action, byDMARC bool) {
	for i := range n {
		id := fmt.Sprintf("M%d", i)
		c.Note(id, s)
		c.Done(id, action, byDMARC)
	}
}

func flush(t *testing.T, c *Collector) {
	t.Helper()
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// The way of the figures: counted, flushed twice, sent, and read out of the letter
// again by our own reader.
func TestFromMessagesToReport(t *testing.T) { storetest.Each(t, testFromMessagesToReport) }

func testFromMessagesToReport(t *testing.T, url string) {
	db, o := open(t, url), &outbox{}
	c, s := collector(db), sending(db, o)
	good, forged := seen("a.test", "192.0.2.1", "mailto:d@a.test", true), seen("a.test", "::ffff:203.0.113.9", "mailto:d@a.test", false)
	count(c, 3, good, msg.Deliver, false)
	count(c, 1, forged, msg.Reject, true)
	flush(t, c)
	count(c, 2, good, msg.Quarantine, false) // a virus, say
	count(c, 1, forged, msg.Deliver, false)  // the administrator's list
	count(c, 5, good, msg.Defer, false)      // come again
	flush(t, c)
	validate(t, s)
	list, err := s.Send(t.Context(), DayOf(noon))
	if err != nil || len(list) != 1 || list[0].Messages != 7 || !slices.Equal(list[0].To, []string{"d@a.test"}) {
		t.Fatalf("%+v %v", list, err)
	}
	if len(o.sent) != 1 || o.sent[0].From.Raw != "bao-cao@gov.test" || o.sent[0].To[0].Key() != "d@a.test" || o.sent[0].NextHop != "hop:25" {
		t.Fatalf("%+v", o.sent)
	}
	r, err := Read(o.sent[0].Content[0])
	if err != nil {
		t.Fatalf("%v\n%s", err, o.sent[0].Content[0])
	}
	if r.Org != "Cổng thư" || !r.Begin.Equal(DayOf(noon).Begin()) || !r.End.Equal(noon) || r.Policy != (aggregate.Policy{Domain: "a.test", P: "reject", SP: "none", ADKIM: "r", ASPF: "r"}) {
		t.Errorf("%+v", r)
	}
	var got []string
	for _, x := range r.Records {
		got = append(got, fmt.Sprintf("%d %s %s dkim=%s spf=%s %v", x.Messages, x.Source, x.Disposition, x.DKIM, x.SPF, x.Reasons))
	}
	slices.Sort(got)
	want := []string{
		"1 203.0.113.9 none dkim=fail spf=fail [{local_policy }]",
		"1 203.0.113.9 reject dkim=fail spf=fail []",
		"5 192.0.2.1 pass dkim=pass spf=fail []",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// validate has another program judge what will be sent.
func validate(t *testing.T, s *Sending) {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Log("not validated: needs xmllint (Debian: libxml2-utils)")
		return
	}
	list, err := s.Rehearse(t.Context(), DayOf(noon))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, x := range list {
		cmd := exec.Command("xmllint", "--noout", "--nonet", "--schema", "../mailauth/aggregate/testdata/aggregate.xsd", "-")
		cmd.Stdin = strings.NewReader(x.XML)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, x.XML)
		}
	}
}

// The letter is what RFC 9990 section 3.4 asks for.
func TestLetter(t *testing.T) {
	db, o := open(t, storetest.SQLite), &outbox{}
	c, s := collector(db), sending(db, o)
	count(c, 1, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
	flush(t, c)
	if _, err := s.Send(t.Context(), DayOf(noon)); err != nil {
		t.Fatal(err)
	}
	letter := string(o.sent[0].Content[0])
	for _, want := range []string{
		"From: =?utf-8?q?C=E1=BB=95ng_th=C6=B0?= <bao-cao@gov.test>\r\n", "To: <d@a.test>\r\n", "Auto-Submitted: auto-generated\r\n",
		"Subject: Report Domain: a.test\r\n Submitter: gw.gov.test\r\n Report-ID: <20261124-", "-0@gw.gov.test>\r\n",
		"Content-Type: application/gzip\r\n", "filename=\"gw.gov.test!a.test!1795478400!1795521600!20261124-", "-0.xml.gz\"\r\n",
	} {
		if !strings.Contains(letter, want) {
			t.Errorf("%q is not in\n%s", want, letter)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(letter, "\r\n"), "\r\n") {
		if len(line) > 130 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
}

// Nothing is reported twice and nothing forgotten: what is counted after a report, by a
// gateway that was late, is in one of its own.
func TestNothingTwiceNothingForgotten(t *testing.T) {
	storetest.Each(t, testNothingTwiceNothingForgotten)
}

func testNothingTwiceNothingForgotten(t *testing.T, url string) {
	db, o := open(t, url), &outbox{}
	c, s := collector(db), sending(db, o)
	day := DayOf(noon)
	var messages []int64
	var ids []string
	for range 3 {
		count(c, 2, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
		flush(t, c)
		for range 2 {
			list, err := s.Send(t.Context(), day)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				messages, ids = append(messages, x.Messages), append(ids, x.ID)
			}
		}
	}
	if !slices.Equal(messages, []int64{2, 2, 2}) || len(slices.Compact(ids)) != 3 || len(o.sent) != 3 {
		t.Errorf("%v %v, %d letters", messages, ids, len(o.sent))
	}
	if list, err := s.Send(t.Context(), day+1); err != nil || len(list) != 0 {
		t.Errorf("another day: %v %v", list, err)
	}
}

// Several gateways that share a database, all sending at once while one still counts:
// every message is reported exactly once.
func TestSeveralGateways(t *testing.T) { storetest.Each(t, testSeveralGateways) }

func testSeveralGateways(t *testing.T, url string) {
	dbs := []*store.DB{open(t, url)}
	dbs = append(dbs, dbs[0], dbs[0])
	if url != storetest.SQLite {
		dbs[1], dbs[2] = open(t, url), open(t, url)
	}
	o := &outbox{}
	const each = 40
	var wg sync.WaitGroup
	for g, db := range dbs {
		wg.Go(func() {
			c := collector(db)
			for i := range each {
				count(c, 1, seen(fmt.Sprintf("d%d.test", i%4), fmt.Sprintf("192.0.2.%d", g), fmt.Sprintf("mailto:r@d%d.test", i%4), true), msg.Deliver, false)
				if err := c.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			s := sending(db, o)
			for range 10 {
				if _, err := s.Send(t.Context(), DayOf(noon)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := sending(dbs[0], o).Send(t.Context(), DayOf(noon)); err != nil {
		t.Fatal(err)
	}
	var total int64
	ids := map[string]bool{}
	for _, l := range o.sent {
		r, err := Read(l.Content[0])
		if err != nil {
			t.Fatal(err)
		}
		total += r.Messages()
		if ids[r.ID] {
			t.Errorf("report %s was sent twice", r.ID)
		}
		ids[r.ID] = true
	}
	if total != each*int64(len(dbs)) {
		t.Errorf("%d messages reported in %d letters, %d were counted", total, len(o.sent), each*len(dbs))
	}
}

// A crash, or a queue that fails, between freezing and sending leaves the report to be
// sent, with the same id.
func TestUnsentIsSentLater(t *testing.T) { storetest.Each(t, testUnsentIsSentLater) }

func testUnsentIsSentLater(t *testing.T, url string) {
	db, o := open(t, url), &outbox{err: errors.New("the disk is on fire")}
	c, s := collector(db), sending(db, o)
	count(c, 2, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
	flush(t, c)
	if _, err := s.Send(t.Context(), DayOf(noon)); err == nil || len(o.sent) != 0 {
		t.Fatalf("%v, %d letters", err, len(o.sent))
	}
	rehearsed, err := s.Rehearse(t.Context(), DayOf(noon))
	if err != nil || len(rehearsed) != 1 {
		t.Fatalf("%v %v", rehearsed, err)
	}
	o.err = nil
	list, err := s.Send(t.Context(), DayOf(noon))
	if err != nil || len(list) != 1 || list[0].ID != rehearsed[0].ID || len(o.sent) != 1 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestDestinationsAreChecked(t *testing.T) {
	for _, c := range []struct {
		domain, rua string
		to, left    string
		later       bool
	}{
		{"a.test", "mailto:d@a.test,mailto:e@sub.a.test", "d@a.test e@sub.a.test", "", false},
		{"b.test", "mailto:d@watch.test", "d@watch.test", "", false},
		{"b.test", "mailto:d@stranger.test,mailto:d@b.test", "d@b.test", "d@stranger.test: the receiving domain has not agreed (RFC 9990 section 4)", false},
		{"b.test", "mailto:d@b.test!1k,mailto:e@b.test!10", "d@b.test", "e@b.test: the report is larger than they take", false},
		{"b.test", "mailto:d@nowhere.test", "", "d@nowhere.test: there is no route to this domain", false},
		{"c.test", "mailto:d@down.test,mailto:d@c.test", "d@c.test", "", true},
	} {
		t.Run(c.rua, func(t *testing.T) {
			db, o := open(t, storetest.SQLite), &outbox{}
			col, s := collector(db), sending(db, o)
			count(col, 1, seen(c.domain, "192.0.2.1", c.rua, true), msg.Deliver, false)
			flush(t, col)
			list, err := s.Send(t.Context(), DayOf(noon))
			if err != nil || len(list) != 1 {
				t.Fatalf("%v %v", list, err)
			}
			var left []string
			for _, l := range list[0].Left {
				left = append(left, l.Address+": "+l.Why.EN)
			}
			if strings.Join(list[0].To, " ") != c.to || !strings.HasPrefix(strings.Join(left, " "), c.left) || (c.left == "") != (left == nil) || list[0].Later != c.later {
				t.Errorf("%+v", list[0])
			}
			if c.later && len(o.sent) != 0 {
				t.Error("sent to some before all are known: the others would never get it")
			}
			again, err := s.Send(t.Context(), DayOf(noon))
			if err != nil || (len(again) == 1) != c.later {
				t.Errorf("tried again: %v %v", again, err)
			}
		})
	}
}
