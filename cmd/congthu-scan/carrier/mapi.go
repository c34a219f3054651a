package carrier

import (
	"encoding/binary"
	"fmt"

	"congthu/cmd/congthu-scan/archive"
)

// properties reads a list of MAPI properties (MS-OXTNEF section 2.1.3.4).
func (o *opening) properties(b []byte, see func(property)) {
	r := reader{b: b}
	for n := r.uint32(); n > 0 && r.err == nil && len(r.b) > 0; n-- {
		kind, id := r.uint16(), r.uint16()
		if id >= 0x8000 {
			r.namedID()
		}
		if r.err != nil {
			break
		}
		r.values(kind, func(v []byte) { see(property{kind &^ multiple, id, v}) })
	}
	if r.err != nil {
		o.Remark(archive.Damaged, "TNEF: properties: %v", r.err)
	}
}

// reader takes little-endian values; the first fault ends it.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		if r.err == nil {
			r.err = errCut
		}
		n = len(r.b)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// padded takes a value whose place is a multiple of four octets.
func (r *reader) padded(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		return r.take(-1)
	}
	v := r.take(int(n))
	if pad := int(-n & 3); pad <= len(r.b) {
		r.take(pad)
	}
	return v
}

func (r *reader) uint16() uint16 {
	if v := r.take(2); len(v) == 2 {
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if v := r.take(4); len(v) == 4 {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

// namedID skips the name of a property that has no number of its own.
func (r *reader) namedID() {
	r.take(16)
	if r.uint32() == 0 {
		r.take(4)
		return
	}
	r.padded(r.uint32())
}

// values takes the value of a property, or each of several.
func (r *reader) values(kind uint16, see func([]byte)) {
	n := uint32(1)
	base := kind &^ multiple
	sized := base == typeString8 || base == typeUnicode || base == typeObject || base == typeBinary
	if sized || kind&multiple != 0 {
		n = r.uint32()
	}
	for ; n > 0 && r.err == nil && len(r.b) > 0; n-- {
		if sized {
			see(r.padded(r.uint32()))
			continue
		}
		size, ok := fixedSize(base)
		if !ok {
			r.err = fmt.Errorf("carrier: type %#x is not known", kind)
			return
		}
		see(r.take(size))
		if size == 0 { // however many there are, they are nothing
			return
		}
	}
}

// fixedSize is how many octets a value takes, short ones padded to four.
func fixedSize(kind uint16) (int, bool) {
	switch kind {
	case 0x01:
		return 0, true
	case 0x02, 0x03, 0x04, 0x0A, 0x0B:
		return 4, true
	case 0x05, 0x06, 0x07, 0x14, 0x40:
		return 8, true
	case 0x48:
		return 16, true
	}
	return 0, false
}
