package fake_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"congthu/internal/dns"
	"congthu/internal/dns/fake"
)

func zone() fake.Zone {
	return fake.Zone{
		"example.test":        {fake.TXT("v=spf1 mx -all"), fake.TXT(""), fake.MX(20, "mx2.example.test"), fake.MX(10, "mx1.example.test")},
		"mx1.example.test":    {fake.A("192.0.2.25"), fake.AAAA("2001:db8::25"), fake.A("192.0.2.26")},
		"mx2.example.test":    {fake.A("192.0.2.27")},
		"six.example.test":    {fake.AAAA("2001:db8::6")},
		"a.b.example.test":    {fake.A("192.0.2.1")}, // makes b.example.test exist without records
		"www.example.test":    {fake.CNAME("MX1.example.test.")},
		"far.example.test":    {fake.CNAME("www.example.test")},
		"dangling.test":       {fake.CNAME("nowhere.test")},
		"loop.test":           {fake.CNAME("pool.test")},
		"pool.test":           {fake.CNAME("loop.test")},
		"odd.test":            {fake.TXT(`quote " back \ semi ; tiếng Việt` + "\x01\xff")},
		"long.test":           {fake.TXT(strings.Repeat("0123456789", 400))},
		"many.test":           many(300),
		"192.0.2.25":          {fake.PTR("mx1.example.test"), fake.PTR("other.test")},
		"2001:db8::25":        {fake.PTR("mx1.example.test")},
		"*.wild.test":         {fake.TXT("wild")},
		"null.test":           {fake.MX(0, ".")},
		"broken.test":         {fake.ServFail(""), fake.TXT("unseen")},
		"refused.test":        {fake.Refused("")},
		"slow.test":           {fake.Timeout("")},
		"half.test":           {fake.A("192.0.2.9"), fake.ServFail("AAAA")},
		"txtless.test":        {fake.A("192.0.2.9"), fake.ServFail("txt")},
		"_dmarc.example.test": {fake.TXT("v=DMARC1; p=reject")},
	}
}

func many(n int) []fake.Record {
	var out []fake.Record
	for i := range n {
		out = append(out, fake.A(fmt.Sprintf("198.51.%d.%d", 100+i/250, i%250)))
	}
	return out
}

