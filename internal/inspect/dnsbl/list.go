package dnsbl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// list is a List made ready.
type list struct {
	zone, kind, symbol string
	results            []result
}

// result is what an answer is worth.
type result struct {
	prefix  netip.Prefix
	bit     byte // of the last octet; 0: the prefix counts
	percent int
}

func newList(l List) (list, error) {
	symbols := map[string]string{"ip": IP, "domain": Domain, "url": URL, "address": Address, "welcome": Welcome}
	out := list{zone: strings.Trim(strings.ToLower(l.Zone), "."), kind: l.Kind, symbol: symbols[l.Kind]}
	if out.symbol == "" || out.zone == "" {
		return out, fmt.Errorf("dnsbl: list %q of kind %q: no such kind", l.Zone, l.Kind)
	}
	for text, percent := range l.Results {
		r, err := parseResult(text)
		if err != nil {
			return out, fmt.Errorf("dnsbl: list %q: %w", l.Zone, err)
		}
		r.percent = percent
		out.results = append(out.results, r)
	}
	return out, nil
}

// parseResult reads "127.0.0.2", "127.0.0.0/29" or "&8".
func parseResult(text string) (result, error) {
	if bit, ok := strings.CutPrefix(text, "&"); ok {
		n, err := strconv.ParseUint(bit, 10, 8)
		if err != nil || n == 0 {
			return result{}, fmt.Errorf("%q is no bit of an octet", text)
		}
		return result{bit: byte(n)}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Is4() {
		return result{prefix: netip.PrefixFrom(a, 32)}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return result{}, fmt.Errorf("%q is no answer of a list", text)
	}
	return result{prefix: p.Masked()}, nil
}

var (
	loopback = netip.MustParsePrefix("127.0.0.0/8")
	refusals = netip.MustParsePrefix("127.255.255.0/24")
)

// worth returns what the answers come to: the gravest counts. refused is an answer that
// says "you may not ask" (127.255.255.x), or one that no list gives: outside 127/8 a
// domain that expired points to whoever bought it, and 127.0.0.1 is never a listing (RFC
// 5782 section 5).
func (l *list) worth(answers []netip.Addr) (percent int, said netip.Addr, refused bool) {
	for _, a := range answers {
		a = a.Unmap()
		if !a.Is4() || !loopback.Contains(a) || refusals.Contains(a) || a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
			return 0, a, true
		}
		if p := l.percent(a); p > percent {
			percent, said = p, a
		}
	}
	return percent, said, false
}

func (l *list) percent(a netip.Addr) (most int) {
	if len(l.results) == 0 {
		return 100
	}
	last := a.As4()[3]
	for _, r := range l.results {
		if r.bit != 0 && last&r.bit != 0 || r.bit == 0 && r.prefix.Contains(a) {
			most = max(most, r.percent)
		}
	}
	return min(most, 100)
}
