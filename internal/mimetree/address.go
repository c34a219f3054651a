package mimetree

import (
	"strings"

	oldcharset "congthu/internal/charset"
	"congthu/internal/msg"
)

// Address is one mailbox of an address list (RFC 5322 section 3.4).
type Address struct {
	Name   string // display name or comment, decoded
	Local  string // local part, unquoted
	Domain string // lower-case, as written otherwise: no IDNA conversion
	Raw    string // as it stands in the list
}

// Spec returns local@domain, or what there is of it.
func (a Address) Spec() string {
	if a.Domain == "" {
		return a.Local
	}
	return a.Local + "@" + a.Domain
}

// Addresses reads an address list tolerantly: groups are opened, routes dropped,
// and of "<a@x> <b@y>" both are returned, since readers disagree about which counts.
func Addresses(value string) ([]Address, []msg.Ambiguity) {
	r := addressReader{s: value}
	r.list()
	return r.out, r.notes
}

// addressReader splits the list at its top level and reads mailbox by mailbox.
type addressReader struct {
	s     string
	out   []Address
	notes notes
	group bool // inside "name: …;"
}

func (r *addressReader) list() {
	start := 0
	for i := 0; i < len(r.s); {
		switch r.s[i] {
		case '"':
			i = r.quotedEnd(i)
			continue
		case '(':
			i = skipComment(r.s, i)
			continue
		case '<':
			i = r.angleEnd(i)
			continue
		case '[':
			i = r.literalEnd(i)
			continue
		case ':':
			r.notes.add(AddressGroup, r.s)
			r.group = true
			start = i + 1
		case ',', ';':
			if r.s[i] == ';' && !r.group {
				r.notes.add(AddressSyntax, r.s)
			}
			r.group = r.group && r.s[i] == ','
			r.mailbox(r.s[start:i])
			start = i + 1
		}
		i++
	}
	r.mailbox(r.s[min(start, len(r.s)):])
}

// quotedEnd returns the offset after the quoted-string at i.
func (r *addressReader) quotedEnd(i int) int {
	for i++; i < len(r.s); i++ {
		switch r.s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	r.notes.add(AddressSyntax, r.s)
	return len(r.s)
}

// angleEnd returns the offset after the angle-addr at i; commas in it belong to a route.
func (r *addressReader) angleEnd(i int) int {
	for i++; i < len(r.s); {
		switch r.s[i] {
		case '"':
			i = r.quotedEnd(i)
		case '(':
			i = skipComment(r.s, i)
		case '>':
			return i + 1
		case '<':
			return i // the list goes on with the second one
		default:
			i++
		}
	}
	r.notes.add(AddressSyntax, r.s)
	return len(r.s)
}

// literalEnd returns the offset after the domain literal at i; one that is not closed
// ends before the next address.
func (r *addressReader) literalEnd(i int) int {
	n := strings.IndexAny(r.s[i:], "],<")
	if n < 0 {
		return len(r.s)
	}
	if r.s[i+n] == ']' {
		n++
	}
	return i + n
}

// maxAddresses bounds one list; a message has at most a tenth of that as recipients.
const maxAddresses = 10000

// mailbox reads one entry: "name <addr>", "addr (comment)" or what stands in for it.
func (r *addressReader) mailbox(s string) {
	raw := strings.TrimSpace(s)
	if raw == "" {
		return
	}
	if len(r.out) >= maxAddresses {
		r.notes.add(AddressLimit, "")
		return
	}
	words, angles, comment := r.pieces(raw)
	if len(angles) == 0 {
		a := r.addrSpec(words, raw)
		a.Name = comment
		r.out = append(r.out, a)
		return
	}
	if len(angles) > 1 || strings.Contains(words, "@") && !strings.Contains(raw, `"`) {
		r.notes.add(AddressSyntax, raw)
	}
	name := phrase(words)
	if name == "" {
		name = comment
	}
	for _, spec := range angles {
		a := r.addrSpec(r.dropRoute(spec), raw)
		a.Name = name
		r.out = append(r.out, a)
	}
}

// pieces divides a mailbox into the text outside of angle brackets (quotes kept), the
// angle-addrs and the decoded comments.
func (r *addressReader) pieces(raw string) (words string, angles []string, comment string) {
	in := addressReader{s: raw}
	var text, notesText strings.Builder
	for i := 0; i < len(raw); {
		from := i
		switch raw[i] {
		case '"':
			i = in.quotedEnd(i)
			text.WriteString(raw[from:i])
		case '(':
			i = skipComment(raw, i)
			notesText.WriteString(strings.TrimSuffix(raw[from+1:i], ")"))
		case '<':
			i = in.angleEnd(i)
			angles = append(angles, strings.TrimSuffix(raw[from+1:i], ">"))
		default:
			if len(angles) > 0 && raw[i] != ' ' && raw[i] != '\t' {
				r.notes.add(AddressSyntax, raw) // text behind the address
			}
			text.WriteByte(raw[i])
			i++
		}
	}
	return strings.TrimSpace(text.String()), angles, strings.TrimSpace(DecodeWords(notesText.String()))
}

// phrase unquotes and decodes a display name.
func phrase(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	name, _ := oldcharset.Repair(DecodeWords(b.String()), "")
	return strings.TrimSpace(name)
}

func (r *addressReader) dropRoute(spec string) string {
	if !strings.HasPrefix(strings.TrimSpace(spec), "@") {
		return spec
	}
	if i := strings.LastIndexByte(spec, ':'); i >= 0 {
		r.notes.add(AddressRoute, spec)
		return spec[i+1:]
	}
	return spec
}

// addrSpec divides local@domain at the last @ outside of quotes.
func (r *addressReader) addrSpec(spec, raw string) Address {
	if strings.Contains(spec, "=?") {
		r.notes.add(AddressEncoded, raw)
		spec = DecodeWords(spec)
	}
	spec = strings.TrimSpace(stripComments(spec))
	at, count := lastAt(spec)
	if count != 1 {
		r.notes.add(AddressSyntax, raw)
	}
	a := Address{Local: spec, Raw: raw}
	if at >= 0 {
		a.Local, a.Domain = spec[:at], strings.ToLower(strings.TrimSpace(spec[at+1:]))
	}
	if strings.ContainsAny(a.Domain, " \t\"<>") || a.Domain == "" || strings.HasSuffix(a.Domain, ".") {
		r.notes.add(AddressSyntax, raw)
	}
	a.Local = unquoteLocal(strings.TrimSpace(a.Local))
	return a
}

// lastAt finds the last @ outside of quotes and counts them.
func lastAt(s string) (at, count int) {
	at = -1
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '@' && !quoted:
			at = i
			count++
		}
	}
	return at, count
}

func unquoteLocal(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return unescape(s[1 : len(s)-1])
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i += 2
		case c == '(' && !quoted:
			i = skipComment(s, i)
		default:
			quoted = quoted != (c == '"')
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}