// serve starts the zone on the loopback and returns a resolver that asks it.
func serve(t *testing.T, z fake.Zone) *dns.Resolver {
	t.Helper()
	var udp net.PacketConn
	var tcp net.Listener
	for range 20 {
		var err error
		if tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err == nil {
			break
		}
		_ = tcp.Close()
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fake.Serve(ctx, udp, tcp, z) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	r, err := dns.New(dns.Options{Servers: []string{udp.LocalAddr().String()}, Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcome renders what a lookup came to, so that two can be compared.
func outcome(data any, err error) string {
	var de *net.DNSError
	var nx interface{ NXDomain() bool }
	switch {
	case err == nil:
		return render(data)
	case !errors.As(err, &de):
		return "not a DNSError: " + err.Error()
	}
	return fmt.Sprintf("notfound=%v nxdomain=%v temporary=%v timeout=%v",
		de.IsNotFound, errors.As(err, &nx) && nx.NXDomain(), de.IsTemporary, de.IsTimeout)
}

func render(data any) string {
	v := reflect.ValueOf(data)
	var parts []string
	for i := range v.Len() {
		switch e := v.Index(i).Interface().(type) {
		case *net.MX:
			parts = append(parts, fmt.Sprintf("%d %s", e.Pref, e.Host))
		case net.IPAddr:
			parts = append(parts, e.String())
		default:
			parts = append(parts, fmt.Sprintf("%q", e))
		}
	}
	return strings.Join(parts, ", ")
}

// The zone in-process and the real resolver asking it over UDP and TCP must not
// be told apart, failures included: whoever tests with one may run on the other.
func TestInProcessIsAsOverTheWire(t *testing.T) {
	z := zone()
	r := serve(t, z)
	const notThere = "notfound=true nxdomain=true temporary=false timeout=false"
	const noRecord = "notfound=true nxdomain=false temporary=false timeout=false"
	const failed = "notfound=false nxdomain=false temporary=true timeout=false"
	const silent = "notfound=false nxdomain=false temporary=true timeout=true"
	for _, c := range []struct{ what, name, want string }{
		{"TXT", "example.test", `"v=spf1 mx -all", ""`},
		{"TXT", "EXAMPLE.test.", `"v=spf1 mx -all", ""`},
		{"MX", "example.test", "10 mx1.example.test., 20 mx2.example.test."},
		{"IP", "mx1.example.test", "192.0.2.25, 192.0.2.26, 2001:db8::25"},
		{"IP", "six.example.test", "2001:db8::6"},
		{"IP", "192.0.2.77", "192.0.2.77"},
		{"IP", "2001:db8::77", "2001:db8::77"},
		{"IP", "www.example.test", "192.0.2.25, 192.0.2.26, 2001:db8::25"},
		{"IP", "far.example.test", "192.0.2.25, 192.0.2.26, 2001:db8::25"},
		{"IP", "b.example.test", noRecord},
		{"IP", "example.test", noRecord},
		{"TXT", "mx1.example.test", noRecord},
		{"TXT", "nowhere.test", notThere},
		{"TXT", "dangling.test", notThere},
		{"TXT", "loop.test", failed},
		{"TXT", "odd.test", fmt.Sprintf("%q", `quote " back \ semi ; tiếng Việt`+"\x01\xff")},
		{"TXT", "long.test", fmt.Sprintf("%q", strings.Repeat("0123456789", 400))},
		{"IP", "many.test", render(ips(300))},
		{"PTR", "192.0.2.25", `"mx1.example.test.", "other.test."`},
		{"PTR", "2001:db8::25", `"mx1.example.test."`},
		{"PTR", "::ffff:192.0.2.25", `"mx1.example.test.", "other.test."`},
		{"PTR", "192.0.2.26", notThere},
		{"PTR", "not an address", notThere},
		{"TXT", "x.wild.test", `"wild"`},
		{"TXT", "x.y.wild.test", `"wild"`},
		{"MX", "x.wild.test", noRecord},
		{"MX", "null.test", "0 ."},
		{"TXT", "broken.test", failed},
		{"MX", "refused.test", failed},
		{"TXT", "slow.test", silent},
		{"IP", "half.test", failed},
		{"ip4", "half.test", `"192.0.2.9"`},
		{"ip6", "half.test", failed},
		{"ip4", "slow.test", silent},
		{"TXT", "half.test", noRecord},
		{"TXT", "txtless.test", failed},
		{"IP", "txtless.test", "192.0.2.9"},
	} {
		t.Run(c.what+" "+c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for who, l := range map[string]dns.Lookups{"in-process": z, "over the wire": r} {
				if got := look(ctx, l, c.what, c.name); got != c.want {
					t.Errorf("%s:\ngot  %s\nwant %s", who, got, c.want)
				}
			}
		})
	}
}

func ips(n int) []net.IPAddr {
	var out []net.IPAddr
	for _, r := range many(n) {
		out = append(out, net.IPAddr{IP: net.ParseIP(r.Data)})
	}
	return out
}

func look(ctx context.Context, l dns.Lookups, what, name string) string {
	switch what {
	case "TXT":
		return outcome(l.LookupTXT(ctx, name))
	case "MX":
		return outcome(l.LookupMX(ctx, name))
	case "IP":
		return outcome(l.LookupIPAddr(ctx, name))
	case "ip4", "ip6":
		return outcome(l.LookupNetIP(ctx, what, name))
	}
	return outcome(l.LookupAddr(ctx, name))
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := outcome(zone().LookupTXT(ctx, "example.test")); !strings.Contains(got, "temporary=true") {
		t.Error(got)
	}
}

func TestServeSaysWhenItCannot(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = udp.Close()
	if err := fake.Serve(t.Context(), udp, nil, zone()); err == nil {
		t.Error("Serve on a closed socket returned nil")
	}
	if err := fake.Serve(t.Context(), nil, nil, zone()); err != nil {
		t.Error(err)
	}
}

const text = `
; the demonstration's domains
example.test   TXT  "v=spf1 mx " "-all" ; joined
example.test   MX   10 MX.example.test.
mx.example.test A   192.0.2.25   # one
mx.example.test aaaa 2001:DB8::25
k._domainkey.example.test TXT "v=DKIM1; p=\"a\\b\" # not a comment"
192.0.2.25     PTR  mx.example.test
2001:0DB8::25  PTR  mx.example.test
www.example.test CNAME example.test
slow.test      FAIL timeout
broken.test    FAIL servfail mx
_25._tcp.mx.example.test TLSA 3 1 1 00FF
_25._tcp.mx.example.test SECURE yes
`

func TestParseZone(t *testing.T) {
	z, err := fake.ParseZone(strings.ReplaceAll(text, "\n", "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := fake.Zone{
		"example.test":              {fake.TXT("v=spf1 mx -all"), fake.MX(10, "MX.example.test.")},
		"mx.example.test":           {fake.A("192.0.2.25"), fake.AAAA("2001:DB8::25")},
		"k._domainkey.example.test": {fake.TXT(`v=DKIM1; p="a\b" # not a comment`)},
		"192.0.2.25":                {fake.PTR("mx.example.test")},
		"2001:db8::25":              {fake.PTR("mx.example.test")},
		"www.example.test":          {fake.CNAME("example.test")},
		"slow.test":                 {fake.Timeout("")},
		"broken.test":               {fake.ServFail("MX")},
		"_25._tcp.mx.example.test":  {fake.TLSA("3 1 1 00FF"), fake.Secure()},
	}
	if !reflect.DeepEqual(z, want) {
		t.Errorf("got  %v\nwant %v", z, want)
	}
}

func TestParseZoneErrors(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"example.test", "want name, type and data"},
		{"example.test A", "want name, type and data"},
		{"example.test A 2001:db8::1", "bad data"},
		{"example.test A 192.0.2.1 192.0.2.2", "bad data"},
		{"example.test AAAA 192.0.2.1", "bad data"},
		{"example.test MX mx.example.test", "bad data"},
		{"example.test MX 70000 mx.example.test", "bad data"},
		{"example.test TXT unquoted", "quotes"},
		{`example.test TXT "open`, "not closed"},
		{"example.test NS ns.example.test", "unknown type"},
		{"example.test FAIL sometimes", "bad data"},
		{"example.test CNAME a b", "bad data"},
		{"example.test TLSA 3 1 1", "bad data"},
		{"example.test TLSA 3 1 1 xyz", "bad data"},
		{"example.test SECURE no", "bad data"},
	} {
		_, err := fake.ParseZone("ok.test A 192.0.2.1\n" + c.line)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: error %v, want line 2 and %q", c.line, err, c.want)
		}
	}
}

// A zone that parses can be asked for each of its names.
func FuzzParseZone(f *testing.F) {
	f.Add(text)
	f.Add(`a TXT "\`)
	f.Add("a CNAME a\n* FAIL nxdomain\n.in-addr.arpa PTR x\n:: PTR y")
	f.Fuzz(func(t *testing.T, s string) {
		z, err := fake.ParseZone(s)
		if err != nil {
			return
		}
		for name := range z {
			_, _ = z.LookupTXT(t.Context(), name)
			_, _ = z.LookupMX(t.Context(), name)
			_, _ = z.LookupIPAddr(t.Context(), name)
			_, _ = z.LookupAddr(t.Context(), name)
		}
	})
}
