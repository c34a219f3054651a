package mimetree

import (
	"strings"

	"congthu/internal/msg"
)

const (
	textPlain   = "text/plain"
	octetStream = "application/octet-stream"
)

// ParseMediaType reads the value of Content-Type (RFC 2045 section 5.1, RFC 2231). The
// type is lower-case; what is no type at all is read as text/plain (RFC 2045 section
// 5.2), or as multipart/mixed when it says multipart. Of conflicting values of a
// parameter the map has the one mail programs prefer.
func ParseMediaType(value string) (mediaType string, params map[string]string, amb []msg.Ambiguity) {
	v := parseValue(value)
	mediaType = v.mediaType()
	return mediaType, v.flat(), v.notes
}

// headValue is a structured field body: one word, then parameters. all has every
// candidate value of a parameter, the preferred one first.
type headValue struct {
	head  string
	all   map[string][]string
	notes notes
}

func (v *headValue) flat() map[string]string {
	m := make(map[string]string, len(v.all))
	for name, c := range v.all {
		m[name] = c[0]
	}
	return m
}

// mediaType checks the head of a Content-Type.
func (v *headValue) mediaType() string {
	major, minor, ok := strings.Cut(v.head, "/")
	if ok && isToken(major) && isToken(minor) {
		return v.head
	}
	v.notes.add(BadMediaType, v.head)
	if strings.HasPrefix(v.head, "multipart") {
		return "multipart/mixed"
	}
	return textPlain
}

// parseValue reads "head; name=value; …".
func parseValue(s string) *headValue {
	v := &headValue{}
	p := paramScanner{s: s, notes: &v.notes}
	v.head = p.head()
	v.all = combine(p.params(), &v.notes)
	return v
}

// param is one parameter as it stands: its name is not yet taken apart.
type param struct {
	name   string
	value  string
	raw    string // what stood between the quotes
	quoted bool
}

// paramScanner walks over a field body.
type paramScanner struct {
	s     string
	i     int
	notes *notes
}

// head reads up to the first semicolon. "multipart/mixed boundary=x" lost its
// semicolon, yet some readers find the boundary: so it is found here.
func (p *paramScanner) head() string {
	var words []string
	for p.space(); p.i < len(p.s) && p.s[p.i] != ';'; p.space() {
		mark := p.i
		word := p.until("; \t(")
		if strings.Contains(word, "=") && len(words) > 0 {
			p.i = mark
			p.notes.add(BadMediaType, p.s)
			break
		}
		words = append(words, word)
	}
	if len(words) > 1 {
		p.notes.add(BadMediaType, p.s)
	}
	head := strings.Join(words, "")
	if trimmed := strings.Trim(head, "\f\v\x00"); trimmed != head { // space to some readers
		p.notes.add(BadMediaType, p.s)
		head = trimmed
	}
	return strings.ToLower(head)
}

func (p *paramScanner) params() []param {
	var out []param
	for {
		empty := p.semicolons()
		if p.i >= len(p.s) {
			return out
		}
		if empty {
			p.notes.add(ParamSyntax, p.s)
		}
		if one, ok := p.param(); ok {
			out = append(out, one)
		}
	}
}

// semicolons skips separators; two in a row hide what follows from some readers.
func (p *paramScanner) semicolons() (empty bool) {
	n := 0
	for p.space(); p.i < len(p.s) && p.s[p.i] == ';'; p.space() {
		p.i++
		n++
	}
	return n > 1
}

func (p *paramScanner) param() (param, bool) {
	name := strings.ToLower(strings.TrimSpace(p.until("=;(")))
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '=' {
		p.notes.add(ParamSyntax, p.s)
		p.until(";")
		return param{}, false
	}
	p.i++ // the equals sign
	p.space()
	one := param{name: name}
	if p.i < len(p.s) && p.s[p.i] == '"' {
		one.quoted = true
		one.value, one.raw = p.quoted()
		if rest := p.afterQuoted(); rest != "" {
			p.notes.add(ParamSyntax, p.s)
		}
	} else {
		one.value = p.bare()
		one.raw = one.value
	}
	if name == "" || strings.ContainsAny(name, " \t") {
		p.notes.add(ParamSyntax, p.s)
	}
	return one, name != ""
}

// bare reads a value without quotes. It ends at a semicolon, not at a space: many
// senders forget the quotes, and mail programs show the whole name.
func (p *paramScanner) bare() string {
	value := strings.TrimSpace(p.until(";"))
	if open := strings.Index(value, " ("); open >= 0 && strings.HasSuffix(value, ")") {
		value = strings.TrimSpace(value[:open]) // a comment behind the value
	}
	if value == "" || strings.ContainsAny(value, " \t\"") {
		p.notes.add(ParamSyntax, p.s)
	}
	return value
}

// quoted reads a quoted-string and returns it unescaped and as it stood.
func (p *paramScanner) quoted() (value, raw string) {
	p.i++
	start := p.i
	var b strings.Builder
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			raw = p.s[start:p.i]
			p.i++
			return b.String(), raw
		case c == '\\' && p.i+1 < len(p.s):
			p.i++
			b.WriteByte(p.s[p.i])
		default:
			b.WriteByte(c)
		}
		p.i++
	}
	p.notes.add(ParamSyntax, p.s) // never closed
	return b.String(), p.s[start:]
}

func (p *paramScanner) afterQuoted() string {
	p.space()
	return strings.TrimSpace(p.until(";"))
}

// until reads up to one of the stop characters.
func (p *paramScanner) until(stops string) string {
	start := p.i
	if n := strings.IndexAny(p.s[p.i:], stops); n >= 0 {
		p.i += n
	} else {
		p.i = len(p.s)
	}
	return p.s[start:p.i]
}

// space skips white space and comments (RFC 5322 section 3.2.2).
func (p *paramScanner) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		case '(':
			p.i = skipComment(p.s, p.i)
		default:
			return
		}
	}
}

// skipComment returns the offset after the comment that opens at i; comments nest.
func skipComment(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// isToken follows token of RFC 2045 section 5.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
