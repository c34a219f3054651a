package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
)

// Data that are not what the method says are given out as what they are, too.
func TestZipThatLiesAboutItsMethod(t *testing.T) {
	deflated := zipOf(t, file{"a.txt", strings.Repeat("hello", 20), zip.Deflate})
	called := func(z []byte, method uint16) []byte {
		z = slices.Clone(z)
		binary.LittleEndian.PutUint16(z[8:], method)
		binary.LittleEndian.PutUint16(z[bytes.Index(z, []byte("PK\x01\x02"))+10:], method)
		return z
	}
	m := openZip(called(deflated, zip.Store))
	if all := strings.Join(m.seen, " "); !strings.Contains(all, strings.Repeat("hello", 20)) || !slices.Contains(m.troubles, archive.Damaged) {
		t.Errorf("deflated called stored: %q %v", all, m.troubles)
	}
	m = openZip(called(rawZip(t, "a.txt", "hello"), zip.Deflate))
	if all := strings.Join(m.seen, " "); !strings.Contains(all, "a.txt=hello") || !slices.Contains(m.troubles, archive.Damaged) {
		t.Errorf("stored called deflated: %q %v", all, m.troubles)
	}
	m = openZip(called(rawZip(t, "a.txt", "hello"), 97))
	if all := strings.Join(m.seen, " "); all != "a.txt=hello" || !slices.Equal(m.troubles, []archive.Trouble{archive.Method}) {
		t.Errorf("an unknown method: %q %v", all, m.troubles)
	}
	wrong := rawZip(t, "a.txt", "hello")
	wrong[bytes.Index(wrong, []byte("PK\x01\x02"))+16] ^= 1
	if m = openZip(wrong); !slices.Contains(m.troubles, archive.Damaged) {
		t.Errorf("another checksum: %v", m.troubles)
	}
}

