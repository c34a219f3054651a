package spf

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/msg"
)

func zone() fake.Zone {
	return fake.Zone{
		"example.test":          {fake.TXT("site-verification=1"), fake.TXT("v=spf1 a mx ip4:198.51.100.0/24 include:inc.test -all"), fake.A("192.0.2.1"), fake.MX(10, "mx.example.test")},
		"mx.example.test":       {fake.A("192.0.2.2"), fake.AAAA("2001:db8::2")},
		"inc.test":              {fake.TXT("v=spf1 ip4:203.0.113.7 ~all")},
		"soft.test":             {fake.TXT("v=spf1 ~all")},
		"neutral.test":          {fake.TXT("v=spf1 ?all")},
		"open.test":             {fake.TXT("v=spf1")},
		"bare.test":             {fake.A("192.0.2.1")},
		"two.test":              {fake.TXT("v=spf1 -all"), fake.TXT("v=spf1 +all")},
		"late.test":             {fake.TXT("v=spf1 +all ip4:nonsense")},
		"slow.test":             {fake.Timeout("")},
		"servfail.test":         {fake.ServFail("TXT")},
		"slow-a.test":           {fake.TXT("v=spf1 a -all"), fake.Timeout("A")},
		"slow-half.test":        {fake.TXT("v=spf1 a -all"), fake.Timeout("A"), fake.AAAA("2001:db8::9")},
		"slow-mx.test":          {fake.TXT("v=spf1 mx -all"), fake.ServFail("MX")},
		"slow-host.test":        {fake.TXT("v=spf1 mx -all"), fake.MX(1, "slow.test")},
		"slow-inc.test":         {fake.TXT("v=spf1 include:slow.test -all")},
		"slow-exists.test":      {fake.TXT("v=spf1 exists:%{i}.slow.test -all")},
		"192.0.2.1.slow.test":   {fake.Timeout("")},
		"slow-redirect.test":    {fake.TXT("v=spf1 redirect=servfail.test")},
		"gone-inc.test":         {fake.TXT("v=spf1 include:nowhere.test -all")},
		"loop.test":             {fake.TXT("v=spf1 include:loop.test -all")},
		"self.test":             {fake.TXT("v=spf1 redirect=self.test")},
		"wide.test":             {fake.TXT("v=spf1 " + strings.Repeat("a:mx.example.test ", 11) + "-all")},
		"void.test":             {fake.TXT("v=spf1 a:n1.test a:n2.test a:n3.test ip4:192.0.2.1 -all")},
		"local.test":            {fake.TXT("v=spf1 exists:%{l}.users.test -all")},
		"postmaster.users.test": {fake.A("127.0.0.2")},
		"xn--th-e0a.test":       {fake.TXT("v=spf1 ip4:192.0.2.1 -all")},
	}
}

