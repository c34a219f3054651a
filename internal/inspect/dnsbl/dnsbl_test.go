package dnsbl

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

func letter(ip, raw string) *msg.Message {
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	m := &msg.Message{Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
	m.Session.Remote = netip.AddrPortFrom(netip.MustParseAddr(ip), 25)
	m.Envelope.From = msg.Path{Raw: "x@bounce.xau.example", Local: "x", Domain: "bounce.xau.example"}
	return m
}

const usual = "From: A <A@gui.xau.example>\nReply-To: b@so-mau.gov.test\n\nx\n"

// recorder is a resolver that notes what it is asked.
type recorder struct {
	Resolver
	mu    sync.Mutex
	asked []string
}

func (r *recorder) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	r.asked = append(r.asked, host)
	r.mu.Unlock()
	return r.Resolver.LookupNetIP(ctx, network, host)
}

// look asks the lists about a letter; it returns findings, what was asked, events and log.
func look(t testing.TB, zone fake.Zone, m *msg.Message, lists ...List) (found, asked, events []string, log string) {
	t.Helper()
	var b strings.Builder
	var mu sync.Mutex
	r := &recorder{Resolver: zone}
	in, err := New(Options{
		Lists: lists, Resolver: r, Local: func(d string) bool { return d == "so-mau.gov.test" },
		Hosts: func(*msg.Message) []string {
			return []string{"www.xau.example", "so-mau.gov.test", "192.0.2.77", "10.0.0.1", "noi-bo", "tot.example", "a..b", "com.vn"}
		},
		Log: slog.New(slog.NewTextHandler(&b, nil)),
		Event: func(e string) {
			mu.Lock()
			events = append(events, e)
			mu.Unlock()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	fs, _, err := in.Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if !slices.Contains(Symbols(), f.Symbol) {
			t.Errorf("%s is not listed", f.Symbol)
		}
		found = append(found, fmt.Sprint(f.Symbol, " ", f.Evidence, " ", f.Percent))
	}
	slices.Sort(r.asked)
	return found, r.asked, events, b.String()
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kind, ip     string
		asked, found []string
	}{
		{"ip", "192.0.2.5", []string{"5.2.0.192.bl.test"}, []string{"DNSBL_IP bl.test: 192.0.2.5 (127.0.0.2) 100"}},
		{"ip", "::ffff:192.0.2.5", []string{"5.2.0.192.bl.test"}, []string{"DNSBL_IP bl.test: 192.0.2.5 (127.0.0.2) 100"}},
		{"ip", "2001:db8::1", []string{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test"}, []string{"DNSBL_IP bl.test: 2001:db8::1 (127.0.0.4) 100"}},
		{"ip", "10.1.2.3", nil, nil},
		{"ip", "127.0.0.1", nil, nil},
		{"ip", "fe80::1", nil, nil},
		{"ip", "fd00::1", nil, nil},
		{"ip", "100.64.0.1", nil, nil},
		{"welcome", "192.0.2.5", []string{"5.2.0.192.bl.test"}, []string{"DNSBL_WELCOME bl.test: 192.0.2.5 (127.0.0.2) 100"}},
		{"domain", "192.0.2.5", []string{"xau.example.bl.test"}, []string{"DNSBL_DOMAIN bl.test: xau.example (127.0.0.3) 100"}},
		{"url", "192.0.2.5", []string{"77.2.0.192.bl.test", "tot.example.bl.test", "xau.example.bl.test"}, []string{"DNSBL_URL bl.test: xau.example (127.0.0.3) 100"}},
		{"address", "192.0.2.5", []string{"b5ebe43b84f3d47e8cfbd0e0f8ba0ac5f5ea4ba2.bl.test"}, nil},
	} {
		found, asked, events, log := look(t, fake.Zone{
			"5.2.0.192.bl.test": {fake.A("127.0.0.2")}, "xau.example.bl.test": {fake.A("127.0.0.3")},
			"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test": {fake.A("127.0.0.4")},
		}, letter(c.ip, usual), List{Zone: "BL.test.", Kind: c.kind})
		if c.kind == "address" {
			if len(asked) != 1 || len(asked[0]) != 40+len(".bl.test") {
				t.Errorf("address: asked %q", asked)
			}
			continue
		}
		if !slices.Equal(asked, c.asked) || !slices.Equal(found, c.found) || events != nil || log != "" {
			t.Errorf("%s %s: asked %q, found %q, %v %s", c.kind, c.ip, asked, found, events, log)
		}
	}
}

func TestOwnClientsAreNotAskedAbout(t *testing.T) {
	m := letter("192.0.2.5", usual)
	m.Session.Outbound = true
	if _, asked, _, _ := look(t, fake.Zone{}, m, List{Zone: "bl.test", Kind: "ip"}); asked != nil {
		t.Errorf("asked %q", asked)
	}
}

func TestResults(t *testing.T) {
	results := map[string]int{"127.0.0.2": 100, "127.0.0.8/29": 30, "&64": 50, "127.0.0.3": 0}
	for answers, want := range map[string]int{
		"127.0.0.2":                 100,
		"127.0.0.9":                 30,
		"127.0.0.9 127.0.0.64":      50,
		"127.0.0.66":                50,
		"127.0.0.3":                 0,
		"127.0.1.1":                 0,
		"127.0.0.1":                 -1,
		"127.255.255.254":           -1,
		"127.0.0.2 127.255.255.255": -1,
		"198.51.100.1":              -1,
	} {
		var records []fake.Record
		for _, a := range strings.Fields(answers) {
			records = append(records, fake.A(a))
		}
		found, _, events, log := look(t, fake.Zone{"5.2.0.192.bl.test": records}, letter("192.0.2.5", usual), List{Zone: "bl.test", Kind: "ip", Results: results})
		switch {
		case want < 0:
			if found != nil || !slices.Equal(events, []string{EventRefused}) || !strings.Contains(log, "may not ask") {
				t.Errorf("%s: %q %v %s", answers, found, events, log)
			}
		case want == 0:
			if found != nil || events != nil {
				t.Errorf("%s: %q %v", answers, found, events)
			}
		case len(found) != 1 || !strings.HasSuffix(found[0], fmt.Sprint(" ", want)):
			t.Errorf("%s: %q, want %d", answers, found, want)
		}
	}
}

// A list that does not answer finds nothing, is counted, and is in the log once.
func TestNoAnswer(t *testing.T) {
	zone := fake.Zone{"5.2.0.192.bl.test": {fake.ServFail("")}, "77.2.0.192.bl.test": {fake.ServFail("")}, "5.2.0.192.good.test": {fake.A("127.0.0.2")}}
	found, _, events, log := look(t, zone, letter("192.0.2.5", usual),
		List{Zone: "bl.test", Kind: "ip"}, List{Zone: "bl.test", Kind: "url"}, List{Zone: "good.test", Kind: "ip"})
	if !slices.Equal(found, []string{"DNSBL_IP good.test: 192.0.2.5 (127.0.0.2) 100"}) || len(events) != 2 || strings.Count(log, "could not ask") != 1 {
		t.Errorf("%q %v\n%s", found, events, log)
	}
}

// deaf answers when its asker has given up.
type deaf struct{}

func (deaf) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n int
		var mu sync.Mutex
		in, err := New(Options{
			Lists: []List{{Zone: "a.test", Kind: "ip"}, {Zone: "b.test", Kind: "ip"}}, Resolver: deaf{}, Timeout: 2 * time.Second,
			Event: func(string) { mu.Lock(); n++; mu.Unlock() },
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		found, _, err := in.Inspect(t.Context(), letter("192.0.2.5", usual))
		if took := time.Since(start); took != 2*time.Second || found != nil || err != nil || n != 2 {
			t.Errorf("%v, %v, %v, %d events", took, found, err, n)
		}
	})
}

func TestNewComplains(t *testing.T) {
	for _, l := range []List{
		{Zone: "a.test", Kind: "ips"},
		{Zone: ".", Kind: "ip"},
		{Zone: "a.test", Kind: "ip", Results: map[string]int{"&0": 1}},
		{Zone: "a.test", Kind: "ip", Results: map[string]int{"&256": 1}},
		{Zone: "a.test", Kind: "ip", Results: map[string]int{"::1": 1}},
		{Zone: "a.test", Kind: "ip", Results: map[string]int{"2": 1}},
	} {
		if _, err := New(Options{Lists: []List{l}}); err == nil {
			t.Errorf("%+v was taken", l)
		}
	}
}

func TestQuiet(t *testing.T) {
	q, at := newQuiet(), time.Unix(1e9, 0)
	for _, c := range []struct {
		what  string
		after time.Duration
		want  bool
	}{{"a", 0, true}, {"a", time.Minute, false}, {"b", time.Minute, true}, {"a", quietFor, true}, {"a", quietFor + time.Second, false}} {
		if got := q.may(c.what, at.Add(c.after)); got != c.want {
			t.Errorf("%+v", c)
		}
	}
}

// Names come from strangers: what is asked is always a name that can be asked, and there
// is a bound to it.
func FuzzQuestions(f *testing.F) {
	f.Add("a@b.example", "192.0.2.1", "127.0.0.2")
	f.Add("a@[192.0.2.1]", "xn--80ak6aa92e.com", "&8")
	f.Add("a@"+strings.Repeat("a.", 120)+"com", "..", "127.0.0.0/33")
	f.Fuzz(func(t *testing.T, from, host, answer string) {
		if _, err := parseResult(answer); err == nil && len(answer) > 18 {
			t.Errorf("%q is an answer", answer)
		}
		in, err := New(Options{
			Lists: []List{{Zone: "bl.test", Kind: "domain"}, {Zone: "bl.test", Kind: "url"}, {Zone: "bl.test", Kind: "address"}, {Zone: "bl.test", Kind: "ip"}},
			Hosts: func(*msg.Message) []string { return strings.Fields(host) },
		})
		if err != nil {
			t.Fatal(err)
		}
		m := letter("192.0.2.1", "\nx")
		m.Root.Header = []msg.Field{{Name: "From", Value: from}, {Name: "Reply-To", Value: host}}
		qs := in.questions(m)
		if len(qs) > 3*maxNames+1 {
			t.Errorf("%d questions", len(qs))
		}
		for _, q := range qs {
			if len(q.name) > 253 || !plainName(strings.TrimSuffix(q.name, ".bl.test")) {
				t.Errorf("%q", q.name)
			}
		}
	})
}
