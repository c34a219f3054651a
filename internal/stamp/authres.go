package stamp

import (
	"regexp"
	"slices"
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

// result writes method=status, the reason, then the property. A value that is no domain,
// no mailbox and no number is left out, and the result stands without it: quoting would
// satisfy RFC 8601, but what reads the field is often a regular expression.
func (f *field) result(r msg.AuthResult, utf8Allowed bool) {
	first := r.Method + "=" + r.Status
	f.b = append(f.b, first...)
	f.line += len(first)
	if reason := clean(r.Reason, utf8Allowed); reason != "" {
		f.word("reason=" + quote(reason))
	}
	ptype, property, ok := strings.Cut(r.Property, ".")
	value := plainValue(r.Value, utf8Allowed)
	if strings.Contains(value, "@") && !slices.Contains(mailboxes, r.Property) {
		value = ""
	}
	if ok && isKeyword(ptype) && isKeyword(property) && value != "" {
		f.word(r.Property + "=" + value)
	}
}

// mailboxes are the properties that may be one; any other is a domain (RFC 8601 section 2.7).
var mailboxes = []string{"smtp.mailfrom", "smtp.auth", "smtp.rcptto", "header.i"}

// plainValue is the value if it can stand without quotes (RFC 8601 section 2.2, pvalue):
// a domain, a dot-atom or an IP address, with or without a mailbox's local part. Of a
// mailbox whose local part needs quotes the domain is left, which is all that DMARC asks.
func plainValue(s string, utf8Allowed bool) string {
	if at := strings.LastIndexByte(s, '@'); at > 0 && !isLocalPart(s[:at]) {
		s = s[at+1:]
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		local, domain = "", s
	}
	if len(s) > maxWord/2 || local != "" && !isLocalPart(local) || !utf8Allowed && !isASCII(domain) || !isDomain(domain) {
		return ""
	}
	return s
}

// isDomain takes the letters of host names, with the underscore, and IP addresses. Letters
// beyond ASCII are for readers who asked for them.
func isDomain(s string) bool {
	return s != "" && s[0] != '.' && !strings.Contains(s, "..") && printable(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x80 && !isAlnum(r) && strings.IndexByte("-._:", byte(r)) < 0
	})
}

// isLocalPart takes the dot-atoms in which no reader sees an end, a quote or a result.
func isLocalPart(s string) bool {
	atoms := strings.ReplaceAll(s, "=", "-") // as in rewritten senders: SRS0=…, bounce-a=b.test
	return isDotAtom(atoms) && !strings.ContainsAny(s, "'`") && !verdict.MatchString(s)
}

// verdict is what a reader may be looking for; reasons quote strangers.
var verdict = regexp.MustCompile(`(?i)\s*=\s*(pass)`)

// harmless replaces what ends a string, a comment or a result.
func harmless(r rune) rune {
	switch r {
	case '"':
		return '\''
	case '\\':
		return '/'
	case ';':
		return ','
	case '(':
		return '['
	case ')':
		return ']'
	}
	return r
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
		return harmless(r)
	}, s)
	s = verdict.ReplaceAllString(strings.Join(strings.Fields(s), " "), ":$1")
	if len(s) > maxComment {
		s = strings.ToValidUTF8(s[:maxComment], "") + "..."
	}
	return s
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
