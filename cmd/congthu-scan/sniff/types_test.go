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