func path(s string) msg.Path {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return msg.Path{Raw: s, Local: s}
	}
	return msg.Path{Raw: s, Local: strings.Trim(s[:at], `"`), Domain: strings.ToLower(s[at+1:])}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct{ ip, helo, from, status, property, value, reason string }{
		{"192.0.2.1", "h.test", "a@example.test", Pass, "smtp.mailfrom", "a@example.test", "matched a"},
		{"::ffff:192.0.2.1", "h.test", "a@Example.TEST", Pass, "smtp.mailfrom", "a@Example.TEST", "matched a"},
		{"192.0.2.2", "h.test", "a@example.test", Pass, "smtp.mailfrom", "a@example.test", "matched mx"},
		{"2001:db8::2", "h.test", "a@example.test", Pass, "smtp.mailfrom", "a@example.test", "matched mx"},
		{"198.51.100.9", "h.test", "a@example.test", Pass, "smtp.mailfrom", "a@example.test", "matched ip"},
		{"203.0.113.7", "h.test", "a@example.test", Pass, "smtp.mailfrom", "a@example.test", "matched include:inc.test"},
		{"203.0.113.8", "h.test", "a@example.test", Fail, "smtp.mailfrom", "a@example.test", "matched -all"},
		{"192.0.2.1", "h.test", "a@soft.test", SoftFail, "smtp.mailfrom", "a@soft.test", "matched ~all"},
		{"192.0.2.1", "h.test", "a@neutral.test", Neutral, "smtp.mailfrom", "a@neutral.test", "matched ?all"},
		{"192.0.2.1", "h.test", "a@open.test", Neutral, "smtp.mailfrom", "a@open.test", "no mechanism matched"},
		{"192.0.2.1", "h.test", "a@bare.test", None, "smtp.mailfrom", "a@bare.test", "no DNS record"},
		{"192.0.2.1", "h.test", "a@nowhere.test", None, "smtp.mailfrom", "a@nowhere.test", "no DNS record"},
		{"192.0.2.1", "h.test", "a@two.test", PermError, "smtp.mailfrom", "a@two.test", "multiple"},
		{"192.0.2.1", "h.test", "a@late.test", PermError, "smtp.mailfrom", "a@late.test", `"ip4:nonsense"`},
		{"192.0.2.1", "h.test", "a@gone-inc.test", PermError, "smtp.mailfrom", "a@gone-inc.test", "no DNS record"},
		{"192.0.2.1", "h.test", "a@loop.test", PermError, "smtp.mailfrom", "a@loop.test", "lookup limit"},
		{"192.0.2.1", "h.test", "a@self.test", PermError, "smtp.mailfrom", "a@self.test", "lookup limit"},
		{"192.0.2.1", "h.test", "a@wide.test", PermError, "smtp.mailfrom", "a@wide.test", "lookup limit"},
		{"192.0.2.1", "h.test", "a@void.test", PermError, "smtp.mailfrom", "a@void.test", "void lookup limit"},
		{"192.0.2.1", "h.test", "a@thư.test", Pass, "smtp.mailfrom", "a@thư.test", "matched ip"},
		// the null sender is checked by HELO
		{"192.0.2.1", "example.test", "", Pass, "smtp.helo", "example.test", "matched a"},
		{"203.0.113.8", "example.test.", "", Fail, "smtp.helo", "example.test", "matched -all"},
		{"192.0.2.1", "local.test", "", Pass, "smtp.helo", "local.test", "matched exists"},
		{"192.0.2.1", "example.test", "postmaster", Pass, "smtp.helo", "example.test", "matched a"},
		{"192.0.2.1", "[192.0.2.1]", "", None, "smtp.helo", "[192.0.2.1]", "not a domain"},
		{"192.0.2.1", "pc", "", None, "smtp.helo", "pc", "not a domain"},
		{"192.0.2.1", "", "", None, "smtp.helo", "", "not a domain"},
		{"192.0.2.1", "h.test", "a@[192.0.2.1]", None, "smtp.mailfrom", "a@[192.0.2.1]", "not a domain"},
		{"192.0.2.1", "h.test", "a@b..test", None, "smtp.mailfrom", "a@b..test", "not a domain"},
		// an @ in the local part must not choose the domain that is asked
		{"192.0.2.1", "h.test", `"x@example.test"@soft.test`, SoftFail, "smtp.mailfrom", `"x@example.test"@soft.test`, "matched ~all"},
		{"192.0.2.1", "h.test", `"x@open.test"@example.test`, Pass, "smtp.mailfrom", `"x@open.test"@example.test`, "matched a"},
	} {
		t.Run(c.from+" "+c.helo, func(t *testing.T) {
			z := zone()
			z["thư.test"] = z["xn--th-e0a.test"] // the fake does not convert; the resolver's own test does
			got := Check(t.Context(), z, netip.MustParseAddr(c.ip), c.helo, path(c.from))
			if got.Method != "spf" || got.Status != c.status || got.Property != c.property || got.Value != c.value {
				t.Errorf("got %+v, want %+v", got, c)
			}
			if !strings.Contains(got.Reason, c.reason) {
				t.Errorf("reason %q, want %q in it", got.Reason, c.reason)
			}
		})
	}
}

func TestNoClientAddress(t *testing.T) {
	if got := Check(t.Context(), zone(), netip.Addr{}, "h.test", path("a@example.test")); got.Status != None {
		t.Errorf("%+v", got)
	}
}

