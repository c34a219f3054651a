package spf

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The grammar of RFC 7208 sections 7.1 and 12, as far as it is regular.
const (
	expand   = `%(?:\{[slodiphvSLODIPHV](?:0*[1-9][0-9]*)?[rR]?[-.+,/_=]*\}|[%_-])`
	anyMacro = `%(?:\{[slodiphcrtvSLODIPHCRTV](?:0*[1-9][0-9]*)?[rR]?[-.+,/_=]*\}|[%_-])`
	literal  = `[\x21-\x24\x26-\x7e]`
	toplabel = `(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])`
)

var (
	domainSpec = regexp.MustCompile(`^(?:` + expand + `|` + literal + `)*(?:\.` + toplabel + `\.?|` + expand + `)$`)
	modifier   = regexp.MustCompile(`^([A-Za-z][-A-Za-z0-9_.]*)=((?:` + anyMacro + `|` + literal + `)*)$`)
	dualCIDR   = regexp.MustCompile(`(?s)^(.*?)(?:/([0-9]+))?(?://([0-9]+))?$`) // matches anything
)

// malformed returns the first term of a record that breaks the grammar, or "".
// The whole record is looked at before any of it is evaluated: an error after
// the term that matches is still a permerror (RFC 7208 section 4.6).
func malformed(record string) string {
	once := make(map[string]bool)
	for _, term := range strings.Split(record, " ")[1:] {
		if term == "" {
			continue
		}
		if m := modifier.FindStringSubmatch(term); m != nil {
			name := strings.ToLower(m[1])
			if name != "redirect" && name != "exp" {
				continue
			}
			if once[name] || !domainSpec.MatchString(m[2]) {
				return term
			}
			once[name] = true
			continue
		}
		if !mechanism(strings.TrimLeft(term[:1], "+-~?") + term[1:]) {
			return term
		}
	}
	return ""
}

// mechanism tells whether a term without its qualifier is a mechanism.
func mechanism(term string) bool {
	name, rest := term, ""
	if i := strings.IndexAny(term, ":/"); i >= 0 {
		name, rest = term[:i], term[i:]
	}
	spec, colon := strings.CutPrefix(rest, ":")
	switch strings.ToLower(name) {
	case "all":
		return rest == ""
	case "include", "exists":
		return colon && domainSpec.MatchString(spec)
	case "ptr":
		return rest == "" || colon && domainSpec.MatchString(spec)
	case "a", "mx":
		m := dualCIDR.FindStringSubmatch(rest)
		domain, given := strings.CutPrefix(m[1], ":")
		return (m[1] == "" || given && domainSpec.MatchString(domain)) && length(m[2], 32) && length(m[3], 128)
	case "ip4":
		return colon && network(spec, netip.Addr.Is4, 32)
	case "ip6":
		return colon && network(spec, netip.Addr.Is6, 128)
	}
	return false
}

// length checks a prefix length: no leading zero, no more than there are bits.
func length(s string, bits int) bool {
	n, err := strconv.Atoi("0" + s)
	return s == "" || s == "0" || err == nil && n <= bits && s[0] != '0'
}

func network(s string, family func(netip.Addr) bool, bits int) bool {
	addr, prefix, slash := strings.Cut(s, "/")
	ip, err := netip.ParseAddr(addr)
	return err == nil && ip.Zone() == "" && family(ip) && length(prefix, bits) && slash == (prefix != "")
}

// isRecord tells an SPF record from other text (RFC 7208 section 4.5).
func isRecord(txt string) bool {
	const version = "v=spf1"
	return len(txt) >= len(version) && strings.EqualFold(txt[:len(version)], version) &&
		(len(txt) == len(version) || txt[len(version)] == ' ')
}
