package pgp

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
)

// lineOctets are what one line of armor holds: 64 characters (RFC 9580 section 6.1).
const lineOctets = 48

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
}

func newArmor(w io.Writer, kind, end string, checksum bool) *armorer {
	a := &armorer{old: checksum, sum: crcInit, w: w, kind: kind, end: end, rest: make([]byte, 0, lineOctets)}
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
	size := (len(p)+lineOctets-1)/lineOctets*len(a.end) + base64.StdEncoding.EncodedLen(len(p))
	a.line = slices.Grow(a.line[:0], size)[:size]
	for out := a.line; len(p) > 0; {
		k := min(lineOctets, len(p))
		base64.StdEncoding.Encode(out, p[:k])
		out = out[base64.StdEncoding.EncodedLen(k):]
		out = out[copy(out, a.end):]
		p = p[k:]
	}
	if a.err == nil {
		_, a.err = a.w.Write(a.line)
	}
}

// Close writes what is left and the last line.
func (a *armorer) Close() error {
	if len(a.rest) > 0 {
		a.lines(a.rest)
	}
	if a.old && a.err == nil {
		sum := []byte{byte(a.sum >> 16), byte(a.sum >> 8), byte(a.sum)}
		_, a.err = fmt.Fprintf(a.w, "=%s%s", base64.StdEncoding.EncodeToString(sum), a.end)
	}
	if a.err == nil {
		_, a.err = fmt.Fprintf(a.w, "-----END %s-----%s", a.kind, a.end)
	}
	return a.err
}

// crcInit and crcPoly are those of RFC 9580 section 6.1.1.
const (
	crcInit = 0xB704CE
	crcPoly = 0x1864CFB
)

// crcTables[k][b] is the checksum of the octet b before k octets of zero: eight octets are
// taken at a time.
var crcTables = makeCRC()

func makeCRC() (t [8][256]uint32) {
	for i := range t[0] {
		c := uint32(i) << 16
		for range 8 {
			if c <<= 1; c&0x1000000 != 0 {
				c ^= crcPoly
			}
		}
		t[0][i] = c
	}
	for k := 1; k < len(t); k++ {
		for i, c := range t[k-1] {
			t[k][i] = c<<8&0xFFFFFF ^ t[0][c>>16]
		}
	}
	return t
}

func crc24(sum uint32, p []byte) uint32 {
	t := &crcTables
	for ; len(p) >= 8; p = p[8:] {
		sum = t[7][p[0]^byte(sum>>16)] ^ t[6][p[1]^byte(sum>>8)] ^ t[5][p[2]^byte(sum)] ^
			t[4][p[3]] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]]
	}
	for _, b := range p {
		sum = sum<<8&0xFFFFFF ^ t[0][byte(sum>>16)^b]
	}
	return sum
}