// Wherever in the evaluation a lookup does not come to its end, the result is
// temperror and nothing else.
func TestCouldNotLook(t *testing.T) {
	for _, domain := range []string{
		"slow.test", "servfail.test", "slow-a.test", "slow-half.test", "slow-mx.test",
		"slow-host.test", "slow-inc.test", "slow-exists.test", "slow-redirect.test",
	} {
		got := Check(t.Context(), zone(), netip.MustParseAddr("192.0.2.1"), "h.test", path("a@"+domain))
		if got.Status != TempError || !strings.HasPrefix(got.Reason, "lookup of ") {
			t.Errorf("%s: %+v", domain, got)
		}
	}
}

// blunt fails in ways that do not say whether there is a record.
type blunt struct {
	fake.Zone
	err error
}

func (b blunt) LookupTXT(context.Context, string) ([]string, error) { return nil, b.err }

func TestUnclearErrorIsTemporary(t *testing.T) {
	for _, err := range []error{
		context.DeadlineExceeded,
		context.Canceled,
		errors.New("socket: too many open files"),
		&net.DNSError{Err: "cannot unmarshal DNS message"},
		&net.DNSError{Err: "i/o timeout", IsTimeout: true},
		&net.OpError{Op: "dial", Err: errors.New("network is unreachable")},
	} {
		got := Check(t.Context(), blunt{zone(), err}, netip.MustParseAddr("192.0.2.1"), "h.test", path("a@example.test"))
		if got.Status != TempError {
			t.Errorf("%v: %+v", err, got)
		}
	}
}

// waiting answers only when its caller gives up.
type waiting struct{ fake.Zone }

func (waiting) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDeadlineInTheMiddle(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	got := Check(ctx, waiting{zone()}, netip.MustParseAddr("203.0.113.8"), "h.test", path("a@example.test"))
	if got.Status != TempError {
		t.Errorf("%+v", got)
	}
	if got := Check(ctx, zone(), netip.MustParseAddr("192.0.2.1"), "h.test", path("a@example.test")); got.Status != TempError {
		t.Errorf("deadline before the start: %+v", got)
	}
}

func TestMalformed(t *testing.T) {
	for record, want := range map[string]string{
		"v=spf1":                                    "",
		"v=spf1  a  -all  ":                         "",
		"v=spf1 A:Example.Test/24//64 ?MX//128":     "",
		"v=spf1 include:_spf.example.test. ~all":    "",
		"v=spf1 exists:%{ir}.%{v}.%{l1r+-}.x.test":  "",
		"v=spf1 exists:%{d} redirect=%{d2}":         "",
		"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32": "",
		"v=spf1 x=%{c} exp=why.test -all":           "",
		"v=spf1 ptr ptr:example.test":               "",
		"v=spf1 a:example":                          "a:example",
		"v=spf1 a:example.1":                        "a:example.1",
		"v=spf1 a:example.-t":                       "a:example.-t",
		"v=spf1 a/33":                               "a/33",
		"v=spf1 a/024":                              "a/024",
		"v=spf1 a//129":                             "a//129",
		"v=spf1 a//":                                "a//",
		"v=spf1 a:":                                 "a:",
		"v=spf1 ip4:192.0.2.0/":                     "ip4:192.0.2.0/",
		"v=spf1 ip4:2001:db8::":                     "ip4:2001:db8::",
		"v=spf1 ip6:::1%eth0":                       "ip6:::1%eth0",
		"v=spf1 -all;":                              "-all;",
		"v=spf1 --all":                              "--all",
		"v=spf1 -":                                  "-",
		"v=spf1 redirect=a.test redirect=b.test":    "redirect=b.test",
		"v=spf1 -redirect=a.test":                   "-redirect=a.test",
		"v=spf1 exists:%{c}.test.":                  "exists:%{c}.test.",
		"v=spf1 exists:%{l0}.test":                  "exists:%{l0}.test",
		"v=spf1 exists:%x.test":                     "exists:%x.test",
		"v=spf1 a:ex\x00ample.test":                 "a:ex\x00ample.test",
		"v=spf1 a:thư.test":                         "a:thư.test",
		"v=spf1 A:.00\n\n":                          "A:.00\n\n", // the fuzzer's
		"v=spf1 all:x":                              "all:x",
		"v=spf1 include":                            "include",
	} {
		if _, got := parse(record); got != want {
			t.Errorf("parse(%q): %q, want %q", record, got, want)
		}
	}
}

