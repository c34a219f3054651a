package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
)

const (
	localMagic = "PK\x03\x04"
	endMagic   = "PK\x05\x06"
	localSize  = 30 // octets of a local header before its name
	endSize    = 22 // octets of the end record before its comment
	flagSealed = 1  // general purpose bit 0
	flagLater  = 8  // bit 3: sizes come after the data
)

func le16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func le32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
func le64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// localBefore finds the local header whose name and extra field end at begin. The
// standard library gives the place of the data only.
func (z *zipFile) localBefore(begin int) int {
	const longest = localSize + 2*65535
	for at := begin - localSize; at >= max(0, begin-longest); at-- {
		if string(z.data[at:at+4]) == localMagic {
			if l := z.local(at); l.body == begin {
				return at
			}
		}
	}
	return -1
}

type localHeader struct {
	name                string
	flags, method, time uint16
	crc, packed, size   uint32
	zip64               bool
	extra               []byte
	body                int // where the data begin; 0 when the header is cut
}

func (z *zipFile) local(at int) localHeader {
	h := z.data[at:]
	if len(h) < localSize {
		return localHeader{}
	}
	l := localHeader{flags: le16(h, 6), method: le16(h, 8), time: le16(h, 10), crc: le32(h, 14), packed: le32(h, 18), size: le32(h, 22)}
	name, extra := int(le16(h, 26)), int(le16(h, 28))
	if len(h) < localSize+name+extra {
		return localHeader{}
	}
	l.name = string(h[localSize : localSize+name])
	l.extra = h[localSize+name : localSize+name+extra]
	l.zip64 = l.packed == 0xFFFFFFFF || l.size == 0xFFFFFFFF
	l.body = at + localSize + name + extra
	return l
}

// carve reads the members whose local headers stand between from and to. False ends
// the archive.
func (z *zipFile) carve(from, to int) (found int, ok bool) {
	for from < to {
		i := bytes.Index(z.data[from:to], []byte(localMagic))
		if i < 0 {
			return found, true
		}
		l := z.local(from + i)
		if l.body == 0 {
			from += i + len(localMagic)
			continue
		}
		found++
		used, ok := z.carved(l)
		if !ok {
			return found, false
		}
		from = l.body + used
	}
	return found, true
}

// carved reads the data of a local header without the directory's help and tells how
// many octets it took.
func (z *zipFile) carved(l localHeader) (used int, ok bool) {
	rest := z.data[l.body:]
	e := entry{
		name: l.name, flags: l.flags, method: l.method, crc: l.crc, size: uint64(l.size),
		packed: rest, extra: l.extra, time: l.time,
	}
	sealed := l.flags&flagSealed != 0 || l.method == methodAES
	if l.method != zip.Deflate || sealed { // only deflate knows its own end
		e.packed = rest[:l.packedSize(rest)]
	}
	return z.member(e)
}

// packedSize is the size of the data by the header, or up to the next record when it
// leaves the size to a descriptor after the data.
func (l localHeader) packedSize(rest []byte) int {
	if l.flags&flagLater == 0 || l.packed != 0 {
		return min(int(l.packed), len(rest))
	}
	end := len(rest)
	for _, magic := range []string{"PK\x07\x08", localMagic, "PK\x01\x02"} {
		if i := bytes.Index(rest[:end], []byte(magic)); i >= 0 {
			end = i
		}
	}
	return end
}
