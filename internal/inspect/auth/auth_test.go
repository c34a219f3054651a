package auth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

func key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a seed of thirty-two octets long"))
}

func keyRecord() fake.Record {
	return fake.TXT("v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key().Public().(ed25519.PublicKey)))
}

func zone() fake.Zone {
	return fake.Zone{
		"legit.test":                {fake.TXT("v=spf1 ip4:192.0.2.1 -all")},
		"_dmarc.legit.test":         {fake.TXT("v=DMARC1; p=reject")},
		"k1._domainkey.legit.test":  {keyRecord()},
		"quar.test":                 {fake.TXT("v=spf1 ip4:192.0.2.1 ~all")},
		"_dmarc.quar.test":          {fake.TXT("v=DMARC1; p=quarantine")},
		"watch.test":                {fake.TXT("v=spf1 -all")},
		"_dmarc.watch.test":         {fake.TXT("v=DMARC1; p=none")},
		"_dmarc.try.test":           {fake.TXT("v=DMARC1; p=reject; t=y")},
		"plain.test":                {fake.TXT("v=spf1 ip4:192.0.2.1 -all")},
		"k1._domainkey.plain.test":  {keyRecord()},
		"broken.test":               {fake.TXT("v=spf1 nonsense")},
		"attack.test":               {fake.TXT("v=spf1 +all")},
		"k1._domainkey.attack.test": {keyRecord()},
		"bare.test":                 {fake.A("192.0.2.1")},
		"_dmarc.down.test":          {fake.ServFail("")},
		"down.test":                 {fake.Timeout("")},
		"k1._domainkey.down.test":   {fake.Timeout("")},
	}
}

type letter struct {
	ip, helo, mailfrom, from string
	sign                     []string // domains, the last one ends up on top
	change                   func(string) string
	outbound                 bool
}

func (l letter) message(tb testing.TB) *msg.Message {
	tb.Helper()
	raw := "Subject: test\r\nDate: Mon, 02 Nov 2026 08:00:00 +0700\r\n\r\nText.\r\n"
	for _, f := range slices.Backward(strings.Split(l.from, "\n")) {
		if f != "" {
			raw = "From: " + f + "\r\n" + raw
		}
	}
	for _, d := range l.sign {
		h, err := dkim.Sign([]byte(raw), d, "k1", key())
		if err != nil {
			tb.Fatal(err)
		}
		raw = string(h) + raw
	}
	if l.change != nil {
		raw = l.change(raw)
	}
	m := &msg.Message{
		ID: "T1", Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits()),
		Session: msg.Session{Helo: l.helo, Outbound: l.outbound},
	}
	if l.ip != "" {
		m.Session.Remote = netip.AddrPortFrom(netip.MustParseAddr(l.ip), 40000)
	}
	if local, domain, ok := strings.Cut(l.mailfrom, "@"); ok {
		m.Envelope.From = msg.Path{Raw: l.mailfrom, Local: local, Domain: domain}
	}
	return m
}

func symbols(fs []msg.Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Symbol)
	}
	return strings.Join(out, " ")
}

func words(as []msg.AuthResult) string {
	var out []string
	for _, a := range as {
		out = append(out, fmt.Sprintf("%s=%s %s=%s", a.Method, a.Status, a.Property, a.Value))
	}
	return strings.Join(out, "; ")
}

func spoil(raw string) string { return strings.Replace(raw, "Text.", "Other text.", 1) }

