package smtpd

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"congthu/internal/msg"
)

// Sizes of RFC 5321 section 4.5.3.1.
const (
	maxLocal  = 64
	maxDomain = 255
	maxLabel  = 63
)

// pathError is why a path is no path, as the reply to say so. The detail is that
// of a recipient; MAIL turns 1.3 into 1.7.
type pathError struct{ reply msg.Reply }

func (e *pathError) Error() string { return "smtpd: bad address: " + e.reply.Text }

func badPath(why string) error {
	return &pathError{msg.Reply{Code: 501, Detail: "1.3", Text: why}}
}

var (
	errRoute = &pathError{msg.Reply{Code: 550, Detail: "7.1", Text: "Source routes are refused"}}
	errUTF8  = &pathError{msg.Reply{Code: 553, Detail: "6.7", Text: "Non-ASCII address without SMTPUTF8"}}
)

// ParsePath reads what stands between the angle brackets of MAIL or RCPT: "" is
// the null path, "postmaster" alone is itself (RFC 5321 section 4.5.1), anything
// else is local@domain or local@[literal] with nothing left over.
//
// Raw is the argument, octet for octet. Domain is lower-cased, and a domain written
// in U-labels is given in A-labels (RFC 5890), so that one domain has one
// spelling: rules that name it cannot be missed by writing it in the other way.
func ParsePath(raw string, smtputf8 bool) (msg.Path, error) {
	if raw == "" {
		return msg.Path{}, nil
	}
	if err := checkOctets(raw, smtputf8); err != nil {
		return msg.Path{}, err
	}
	if raw[0] == '@' && strings.Contains(raw, ":") {
		return msg.Path{}, errRoute
	}
	if strings.EqualFold(raw, "postmaster") {
		return msg.Path{Raw: raw, Local: raw}, nil
	}
	local, rest, err := parseLocal(raw)
	if err != nil {
		return msg.Path{}, err
	}
	if len(rest) < 2 || rest[0] != '@' {
		return msg.Path{}, badPath("An address is local-part@domain")
	}
	domain, err := parseDomain(rest[1:])
	if err != nil {
		return msg.Path{}, err
	}
	return msg.Path{Raw: raw, Local: local, Domain: domain}, nil
}

// checkOctets refuses what may stand nowhere in a path: control characters,
// invisible ones, broken UTF-8, and UTF-8 that was not announced.
func checkOctets(raw string, smtputf8 bool) error {
	if !utf8.ValidString(raw) {
		return badPath("Address is not valid UTF-8")
	}
	for _, r := range raw {
		switch {
		case r < ' ' || r == 0x7f:
			return badPath("Control character in address")
		case r < utf8.RuneSelf:
		case !smtputf8:
			return errUTF8
		case !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r):
			return badPath("Invisible character in address")
		}
	}
	return nil
}

// parseLocal reads the local part and returns its meaning and what follows it.
func parseLocal(raw string) (local, rest string, err error) {
	if raw[0] == '"' {
		local, rest, err = parseQuoted(raw)
	} else {
		end := strings.IndexFunc(raw, func(r rune) bool { return !isAtext(r) && r != '.' })
		if end < 0 {
			end = len(raw)
		}
		local, rest = raw[:end], raw[end:]
		if local == "" || local[0] == '.' || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
			err = badPath("Bad local part")
		}
	}
	if err == nil && len(raw)-len(rest) > maxLocal {
		err = badPath("Local part too long")
	}
	return local, rest, err
}

// parseQuoted reads a quoted-string (RFC 5321 section 4.1.2) and unescapes it.
func parseQuoted(raw string) (local, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '"':
			return b.String(), raw[i+1:], nil
		case '\\':
			i++
			if i == len(raw) || raw[i] >= utf8.RuneSelf {
				return "", "", badPath("Bad quoted pair")
			}
			b.WriteByte(raw[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", badPath("Quoted string has no end")
}

func isAtext(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r >= utf8.RuneSelf || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func parseDomain(s string) (string, error) {
	if len(s) > maxDomain {
		return "", badPath("Domain too long")
	}
	if s[0] == '[' {
		return parseLiteral(s)
	}
	s, err := toASCII(s)
	if err != nil {
		return "", err
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return "", badPath("Bad domain")
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", badPath("An IP address is no domain") // 127.0.0.1 without its brackets
	}
	return s, nil
}

// toASCII lower-cases a domain and turns U-labels into A-labels. Only labels that
// come back unchanged are taken: a full-width letter or an ideographic dot looks
// like one domain and resolves as another.
func toASCII(s string) (string, error) {
	s = strings.ToLower(s)
	if isASCII(s) {
		return s, nil
	}
	a, err := idna.Lookup.ToASCII(s)
	if err != nil || len(a) > maxDomain {
		return "", badPath("Bad internationalised domain")
	}
	if back, err := idna.Lookup.ToUnicode(a); err != nil || back != s {
		return "", badPath("Internationalised domain is not in its normal form")
	}
	return a, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// validLabel checks letters, digits and inner hyphens (RFC 1123 section 2.1). The
// underscore is no host name but lives in real bounce domains, and harms nobody.
func validLabel(l string) bool {
	if l == "" || len(l) > maxLabel || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	for i := range len(l) {
		c := l[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// parseLiteral reads an address literal (RFC 5321 section 4.1.3) of a kind that
// has an address in it.
func parseLiteral(s string) (string, error) {
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok {
		return "", badPath("Bad address literal")
	}
	if len(inner) > 5 && strings.EqualFold(inner[:5], "ipv6:") {
		a, err := netip.ParseAddr(inner[5:])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "", badPath("Bad address literal")
		}
	} else if a, err := netip.ParseAddr(inner); err != nil || !a.Is4() {
		return "", badPath("Bad address literal")
	}
	return strings.ToLower(s), nil
}

// isLiteral tells whether a parsed domain is an address literal.
func isLiteral(domain string) bool { return strings.HasPrefix(domain, "[") }

// cutPath splits the argument of MAIL or RCPT after its keyword ("FROM:", "TO:")
// into the path between its brackets and the parameters behind it. A bracket
// inside a quoted local part does not end the path.
func cutPath(arg, keyword string) (path, params string, ok bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", "", false
	}
	// RFC 5321 has no space after the colon; many programs write one.
	arg = strings.TrimLeft(arg[len(keyword):], " ")
	if !strings.HasPrefix(arg, "<") {
		return "", "", false
	}
	end := closingBracket(arg)
	if end < 0 {
		return "", "", false
	}
	path, params = arg[1:end], arg[end+1:]
	if params != "" && params[0] != ' ' {
		return "", "", false
	}
	return path, params, true
}

func closingBracket(s string) int {
	quoted := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case '>':
			if !quoted {
				return i
			}
		}
	}
	return -1
}
