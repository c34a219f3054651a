package sniff_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/sniff"
	"congthu/internal/scanproto"
)

// pe is the head of a Windows program with nothing in it.
func pe() []byte {
	b := make([]byte, 256)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[0x3C:], 0x80)
	copy(b[0x80:], "PE")
	return b
}

func at(n int, s string) []byte { return append(make([]byte, n), s...) }

func utf16(s string) string {
	out := "\xff\xfe"
	for i := range len(s) {
		out += string(s[i]) + "\x00"
	}
	return out
}

func TestKindByOctets(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want sniff.Kind
	}{
		{"nothing", nil, sniff.Unknown},
		{"Vietnamese text", []byte("Kính gửi Ủy ban nhân dân"), sniff.Unknown},
		{"text that begins MZ", []byte("MZ is how programs begin, and this sentence is none of them, however long."), sniff.Unknown},
		{"program", pe(), sniff.PE},
		{"program with a head that leads nowhere", append([]byte("MZ"), make([]byte, 100)...), sniff.PE},
		{"zip", []byte("PK\x03\x04rest"), sniff.Zip},
		{"empty zip", append([]byte("PK\x05\x06"), make([]byte, 18)...), sniff.Zip},
		{"gzip", []byte("\x1f\x8b\x08\x00"), sniff.Gzip},
		{"bzip2", []byte("BZh9"), sniff.Bzip2},
		{"tar", at(257, "ustar\x0000"), sniff.Tar},
		{"rar 5", []byte("Rar!\x1a\x07\x01\x00"), sniff.Rar},
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04"), sniff.Seven},
		{"cabinet", []byte("MSCF\x00\x00\x00\x00"), sniff.Cab},
		{"disk image", at(0x8000, "\x01CD001"), sniff.ISO},
		{"UDF", at(0x8000, "\x00BEA01"), sniff.ISO},
		{"Apple image", append(at(600, "koly"), make([]byte, 508)...), sniff.Disk},
		{"old Office", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), sniff.OLE},
		{"RTF without its f", []byte("{\\rt1"), sniff.RTF},
		{"PDF behind junk", append(bytes.Repeat([]byte(" "), 1000), "%PDF-1.7"...), sniff.PDF},
		{"PDF too far behind", append(bytes.Repeat([]byte(" "), 1024), "%PDF-1.7"...), sniff.Unknown},
		{"shortcut", []byte("L\x00\x00\x00\x01\x14\x02\x00\x00"), sniff.LNK},
		{"ELF", []byte("\x7fELF\x02"), sniff.ELF},
		{"shell script", []byte("#!/bin/sh\n"), sniff.Script},
		{"HTML behind a mark and space", []byte("\xef\xbb\xbf \r\n<!DOCTYPE HTML>"), sniff.HTML},
		{"HTML in UTF-16", []byte(utf16("<script>alert(1)")), sniff.HTML},
		{"SVG", []byte(`<?xml version="1.0"?><!-- x --><svg onload="x">`), sniff.HTML},
		{"other XML", []byte(`<?xml version="1.0"?><invoice/>`), sniff.Unknown},
		{"OneNote", []byte("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"), sniff.OneNote},
	} {
		if got := sniff.Of(c.data); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func symbols(f sniff.File) string {
	var out []string
	for _, x := range sniff.Look(f) {
		out = append(out, strings.TrimPrefix(x.Symbol, "ATTACH_"))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"Báo cáo tháng 11.docx":       "",
		"v1.2 final.pdf":              "",
		"Nghị quyết 12.NQ-HĐND.pdf":   "",
		"setup.exe":                   "EXECUTABLE",
		"SETUP.EXE.":                  "EXECUTABLE NAME_TRICK",
		"setup.exe ":                  "EXECUTABLE NAME_TRICK",
		"hoa don.pdf.exe":             "DOUBLE_EXTENSION EXECUTABLE",
		"hoa don.pdf            .exe": "DOUBLE_EXTENSION EXECUTABLE NAME_TRICK",
		"cong van \u202efdp.exe":      "EXECUTABLE NAME_TRICK",
		"cong van.e\u200bxe":          "EXECUTABLE NAME_TRICK",
		"a\x00.txt":                   "NAME_TRICK",
		"chi thi.docx.lnk":            "DOUBLE_EXTENSION LNK",
		"mo.url":                      "LNK",
		"x.js":                        "SCRIPT",
		"x.HTA":                       "SCRIPT",
		"word/vbaProject.bin":         "MACRO",
		"xl/macrosheets/sheet1.xml":   "MACRO",
		"bieu mau.docm":               "MACRO",
		"dang-nhap.html":              "HTML",
		"dang-nhap.pdf.html":          "DOUBLE_EXTENSION HTML",
		"dia.iso":                     "ISO",
		"../../etc/cron.d/x":          "NAME_TRICK",
		`..\..\x`:                     "NAME_TRICK",
		`C:\Windows\x`:                "NAME_TRICK",
		"/etc/passwd":                 "NAME_TRICK",
		"tai lieu/phu luc.pdf":        "",
		"a..b.pdf":                    "",
		"readme":                      "",
		"":                            "",
		"...":                         "",
	} {
		if got := symbols(sniff.File{Names: []string{name}}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestContentAgainstName(t *testing.T) {
	ole := []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	stream := func(name string) []byte { return append(slices.Clone(ole), utf16(name)[2:]...) }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a.pdf", []byte("%PDF-1.4"), ""},
		{"a.pdf", pe(), "EXECUTABLE TYPE_MISMATCH"},
		{"a.pdf", []byte("nothing"), "TYPE_MISMATCH"},
		{"a.txt", pe(), "EXECUTABLE TYPE_MISMATCH"},
		{"a.txt", []byte("text"), ""},
		{"a.doc", []byte("{\\rtf1"), ""},
		{"a.docx", []byte("PK\x03\x04"), ""},
		{"a.docx", stream("EncryptedPackage"), "ENCRYPTED"},
		{"a.xls", stream("_VBA_PROJECT"), "MACRO"},
		{"a.doc", compound(0x84), "EXECUTABLE"},
		{"a.doc", compound(0x06), ""},
		{"a.doc", compound(0x84)[:600], ""}, // cut: no class
		{"a.jpg", []byte("PK\x03\x04"), "TYPE_MISMATCH"},
		{"a.rar", []byte("Rar!\x1a\x07\x00"), ""},
		{"a.xls", []byte("<html><table>"), "HTML TYPE_MISMATCH"},
		{"a", []byte("L\x00\x00\x00\x01\x14\x02\x00"), "LNK"},
		{"dia", at(0x8000, "\x01CD001"), "ISO"},
		{"winmail.dat", []byte("\x78\x9f\x3e\x22"), ""},
		{"a.pdf", nil, ""},
	} {
		if got := symbols(sniff.File{Names: []string{c.name}, Data: c.data}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := symbols(sniff.File{Body: true, Data: []byte("<html>")}); got != "" {
		t.Errorf("the letter's own HTML: %q", got)
	}
	if got := symbols(sniff.File{Names: []string{"a.txt", "a.exe"}}); got != "EXECUTABLE" {
		t.Errorf("the second name: %q", got)
	}
}

func FuzzLook(f *testing.F) {
	f.Add("a.pdf", pe())
	f.Add("\u202e", at(0x8000, "\x01CD001"))
	f.Add("a.doc", compound(0x84))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		file := sniff.File{Names: []string{name}, Data: data}
		for _, x := range sniff.Look(file) {
			if !strings.HasPrefix(x.Symbol, "ATTACH_") {
				t.Errorf("%+v", x)
			}
		}
		known := scanproto.Types()
		for _, x := range sniff.Types(file) {
			if !strings.HasPrefix(x, ".") && !slices.Contains(known, x) {
				t.Errorf("type %q is not among scanproto.Types", x)
			}
		}
	})
}
