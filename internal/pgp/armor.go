package pgp

import (
	"fmt"
	"io"

	"congthu/internal/radix64"
)

// lineOctets are what one line of armor holds.
const lineOctets = radix64.Armor

// armorer writes armor (RFC 9580 section 6.2). What older programs may read gets its
// checksum: without one GnuPG 2.2 does not find the end of octets that divide by three. What
// only newer ones read must not have it (section 6.1). It exists beside the library's because
// letters have lines that end in CRLF, and because it encodes many lines at a time.
type armorer struct {
	sum  uint32 // CRC-24 so far, 0 with old unset
	old  bool   // a checksum is written
	w    io.Writer
	kind string
	end  string // of a line
	rest []byte // less than a line
	line []byte // many encoded lines
	err  error

	available func() []byte // room where w will put what it is given (bytes.Buffer)
}

func newArmor(w io.Writer, kind, end string, checksum bool) *armorer {
	a := &armorer{old: checksum, sum: crcInit, w: w, kind: kind, end: end, rest: make([]byte, 0, lineOctets), available: func() []byte { return nil }}
	if b, ok := w.(interface{ AvailableBuffer() []byte }); ok {
		a.available = b.AvailableBuffer
	}
	_, a.err = fmt.Fprintf(w, "-----BEGIN %s-----%s%s", kind, end, end)
	return a
}

// Write implements io.Writer.
func (a *armorer) Write(p []byte) (int, error) {
	n := len(p)
	if a.old {
		a.sum = crc24(a.sum, p)
	}
	if len(a.rest) > 0 {
		k := min(lineOctets-len(a.rest), len(p))
		a.rest, p = append(a.rest, p[:k]...), p[k:]
		if len(a.rest) < lineOctets {
			return n, a.err
		}
		a.lines(a.rest)
		a.rest = a.rest[:0]
	}
	const many = 256 * lineOctets
	for len(p) >= lineOctets && a.err == nil {
		k := min(many, len(p)-len(p)%lineOctets)
		a.lines(p[:k])
		p = p[k:]
	}
	a.rest = append(a.rest, p...)
	return n, a.err
}

// lines encodes whole lines, or at the end what is left.
func (a *armorer) lines(p []byte) {
	if a.err != nil {
		return
	}
	if b := a.available(); cap(b) >= radix64.Size(len(p), lineOctets, a.end) {
		_, a.err = a.w.Write(radix64.AppendLines(b, p, lineOctets, a.end)) // lies where it belongs
		return
	}
	a.line = radix64.AppendLines(a.line[:0], p, lineOctets, a.end)
	_, a.err = a.w.Write(a.line)
}

// Close writes what is left and the last line.
func (a *armorer) Close() error {
	if len(a.rest) > 0 {
		a.lines(a.rest)
	}
	if a.old && a.err == nil {
		sum := []byte{byte(a.sum >> 16), byte(a.sum >> 8), byte(a.sum)}
		_, a.err = fmt.Fprintf(a.w, "=%s", radix64.AppendLines(nil, sum, lineOctets, a.end))
	}
	if a.err == nil {
		_, a.err = fmt.Fprintf(a.w, "-----END %s-----%s", a.kind, a.end)
	}
	return a.err
}
