package spf

import (
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDomain is the longest name that is looked up (RFC 7208 section 7.3).
const maxDomain = 253

// The macro letters that may stand in a name and in the text of an explanation
// (RFC 7208 section 7.2).
const (
	inName = "slodiphv"
	inText = "slodiphvcrt"
)

// macro is one %{…}, %%, %_ or %-.
type macro struct {
	letter     byte // lower case; '%', '_' and '-' for the short ones
	escape     bool // written in upper case: the value is URL-escaped
	keep       int  // labels to keep from the right; 0 means all
	reverse    bool
	delimiters string
}

// readMacro reads the macro that s, which begins with %, begins with. size is 0 when
// it is none.
func readMacro(s, letters string) (m macro, size int) {
	if len(s) < 2 {
		return m, 0
	}
	if strings.IndexByte("%_-", s[1]) >= 0 {
		return macro{letter: s[1]}, 2
	}
	inner, _, closed := strings.Cut(s[1:], "}")
	if !closed || len(inner) < 2 || inner[0] != '{' || !isAlpha(inner[1]) {
		return m, 0
	}
	m.letter, m.escape = inner[1]|0x20, inner[1] < 'a'
	if strings.IndexByte(letters, m.letter) < 0 || !m.transform(inner[2:]) {
		return m, 0
	}
	return m, len(inner) + 2
}

// transform reads what follows the letter: digits, r, delimiters.
func (m *macro) transform(s string) bool {
	rest := strings.TrimLeft(s, "0123456789")
	if digits := s[:len(s)-len(rest)]; digits != "" {
		n, err := strconv.Atoi(digits)
		if err != nil { // more labels than there are numbers: all of them
			n = maxDomain
		}
		if m.keep = n; n == 0 {
			return false
		}
	}
	if rest != "" && rest[0]|0x20 == 'r' {
		m.reverse, rest = true, rest[1:]
	}
	m.delimiters = rest
	return strings.Trim(rest, ".-+,/_=") == ""
}

// scanMacros checks a macro-string: macros and visible octets. tail is where what
// follows the last macro begins.
func scanMacros(s, letters string) (tail int, ok bool) {
	for i := 0; i < len(s); {
		switch {
		case s[i] == '%':
			_, size := readMacro(s[i:], letters)
			if size == 0 {
				return 0, false
			}
			i += size
			tail = i
		case s[i] <= ' ' || s[i] >= 0x7f:
			return 0, false
		default:
			i++
		}
	}
	return tail, true
}

// expand replaces the macros of a string that has been checked.
func (e *evaluation) expand(ctx context.Context, s, domain, letters string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		m, size := readMacro(s[i:], letters)
		if size == 0 {
			return b.String() // not reached: the string was checked
		}
		b.WriteString(s[:i])
		b.WriteString(m.apply(e.value(ctx, m.letter, domain)))
		s = s[i+size:]
	}
}

// target is the name that a domain-spec stands for, shortened from the left to what
// DNS can hold (RFC 7208 section 7.3).
func (e *evaluation) target(ctx context.Context, spec, domain string) string {
	if spec == "" {
		return domain
	}
	name := trimDot(e.expand(ctx, spec, domain, inName))
	for len(name) > maxDomain {
		_, rest, more := strings.Cut(name, ".")
		if !more {
			break
		}
		name = rest
	}
	return name
}

func (e *evaluation) value(ctx context.Context, letter byte, domain string) string {
	switch letter {
	case 's':
		return e.id.local + "@" + e.id.domain
	case 'l':
		return e.id.local
	case 'o':
		return e.id.domain
	case 'd':
		return domain
	case 'i':
		return dotted(e.ip)
	case 'p':
		return e.clientName(ctx, domain)
	case 'h':
		return e.id.helo
	case 'v':
		if e.ip.Is4() {
			return "in-addr"
		}
		return "ip6"
	case 'c':
		return e.ip.String()
	case 'r':
		return "unknown" // RFC 7208 section 7.3 allows it; our name is nobody's business
	case 't':
		return strconv.FormatInt(time.Now().Unix(), 10)
	case '_':
		return " "
	case '-':
		return "%20"
	}
	return "%"
}

// dotted is the address as the i macro writes it: IPv6 in single nibbles.
func dotted(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	digits := strings.ToUpper(hex.EncodeToString(ip.AsSlice()))
	return strings.Join(strings.Split(digits, ""), ".")
}

// apply transforms the value of a macro.
func (m macro) apply(value string) string {
	if m.keep > 0 || m.reverse || m.delimiters != "" {
		value = m.labels(value)
	}
	if m.escape {
		return escape(value)
	}
	return value
}

func (m macro) labels(value string) string {
	by := m.delimiters
	if by == "" {
		by = "."
	}
	parts := splitAny(value, by)
	if m.reverse {
		slices.Reverse(parts)
	}
	if m.keep > 0 && m.keep < len(parts) {
		parts = parts[len(parts)-m.keep:]
	}
	return strings.Join(parts, ".")
}

// splitAny splits at every octet of set and keeps empty parts.
func splitAny(s, set string) []string {
	var out []string
	for {
		i := strings.IndexAny(s, set)
		if i < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:i]), s[i+1:]
	}
}

// escape is URL escaping: all but the unreserved octets (RFC 3986 section 2.3).
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; isAlpha(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{s[i]})))
	}
	return b.String()
}