// A program that reads from the front and one that goes by a longer packed size see
// more than the directory tells.
func TestZipThatHidesItsEnd(t *testing.T) {
	z := rawZip(t, "a.txt", "helloEVIL")
	dir := bytes.Index(z, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(z[dir+20:], 5)
	binary.LittleEndian.PutUint32(z[dir+24:], 5)
	m := openZip(z)
	if all := strings.Join(m.seen, " "); !strings.Contains(all, "helloEVIL") || !slices.Contains(m.troubles, archive.Conflict) {
		t.Errorf("%q %v", all, m.troubles)
	}
	junk := append(rawZip(t, "a.txt", "hello"), "junk"...)
	if m := openZip(junk); !slices.Contains(m.troubles, archive.Conflict) {
		t.Errorf("octets after the end record: %v", m.troubles)
	}
	disk := rawZip(t, "a.txt", "hello")
	disk[bytes.LastIndex(disk, []byte("PK\x05\x06"))+4] = 2
	if m := openZip(disk); !slices.Contains(m.troubles, archive.Volumes) {
		t.Errorf("the third disk: %v", m.troubles)
	}
}

// A stored member whose size stands behind it ends where the next record begins.
func TestZipCarvedByDescriptor(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a", "b"} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = f.Write([]byte("hello"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	openZip(b.Bytes()[:bytes.Index(b.Bytes(), []byte("PK\x01\x02"))]).check(t, "a=hello b=hello", archive.Damaged)
}

// Members that are no files are named as what they are, and never made.
func TestSpecialMembers(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Name: "s", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"},
		{Name: "h", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		{Name: "c", Typeflag: tar.TypeChar},
		{Name: "b", Typeflag: tar.TypeBlock},
		{Name: "p", Typeflag: tar.TypeFifo},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var special []string
	budget().Tar(b.Bytes(), func(m archive.Member) {
		if m.Special != "" {
			special = append(special, m.Name+": "+m.Special)
		}
	})
	want := []string{"s: link to ../../etc/passwd", "h: link to /etc/passwd", "c: device", "b: device", "p: pipe"}
	if !slices.Equal(special, want) {
		t.Errorf("%q", special)
	}
	var z bytes.Buffer
	zw := zip.NewWriter(&z)
	h := &zip.FileHeader{Name: "s"}
	h.SetMode(fs.ModeSymlink | 0o777)
	if f, err := zw.CreateHeader(h); err != nil {
		t.Fatal(err)
	} else if _, err = f.Write([]byte("/etc/passwd")); err != nil || zw.Close() != nil {
		t.Fatal(err)
	}
	special = nil
	budget().Zip(z.Bytes(), func(m archive.Member) { special = append(special, m.Special+string(m.Data)) })
	if !slices.Equal(special, []string{"link to /etc/passwd"}) {
		t.Errorf("%q", special)
	}
}

// A self-extracting archive, a picture with a tail: found by a whole header, not by the
// octets that a program has in its own text.
func TestFindHidden(t *testing.T) {
	front := bytes.Repeat([]byte("Rar!\x1a\x07 7z\xbc\xaf\x27\x1c MSCF\x00\x00\x00\x00 front "), 20)
	for _, c := range []struct {
		want string
		data []byte
	}{
		{"rar", archivetest.Rar4(t, "a", []byte("x"))},
		{"rar", archivetest.Rar5(t, "a", []byte("x"))},
		{"7z", archivetest.Seven("\x00", "", []byte("x"), 1)},
	} {
		found := archive.FindHidden(slices.Concat(front, c.data, []byte("tail")))
		if len(found) != 1 || found[0] != (archive.Hidden{Format: c.want, At: len(front)}) {
			t.Errorf("%s: %v", c.want, found)
		}
	}
	if found := archive.FindHidden(front); len(found) > 0 {
		t.Errorf("nothing: %v", found)
	}
	if found := archive.FindHidden(slices.Concat(front, bytes.Repeat(archivetest.Rar5(t, "a", nil), 100))); len(found) > 10 {
		t.Errorf("%d of them", len(found))
	}
}

func TestCab(t *testing.T) {
	cab := cabOf(0, "hello")
	m := open(cab, (*archive.Budget).Cab)
	m.check(t, "a.txt=hello")
	for _, c := range []struct {
		name string
		edit func([]byte)
		want archive.Trouble
	}{
		{"Quantum", func(d []byte) { d[42] = 2 }, archive.Method},
		{"LZX", func(d []byte) { d[42] = 3 }, archive.Method},
		{"another method", func(d []byte) { d[42] = 9 }, archive.Method},
		{"no MSZIP block", func(d []byte) { d[42] = 1 }, archive.Damaged},
		{"a cut block", func(d []byte) { d[len(d)-9] = 99 }, archive.Damaged},
		{"one of a set", func(d []byte) { d[30] = 1 }, archive.Volumes},
		{"a folder in the next", func(d []byte) { d[44+8], d[44+9] = 0xFE, 0xFF }, archive.Volumes},
		{"no such folder", func(d []byte) { d[44+8] = 7 }, archive.Damaged},
		{"more than there is", func(d []byte) { d[44] = 200 }, archive.Damaged},
	} {
		d := slices.Clone(cab)
		c.edit(d)
		if m := open(d, (*archive.Budget).Cab); !slices.Contains(m.troubles, c.want) {
			t.Errorf("%s: %v %q", c.name, m.troubles, m.evidence)
		}
	}
	for n := range cab {
		if m := open(cab[:n], (*archive.Budget).Cab); len(m.troubles) == 0 {
			t.Errorf("cut to %d: nothing is said", n)
		}
	}
}

// cabOf is a cabinet with one folder and one file.
func cabOf(method uint16, content string) []byte {
	b := append([]byte("MSCF\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 44, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, 3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0) // version, folders, files, flags, set, index
	file := append(binary.LittleEndian.AppendUint32(nil, uint32(len(content))), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	file = append(file, "a.txt\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(44+len(file)))
	b = append(b, 1, 0)
	b = binary.LittleEndian.AppendUint16(b, method)
	b = append(b, file...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(content)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(content)))
	return append(b, content...)
}

func TestArAndCpio(t *testing.T) {
	ar := "!<arch>\n" + arHead("//", "18") + "a long name.txt/\n\n" + arHead("/0", "5") + "hello\n" + arHead("#1/4", "9") + "b\x00\x00\x00hello\n"
	m := open([]byte(ar), (*archive.Budget).Ar)
	m.check(t, "a long name.txt=hello b=hello")
	if m := open([]byte(ar[:len(ar)-3]), (*archive.Budget).Ar); !slices.Contains(m.troubles, archive.Damaged) {
		t.Errorf("cut ar: %v", m.troubles)
	}
	cpio := cpioOf("../x", "hi", 0o100644) + cpioOf("l", "/etc/passwd", 0o120777)
	m = open([]byte(cpio+cpioOf("TRAILER!!!", "", 0)), (*archive.Budget).Cpio)
	m.check(t, "../x=hi l=/etc/passwd")
	if m := open([]byte(cpio), (*archive.Budget).Cpio); !slices.Contains(m.troubles, archive.Damaged) {
		t.Errorf("cpio without a trailer: %v", m.troubles)
	}
	twice := cpioOf("TRAILER!!!", "", 0) + cpio + cpioOf("TRAILER!!!", "", 0)
	open([]byte(twice), (*archive.Budget).Cpio).check(t, "../x=hi l=/etc/passwd", archive.Conflict)
}

func arHead(name, size string) string {
	return name + strings.Repeat(" ", 48-len(name)) + size + strings.Repeat(" ", 10-len(size)) + "`\n"
}

// cpioOf is a member in the old ASCII format.
func cpioOf(name, data string, mode int) string {
	octal := func(v, n int) string {
		s := strings.Repeat("0", n)
		for d := []byte(s); ; v /= 8 {
			n--
			if d[n] = byte('0' + v%8); n == 0 {
				return string(d)
			}
		}
	}
	return "070707" + strings.Repeat("0", 12) + octal(mode, 6) + strings.Repeat("0", 35) + octal(len(name)+1, 6) + octal(len(data), 11) + name + "\x00" + data
}

func TestTarsEndToEnd(t *testing.T) {
	one := tarOf(t, "a", "x")
	m := open(slices.Concat(one, make([]byte, 4096), tarOf(t, "b", "y")), (*archive.Budget).Tar)
	m.check(t, "a=x b=y", archive.Conflict)
}

func tarOf(t *testing.T, name, data string) []byte {
	t.Helper()
	for _, c := range archivetest.All() {
		if c.Name == "tar ustar" {
			return c.Write(t, name, []byte(data))
		}
	}
	t.Fatal("no tar")
	return nil
}

// Streams: several frames are one file, as their programs have it; a cut is said.
func TestStreams(t *testing.T) {
	for _, c := range archivetest.All() {
		with, ok := streams()[c.Ext]
		if !ok {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			one := c.Write(t, "a", []byte(strings.Repeat("hello ", 2000)))
			two := c.Write(t, "a", []byte("again"))
			if c.Ext == "Z" { // compress has neither a size nor a checksum
				return
			}
			if m := open(one[:len(one)-len(one)/3], with); len(m.troubles) != 1 || m.troubles[0] != archive.Damaged {
				t.Errorf("cut: %v", m.troubles)
			}
			m := open(slices.Concat(one, two), with)
			whole := len(m.seen) == 1 && strings.HasSuffix(m.seen[0], "hello again") && len(m.troubles) == 0
			if said := slices.Contains(m.troubles, archive.Damaged) || slices.Contains(m.troubles, archive.Conflict); !whole && !said {
				t.Errorf("end to end: %v %v", m.troubles, len(m.seen))
			}
		})
	}
}

func streams() map[string]opens {
	return map[string]opens{
		"gz": named((*archive.Budget).Gzip), "bz2": named((*archive.Budget).Bzip2), "xz": named((*archive.Budget).XZ),
		"lzma": named((*archive.Budget).LZMA), "zst": named((*archive.Budget).Zstd), "lz4": named((*archive.Budget).LZ4),
		"Z": named((*archive.Budget).Compress),
	}
}

// The clearing of the table and codes of every size, which a short text does not have.
func TestCompressLong(t *testing.T) {
	var b strings.Builder
	for i := range 400000 {
		b.WriteByte(byte(crc32.ChecksumIEEE([]byte{byte(i), byte(i >> 8), byte(i >> 16)}) % 23))
	}
	long := b.String()
	for _, c := range archivetest.All() {
		if c.Name != "compress" {
			continue
		}
		m := open(c.Write(t, "a", []byte(long)), streams()["Z"])
		if len(m.seen) != 1 || m.seen[0] != "a="+long || len(m.troubles) > 0 {
			t.Errorf("%d members, %v %q", len(m.seen), m.troubles, m.evidence)
		}
	}
}
