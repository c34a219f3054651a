package carrier

import "bytes"

// element is one value of BER (X.690). Writers that do not know the length beforehand
// leave it open and put the content in pieces, which DER forbids and S/MIME is full of.
type element struct {
	tag   byte
	value []byte
	open  bool // of indefinite length: ends with two zero octets
}

const (
	constructed = 0x20
	octetString = 0x04
	// maxPieces bounds how deep pieces nest in pieces; two levels are in use.
	maxPieces = 8
)

// cutBER takes the first element. A length beyond the octets is an error, and the value
// is what there is.
func cutBER(b []byte) (e element, rest []byte, err error) {
	if len(b) < 2 {
		return element{}, nil, errCut
	}
	e.tag = b[0]
	size, head, open := berLength(b[1:])
	if e.tag&0x1F == 0x1F || head == 0 {
		return element{}, nil, errCut // no type that CMS uses
	}
	body := b[1+head:]
	switch {
	case open:
		e.open = true
		n, err := openEnd(body)
		e.value = body[:n]
		return e, body[min(n+2, len(body)):], err
	case size > uint64(len(body)):
		e.value = body
		return e, nil, errCut
	}
	e.value = body[:size]
	return e, body[size:], nil
}

// berLength reads a length; head 0 means that it is none.
func berLength(b []byte) (size uint64, head int, open bool) {
	switch {
	case b[0] < 0x80:
		return uint64(b[0]), 1, false
	case b[0] == 0x80:
		return 0, 1, true
	}
	n := int(b[0] & 0x7F)
	if n > 8 || n >= len(b) {
		return 0, 0, false
	}
	for _, c := range b[1 : 1+n] {
		size = size<<8 | uint64(c)
	}
	return size, 1 + n, false
}

// openEnd finds where a value of indefinite length ends. It counts the open elements
// in a loop, so that nesting costs neither stack nor a second look.
func openEnd(b []byte) (int, error) {
	pos := 0
	for open := 1; ; {
		rest := b[min(pos, len(b)):]
		if bytes.HasPrefix(rest, []byte{0, 0}) {
			if open--; open == 0 {
				return pos, nil
			}
			pos += 2
			continue
		}
		if len(rest) < 2 {
			return len(b), errCut
		}
		size, head, indefinite := berLength(rest[1:])
		switch {
		case head == 0:
			return len(b), errCut
		case indefinite:
			open++
			pos += 1 + head
		case size > uint64(len(rest)):
			return len(b), errCut
		default:
			pos += 1 + head + int(size)
		}
	}
}

// children are the elements inside; what cannot be read ends them.
func (e element) children() []element {
	const most = 1 << 16
	var out []element
	for rest := e.value; len(rest) > 0 && len(out) < most; {
		c, after, err := cutBER(rest)
		if c.value == nil && err != nil {
			break
		}
		out = append(out, c)
		rest = after
	}
	return out
}

// child is the n-th element inside; the zero element when there is none.
func (e element) child(n int) element {
	rest := e.value
	for ; len(rest) > 0; n-- {
		c, after, err := cutBER(rest)
		if n == 0 {
			return c
		}
		if err != nil {
			break
		}
		rest = after
	}
	return element{}
}

// octets joins the pieces of an octet string.
func (e element) octets(depth int) []byte {
	if e.tag&constructed == 0 || depth > maxPieces {
		return e.value
	}
	if e.tag != octetString|constructed {
		return e.value // some other type: its octets are looked at as they stand
	}
	var out []byte
	for _, c := range e.children() {
		out = append(out, c.octets(depth+1)...)
	}
	return out
}
