package document_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/richardlehane/mscfb"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/document"
)

// directory is a compound file of nothing but entries, the first of them the root; links
// are left, right and child of each.
func directory(links [][3]uint32) []byte {
	const sector, each = 4096, 4096 / 128
	sectors := (len(links) + each - 1) / each
	tables := sectors/(sector/4) + 1 + sectors/(sector/4)/(sector/4)
	out := make([]byte, sector*(1+sectors+tables))
	copy(out, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for at, v := range map[int]uint16{24: 0x3E, 26: 4, 28: 0xFFFE, 30: 12, 32: 6} {
		binary.LittleEndian.PutUint16(out[at:], v)
	}
	for at, v := range map[int]uint32{44: uint32(tables), 48: 0, 56: 4096, 60: 0xFFFFFFFE, 68: 0xFFFFFFFE} {
		binary.LittleEndian.PutUint32(out[at:], v)
	}
	for i := range 109 {
		v := uint32(0xFFFFFFFF)
		if i < tables {
			v = uint32(sectors + i)
		}
		binary.LittleEndian.PutUint32(out[76+4*i:], v)
	}
	for i := range sectors * each {
		e := out[sector+128*i:]
		l := [3]uint32{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}
		if i < len(links) {
			l, e[66] = links[i], 1
			copy(e, "s\x00t\x00")
			e[64] = 6
		}
		for n, v := range l {
			binary.LittleEndian.PutUint32(e[68+4*n:], v)
		}
	}
	table := out[sector*(1+sectors):]
	for i := range sectors {
		v := uint32(i + 1)
		if i == sectors-1 {
			v = 0xFFFFFFFE
		}
		binary.LittleEndian.PutUint32(table[4*i:], v)
	}
	return out
}

const none = 0xFFFFFFFF

// nested are storages inside each other.
func nested(n int) [][3]uint32 {
	links := make([][3]uint32, n)
	for i := range links {
		links[i] = [3]uint32{none, none, uint32(i + 1)}
	}
	links[n-1][2] = none
	return links
}

// row are entries beside each other.
func row(n int) [][3]uint32 {
	links := make([][3]uint32, n)
	for i := range links {
		links[i] = [3]uint32{none, uint32(i + 1), none}
	}
	links[0], links[n-1] = [3]uint32{none, none, 1}, [3]uint32{none, none, none}
	return links
}

// What a directory may cost is bounded before the library sees it: in octets, and in time.
func TestCompoundBombs(t *testing.T) {
	for _, c := range []struct {
		what  string
		links [][3]uint32
		says  string
	}{
		{"storages inside each other", nested(20_000), "depth: over 32"},
		{"just too deep", nested(35), "depth: over 32"},
		{"deep to the left", append([][3]uint32{{none, none, 1}}, [][3]uint32{{2, none, none}, {none, 3, none}, {none, none, 4}}...), ""},
		{"a million entries", row(1_000_000), "entries: over 50000"},
		{"just not", nested(34), ""},
		{"a circle of storages", [][3]uint32{{none, none, 1}, {none, none, 2}, {none, none, 1}, {none, none, none}}, ""},
		{"a circle through many", append(nested(40_000)[:39_999], [3]uint32{none, none, 1}), "depth: over 32"},
	} {
		data := directory(c.links)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := cpu(t)
		s := readWithin(document.File{Name: "a.doc", Data: data}, archive.DefaultLimits())
		took := cpu(t) - began
		runtime.ReadMemStats(&after)
		if got := document.OverLimit(data); c.says == "" && got != "" || !strings.HasPrefix(got, c.says) {
			t.Errorf("%s: %q, want %q", c.what, got, c.says)
		}
		if c.says != "" && (len(s.troubles) != 1 || s.troubles[0] != archive.Limit) {
			t.Errorf("%s: troubles %v", c.what, s.troubles)
		}
		if asked := after.TotalAlloc - before.TotalAlloc; asked > 32<<20 || took > 3*time.Second {
			t.Errorf("%s: %d MiB, %v for %d octets", c.what, asked>>20, took, len(data))
		}
	}
}

// As deep as the limit allows everything is read: a letter saved in a letter in a letter.
func TestCompoundDepth(t *testing.T) {
	read(file("a.msg", cfb(strings.Repeat("x/", 31)+"\x01Ole10Native", native("a.exe", "EVIL")))).
		check(t, "31 deep", "EMBEDDED a.exe", "a.exe=EVIL")
	read(file("a.msg", cfb(strings.Repeat("x/", 33)+"\x01Ole10Native", native("a.exe", "EVIL")))).
		check(t, "33 deep", "", "", archive.Limit)
}

// FuzzCompound: what passes the check costs the library little, and the check itself, too.
func FuzzCompound(f *testing.F) {
	f.Add([]byte(cfb(project("x")...)))
	f.Add(directory(nested(40)))
	f.Add(directory(row(100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		began := cpu(t)
		if document.OverLimit(data) != "" {
			return
		}
		doc, err := mscfb.New(bytes.NewReader(data))
		if took := cpu(t) - began; took > time.Second {
			t.Errorf("%v for %d octets", took, len(data))
		}
		if err != nil {
			return
		}
		for _, file := range doc.File {
			if len(file.Path) > 32 {
				t.Errorf("%d storages deep", len(file.Path))
			}
		}
	})
}

// FuzzVBA is for what stands inside the streams of a project, which the fuzzing of whole
// files seldom reaches.
func FuzzVBA(f *testing.F) {
	p := project("Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\n")
	f.Add([]byte(p[1]))
	f.Add([]byte(p[5][100:]))
	f.Add([]byte(packed(strings.Repeat("aaaaaaaa", 600))))
	f.Add([]byte("\x01\x03\xb0\x02ab\x00\x70"))                          // a copy
	f.Add([]byte(le("\x01", uint16(0x3FFF), strings.Repeat("s", 4096)))) // stored
	f.Add([]byte(strings.Repeat("\x32\x00\x00\x00\x00\x00", 100)))       // names
	f.Add([]byte(le(uint16(0x09), uint32(4), "\x00\x00\x00\x00\x00\x00", uint16(0x1A), uint32(1), "M", uint16(0x31), uint32(4), uint32(0xFFFFFFFF))))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 1 << 20
		began := cpu(t)
		out, err := document.Expand(data, most)
		if len(out) > most+4096 {
			t.Errorf("%d octets out of %d allowed", len(out), most)
		}
		if err == nil && len(data) > 0 && data[0] != 1 {
			t.Error("what is not compressed is taken for it")
		}
		for _, dir := range [][]byte{data, out} {
			for name, places := range document.ModulePlaces(dir) {
				for _, at := range places {
					if at < 0 || len(places) > 4 {
						t.Errorf("%q at %v", name, places)
					}
				}
			}
		}
		if took := cpu(t) - began; took > time.Second {
			t.Errorf("%v for %d octets", took, len(data))
		}
	})
}

// A directory that names modules without end must not be read anew for each of them.
func TestVBADirectoryIsLinear(t *testing.T) {
	dir := strings.Repeat("\x32\x00\x00\x00\x00\x00", 500_000) + strings.Repeat(le(uint16(0x31), uint32(4), uint32(1)), 500_000)
	began := cpu(t)
	document.ModulePlaces([]byte(dir))
	if took := cpu(t) - began; took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// Two directories of one project may name two places: what stands at each is looked at.
func TestTwoDirectories(t *testing.T) {
	at := func(place uint32) string {
		return packed(le(uint16(0x1A), uint32(7), "Module1", uint16(0x31), uint32(4), place))
	}
	first, second := packed("Attribute VB_Name\r\nSub Tinh()\r\n"), packed("Sub AutoOpen()\r\n")
	s := read(file("a.doc", cfb("VBA/dir", at(0), "VBA/DIR", at(uint32(len(first)+10)), "VBA/Module1", first+strings.Repeat("\x00", 10)+second)))
	s.check(t, "two directories", "MACRO VBA, MACRO VBA, MACRO_AUTORUN autoopen", "")
}
