package pgp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// The tags of packets that a message is made of (RFC 9580 section 5).
const (
	tagSessionKey   = 1
	tagSignature    = 2
	tagPassphrase   = 3
	tagOnePass      = 4
	tagCompressed   = 8
	tagNoIntegrity  = 9
	tagMarker       = 10
	tagLiteral      = 11
	tagIntegrity    = 18
	tagAEAD         = 20 // of GnuPG 2.3, before RFC 9580
	tagPadding      = 21
	partialSmallest = 512
)

var (
	errCut     = errors.New("pgp: a packet is longer than what there is")
	errFraming = errors.New("pgp: this is no sequence of packets")
	errMany    = errors.New("pgp: too many packets")
)

// frame is one packet: its body is in one piece, whatever pieces it came in.
type frame struct {
	tag  int
	body []byte
}

// reader gives the packet to the library, with a header of the plainest form.
func (f frame) reader() io.Reader {
	head := [6]byte{0: 0xC0 | byte(f.tag), 1: 0xFF}
	binary.BigEndian.PutUint32(head[2:], uint32(len(f.body)))
	return io.MultiReader(bytes.NewReader(head[:]), bytes.NewReader(f.body))
}

// append writes the packet behind b.
func (f frame) append(b []byte) []byte {
	b = append(b, 0xC0|byte(f.tag), 0xFF)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.body)))
	return append(b, f.body...)
}

// frames divides octets into packets (RFC 9580 section 4.2), at most so many. Nothing may be
// left over. Bodies that came in pieces are joined in place: the octets are used up.
func frames(data []byte, most int) (out []frame, err error) {
	for len(data) > 0 {
		if len(out) == most {
			return nil, errMany
		}
		var f frame
		if f, data, err = nextFrame(data); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func nextFrame(b []byte) (f frame, rest []byte, err error) {
	switch {
	case b[0]&0x80 == 0:
		return f, nil, errFraming
	case b[0]&0x40 == 0:
		return oldFrame(b)
	}
	f.tag = int(b[0] & 0x3f)
	body, rest := b[1:1], b[1:] // what there is of the body, then what comes after
	for first := true; ; first = false {
		n, head, partial := newLength(rest)
		switch {
		case head == 0 || len(rest)-head < n:
			return f, nil, errCut
		case partial && (!streamed(f.tag) || first && n < partialSmallest): // RFC 9580 section 4.2.1.4
			return f, nil, errFraming
		}
		piece := rest[head : head+n]
		rest = rest[head+n:]
		if first {
			body = piece
		} else {
			body = append(body, piece...) // in place: the piece lies further back
		}
		if !partial {
			f.body = body[:len(body):len(body)]
			return f, rest, nil
		}
	}
}

// newLength reads a length of the new format; head is how many octets it takes, 0 where it
// is cut off.
func newLength(b []byte) (n, head int, partial bool) {
	switch {
	case len(b) == 0:
	case b[0] < 192:
		return int(b[0]), 1, false
	case b[0] < 224:
		if len(b) >= 2 {
			return int(b[0]-192)<<8 + int(b[1]) + 192, 2, false
		}
	case b[0] < 255:
		return 1 << (b[0] & 0x1f), 1, true
	case len(b) >= 5:
		return int(binary.BigEndian.Uint32(b[1:])), 5, false
	}
	return 0, 0, false
}

// oldFrame reads a packet of the old format. One without a length goes on to the end, which
// GnuPG writes for compressed data.
func oldFrame(b []byte) (f frame, rest []byte, err error) {
	f.tag = int(b[0]>>2) & 0x0f
	size := []int{1, 2, 4, 0}[b[0]&3]
	if size == 0 {
		if !streamed(f.tag) {
			return f, nil, errFraming
		}
		f.body = b[1:]
		return f, nil, nil
	}
	if len(b) < 1+size {
		return f, nil, errCut
	}
	n := 0
	for _, d := range b[1 : 1+size] {
		n = n<<8 | int(d)
	}
	rest = b[1+size:]
	if n > len(rest) {
		return f, nil, errCut
	}
	f.body = rest[:n:n]
	return f, rest[n:], nil
}

// streamed tells which packets may come without a length that is told in advance.
func streamed(tag int) bool {
	switch tag {
	case tagCompressed, tagNoIntegrity, tagLiteral, tagIntegrity, tagAEAD:
		return true
	}
	return false
}
