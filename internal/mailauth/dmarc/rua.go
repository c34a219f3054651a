package dmarc

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// maxDestinations bounds how many addresses of one record are reported to: the
// owner names them, so without a bound one record makes us write to many.
const maxDestinations = 5

// Destination is one address that aggregate reports go to.
type Destination struct {
	Address string // local@domain, the domain in lower-case A-labels
	Domain  string
	Max     int64 // octets; no limit: math.MaxInt64
}

// Destinations reads rua=. Only mailto is understood. RFC 9989 has no size limits
// any more; a "!10m" of the older text (RFC 7489 section 6.2) is still obeyed, since
// whoever writes it means it.
func Destinations(rua string) []Destination {
	var out []Destination
	for item := range strings.SplitSeq(rua, ",") {
		d, ok := destination(strings.TrimSpace(item))
		if ok && len(out) < maxDestinations && !known(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// String writes the destination as rua= does.
func (d Destination) String() string {
	address := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(d.Address, "%", "%25"), "?", "%3F"), "!", "%21")
	if d.Max == math.MaxInt64 {
		return "mailto:" + address
	}
	return "mailto:" + address + "!" + strconv.FormatInt(d.Max, 10)
}

// Reportable returns where reports on a result go, written as rua= is, or "" when there
// is nothing to report or nobody to report it to. Of a stranger's record it keeps only
// plain addresses, so it may be stored and compared; a policy domain that is more than a
// name (the DNS allows any octet) is not reported on.
func (r Result) Reportable() string {
	if r.Record == nil || !plainDomain(r.PolicyAt) || r.Status != Pass && r.Status != Fail {
		return ""
	}
	var out []string
	for _, d := range Destinations(r.Record.RUA) {
		out = append(out, d.String())
	}
	return strings.Join(out, ",")
}

func known(list []Destination, d Destination) bool {
	for _, x := range list {
		if x.Address == d.Address {
			return true
		}
	}
	return false
}

func destination(item string) (Destination, bool) {
	uri, limit, limited := strings.Cut(item, "!")
	d := Destination{Max: math.MaxInt64}
	if limited {
		n, ok := size(limit)
		if !ok {
			return d, false // a limit that is not understood cannot be kept
		}
		d.Max = n
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || !strings.EqualFold(scheme, "mailto") {
		return d, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	address, err := url.PathUnescape(rest)
	at := strings.LastIndexByte(address, '@')
	if err != nil || at < 1 || at > 64 || !plainLocal(address[:at]) {
		return d, false
	}
	if d.Domain, ok = normal(address[at+1:]); !ok || !plainDomain(d.Domain) {
		return d, false
	}
	d.Address = address[:at] + "@" + d.Domain
	return d, true
}

// plainLocal takes local parts that need no quoting (RFC 5321, Dot-string): a report
// address that does is more likely an attack on our envelope than a mailbox.
func plainLocal(s string) bool {
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, c := range []byte(s) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

// plainDomain takes names of letters, digits, hyphens and underscores: what goes into an
// envelope must not be more than a name.
func plainDomain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}) < 0
}

// size reads the number and unit after "!".
func size(s string) (int64, bool) {
	unit := int64(1)
	if n := len(s); n > 0 {
		if i := strings.IndexByte("kmgt", s[n-1]|0x20); i >= 0 {
			s, unit = s[:n-1], int64(1)<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// Organisation returns the organisational domain of a domain (RFC 9989 section
// 4.10.2). The error is that of a lookup that failed.
func Organisation(ctx context.Context, r Resolver, domain string) (string, error) {
	rs := records{ctx: ctx, r: r, seen: make(map[string]found)}
	met, err := rs.walk(domain)
	if err != nil {
		return "", err
	}
	return organisation(domain, met), nil
}

// MayReport tells whether the reports of a policy domain may go to a destination
// (RFC 9990 section 4): freely within its own organisation; elsewhere only where the
// other side has said so in the DNS, or anybody could have a stranger flooded.
func MayReport(ctx context.Context, r Resolver, policyDomain string, d Destination) (bool, error) {
	ours, err := Organisation(ctx, r, policyDomain)
	if err != nil {
		return false, err
	}
	theirs, err := Organisation(ctx, r, d.Domain)
	if err != nil {
		return false, err
	}
	if ours == theirs {
		return true, nil
	}
	txts, err := r.LookupTXT(ctx, policyDomain+"._report._dmarc."+d.Domain)
	if err != nil && !notFound(err) {
		return false, err
	}
	for _, txt := range txts {
		if versioned(txt) {
			return true, nil
		}
	}
	return false, nil
}
