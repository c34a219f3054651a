package archive

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"
)

const (
	localMagic = "PK\x03\x04"
	endMagic   = "PK\x05\x06"
	localSize  = 30 // octets of a local header before its name
	flagSealed = 1  // general purpose bit 0
	flagLater  = 8  // bit 3: sizes come after the data
)

// HasZipEnd tells whether a zip reader would find an archive in data, whatever it
// begins with: readers look for the end record in the last 64 KiB.
func HasZipEnd(data []byte) bool {
	tail := data[max(0, len(data)-65557):]
	return bytes.Contains(tail, []byte(endMagic))
}

// Zip opens a zip file: first what its directory lists, then every local header that
// the directory does not account for. Some programs go by the one, some by the other.
func (b *Budget) Zip(data []byte, visit Visit) []Remark {
	o := b.open(data, visit)
	z := &zipFile{opening: o, data: data}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && r == nil {
		o.remark(Damaged, "zip: %v", err)
		z.carve(0, len(data))
		return o.remarks
	}
	r.RegisterDecompressor(12, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	for _, f := range r.File {
		if !z.listed(f) {
			return o.remarks
		}
	}
	z.unlisted()
	return o.remarks
}

type zipFile struct {
	*opening
	data  []byte
	spans [][2]int // from each listed local header to the end of its data
}

// listed reads a member of the directory. False ends the archive.
func (z *zipFile) listed(f *zip.File) bool {
	z.account(f)
	switch {
	case f.Flags&flagSealed != 0 || f.Method == 99:
		z.remark(Encrypted, "%s", f.Name)
	case f.Method != zip.Store && f.Method != zip.Deflate && f.Method != 12:
		z.remark(Method, "%s: method %d", f.Name, f.Method)
	default:
		r, err := f.Open()
		if err == nil {
			return z.take(f.Name, r) == nil
		}
		z.remark(Damaged, "%s: %v", f.Name, err)
	}
	z.visit(Member{Name: f.Name})
	return z.enter() == nil
}

// account compares the directory's entry with the local header that it points to and
// notes the octets that both cover.
func (z *zipFile) account(f *zip.File) {
	begin, err := f.DataOffset()
	if err != nil || begin > int64(len(z.data)) {
		z.remark(Conflict, "%s: no local header", f.Name)
		return
	}
	at := z.localBefore(int(begin))
	if at < 0 {
		z.remark(Conflict, "%s: no local header", f.Name)
		return
	}
	l := z.local(at)
	if l.name != f.Name {
		z.remark(Conflict, "%s / %s", f.Name, l.name)
		z.visit(Member{Name: l.name})
	}
	if l.method != f.Method || l.flags&flagSealed != f.Flags&flagSealed {
		z.remark(Conflict, "%s: method %d / %d", f.Name, f.Method, l.method)
	}
	if l.flags&flagLater == 0 && !l.zip64 && (uint64(l.packed) != f.CompressedSize64 || uint64(l.size) != f.UncompressedSize64) {
		z.remark(Conflict, "%s: size %d / %d", f.Name, f.CompressedSize64, l.packed)
	}
	end := begin + int64(min(f.CompressedSize64, uint64(len(z.data)))) //nolint:gosec // bounded by the data
	z.spans = append(z.spans, [2]int{at, int(min(end, int64(len(z.data))))})
}

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
	name          string
	flags, method uint16
	packed, size  uint32
	zip64         bool
	body          int // where the data begin; 0 when the header is cut
}

func (z *zipFile) local(at int) localHeader {
	h := z.data[at:]
	if len(h) < localSize {
		return localHeader{}
	}
	u16 := func(i int) uint16 { return binary.LittleEndian.Uint16(h[i:]) }
	u32 := func(i int) uint32 { return binary.LittleEndian.Uint32(h[i:]) }
	l := localHeader{flags: u16(6), method: u16(8), packed: u32(18), size: u32(22)}
	name, extra := int(u16(26)), int(u16(28))
	if len(h) < localSize+name+extra {
		return localHeader{}
	}
	l.name = string(h[localSize : localSize+name])
	l.zip64 = l.packed == 0xFFFFFFFF || l.size == 0xFFFFFFFF
	l.body = at + localSize + name + extra
	return l
}

// unlisted looks between the listed members for more.
func (z *zipFile) unlisted() {
	slices.SortFunc(z.spans, func(a, b [2]int) int { return a[0] - b[0] })
	at := 0
	for _, s := range z.spans {
		if s[0] < at {
			z.remark(Conflict, "members overlap at %d", s[0])
		}
		if found, ok := z.carve(at, max(at, s[0])); found > 0 || !ok {
			z.remark(Conflict, "%d members that the directory does not list", found)
			if !ok {
				return
			}
		}
		at = max(at, s[1])
	}
	if found, _ := z.carve(at, len(z.data)); found > 0 {
		z.remark(Conflict, "%d members that the directory does not list", found)
	}
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
	packed := min(int(l.packed), len(rest))
	switch {
	case l.flags&flagSealed != 0:
		z.remark(Encrypted, "%s", l.name)
	case l.method == zip.Store:
		return packed, z.take(l.name, bytes.NewReader(rest[:packed])) == nil
	case l.method == zip.Deflate:
		src := bytes.NewReader(rest) // an io.ByteReader: flate takes no more than it needs
		err := z.take(l.name, flate.NewReader(src))
		return len(rest) - src.Len(), err == nil
	default:
		z.remark(Method, "%s: method %d", l.name, l.method)
	}
	z.visit(Member{Name: l.name})
	return packed, z.enter() == nil
}
