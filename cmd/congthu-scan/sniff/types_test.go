package sniff_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/sniff"
	"congthu/internal/scanproto"
)

// compound is a compound file of a header and a root entry whose class begins so.
func compound(class byte) []byte {
	b := at(512+80, string([]byte{class, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}))
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	b[30] = 9
	return b
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		names []string
		data  string
		body  bool
		want  string
	}{
		{[]string{"a.pdf", "a.exe"}, string(pe()), false, "exe .pdf .exe"},
		{[]string{"a.RAR. "}, "Rar!\x1a\x07\x00", false, "rar .rar"},
		{[]string{"a.docx"}, "PK\x03\x04\x14\x00\x06\x00\x08\x00[Content_Types].xml", false, "office .docx"},
		{[]string{"a.odt"}, "PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.text", false, "office .odt"},
		{[]string{"a.zip"}, "PK\x03\x04META-INF/MANIFEST.MF", false, "jar .zip"},
		{[]string{"a.zip"}, "PK\x03\x04a.txt", false, "zip .zip"},
		{[]string{"a"}, "conectix", false, "disk-image"},
		{[]string{"a.pdf"}, "\x60\xea\x29\x00", false, "archive arj .pdf"},
		{[]string{"a.pdf"}, "1234567**ACE**", false, "archive ace .pdf"},
		{[]string{"a.pdf"}, "\x19\x51-lh5-", false, "archive lzh .pdf"},
		{[]string{"a.pdf"}, "RE~^", false, "archive rar .pdf"},
		{[]string{"a.pdf"}, "LZIP\x01", false, "archive .pdf"},
		{[]string{"a.doc"}, string(compound(0x84)), false, "ole msi .doc"},
		{[]string{"a.doc"}, string(compound(0x86)), false, "ole msi .doc"},
		{[]string{"a.doc"}, string(compound(0x83)), false, "ole .doc"},
		{[]string{"a.doc"}, string(compound(0)) + "\x40\x48\x3f\x3f\x77\x45\x6c\x44\x6a\x3e\xb2\x44\x2f\x48", false, "ole msi .doc"},
		{[]string{"anh nen.scr"}, string(pe()), false, "exe .scr"},
		{nil, "<html>", true, ""},
		{[]string{"a.htm"}, "<html>", false, "html .htm"},
		{[]string{"a." + strings.Repeat("x", 17)}, "text", false, ""},
		{[]string{"ghi chu"}, "text", false, ""},
	} {
		got := strings.Join(sniff.Types(sniff.File{Names: c.names, Data: []byte(c.data), Body: c.body}), " ")
		if got != c.want {
			t.Errorf("%q %q: %q, want %q", c.names, c.data, got, c.want)
		}
	}
}

// Whatever the octets can be called, policy.toml can name.
func TestEveryTrueTypeHasAWord(t *testing.T) {
	source, err := os.ReadFile("kind.go")
	if err != nil {
		t.Fatal(err)
	}
	known := scanproto.Types()
	kinds := regexp.MustCompile(`(?m)^\t\w+ +Kind = "(.+?)"`).FindAllStringSubmatch(string(source), -1)
	for _, k := range kinds {
		if w := sniff.TypeOf(sniff.Kind(k[1])); !slices.Contains(known, w) {
			t.Errorf("%s is called %q, which is not among scanproto.Types", k[1], w)
		}
	}
	if len(known) < 150 || len(kinds) < 30 {
		t.Errorf("only %d types, %d kinds", len(known), len(kinds))
	}
}
