package mimetree

import (
	"bytes"
	"encoding/binary"

	"congthu/internal/msg"
)

// binHexMark begins every BinHex 4.0 file (RFC 1741 appendix A).
const binHexMark = "(This file must be converted with BinHex"

// binHexAlphabet are the characters for 0 to 63.
const binHexAlphabet = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"

// cutBinHex decodes the BinHex file whose first line begins at pos. Check sums are not
// compared: a reader that does not compare them sees the file.
func cutBinHex(src []byte, pos int) (p *msg.Part, next int) {
	const most = 1000 // the file begins on one of the next lines
	at := bytes.IndexByte(src[pos:min(len(src), pos+most)], ':')
	if at < 0 {
		return nil, lineEnd(src, pos)
	}
	pos += at + 1
	octets, next := unBinHex(src, pos)
	name, data := binHexForks(octets)
	return carriedFile("x-binhex", name, data), next
}

// unBinHex undoes the 6-bit code up to the closing colon, and the runs in it.
func unBinHex(src []byte, pos int) (out []byte, next int) {
	var acc uint32
	held, run := 0, false
	for ; pos < len(src) && src[pos] != ':'; pos++ {
		v := bytes.IndexByte([]byte(binHexAlphabet), src[pos])
		if v < 0 {
			if c := src[pos]; c != '\r' && c != '\n' && c != ' ' && c != '\t' {
				return out, pos
			}
			continue
		}
		acc = acc<<6 | uint32(v)
		if held += 6; held >= 8 {
			held -= 8
			out, run = appendRun(out, byte(acc>>held), run)
		}
	}
	return out, min(pos+1, len(src))
}

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
// forks. What has none of it is handed out as it is.
func binHexForks(b []byte) (name string, data []byte) {
	if len(b) == 0 {
		return "", nil
	}
	n := int(b[0])
	const rest = 1 + 4 + 4 + 2 + 4 + 4 + 2 // after the name
	if len(b) < 1+n+rest {
		return "", b
	}
	name = string(b[1 : 1+n])
	lengths := b[1+n+11:]
	size := int64(binary.BigEndian.Uint32(lengths))
	data = b[1+n+rest:]
	if size > 0 && size < int64(len(data)) {
		return name, data[:size]
	}
	return name, data // cut off, or only a resource fork
}
