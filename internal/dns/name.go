package dns

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	mdns "github.com/miekg/dns"
	"golang.org/x/net/idna"
)

// maxName is more octets than any name within the 255 of RFC 1035 section 2.3.4
// takes in UTF-8. Conversion costs more than proportionally, so it is checked first.
const maxName = 1024

// canonical turns a name as found in mail into the form that is asked and
// compared: absolute, lower-case, A-labels (RFC 5890), special octets escaped as
// the wire library prints them. ok is false when no such name can exist.
func canonical(name string) (string, bool) {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > maxName || strings.ContainsRune(name, '\\') || !utf8.ValidString(name) {
		return "", false // a backslash would be read as an escape: a dot inside a label
	}
	if !ascii(name) {
		a, err := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false)).ToASCII(name)
		if err != nil {
			return "", false
		}
		name = a
	}
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return "", false
		}
	}
	var wire [256]byte
	if _, err := mdns.PackDomainName(name+".", wire[:], 0, nil, false); err != nil {
		return "", false
	}
	printed, _, err := mdns.UnpackDomainName(wire[:], 0)
	if err != nil {
		return "", false
	}
	return mdns.CanonicalName(printed), true
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// reverse returns the name under in-addr.arpa or ip6.arpa (RFC 1035 section
// 3.5, RFC 3596 section 2.5) of an address in its usual notation.
func reverse(addr string) (string, bool) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return "", false
	}
	name, err := mdns.ReverseAddr(ip.Unmap().WithZone("").String())
	return name, err == nil
}

// unescape undoes the presentation form of a character string (\" \\ \DDD) in
// which the wire library hands out TXT data.
func unescape(s string) string {
	if !strings.ContainsRune(s, '\\') {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case i+3 < len(s) && digits(s[i+1:i+4]):
			b.WriteByte((s[i+1]-'0')*100 + (s[i+2]-'0')*10 + s[i+3] - '0')
			i += 3
		default:
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
