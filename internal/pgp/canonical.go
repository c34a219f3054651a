package pgp

import (
	"bytes"
	"mime/quotedprintable"
	"slices"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/radix64"
)

// Canonical returns the letter in the form that may be signed (RFC 3156 section 3): seven
// bits, no spaces at the ends of lines, every line at most 998 octets. What is so already is
// returned as it is; else each part that is not is encoded anew. ok is false where this
// would change what somebody else has signed, or where not every reader sees the same
// parts: such a letter is not signed.
func Canonical(raw []byte) (out []byte, ok bool) {
	root := mimetree.Parse(raw, mimetree.DefaultLimits())
	if Protection(root) != "" || ambiguous(root) || root.BodyStart < 0 || root.BodyStart > int64(len(raw)) {
		return nil, false
	}
	if !sevenBit(raw[:root.BodyStart]) { // a header in UTF-8 (RFC 6532) has no seven-bit form
		return nil, false
	}
	if signable(raw[root.BodyStart:]) {
		return raw, true
	}
	c := canonizer{raw: raw}
	if !c.part(root) {
		return nil, false
	}
	c.out = append(c.out, raw[c.done:]...)
	if _, body := split([][]byte{c.out}); len(body) != 1 || !signable(body[0]) {
		return nil, false // something between the parts is of eight bits
	}
	return c.out, true
}

func ambiguous(root *msg.Part) bool {
	doubt := false
	root.Walk(func(p *msg.Part) { doubt = doubt || len(p.Ambiguities) > 0 })
	return doubt
}

func sevenBit(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x80 || r == 0 })
}

// signable tells whether no relay has a reason to change the octets.
func signable(b []byte) bool {
	if !sevenBit(b) || bytes.HasPrefix(b, []byte("From ")) || bytes.Contains(b, []byte("\nFrom ")) {
		return false
	}
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\r\n")) && bytes.HasSuffix(line, []byte("\n")) {
			return false
		}
		line = bytes.TrimSuffix(line, []byte("\r\n"))
		if len(line) > 998 || bytes.IndexByte(line, '\r') >= 0 || bytes.HasSuffix(line, []byte(" ")) || bytes.HasSuffix(line, []byte("\t")) {
			return false
		}
	}
	return true
}

// canonizer writes a letter anew, part by part.
type canonizer struct {
	raw  []byte
	out  []byte
	done int64 // so many octets of raw are written
}

func (c *canonizer) part(p *msg.Part) bool {
	if p.IsMultipart() && p.MediaType != "multipart/signed" && p.MediaType != "multipart/encrypted" {
		for _, child := range p.Children {
			if !c.part(child) {
				return false
			}
		}
		return true
	}
	if p.Start < c.done || p.BodyStart < p.Start || p.End < p.BodyStart || p.End > int64(len(c.raw)) {
		return false
	}
	if signable(c.raw[p.Start:p.End]) {
		return true
	}
	if p.IsMultipart() || strings.HasPrefix(p.MediaType, "message/") { // somebody else's, or may have no encoding (RFC 2046 section 5.2.1)
		return false
	}
	c.out = append(c.out, c.raw[c.done:p.Start]...)
	c.encode(p)
	c.done = p.End
	return true
}

// encode writes one part with the encoding that fits it.
func (c *canonizer) encode(p *msg.Part) {
	name, body := "base64", bytes.TrimSuffix(radix64.AppendLines(nil, p.Decoded, radix64.MIME, "\r\n"), []byte("\r\n"))
	if strings.HasPrefix(p.MediaType, "text/") {
		name, body = "quoted-printable", printable(p.Decoded)
	}
	head := c.raw[p.Start:p.BodyStart]
	head = bytes.TrimSuffix(head, []byte("\r\n")) // the empty line
	for _, f := range fields(head) {
		if nameOf(f) != "content-transfer-encoding" {
			c.out = append(c.out, ended(f)...)
		}
	}
	c.out = append(c.out, "Content-Transfer-Encoding: "+name+"\r\n\r\n"...)
	c.out = append(c.out, body...)
	if name == "base64" && bytes.HasSuffix(c.raw[p.BodyStart:p.End], []byte("\r\n")) {
		c.out = append(c.out, "\r\n"...)
	}
}

// printable is quoted-printable (RFC 2045 section 6.7) in which no line begins with "From ".
func printable(text []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(text) // a bytes.Buffer does not fail
	_ = w.Close()
	out := b.Bytes()
	if bytes.HasPrefix(out, []byte("From ")) {
		out = slices.Concat([]byte("=46"), out[1:])
	}
	return bytes.ReplaceAll(out, []byte("\nFrom "), []byte("\n=46rom "))
}
