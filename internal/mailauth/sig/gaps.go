package sig

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// gaps finds the white space of a body that its relaxed form changes: a tab, or a
// space with white space or a line end behind it. All else, which is nearly all, may
// be hashed where it lies, so this search is what relaxing costs.
type gaps struct {
	b   []byte // does not end in white space
	tab int    // the next tab; before the place asked for: not known
}

// next returns where the first gap from pos on begins, or the length.
func (g *gaps) next(pos int) int {
	if g.tab < pos {
		g.tab = indexFrom(g.b, pos, '\t')
	}
	for pos < g.tab {
		skipped := bytes.IndexByte(g.b[pos:g.tab], ' ')
		if skipped < 0 {
			return g.tab
		}
		pos += skipped
		if c := g.b[pos+1]; c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return pos
		}
		pos++
		if skipped < near {
			pos = skipWords(g.b[:g.tab], pos)
		}
	}
	return g.tab
}

// near is how close spaces must be for words to be skipped by skipWords, which is
// steady where IndexByte is quick over long stretches.
const near = 16

// skipWords returns a place from pos on before which there is no gap. It looks at eight
// octets at a time for two neighbours that may both be white space.
func skipWords(b []byte, pos int) int {
	const (
		each = 0x0101010101010101
		high = 0x80 * each
	)
	for stop := pos + 1024; pos+8 <= len(b) && pos < stop; pos += 7 {
		x := binary.LittleEndian.Uint64(b[pos:])
		low := (x - 0x21*each) &^ x & high // set for octets up to 0x20, and for some others
		if pair := low & (low >> 8); pair != 0 {
			return pos + bits.TrailingZeros64(pair)/8
		}
	}
	return pos
}

func indexFrom(b []byte, pos int, c byte) int {
	if i := bytes.IndexByte(b[pos:], c); i >= 0 {
		return pos + i
	}
	return len(b)
}
