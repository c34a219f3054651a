package document_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"congthu/cmd/congthu-scan/archive"
)

// cfb writes a compound file of streams given as path and data, two levels at most.
// Streams are padded to 4096 octets, so that all lie in whole sectors; readers of
// streams go by the lengths inside them.
func cfb(pairs ...string) string {
	const sector = 512
	type entry struct {
		name               string
		kind               byte
		data               string
		left, right, child uint32
		start              uint32
	}
	const none = 0xFFFFFFFF
	entries := []*entry{{name: "Root Entry", kind: 5, left: none, right: none, child: none, start: 0xFFFFFFFE}}
	last := map[string]*entry{}
	dirs := map[string]*entry{"": entries[0]}
	add := func(dir, name string, e *entry) {
		e.name, e.left, e.right, e.child = name, none, none, none
		entries = append(entries, e)
		at := uint32(len(entries) - 1)
		if l := last[dir]; l != nil {
			l.right = at
		} else {
			dirs[dir].child = at
		}
		last[dir] = e
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		dir, name := "", pairs[i]
		for {
			head, rest, ok := strings.Cut(name, "/")
			if !ok {
				break
			}
			full := strings.TrimPrefix(dir+"/"+head, "/")
			if dirs[full] == nil {
				dirs[full] = &entry{kind: 1, start: 0}
				add(dir, head, dirs[full])
			}
			dir, name = full, rest
		}
		data := pairs[i+1]
		for len(data) < 4096 {
			data += strings.Repeat("\x00", 4096-len(data))
		}
		add(dir, name, &entry{kind: 2, data: data})
	}
	var body []byte
	var fat []uint32
	place := func(data []byte) uint32 {
		start := uint32(len(fat))
		for len(data) > 0 {
			n := min(len(data), sector)
			body = append(body, data[:n]...)
			body = append(body, make([]byte, sector-n)...)
			data = data[n:]
			fat = append(fat, uint32(len(fat)+1))
		}
		fat[len(fat)-1] = 0xFFFFFFFE
		return start
	}
	for _, e := range entries {
		if e.kind == 2 {
			e.start = place([]byte(e.data))
		}
	}
	var directory []byte
	for _, e := range entries {
		b := make([]byte, 128)
		units := utf16.Encode([]rune(e.name))
		for i, u := range units {
			binary.LittleEndian.PutUint16(b[2*i:], u)
		}
		binary.LittleEndian.PutUint16(b[64:], uint16(2*len(units)+2))
		b[66], b[67] = e.kind, 1
		binary.LittleEndian.PutUint32(b[68:], e.left)
		binary.LittleEndian.PutUint32(b[72:], e.right)
		binary.LittleEndian.PutUint32(b[76:], e.child)
		binary.LittleEndian.PutUint32(b[116:], e.start)
		binary.LittleEndian.PutUint32(b[120:], uint32(len(e.data)))
		directory = append(directory, b...)
	}
	for len(directory)%sector != 0 {
		b := make([]byte, 128)
		for i := 68; i < 80; i++ {
			b[i] = 0xFF
		}
		directory = append(directory, b...)
	}
	dirStart := place(directory)
	fatStart := uint32(len(fat))
	fatSectors := (len(fat)+127)/128 + 1
	for range fatSectors {
		fat = append(fat, 0xFFFFFFFD)
	}
	table := bytes.Repeat([]byte{0xFF}, fatSectors*sector)
	for i, v := range fat {
		binary.LittleEndian.PutUint32(table[4*i:], v)
	}
	head := make([]byte, sector)
	copy(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for at, v := range map[int]uint16{24: 0x3E, 26: 3, 28: 0xFFFE, 30: 9, 32: 6} {
		binary.LittleEndian.PutUint16(head[at:], v)
	}
	for at, v := range map[int]uint32{44: uint32(fatSectors), 48: dirStart, 56: 4096, 60: 0xFFFFFFFE, 68: 0xFFFFFFFE} {
		binary.LittleEndian.PutUint32(head[at:], v)
	}
	for i := range 109 {
		v := uint32(0xFFFFFFFF)
		if i < fatSectors {
			v = fatStart + uint32(i)
		}
		binary.LittleEndian.PutUint32(head[76+4*i:], v)
	}
	return string(head) + string(body) + string(table)
}

// packed is text compressed as VBA does, literals only (MS-OVBA 2.4.1).
func packed(text string) string {
	var chunk []byte
	for len(text) > 0 {
		n := min(8, len(text))
		chunk = append(append(chunk, 0), text[:n]...)
		text = text[n:]
	}
	head := uint16(len(chunk)+2-3) | 0xB000
	return "\x01" + string(binary.LittleEndian.AppendUint16(nil, head)) + string(chunk)
}

func le(parts ...any) string {
	var b bytes.Buffer
	for _, p := range parts {
		if s, ok := p.(string); ok {
			b.WriteString(s)
			continue
		}
		_ = binary.Write(&b, binary.LittleEndian, p)
	}
	return b.String()
}

// project is a VBA project of one module.
func project(text string) []string {
	dir := le(uint16(0x1A), uint32(7), "Module1", uint16(0x32), uint32(14), "M\x00o\x00d\x00u\x00l\x00e\x001\x00", uint16(0x31), uint32(4), uint32(100))
	module := strings.Repeat("p", 100) + packed(text)
	return []string{"Macros/VBA/dir", packed(dir), "Macros/VBA/_VBA_PROJECT", "\xcc\x61", "Macros/VBA/Module1", module}
}

func native(name, data string) string {
	return le(uint32(0), uint16(2), name, "\x00", `C:\tmp\`, name, "\x00", uint32(0x00030000), uint32(7), `C:\tmp\x`[:6], "\x00", uint32(len(data)), data)
}

func TestVBA(t *testing.T) {
	s := read(file("a.doc", cfb(project("Attribute VB_Name = \"Module1\"\r\nSub AutoOpen()\r\nShell \"calc EVIL\"\r\nEnd Sub\r\n")...)))
	s.check(t, "macro", "MACRO VBA, MACRO_AUTORUN autoopen, MACRO_CALLS shell", "")
	if !strings.Contains(s.texts, "calc EVIL") {
		t.Error("the macro's text is not handed out")
	}
	// names that only contain such words run nothing by themselves
	read(file("a.doc", cfb(project("Attribute VB_Name = \"Module1\"\r\nSub TinhTong()\r\nNutshell = 1\r\nEnd Sub\r\n")...))).
		check(t, "harmless macro", "MACRO VBA", "")
	// a directory that leads nowhere: the text is found by its first words
	p := project("Attribute VB_Name\r\nSub Auto_Open()\r\n")
	p[1] = packed("junk")
	read(file("a.doc", cfb(p...))).check(t, "broken directory", "MACRO VBA, MACRO_AUTORUN auto_open", "")
	// p-code without text
	p[5] = "p-code only"
	read(file("a.doc", cfb(p...))).check(t, "no text", "MACRO VBA", "", archive.Damaged)
}

func TestOldOffice(t *testing.T) {
	biff := func(records ...string) string {
		return cfb("Workbook", le(uint16(0x0809), uint16(4), uint16(0x0600), uint16(5))+strings.Join(records, ""))
	}
	record := func(kind uint16, body string) string { return le(kind, uint16(len(body)), body) }
	builtin := func(c byte) string {
		return record(0x18, le(uint16(0x20), "\x00\x01", uint16(0), strings.Repeat("\x00", 8), "\x00", c))
	}
	for _, c := range []struct{ what, data, facts, objects string }{
		{"clean .doc", cfb("WordDocument", "\xec\xa5\xc1\x00 report on DDE and cmd.exe"), "", ""},
		{"encrypted .doc", cfb("WordDocument", le("\xec\xa5\xc1\x00", strings.Repeat("\x00", 6), uint16(0x0100))), "ENCRYPTED Word", ""},
		{"field", cfb("WordDocument", "\xec\xa5\xc1\x00"+strings.Repeat("\x00", 20)+"\x13 DDEAUTO cmd.exe \"/k calc\" \x14x\x15"), `DDE DDEAUTO cmd.exe "/k calc"`, ""},
		{"page number", cfb("WordDocument", "\xec\xa5\xc1\x00"+strings.Repeat("\x00", 20)+"\x13 PAGE \x141\x15"), "", ""},
		{"new Office with a password", cfb("EncryptionInfo", "x", "EncryptedPackage", "x"), "ENCRYPTED EncryptionInfo, ENCRYPTED EncryptedPackage", ""},
		{"clean .xls", biff(record(0x85, "\x00\x00\x00\x00\x00\x00\x01\x00A"), builtin(6)), "", ""},
		{"macro sheet", biff(record(0x85, "\x00\x00\x00\x00\x02\x01\x01\x00A"), builtin(1)), "MACRO Excel 4 hidden macro sheet, MACRO_AUTORUN Auto_Open", ""},
		{"encrypted .xls", biff(record(0x2F, "\x00\x00")), "ENCRYPTED Excel", ""},
		{"DDE in .xls", biff(record(0x1AE, le(uint16(1), uint16(11), "\x00cmd\x03/c calc"))), "DDE cmd /c calc", ""},
		{"other workbook in .xls", biff(record(0x1AE, le(uint16(1), uint16(5), "\x00\x01b.xl"))), "", ""},
		{"packaged file", cfb("ObjectPool/_1/\x01Ole10Native", native("a.exe", "EVIL")), "EMBEDDED a.exe", "a.exe=EVIL"},
		{"equation of a school", cfb("ObjectPool/_1/Equation Native", le(strings.Repeat("\x00", 28), "\x03\x01\x01\x03\x0a", "\x0a\x01\x08\x01\x01Times New Roman\x00")), "", ""},
		{"equation of an enemy", cfb("ObjectPool/_1/Equation Native", le(strings.Repeat("\x00", 28), "\x03\x01\x01\x03\x0a", "\x0a\x01\x08\x5a\x5a", strings.Repeat("c", 48))), "EXPLOIT Equation: font name over its place", ""},
		{"encrypted .ppt", cfb("Current User", le(uint32(0), uint32(0), uint32(20), uint32(0xF3D1C4DF))), "ENCRYPTED PowerPoint", ""},
		{"saved letter", cfb("__attach_version1.0_#00000000/__substg1.0_3707001F", "a\x00.\x00j\x00s\x00", "__attach_version1.0_#00000000/__substg1.0_37010102", "EVIL"), "", "a.js=EVIL"},
	} {
		s := read(file("a", c.data))
		for i, o := range s.objects {
			s.objects[i] = strings.TrimRight(o, "\x00") // the padding of cfb
		}
		s.check(t, c.what, c.facts, c.objects)
	}
	read(file("a.doc", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Repeat("x", 600))).check(t, "broken", "", "", archive.Damaged)
}

func TestPowerPoint(t *testing.T) {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write([]byte("EVIL")); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	inner := le(uint16(0x10), uint16(0x1011), uint32(4+z.Len()), uint32(4), z.String(), uint16(0), uint16(0x1011), uint32(4), "open")
	doc := le(uint16(0xF), uint16(1000), uint32(len(inner)), inner)
	read(file("a.ppt", cfb("PowerPoint Document", doc))).check(t, "storages", "", "ole object=EVIL, ole object=open")
}

func FuzzOLE(f *testing.F) {
	fuzz(f, "a.doc", false, cfb(project("Attribute VB_Name\r\nSub AutoOpen()")...), cfb("\x01Ole10Native", native("a.exe", "x")))
}