func TestInspect(t *testing.T) {
	const good, bad = "192.0.2.1", "203.0.113.66"
	for _, c := range []struct {
		name    string
		l       letter
		symbols string
		words   string
	}{
		{
			"everything in order",
			letter{ip: good, mailfrom: "a@legit.test", from: "a@legit.test", sign: []string{"legit.test"}},
			"SPF_PASS DKIM_PASS DMARC_PASS",
			"spf=pass smtp.mailfrom=a@legit.test; dkim=pass header.d=legit.test; dmarc=pass header.from=legit.test",
		},
		{
			"forged",
			letter{ip: bad, mailfrom: "a@legit.test", from: "Boss <a@legit.test>"},
			"SPF_FAIL DMARC_REJECT",
			"spf=fail smtp.mailfrom=a@legit.test; dkim=none =; dmarc=fail header.from=legit.test",
		},
		{
			"forged from a domain of one's own",
			letter{ip: bad, mailfrom: "x@attack.test", from: "a@legit.test", sign: []string{"attack.test"}},
			"SPF_PASS DKIM_PASS DMARC_REJECT",
			"spf=pass smtp.mailfrom=x@attack.test; dkim=pass header.d=attack.test; dmarc=fail header.from=legit.test",
		},
		{
			"forwarded, signature holds",
			letter{ip: bad, mailfrom: "list@plain.test", from: "a@legit.test", sign: []string{"legit.test"}},
			"SPF_FAIL DKIM_PASS DMARC_PASS",
			"spf=fail smtp.mailfrom=list@plain.test; dkim=pass header.d=legit.test; dmarc=pass header.from=legit.test",
		},
		{
			"forwarded and changed",
			letter{ip: good, mailfrom: "list@plain.test", from: "a@legit.test", sign: []string{"legit.test"}, change: spoil},
			"SPF_PASS DKIM_FAIL DMARC_REJECT",
			"spf=pass smtp.mailfrom=list@plain.test; dkim=fail header.d=legit.test; dmarc=fail header.from=legit.test",
		},
		{
			"p=quarantine",
			letter{ip: bad, mailfrom: "a@quar.test", from: "a@quar.test"},
			"SPF_SOFTFAIL DMARC_QUARANTINE",
			"spf=softfail smtp.mailfrom=a@quar.test; dkim=none =; dmarc=fail header.from=quar.test",
		},
		{
			"p=none",
			letter{ip: bad, mailfrom: "a@watch.test", from: "a@watch.test"},
			"SPF_FAIL DMARC_FAIL_NONE",
			"spf=fail smtp.mailfrom=a@watch.test; dkim=none =; dmarc=fail header.from=watch.test",
		},
		{
			"p=reject on trial",
			letter{ip: bad, mailfrom: "a@bare.test", from: "a@try.test"},
			"DMARC_QUARANTINE",
			"spf=none smtp.mailfrom=a@bare.test; dkim=none =; dmarc=fail header.from=try.test",
		},
		{
			"no policy",
			letter{ip: good, mailfrom: "a@plain.test", from: "a@plain.test"},
			"SPF_PASS DMARC_NONE",
			"spf=pass smtp.mailfrom=a@plain.test; dkim=none =; dmarc=none header.from=plain.test",
		},
		{
			"nothing at all",
			letter{ip: good, mailfrom: "a@bare.test", from: "a@bare.test"},
			"AUTH_NONE",
			"spf=none smtp.mailfrom=a@bare.test; dkim=none =; dmarc=none header.from=bare.test",
		},
		{
			"broken SPF record",
			letter{ip: good, mailfrom: "a@broken.test", from: "a@broken.test"},
			"SPF_PERMERROR DMARC_NONE",
			"spf=permerror smtp.mailfrom=a@broken.test; dkim=none =; dmarc=none header.from=broken.test",
		},
		{
			"null sender",
			letter{ip: good, helo: "legit.test", from: "postmaster@legit.test"},
			"SPF_PASS DMARC_PASS",
			"spf=pass smtp.helo=legit.test; dkim=none =; dmarc=pass header.from=legit.test",
		},
		{
			"several signatures",
			letter{ip: bad, mailfrom: "a@bare.test", from: "a@legit.test", sign: []string{"legit.test", "down.test", "attack.test"}},
			"DKIM_PASS DMARC_PASS",
			"spf=none smtp.mailfrom=a@bare.test; dkim=pass header.d=attack.test; dkim=temperror header.d=down.test; dkim=pass header.d=legit.test; dmarc=pass header.from=legit.test",
		},
		{
			"all name servers down",
			letter{ip: good, mailfrom: "a@down.test", from: "a@down.test", sign: []string{"down.test"}},
			"SPF_TEMPERROR DKIM_TEMPERROR DMARC_UNKNOWN",
			"spf=temperror smtp.mailfrom=a@down.test; dkim=temperror header.d=down.test; dmarc=temperror header.from=down.test",
		},
		{
			"our own user",
			letter{ip: bad, mailfrom: "a@legit.test", from: "a@legit.test", outbound: true},
			"", "",
		},
		{
			"no client known",
			letter{mailfrom: "a@legit.test", from: "a@legit.test", sign: []string{"legit.test"}},
			"DKIM_PASS DMARC_PASS",
			"spf=none smtp.mailfrom=a@legit.test; dkim=pass header.d=legit.test; dmarc=pass header.from=legit.test",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := New(Options{Resolver: zone()})
			fs, as, err := in.Inspect(t.Context(), c.l.message(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := symbols(fs); got != c.symbols {
				t.Errorf("symbols %s, want %s\n%+v", got, c.symbols, fs)
			}
			if got := words(as); got != c.words {
				t.Errorf("results\n%s, want\n%s", got, c.words)
			}
			for _, f := range fs {
				if !slices.Contains(Symbols(), f.Symbol) {
					t.Errorf("%s is not in Symbols()", f.Symbol)
				}
			}
		})
	}
}

// However From is written, no reader's author gets a pass that the author's
// domain has not given, and a second author is no way around the first.
func TestStrangeFrom(t *testing.T) {
	for _, c := range []struct{ name, from, want string }{
		{"two fields", "a@attack.test\na@legit.test", DMARCPermError},
		{"two fields, one domain", "a@attack.test\nb@attack.test", DMARCPermError},
		{"none", "", DMARCPermError},
		{"empty group", "undisclosed: ;", DMARCPermError},
		{"no domain", "boss", DMARCPermError},
		{"empty brackets", "boss <>", DMARCPermError},
		{"one domain, two people", "a@attack.test, b@attack.test", DMARCNone},
		{"forged second author", "x@attack.test, a@legit.test", DMARCReject},
		{"forged first author", "a@legit.test, x@attack.test", DMARCReject},
		{"two brackets", "<a@legit.test> <x@attack.test>", DMARCReject},
		{"address as unquoted name", "a@legit.test <x@attack.test>", DMARCReject},
		{"own address as unquoted name", "x@attack.test <x@attack.test>", DMARCNone},
		{"address in a quoted name", `"a@legit.test" <x@attack.test>`, DMARCNone},
		{"address in a comment", "x@attack.test (a@legit.test)", DMARCReject},
		{"comment inside the address", "x(@legit.test )@attack.test", DMARCReject},
		{"address in brackets in the name", "\"<a@legit.test>\" <x@attack.test>", DMARCReject},
		{"a comment that says nothing", "x@attack.test (Ann)", DMARCNone},
		{"parentheses in quotes", "\"Ann (a@legit.test)\" <x@attack.test>", DMARCNone},
		{"encoded address, whole", "=?utf-8?q?=3Ca=40legit=2Etest=3E?=", DMARCReject},
		{"route", "<@legit.test:x@attack.test>", DMARCReject},
		{"group", "boss: x@attack.test;", DMARCPermError},
		{"encoded address", "=?utf-8?q?a=40legit.test?= <=?utf-8?q?x=40attack.test?=>", DMARCReject},
		{"two at signs", "<a@legit.test@attack.test>", DMARCReject},
		{"quoted local part", `"a@legit.test"@attack.test`, DMARCNone},
		{"unknown charset in the name", "=?windows-1258?q?L=EA?= <x@attack.test>", DMARCNone},
		{"final dot", "<x@attack.test.>", DMARCNone},
		{"address literal", "x@[192.0.2.1]", DMARCPermError},
		{"down and forged", "x@down.test, a@quar.test", DMARCTempError},
		{"down and rejected", "x@down.test, a@legit.test", DMARCReject},
		{"too many", "a@1.test, a@2.test, a@3.test, a@4.test, a@5.test, a@6.test, a@7.test, a@8.test, a@9.test", DMARCPermError},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := letter{ip: "203.0.113.66", mailfrom: "x@attack.test", from: c.from}.message(t)
			fs, as, err := New(Options{Resolver: zone()}).Inspect(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if got := fs[len(fs)-1]; got.Symbol != c.want {
				t.Errorf("%+v, want %s\n%s", got, c.want, words(as))
			}
		})
	}
}

