// Package fake is DNS for tests and for the demonstration: a zone written as a
// map literal or as text, with failures to inject. It answers in-process through
// the Lookup methods, or over real UDP and TCP through Serve.
//
//	zone := fake.Zone{
//		"example.test":        {fake.TXT("v=spf1 mx -all"), fake.MX(10, "mx.example.test")},
//		"mx.example.test":     {fake.A("192.0.2.25")},
//		"_dmarc.example.test": {fake.TXT("v=DMARC1; p=reject")},
//		"192.0.2.25":          {fake.PTR("mx.example.test")},
//		"slow.test":           {fake.Timeout("")},
//		"broken.test":         {fake.ServFail("MX")}, // only for that type
//	}
package fake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/dane"

	mdns "github.com/miekg/dns"
)

// Zone is everything there is to know. Keys are names in lower case without the
// final dot; "*.name" answers for whatever below name is not there; the key of PTR
// records may be the IP address.
type Zone map[string][]Record

// Record is one record, or a failure to inject when Type is FAIL.
type Record struct {
	Type string // A AAAA MX TXT PTR CNAME TLSA SECURE FAIL
	Data string // as in a zone file, TXT without quotes; FAIL: "servfail|timeout|refused [type]"
}

// A is an IPv4 address record.
func A(ip string) Record { return Record{"A", ip} }

// AAAA is an IPv6 address record.
func AAAA(ip string) Record { return Record{"AAAA", ip} }

// TXT is a text record of any length.
func TXT(text string) Record { return Record{"TXT", text} }

// MX is a mail exchanger.
func MX(pref int, host string) Record { return Record{"MX", fmt.Sprintf("%d %s", pref, host)} }

// PTR is the name of an address.
func PTR(name string) Record { return Record{"PTR", name} }

// CNAME is an alias.
func CNAME(target string) Record { return Record{"CNAME", target} }

// TLSA is a TLSA record in its presentation form, such as "3 1 1 0123…".
func TLSA(text string) Record { return Record{"TLSA", text} }

// Secure makes answers about the name validated ones (the AD bit).
func Secure() Record { return Record{"SECURE", "yes"} }

// ServFail makes lookups of the name fail; qtype "" means of any type.
func ServFail(qtype string) Record { return failure("servfail", qtype) }

// Timeout makes lookups of the name go unanswered; qtype "" means of any type.
func Timeout(qtype string) Record { return failure("timeout", qtype) }

// Refused makes the server refuse the name; qtype "" means for any type.
func Refused(qtype string) Record { return failure("refused", qtype) }

func failure(kind, qtype string) Record {
	return Record{"FAIL", strings.TrimSpace(kind + " " + strings.ToUpper(qtype))}
}

// outcome is what the zone says about a question.
type outcome uint8

const (
	found    outcome = iota
	noRecord         // the name is there, the type is not
	noName
	servfail
	refused
	timeout
)

const maxChain = 8

// secure tells whether all of these names are marked so.
func (z Zone) secure(names []string) bool {
	for _, n := range names {
		records, _ := z.at(n)
		if len(ofType(records, "SECURE")) == 0 {
			return false
		}
	}
	return true
}

// find answers a question: the CNAME chain from name, then the records.
func (z Zone) find(name, qtype string) (chain []string, data []string, o outcome) {
	name = key(name)
	for len(chain) < maxChain {
		records, there := z.at(name)
		if !there {
			return chain, nil, noName
		}
		if o := failing(records, qtype); o != found {
			return chain, nil, o
		}
		if data = ofType(records, qtype); len(data) > 0 {
			return chain, data, found
		}
		alias := ofType(records, "CNAME")
		if len(alias) == 0 {
			return chain, nil, noRecord
		}
		chain = append(chain, key(alias[0]))
		name = key(alias[0])
	}
	return chain, nil, servfail // a loop
}

// at returns the records of a name; an empty non-terminal is there (RFC 8020).
func (z Zone) at(name string) ([]Record, bool) {
	if r, ok := z[name]; ok {
		return r, true
	}
	if ip, ok := address(name); ok {
		if r, ok := z[ip]; ok {
			return r, true
		}
	}
	for n := range z {
		if strings.HasSuffix(n, "."+name) {
			return nil, true
		}
	}
	for rest := name; ; {
		_, parent, more := strings.Cut(rest, ".")
		if !more {
			return nil, false
		}
		if r, ok := z["*."+parent]; ok {
			return r, true
		}
		rest = parent
	}
}

func failing(records []Record, qtype string) outcome {
	for _, r := range records {
		kind, only, limited := strings.Cut(r.Data, " ")
		if r.Type != "FAIL" || limited && only != qtype {
			continue
		}
		switch kind {
		case "timeout":
			return timeout
		case "refused":
			return refused
		case "nxdomain":
			return noName
		}
		return servfail
	}
	return found
}

func ofType(records []Record, qtype string) []string {
	var out []string
	for _, r := range records {
		if r.Type == qtype {
			out = append(out, r.Data)
		}
	}
	return out
}

