package spf

import (
	"net/netip"
	"strconv"
	"strings"
)

// record is an SPF record (RFC 7208 section 4.6.1).
type record struct {
	mechanisms    []mechanism
	redirect, exp string // domain-specs; "" when absent
}

// mechanism is one directive of a record.
type mechanism struct {
	text   string // as written
	kind   string // all, include, a, mx, ptr, ip4, ip6, exists
	result string // what a match means, by the qualifier
	spec   string // domain-spec; "" stands for the domain at hand
	net    netip.Prefix
	bits4  int // prefix lengths of a and mx
	bits6  int
}

// isRecord tells an SPF record from other text (RFC 7208 section 4.5).
func isRecord(txt string) bool {
	const version = "v=spf1"
	return len(txt) >= len(version) && strings.EqualFold(txt[:len(version)], version) &&
		(len(txt) == len(version) || txt[len(version)] == ' ')
}

// parse reads a record. When it breaks the grammar, bad is the first term that does.
func parse(txt string) (r record, bad string) {
	first := true
	for term := range strings.SplitSeq(txt, " ") {
		if first || term == "" { // the version, spaces
			first = false
			continue
		}
		if !r.add(term) {
			return r, term
		}
	}
	return r, ""
}

// add reads one term: a modifier is a name and "=", anything else is a mechanism.
func (r *record) add(term string) bool {
	end := strings.IndexAny(term, ":/=")
	if end < 0 || term[end] != '=' {
		m, ok := parseMechanism(term)
		r.mechanisms = append(r.mechanisms, m)
		return ok
	}
	name, value := term[:end], term[end+1:]
	switch {
	case !isName(name):
		return false
	case strings.EqualFold(name, "redirect"):
		return once(&r.redirect, value)
	case strings.EqualFold(name, "exp"):
		return once(&r.exp, value)
	}
	_, ok := scanMacros(value, inText) // an unknown modifier is ignored, its syntax is not
	return ok
}

func once(to *string, spec string) bool {
	if *to != "" || !isDomainSpec(spec) {
		return false
	}
	*to = spec
	return true
}

// isName follows the ABNF rule "name" of RFC 7208 section 12.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isAlpha(s[i]) && (i == 0 || !isDigit(s[i]) && !strings.Contains("-_.", s[i:i+1])) {
			return false
		}
	}
	return s != ""
}

func parseMechanism(term string) (mechanism, bool) {
	m := mechanism{text: term, result: Pass, bits4: 32, bits6: 128}
	switch term[0] {
	case '-':
		m.result = Fail
	case '~':
		m.result = SoftFail
	case '?':
		m.result = Neutral
	}
	if strings.IndexByte("+-~?", term[0]) >= 0 {
		term = term[1:]
	}
	name, rest := term, ""
	if i := strings.IndexAny(term, ":/"); i >= 0 {
		name, rest = term[:i], term[i:]
	}
	m.kind = strings.ToLower(name)
	return m, m.argument(rest)
}

// argument reads what follows the name of a mechanism (RFC 7208 section 5).
func (m *mechanism) argument(rest string) bool {
	spec, colon := strings.CutPrefix(rest, ":")
	switch m.kind {
	case "all":
		return rest == ""
	case "include", "exists":
		m.spec = spec
		return colon && isDomainSpec(spec)
	case "ptr":
		m.spec = spec
		return rest == "" || colon && isDomainSpec(spec)
	case "a", "mx":
		return m.hosts(rest)
	case "ip4":
		return colon && m.network(spec, netip.Addr.Is4)
	case "ip6":
		return colon && m.network(spec, netip.Addr.Is6)
	}
	return false
}

// hosts reads [":" domain-spec] ["/" length] ["//" length]. The lengths are taken
// from the end, because a slash may also stand in the domain-spec.
func (m *mechanism) hosts(rest string) bool {
	ok := true
	if head, n, there := cutLength(rest, "//"); there {
		rest = head
		m.bits6, ok = length(n, 128)
	}
	if head, n, there := cutLength(rest, "/"); there && ok {
		rest = head
		m.bits4, ok = length(n, 32)
	}
	spec, colon := strings.CutPrefix(rest, ":")
	m.spec = spec
	return ok && (rest == "" || colon && isDomainSpec(spec))
}

// cutLength takes digits and the slashes before them off the end.
func cutLength(s, slashes string) (head, digits string, ok bool) {
	head = strings.TrimRight(s, "0123456789")
	digits = s[len(head):]
	if digits == "" || !strings.HasSuffix(head, slashes) || slashes == "/" && strings.HasSuffix(head, "//") {
		return s, "", false
	}
	return head[:len(head)-len(slashes)], digits, true
}

func (m *mechanism) network(s string, family func(netip.Addr) bool) bool {
	addr, bits, slash := strings.Cut(s, "/")
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Zone() != "" || !family(ip) {
		return false
	}
	n := ip.BitLen()
	if slash {
		var ok bool
		if n, ok = length(bits, n); !ok {
			return false
		}
	}
	m.net = netip.PrefixFrom(ip, n)
	return true
}

// length reads a prefix length: no leading zero, no more than there are bits.
func length(s string, most int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= most && isDigit(s[0]) && (s[0] != '0' || s == "0")
}

// isDomainSpec follows the rule of that name (RFC 7208 section 7.1): macros and
// visible octets, at the end a macro or a top label.
func isDomainSpec(s string) bool {
	tail, ok := scanMacros(s, inName)
	if !ok || s == "" {
		return false
	}
	if tail == len(s) {
		return true
	}
	end := trimDot(s[tail:])
	dot := strings.LastIndexByte(end, '.')
	return dot >= 0 && isTopLabel(end[dot+1:])
}

// isTopLabel wants letters, digits and inner hyphens, and not only digits.
func isTopLabel(s string) bool {
	alone := true // nothing but digits so far
	for i := 0; i < len(s); i++ {
		switch {
		case isDigit(s[i]):
		case isAlpha(s[i]), s[i] == '-' && i > 0 && i < len(s)-1:
			alone = false
		default:
			return false
		}
	}
	return !alone
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