// counter counts lookups; each waits when told to.
type counter struct {
	fake.Zone
	n    atomic.Int64
	wait bool
}

func (c *counter) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	c.n.Add(1)
	if c.wait {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return c.Zone.LookupIPAddr(ctx, host)
}

// A record made to cost is cut off by the budget, and what was not looked at is
// temporary, down to DMARC.
func TestBudget(t *testing.T) {
	z := zone()
	z["costly.test"] = []fake.Record{fake.TXT("v=spf1 mx mx:m1.test mx:m2.test mx:m3.test mx:m4.test mx:m5.test mx:m6.test -all")}
	for _, d := range []string{"costly.test", "m1.test", "m2.test", "m3.test", "m4.test", "m5.test", "m6.test"} {
		for i := range 10 {
			host := fmt.Sprintf("h%d.%s", i, d)
			z[d] = append(z[d], fake.MX(i, host))
			z[host] = []fake.Record{fake.A("198.51.100.1")}
		}
	}
	z["_dmarc.costly.test"] = []fake.Record{fake.TXT("v=DMARC1; p=reject")}
	c := &counter{Zone: z}
	m := letter{ip: "203.0.113.66", mailfrom: "x@costly.test", from: "x@costly.test"}.message(t)
	fs, _, err := New(Options{Resolver: c}).Inspect(t.Context(), m)
	if err != nil || symbols(fs) != "SPF_TEMPERROR DMARC_TEMPERROR" || c.n.Load() > 60 {
		t.Errorf("%s, %v after %d lookups", symbols(fs), err, c.n.Load())
	}
	slow := &counter{Zone: z, wait: true}
	begin := time.Now()
	fs, _, err = New(Options{Resolver: slow, Limits: Limits{Time: 30 * time.Millisecond}}).Inspect(t.Context(), m)
	if err != nil || symbols(fs) != "SPF_TEMPERROR DMARC_TEMPERROR" || time.Since(begin) > 20*time.Second {
		t.Errorf("%s, %v after %v", symbols(fs), err, time.Since(begin))
	}
}

