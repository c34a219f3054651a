package archive

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io"
	"slices"
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
	return b.within(data, visit, func(o *opening) { (&zipFile{opening: o, data: data}).open() })
}

type zipFile struct {
	*opening
	data     []byte
	spans    [][2]int // from each listed local header to the end of its data
	password string   // the last one that fitted
}

func (z *zipFile) open() {
	r, err := zip.NewReader(bytes.NewReader(z.data), int64(len(z.data)))
	if err != nil && r == nil {
		z.remark(Damaged, "zip: %v", err)
		z.carve(0, len(z.data))
		return
	}
	z.end(r)
	for _, f := range r.File {
		if !z.listed(f) {
			return
		}
	}
	z.unlisted()
}

// end looks at the end records: there must be one, and it must be of the only disk.
func (z *zipFile) end(r *zip.Reader) {
	at := bytes.LastIndex(z.data, []byte(endMagic))
	if at < 0 || len(z.data) < at+endSize {
		return
	}
	if disk := le16(z.data, at+4); disk != 0 && disk != 0xFFFF {
		z.remark(Volumes, "disk %d of a zip", disk+1)
	}
	comment := z.data[at+endSize:]
	if len(comment) != int(le16(z.data, at+20)) || len(r.Comment) != len(comment) {
		z.remark(Conflict, "%d octets after the end record", len(comment))
	}
}

// listed reads a member of the directory. False ends the archive.
func (z *zipFile) listed(f *zip.File) bool {
	doubts := z.doubts
	at, begin := z.account(f)
	if at < 0 {
		z.visit(Member{Name: f.Name})
		return z.enter() == nil
	}
	end := min(uint64(len(z.data)-begin), f.CompressedSize64)
	_, ok := z.member(entry{
		name: f.Name, flags: f.Flags, method: f.Method, sure: true, crc: f.CRC32, size: f.UncompressedSize64,
		packed: z.data[begin : begin+int(end)], extra: f.Extra, time: f.ModifiedTime, //nolint:staticcheck,gosec // bounded by the data; the old cipher checks by the raw time
		special: special(f.Mode()),
	})
	if ok && z.doubts > doubts { // it is read by the local header, too
		l := z.local(at)
		_, ok = z.carved(l)
	}
	return ok
}

// account compares the directory's entry with the local header that it points to and
// notes the octets that both cover. It returns where that header and its data begin;
// at is -1 if there is none.
func (z *zipFile) account(f *zip.File) (at, begin int) {
	offset, err := f.DataOffset()
	if err == nil && offset >= 0 && offset <= int64(len(z.data)) {
		begin = int(offset)
		at = z.localBefore(begin)
	} else {
		at = -1
	}
	if at < 0 {
		z.remark(Conflict, "%s: no local header", f.Name)
		return -1, 0
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
	end := begin + int(min(f.CompressedSize64, uint64(len(z.data)-begin))) //nolint:gosec // bounded by the data
	z.spans = append(z.spans, [2]int{at, end})
	return at, begin
}

// entry is a member as one of the two headers describes it.
type entry struct {
	name          string
	flags, method uint16
	sure          bool // crc and size are known
	crc           uint32
	size          uint64
	packed        []byte // the data, or more when their end is not known
	extra         []byte
	time          uint16
	special       string
}

// member reads an entry and tells how many of the packed octets it took. False ends
// the archive.
func (z *zipFile) member(e entry) (used int, ok bool) {
	if err := z.enter(); err != nil {
		return 0, false
	}
	if e.flags&flagSealed != 0 || e.method == methodAES {
		open, ok := z.decrypt(e)
		if !ok {
			z.remark(Encrypted, "%s", e.name)
			z.visit(Member{Name: e.name})
			return len(e.packed), true
		}
		z.remark(Unlocked, "%s", e.name)
		e = open
	}
	src := bytes.NewReader(e.packed) // an io.ByteReader: flate takes no more than it needs
	r, err := unzip(e.method, src, e.size, z.Dictionary)
	switch { // some programs take what they do not know for stored
	case err != nil:
		z.trouble(e.name, err)
		r = src
	case r == nil:
		z.remark(Method, "%s: method %d", e.name, e.method)
		r = src
	}
	doubts := z.doubts
	data, err := z.read(e.name, r)
	if z.doubts == doubts && err == nil && e.sure && (crc32.ChecksumIEEE(data) != e.crc || uint64(len(data)) != e.size) {
		z.remark(Damaged, "%s: other data than its checksum says", e.name)
	}
	z.visit(Member{Name: e.name, Data: data, Special: e.special})
	if err == nil && z.doubts > doubts {
		err = z.otherwise(e)
	}
	return len(e.packed) - src.Len(), err == nil
}

// otherwise reads an entry whose data are not what its method says the other way:
// deflated data called stored, stored data called deflated.
func (z *zipFile) otherwise(e entry) error {
	if e.method != zip.Store {
		return z.give(Member{Name: e.name, Data: e.packed})
	}
	var b bytes.Buffer
	r, _ := unzip(zip.Deflate, bytes.NewReader(e.packed), 0, z.Dictionary)
	if n, _ := io.CopyN(&b, &moving{r: r}, z.Member); n == 0 { // mostly it is no stream at all
		return nil
	}
	return z.give(Member{Name: e.name, Data: b.Bytes()})
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