func key(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// address returns the IP address that a name under in-addr.arpa or ip6.arpa
// stands for.
func address(name string) (string, bool) {
	if labels, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		parts := strings.Split(labels, ".")
		slices.Reverse(parts)
		ip, err := netip.ParseAddr(strings.Join(parts, "."))
		return ip.String(), err == nil && ip.Is4()
	}
	labels, ok := strings.CutSuffix(name, ".ip6.arpa")
	if !ok || len(labels) != 63 {
		return "", false
	}
	var b strings.Builder
	for i := 62; i >= 0; i -= 2 {
		b.WriteByte(labels[i])
		if i%8 == 0 && i > 0 {
			b.WriteByte(':')
		}
	}
	ip, err := netip.ParseAddr(b.String())
	return ip.String(), err == nil
}

// NXDomain is wrapped by the error for a name that is not there at all.
type NXDomain struct{}

func (NXDomain) Error() string { return "name does not exist" }

// NXDomain tells that the name does not exist, rather than only the type asked.
func (NXDomain) NXDomain() bool { return true }

func dnsError(name string, o outcome) error {
	switch o {
	case noName:
		return &net.DNSError{UnwrapErr: NXDomain{}, Err: "name does not exist", Name: name, IsNotFound: true}
	case noRecord:
		return &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
	case timeout:
		return &net.DNSError{Err: "time-out", Name: name, IsTimeout: true, IsTemporary: true}
	case found:
		return nil
	}
	return &net.DNSError{Err: "server failed or refused", Name: name, IsTemporary: true}
}

func (z Zone) lookup(ctx context.Context, name, qtype string) ([]string, error) {
	if ctx.Err() != nil {
		return nil, dnsError(name, timeout)
	}
	_, data, o := z.find(name, qtype)
	return data, dnsError(name, o)
}

// LookupTXT answers as the real resolver does.
func (z Zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return z.lookup(ctx, name, "TXT")
}

// LookupMX answers as the real resolver does: sorted, hosts with a final dot.
func (z Zone) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	data, err := z.lookup(ctx, name, "MX")
	var out []*net.MX
	for _, d := range data {
		pref, host, _ := strings.Cut(d, " ")
		n, perr := strconv.ParseUint(pref, 10, 16)
		if perr != nil {
			return nil, &net.DNSError{Err: "bad MX in zone", Name: name, IsTemporary: true}
		}
		out = append(out, &net.MX{Host: mdns.Fqdn(host), Pref: uint16(n)})
	}
	slices.SortStableFunc(out, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	return out, err
}

// LookupIPAddr answers as the real resolver does: IPv4 first, and an error when
// either family could not be looked up.
func (z Zone) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []net.IPAddr{{IP: ip.AsSlice()}}, nil
	}
	four, err4 := z.lookup(ctx, host, "A")
	six, err6 := z.lookup(ctx, host, "AAAA")
	for _, err := range []error{err4, err6} {
		var de *net.DNSError
		if errors.As(err, &de) && !de.IsNotFound {
			return nil, err
		}
	}
	var out []net.IPAddr
	for _, d := range append(four, six...) {
		if ip := net.ParseIP(d); ip != nil {
			out = append(out, net.IPAddr{IP: ip})
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if err4 == nil {
		err4 = dnsError(host, noRecord)
	}
	return nil, err4
}

// LookupNetIP answers as the real resolver does: one family, "ip4" or "ip6".
func (z Zone) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	qtype := "A"
	if network == "ip6" {
		qtype = "AAAA"
	}
	data, err := z.lookup(ctx, host, qtype)
	var out []netip.Addr
	for _, d := range data {
		if ip, perr := netip.ParseAddr(d); perr == nil {
			out = append(out, ip)
		}
	}
	return out, err
}

// LookupAddr answers as the real resolver does: names with a final dot.
func (z Zone) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, dnsError(addr, noName)
	}
	name, err := mdns.ReverseAddr(ip.Unmap().String())
	if err != nil {
		return nil, dnsError(addr, noName)
	}
	data, err := z.lookup(ctx, name, "PTR")
	for i := range data {
		data[i] = mdns.Fqdn(data[i])
	}
	return data, err
}

// SecureMX answers as the real resolver does when it believes its server.
func (z Zone) SecureMX(ctx context.Context, name string) ([]*net.MX, bool, error) {
	mxs, err := z.LookupMX(ctx, name)
	return mxs, z.signed(name), err
}

// SecureIPAddr answers as the real resolver does when it believes its server.
func (z Zone) SecureIPAddr(ctx context.Context, host string) ([]net.IPAddr, bool, error) {
	ips, err := z.LookupIPAddr(ctx, host)
	return ips, z.signed(host), err
}

// LookupTLSA answers as the real resolver does when it believes its server.
func (z Zone) LookupTLSA(ctx context.Context, port int, host string) ([]dane.Record, bool, error) {
	name := fmt.Sprintf("_%d._tcp.%s", port, host)
	data, err := z.lookup(ctx, name, "TLSA")
	var out []dane.Record
	for _, d := range data {
		if r, perr := dane.Parse(d); perr == nil {
			out = append(out, r)
		}
	}
	return out, z.signed(name), err
}

func (z Zone) signed(name string) bool {
	chain, _, _ := z.find(name, "")
	return z.secure(append([]string{key(name)}, chain...))
}
