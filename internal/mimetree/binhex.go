package mimetree

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// binHexMark begins every BinHex 4.0 file (RFC 1741 appendix A).
const binHexMark = "(This file must be converted with BinHex"

// binHexAlphabet are the characters for 0 to 63.
const binHexAlphabet = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"

// cutBinHex decodes the BinHex file whose first line begins at pos. Check sums are not
// compared: a reader that does not compare them sees the file. The runs in it may make
// much out of little, so it grows to at most room octets and says when it was cut.
func cutBinHex(src []byte, pos, room int) (p *msg.Part, next int) {
	const most = 1000 // the file begins on one of the next lines
	at := bytes.IndexByte(src[pos:min(len(src), pos+most)], ':')
	if at < 0 {
		return nil, lineEnd(src, pos)
	}
	pos += at + 1
	octets, next, cut := unBinHex(src, pos, room, false)
	name, data, rest := binHexForks(octets)
	if next < len(src) && src[next-1] != ':' { // at a character that is none: some go on
		octets, _, cut = unBinHex(src, pos, room, true)
		_, data2, rest2 := binHexForks(octets)
		rest = slices.MaxFunc([][]byte{data2, rest2}, func(a, b []byte) int { return cmp.Compare(len(a), len(b)) })
	}
	if len(data) == 0 { // so says its header
		data, rest = rest, nil
	}
	if p = carriedFile("x-binhex", name, data); p == nil {
		return nil, next
	}
	if cut {
		note(p, LimitDecoded, "")
	}
	if len(rest) > len(data) {
		p.Others = append(p.Others, carriedFile("x-binhex", name, rest))
	}
	return p, next
}

// binHexRoom is to how much all BinHex files of a text may grow together.
func binHexRoom(size int) int { return readingsShare*size + 1<<20 }

// unBinHex undoes the 6-bit code up to the closing colon, and the runs in it. It ends at
// a character that is no part of the code, or skips it; the next file it leaves alone.
func unBinHex(src []byte, pos, room int, skip bool) (out []byte, next int, cut bool) {
	var acc uint32
	held, run := 0, false
	for ; pos < len(src) && src[pos] != ':'; pos++ {
		v := strings.IndexByte(binHexAlphabet, src[pos])
		if v < 0 && !skip && !isSpace(src[pos]) || src[pos] == '(' && bytes.HasPrefix(src[pos:], []byte(binHexMark)) {
			return out, pos, cut
		}
		if v < 0 {
			continue
		}
		acc = acc<<6 | uint32(v)
		if cut = cut || len(out) >= room; cut {
			continue // to where it ends, so that it is read once
		}
		if held += 6; held >= 8 {
			held -= 8
			out, run = appendRun(out, byte(acc>>held), run)
		}
	}
	return out, min(pos+1, len(src)), cut
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// appendRun takes one octet of the run-length code: 0x90 and a count repeat the octet
// before, 0x90 and 0 is 0x90 itself.
func appendRun(out []byte, c byte, run bool) ([]byte, bool) {
	const mark = 0x90
	switch {
	case !run && c == mark:
		return out, true
	case !run:
		return append(out, c), false
	case c == 0:
		return append(out, mark), false
	case len(out) == 0:
		return out, false
	}
	return append(out, bytes.Repeat(out[len(out)-1:], int(c)-1)...), false
}

// binHexForks reads the header: a name, type and creator, flags, the lengths of the
// forks. Data is the file by its length; rest is the file to those who do not look at
// lengths, with its check sum and the other fork. What has no header is handed out as it is.
func binHexForks(b []byte) (name string, data, rest []byte) {
	if len(b) == 0 {
		return "", nil, nil
	}
	n := int(b[0])
	const head = 1 + 4 + 4 + 2 + 4 + 4 + 2 // after the name
	if len(b) < 1+n+head {
		return "", b, nil
	}
	name = string(b[1 : 1+n])
	lengths := b[1+n+11:]
	size := int64(binary.BigEndian.Uint32(lengths))
	rest = b[1+n+head:]
	if size > 0 && size < int64(len(rest)) {
		return name, rest[:size], rest
	}
	return name, rest, nil // cut off, or only a resource fork
}
