package sig

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"strings"
)

// Canon says which of the two canonical forms a signature takes of the header and of
// the body (RFC 6376 section 3.4).
type Canon struct{ RelaxedHeader, RelaxedBody bool }

// ParseCanon reads the c= tag; "" and a missing second half mean simple.
func ParseCanon(s string) (c Canon, ok bool) {
	head, body, _ := strings.Cut(s, "/")
	c.RelaxedHeader, c.RelaxedBody = head == "relaxed", body == "relaxed"
	return c, known(head) && known(body)
}

func known(form string) bool { return form == "" || form == "simple" || form == "relaxed" }

// AppendHeader appends the canonical form of a field, without its final CRLF.
func (c Canon) AppendHeader(b []byte, f Field) []byte {
	if !c.RelaxedHeader {
		return append(b, f.Raw...)
	}
	_, value, _ := bytes.Cut(f.Raw, []byte(":"))
	b = append(append(b, f.Name...), ':')
	begin, gap := len(b), false
	for _, x := range value {
		switch {
		case x == ' ' || x == '\t' || x == '\r' || x == '\n':
			gap = true
		default:
			if gap && len(b) > begin {
				b = append(b, ' ')
			}
			gap = false
			b = append(b, x)
		}
	}
	return b
}

// All is the length of a body signed whole.
const All = -1

// HashBody is the SHA-256 of the canonical body, or of its first length octets; enough
// is false when it has fewer.
func (m *Message) HashBody(c Canon, length int64) (sum [sha256.Size]byte, enough bool) {
	key := bodyKey{c.RelaxedBody, length}
	if h, ok := m.hashes[key]; ok {
		return h.sum, h.enough
	}
	h := sha256.New()
	enough = m.WriteBody(h, c, length)
	h.Sum(sum[:0])
	m.hashes[key] = hashed{sum, enough}
	return sum, enough
}

// WriteBody hands the canonical body, or its first length octets, to a hash; enough is
// false when it has fewer.
func (m *Message) WriteBody(h hash.Hash, c Canon, length int64) (enough bool) {
	w := &writer{to: h, limit: length}
	if c.RelaxedBody {
		relax(w, m.Body)
	} else {
		w.write(trimLines(m.Body))
		w.write(crlf)
	}
	w.flush()
	return w.limit <= 0
}

// AppendSigned appends what a signature is made over: the canonical fields, then the
// signature's own field without its value of b= and without CRLF (RFC 6376 section 3.7).
func (c Canon) AppendSigned(b []byte, fields []Field, own Field, tags Tags) []byte {
	for _, f := range fields {
		b = append(c.AppendHeader(b, f), crlf...)
	}
	name, _, _ := bytes.Cut(own.Raw, []byte(":"))
	raw := append(append(bytes.Clone(name), ':'), tags.Without("b")...)
	return c.AppendHeader(b, Field{own.Name, raw})
}

var crlf = []byte("\r\n")

func trimLines(b []byte) []byte {
	for bytes.HasSuffix(b, crlf) {
		b = b[:len(b)-2]
	}
	return b
}

// relax writes the relaxed form of a body (RFC 6376 section 3.4.4): white space at the
// end of a line goes, any other becomes one space, empty lines at the end go.
func relax(w *writer, b []byte) {
	b = bytes.TrimRight(b, space)
	if len(b) == 0 {
		return
	}
	done, g := 0, gaps{b: b, tab: -1}
	for at := g.next(0); at < len(b); {
		end := at + 1
		for b[end] == ' ' || b[end] == '\t' { // b does not end in white space
			end++
		}
		w.write(b[done:at])
		if b[end] != '\r' && b[end] != '\n' {
			w.write(oneSpace)
		}
		done = end
		at = g.next(end)
	}
	w.write(b[done:])
	w.write(crlf)
}

var oneSpace = []byte(" ")

// writer hands octets to a hash, small pieces gathered, up to a limit.
type writer struct {
	to     hash.Hash
	limit  int64 // octets still wanted; negative: all
	small  [1024]byte
	filled int
}

func (w *writer) write(b []byte) {
	if w.limit >= 0 {
		b = b[:min(int64(len(b)), w.limit)]
		w.limit -= int64(len(b))
	}
	if w.filled+len(b) > len(w.small) {
		w.flush()
	}
	if len(b) > len(w.small)/4 {
		w.flush()
		w.to.Write(b)
		return
	}
	w.filled += copy(w.small[w.filled:], b)
}

func (w *writer) flush() {
	w.to.Write(w.small[:w.filled])
	w.filled = 0
}