// Under p=none an open question changes nothing, and is no reason to defer.
func TestOpenQuestionUnderNone(t *testing.T) {
	z := zone()
	z["watch.test"] = []fake.Record{fake.ServFail("")}
	m := letter{ip: "192.0.2.1", mailfrom: "a@watch.test", from: "a@watch.test"}.message(t)
	fs, as, err := New(Options{Resolver: z}).Inspect(t.Context(), m)
	if err != nil || symbols(fs) != SPFTempError || as[len(as)-1].Status != "temperror" {
		t.Errorf("%s %s %v", symbols(fs), words(as), err)
	}
}

func TestNotParsedIsAnError(t *testing.T) {
	m := letter{ip: "192.0.2.1", mailfrom: "a@legit.test", from: "a@legit.test"}.message(t)
	m.Root = nil
	if fs, _, err := New(Options{Resolver: zone()}).Inspect(t.Context(), m); err == nil || fs != nil {
		t.Errorf("%v, %v", fs, err)
	}
}

func TestName(t *testing.T) {
	if n := New(Options{}).Name(); n != "auth" {
		t.Error(n)
	}
}

// Evidence is untrusted text and goes to terminals and logs.
func TestEvidenceIsSafe(t *testing.T) {
	m := letter{ip: "192.0.2.1", from: "a@legit.test", mailfrom: "\x1b[31mx\r\n@legit.test"}.message(t)
	fs, _, err := New(Options{Resolver: zone()}).Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if strings.ContainsAny(f.Evidence, "\x1b\r\n") || len(f.Evidence) > 4*maxEvidence {
			t.Errorf("%q", f.Evidence)
		}
	}
}

// A From of any shape gives exactly one DMARC result, which is not a pass unless
// every domain in it is the one that is authenticated.
func FuzzFrom(f *testing.F) {
	for _, s := range []string{"a@legit.test", "x@attack.test, a@legit.test", "<@a:b@c>", `"a@b"@legit.test`, "g: a@legit.test;", "a@legit.test <x@attack.test>"} {
		f.Add(s)
	}
	r := zone()
	f.Fuzz(func(t *testing.T, value string) {
		results := []msg.AuthResult{{Method: "dkim", Status: "pass", Property: "header.d", Value: "legit.test"}}
		got, _ := inspector{}.judge(t.Context(), r, []msg.Field{{Name: "From", Value: value}}, results)
		if got.Status == "pass" && !strings.Contains(strings.ToLower(value), "legit.test") {
			t.Fatalf("%q passes as %+v", value, got)
		}
		if got.Status == "" {
			t.Fatalf("%q has no result", value)
		}
	})
}