// Whatever a record says, the result is one of RFC 7208's words, and a record that
// breaks the grammar authorises nobody.
func FuzzRecord(f *testing.F) {
	for _, records := range zone() {
		for _, r := range records {
			if isRecord(r.Data) {
				f.Add(r.Data, "a", "example.test")
			}
		}
	}
	f.Add("v=spf1 exists:%{l9r-}.%{h}.%%%_%-.test -all", "a-b@c", "h")
	f.Fuzz(func(t *testing.T, record, local, helo string) {
		z := zone()
		z["fuzz.test"] = []fake.Record{fake.TXT(record)}
		got := Check(t.Context(), z, netip.MustParseAddr("192.0.2.1"), helo, msg.Path{Raw: local + "@fuzz.test", Local: local, Domain: "fuzz.test"})
		switch got.Status {
		case None, Neutral, Pass, Fail, SoftFail, TempError, PermError:
		default:
			t.Fatalf("status %q", got.Status)
		}
		if !isRecord(record) {
			return
		}
		if _, bad := parse(record); bad != "" && got.Status != PermError {
			t.Fatalf("malformed record %q: %+v", record, got)
		}
	})
}

// The HELO identity is checked by itself, whatever the sender is.
func TestCheckHelo(t *testing.T) {
	for _, c := range []struct{ ip, helo, status, value string }{
		{"192.0.2.1", "example.test", Pass, "example.test"},
		{"203.0.113.8", "example.test.", Fail, "example.test"},
		{"192.0.2.1", "slow.test", TempError, "slow.test"},
		{"192.0.2.1", "[192.0.2.1]", None, "[192.0.2.1]"},
	} {
		got := CheckHelo(t.Context(), zone(), netip.MustParseAddr(c.ip), c.helo)
		if got.Status != c.status || got.Property != "smtp.helo" || got.Value != c.value {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// The owner's explanation is a stranger's word: one safe line, cut, in the reason only,
// and trouble in getting it leaves the result as it is.
func TestExplanation(t *testing.T) {
	z := fake.Zone{
		"ok.test":      {fake.TXT("v=spf1 -all exp=why.%{d}")},
		"why.ok.test":  {fake.TXT("%{i} may not send for %{o}, says %{r}")},
		"gone.test":    {fake.TXT("v=spf1 -all exp=nowhere.test")},
		"slow.test":    {fake.TXT("v=spf1 -all exp=x.slow.test")},
		"x.slow.test":  {fake.Timeout("")},
		"long.test":    {fake.TXT("v=spf1 -all exp=x.long.test")},
		"x.long.test":  {fake.TXT(strings.Repeat("a ", 2000))},
		"bad.test":     {fake.TXT("v=spf1 -all exp=x.bad.test")},
		"x.bad.test":   {fake.TXT("bell \a here")},
		"macro.test":   {fake.TXT("v=spf1 -all exp=x.macro.test")},
		"x.macro.test": {fake.TXT("%{x} is no macro")},
		"two.test":     {fake.TXT("v=spf1 -all exp=x.two.test")},
		"x.two.test":   {fake.TXT("one"), fake.TXT("two")},
		"inc.test":     {fake.TXT("v=spf1 include:ok.test -all")},
		"redir.test":   {fake.TXT("v=spf1 redirect=ok.test exp=x.long.test")},
		"local.test":   {fake.TXT("v=spf1 -all exp=x.local.test")},
		"x.local.test": {fake.TXT("%{l} is not welcome")},
	}
	for domain, want := range map[string]string{
		"ok.test":    "matched -all; the domain says: 203.0.113.8 may not send for ok.test, says unknown",
		"gone.test":  "matched -all",
		"slow.test":  "matched -all",
		"bad.test":   "matched -all",
		"macro.test": "matched -all",
		"two.test":   "matched -all",
		"inc.test":   "matched -all", // that of an include is not ours (section 6.2)
		"redir.test": "matched -all; the domain says: 203.0.113.8 may not send for redir.test, says unknown",
	} {
		got := Check(t.Context(), z, netip.MustParseAddr("203.0.113.8"), "h.test", path("a@"+domain))
		if got.Status != Fail || got.Reason != want {
			t.Errorf("%s: %+v, want %s", domain, got, want)
		}
	}
	got := Check(t.Context(), z, netip.MustParseAddr("203.0.113.8"), "h.test", path("a@long.test"))
	if len(got.Reason) > 300 {
		t.Errorf("reason of %d octets", len(got.Reason))
	}
	evil := msg.Path{Raw: `"x\r\n"@local.test`, Local: "x\r\n\x1b[31m", Domain: "local.test"}
	if got := Check(t.Context(), z, netip.MustParseAddr("203.0.113.8"), "h.test", evil); strings.ContainsAny(got.Reason, "\r\n\x1b") {
		t.Errorf("%q", got.Reason)
	}
}

// A name that a record's macros make is never longer than DNS can hold, and expanding
// never panics.
func FuzzMacro(f *testing.F) {
	for _, s := range []string{"%{ir}.%{v}._spf.%{d2}", "%{l1r-}.%{L+}.%%%_%-", "%{p}.%{h}.test", "%{d999999999999999999999}", "%{", "%{d0}"} {
		f.Add(s, "strong-bad", "192.0.2.3", "mail.example.test")
	}
	f.Fuzz(func(t *testing.T, spec, local, ip, helo string) {
		addr, err := netip.ParseAddr(ip)
		if err != nil || !isDomainSpec(spec) {
			return
		}
		e := &evaluation{r: zone(), ip: addr.Unmap().WithZone(""), id: identity{local: local, domain: "example.test", helo: helo}}
		name := e.target(t.Context(), spec, "example.test")
		if len(name) > maxDomain && strings.Contains(name, ".") {
			t.Fatalf("%q makes a name of %d octets", spec, len(name))
		}
	})
}

// counting bounds a check by what it asks.
type counting struct {
	fake.Zone
	n int
}

func (c *counting) LookupTXT(ctx context.Context, n string) ([]string, error) {
	c.n++
	return c.Zone.LookupTXT(ctx, n)
}

func (c *counting) LookupMX(ctx context.Context, n string) ([]*net.MX, error) {
	c.n++
	return c.Zone.LookupMX(ctx, n)
}

func (c *counting) LookupAddr(ctx context.Context, n string) ([]string, error) {
	c.n++
	return c.Zone.LookupAddr(ctx, n)
}

func (c *counting) LookupNetIP(ctx context.Context, family, n string) ([]netip.Addr, error) {
	c.n++
	return c.Zone.LookupNetIP(ctx, family, n)
}

// Whatever a zone holds, a check ends with one of RFC 7208's words after a bounded
// number of lookups: ten terms, each with ten names, one explanation, one PTR set.
func FuzzCheck(f *testing.F) {
	f.Add("a.test TXT \"v=spf1 include:b.test mx ptr exists:%{p}.a.test redirect=a.test\"\nb.test TXT \"v=spf1 a:a.test ?all\"\na.test MX 1 a.test\na.test A 192.0.2.1\n192.0.2.1 PTR a.test", "u@a.test", "a.test", "192.0.2.1")
	f.Add("a.test TXT \"v=spf1 -all exp=b.test\"\nb.test TXT \"%{c} %{t} %{l}\"", "u@a.test", "b.test", "2001:db8::1")
	f.Add("a.test TXT \"v=spf1 mx/8//8 -all\"\na.test FAIL timeout MX", "@a.test", "a.test", "::ffff:192.0.2.1")
	f.Fuzz(func(t *testing.T, text, from, helo, ip string) {
		z, err := fake.ParseZone(text)
		addr, perr := netip.ParseAddr(ip)
		if err != nil || perr != nil {
			return
		}
		r := &counting{Zone: z}
		got := Check(t.Context(), r, addr, helo, path(from))
		switch got.Status {
		case None, Neutral, Pass, Fail, SoftFail, TempError, PermError:
		default:
			t.Fatalf("status %q", got.Status)
		}
		if most := 2 + maxTerms*(1+maxNames) + 1 + maxNames; r.n > most {
			t.Fatalf("%d lookups, at most %d", r.n, most)
		}
	})
}
