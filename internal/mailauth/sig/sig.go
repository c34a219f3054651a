// Package sig is what the signatures of DKIM (RFC 6376) and of ARC (RFC 8617) have in
// common: the fields of a header, tag lists, canonical forms, public keys in DNS, and
// the check itself. What a signature must say and what it proves is for the packages
// above to judge.
//
// A message is hashed in one pass over the octets as they were received; only where
// white space must be changed are they not handed to the hash as they are. The hash of
// a body is kept, because the second signature mostly asks for the same.
package sig

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// Field is a header field as received.
type Field struct {
	Name string // lower-case, without surrounding space
	Raw  []byte // with its folds, without the final CRLF
}

// Value is what follows the colon, folds included.
func (f Field) Value() string {
	_, value, _ := bytes.Cut(f.Raw, []byte(":"))
	return string(value)
}

// Message is a message divided for signing. Lines must end in CRLF.
type Message struct {
	Fields []Field
	Body   []byte
	hashes map[bodyKey]hashed
	index  map[string][]int // where the fields of a name stand; nil until asked for
}

type bodyKey struct {
	relaxed bool
	length  int64
}

type hashed struct {
	sum    [sha256.Size]byte
	enough bool
}

// Open divides a message. A line that neither begins nor continues a field counts as
// one without a value, so that no octet of the header is left out.
func Open(raw []byte) *Message {
	m := &Message{hashes: make(map[bodyKey]hashed)}
	start := -1
	for pos := 0; ; {
		line, next := lineAt(raw, pos)
		fold := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		if start >= 0 && !fold {
			m.add(raw[start:pos])
		}
		if len(line) == 0 {
			m.Body = raw[next:]
			return m
		}
		if !fold || start < 0 {
			start = pos
		}
		pos = next
	}
}

// lineAt returns the line at pos without its end, and where the next one begins. At
// the end of the octets it is empty.
func lineAt(raw []byte, pos int) (line []byte, next int) {
	i := bytes.IndexByte(raw[pos:], '\n')
	if i < 0 {
		return raw[pos:], len(raw)
	}
	return bytes.TrimSuffix(raw[pos:pos+i], []byte("\r")), pos + i + 1
}

func (m *Message) add(raw []byte) {
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	name, _, _ := bytes.Cut(raw, []byte(":"))
	m.Fields = append(m.Fields, Field{strings.ToLower(string(bytes.TrimSpace(name))), raw})
}

// Count tells how many fields have that lower-case name.
func (m *Message) Count(name string) int {
	n := 0
	for _, f := range m.Fields {
		if f.Name == name {
			n++
		}
	}
	return n
}

// Pick returns the fields that a list of lower-case names signs: for the n-th mention of
// a name the n-th field of that name from the bottom; a mention too many adds nothing
// (RFC 6376 section 5.4.2).
func (m *Message) Pick(names []string) []Field {
	if m.index == nil {
		m.index = make(map[string][]int, len(m.Fields))
		for i, f := range m.Fields {
			m.index[f.Name] = append(m.index[f.Name], i)
		}
	}
	taken := make(map[string]int, len(names))
	var out []Field
	for _, name := range names {
		at := m.index[name]
		if n := len(at) - 1 - taken[name]; n >= 0 {
			out = append(out, m.Fields[at[n]])
			taken[name]++
		}
	}
	return out
}
