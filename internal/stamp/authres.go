package stamp

import (
	"strings"

	"congthu/internal/msg"
)

// authenticationResults writes the field of RFC 8601 section 2.2, one result a line.
func authenticationResults(b []byte, in Input) []byte {
	f := newField(b, "Authentication-Results")
	f.word(quoteUnless(in.Hostname[:min(len(in.Hostname), maxWord/2)], isHostName) + ";")
	written := 0
	for _, r := range in.Message.Auth {
		if !isKeyword(r.Method) || !isKeyword(r.Status) {
			continue // not one of the words of RFC 8601: no reader could use it
		}
		if written++; written > 1 {
			f.b = append(f.b, ';')
		}
		f.fold()
		f.result(r, in.Message.Envelope.SMTPUTF8)
	}
	if written == 0 {
		f.word("none")
	}
	return f.end()
}

// result writes method=status, the reason, then the property. What cannot be written
// safely is left out: the result stands without it.
func (f *field) result(r msg.AuthResult, utf8Allowed bool) {
	first := r.Method + "=" + r.Status
	f.b = append(f.b, first...)
	f.line += len(first)
	if reason := clean(r.Reason, utf8Allowed); reason != "" {
		f.word("reason=" + quote(reason))
	}
	ptype, property, ok := strings.Cut(r.Property, ".")
	if !ok || !isKeyword(ptype) || !isKeyword(property) || r.Value == "" || len(r.Value) > maxWord/2 {
		return
	}
	if !printable(r.Value) || !utf8Allowed && !isASCII(r.Value) {
		return
	}
	f.word(r.Property + "=" + quoteUnless(r.Value, isPlainValue))
}

// clean makes a reason fit for one quoted line.
func clean(s string, utf8Allowed bool) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f:
			return ' '
		case r >= 0x80 && !shownUTF8(r, utf8Allowed):
			return '?'
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxComment {
		s = strings.ToValidUTF8(s[:maxComment], "") + "..."
	}
	return s
}

// isPlainValue tells whether a value may stand without quotes: a token of RFC 2045, or
// an address or domain of dot-atoms (RFC 8601 section 2.2, pvalue).
func isPlainValue(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if ok {
		return (local == "" || isDotAtom(local)) && isDotAtom(domain)
	}
	return isDotAtom(s)
}

func isDotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlnum(rune(c)) && strings.IndexByte("!#$%&'*+-/^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

// isKeyword follows Keyword of RFC 8601 section 2.2, with the underscore.
func isKeyword(s string) bool {
	for _, r := range s {
		if !isAlnum(r) && r != '-' && r != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func quoteUnless(s string, plain func(string) bool) string {
	if plain(s) {
		return s
	}
	return quote(s)
}

// quote writes a quoted-string (RFC 5322 section 3.2.4); controls are dropped.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			continue
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
