package stamp

import (
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"congthu/internal/msg"
)

// received writes the trace field (RFC 5321 section 4.4).
func received(b []byte, in Input) []byte {
	m := in.Message
	f := newField(b, "Received")
	literal := addressLiteral(m.Session.Remote.Addr())
	if helo := m.Session.Helo; isHostName(helo) || helo != "" && helo == literal {
		f.word("from " + helo)
		f.word("(" + literal + ")")
	} else {
		f.word("from " + literal)
		f.word("(" + literal + ")")
		f.word("(HELO " + comment(helo, m.Envelope.SMTPUTF8) + ")")
	}
	if m.Session.TLS != "" {
		f.word("(" + comment(m.Session.TLS, false) + ")")
	}
	f.word("by " + atom(in.Hostname))
	f.word("with " + protocol(m))
	if id := atom(m.ID); id != "" {
		f.word("id " + id)
	}
	if to := forPath(in); to != "" {
		f.word("for " + to)
	}
	f.b = append(f.b, ';')
	f.line++
	f.word(in.Stamped.Format(time.RFC1123Z))
	return f.end()
}

// forPath names the recipient only when the copy has one: two would show each other
// who was in Bcc. Non-ASCII needs SMTPUTF8 (RFC 6531 section 3.7.3).
func forPath(in Input) string {
	if len(in.To) != 1 {
		return ""
	}
	raw := in.To[0].Raw
	if raw == "" || len(raw) > maxWord-2 || !printable(raw) || !in.Message.Envelope.SMTPUTF8 && !isASCII(raw) {
		return ""
	}
	return "<" + raw + ">"
}

// protocol is the keyword of RFC 3848 and RFC 6531 section 4.3.
func protocol(m *msg.Message) string {
	word := "SMTP"
	switch {
	case m.Envelope.SMTPUTF8:
		word = "UTF8SMTP"
	case m.Session.ESMTP, m.Session.TLS != "":
		word = "ESMTP"
	}
	if m.Session.TLS != "" {
		word += "S"
	}
	if m.Session.Identity.Proof == msg.ByPassword { // that, and not who: the account is nobody else's business
		word += "A"
	}
	return word
}

// addressLiteral follows RFC 5321 section 4.1.3.
func addressLiteral(a netip.Addr) string {
	switch a = a.Unmap().WithZone(""); {
	case !a.IsValid():
		return "unknown"
	case a.Is6():
		return "[IPv6:" + a.String() + "]"
	}
	return "[" + a.String() + "]"
}

// isHostName allows what is a domain by RFC 5321 section 4.1.2, and underscores, which
// exist.
func isHostName(s string) bool {
	if s == "" || len(s) > 255 || !isAlnum(rune(s[0])) {
		return false
	}
	for _, r := range s {
		if !isAlnum(r) && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return true
}

const maxComment = 200

// comment makes text fit between parentheses: escaped, without controls, shortened.
func comment(s string, utf8Allowed bool) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= maxComment {
			b.WriteString("...")
			break
		}
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r >= utf8.RuneSelf && !shownUTF8(r, utf8Allowed):
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shownUTF8 refuses C1 controls, line separators and broken octets also where
// non-ASCII is allowed.
func shownUTF8(r rune, allowed bool) bool {
	return allowed && r >= 0xa0 && r != utf8.RuneError && r != 0x2028 && r != 0x2029
}

// printable tells whether s has no control characters and is UTF-8.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= utf8.RuneSelf && !shownUTF8(r, true) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
