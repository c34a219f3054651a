package document_test

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
)

func deflated(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pdfOf is a file of these objects, numbered from 1.
func pdfOf(objects ...string) string {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString("trailer << /Root 1 0 R /Size 9 >>\nstartxref\n0\n%%EOF\n")
	return b.String()
}

func streamOf(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func TestPDFActions(t *testing.T) {
	const catalog = "<< /Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit] >>"
	for _, c := range []struct{ what, data, facts, link string }{
		{"clean", pdfOf(catalog, "<< /Type /Pages /Kids [3 0 R] >>", "<< /Type /Page >>", "(a title)"), "", ""},
		{"text about it", pdfOf(catalog, "(how to /Launch a /JavaScript)", "<</Title (/JS) % /S /Launch\n>>"), "", ""},
		{"link", pdfOf(catalog, "<< /S /URI /URI (https://mau.test/\\(a\\)) >>"), "", "https://mau.test/(a)"},
		{"script", pdfOf(catalog, "<< /S /JavaScript /JS (app.alert\\(1\\)) >>"), "PDF_SCRIPT JavaScript (OpenAction)", ""},
		{"script in other letters", pdfOf("<< /S /#4aav#61Script /J#53 4 0 R >>"), "PDF_SCRIPT JavaScript", ""},
		{"launch", pdfOf("<< /Type /Action /S /Launch /F << /F (cmd.exe) /Type /Filespec >> >>"), "PDF_LAUNCH Launch cmd.exe", ""},
		{"launch for Windows", pdfOf("<< /S/Launch/Win << /F (cmd.exe)/P (/c x) >> >>"), "PDF_LAUNCH Launch cmd.exe", ""},
		{"other machine", pdfOf("<< /AA << /O << /S /GoToR /F (\\\\\\\\mau.test\\\\a.pdf) >> >> >>"), `EXTERNAL GoToR \\mau.test\a.pdf (OpenAction)`, ""},
		{"other file", pdfOf("<< /S /GoToR /F (phu luc.pdf) >>"), "", ""},
		{"form", pdfOf("<< /AcroForm << /XFA [(a) 4 0 R] >> >>"), "PDF_XFA XFA", ""},
		{"film", pdfOf("<< /Subtype /RichMedia >>"), "PDF_RICH RichMedia", ""},
		{"unclosed string before", "%PDF-1.4 1 0 obj << /A (\n 2 0 obj << /S /JavaScript >>", "PDF_SCRIPT JavaScript", ""},
		{"twice the key", pdfOf("<< /S /JavaScript /S /URI >>"), "PDF_SCRIPT JavaScript", ""},
		{"password", strings.Replace(pdfOf(catalog), "/Size", "/ID [(a)(a)] /Encrypt << /Filter /Standard /V 2 /R 3 /O (x) /U (y) >> /Size", 1), "ENCRYPTED PDF", ""},
	} {
		s := read(file("a.pdf", c.data))
		s.check(t, c.what, c.facts, "")
		if link := append(s.links, "")[0]; link != c.link {
			t.Errorf("%s: link %q", c.what, link)
		}
	}
}

func TestPDFStreams(t *testing.T) {
	evil := "MZ" + strings.Repeat("\x00", 62) + "EVIL"
	b85 := func(s string) string {
		b := make([]byte, ascii85.MaxEncodedLen(len(s)))
		return string(b[:ascii85.Encode(b, []byte(s))]) + "~>"
	}
	spec := "<< /Type /Filespec /F (x) /UF (\xfe\xff\x00a\x00.\x00j\x00s) /EF << /F 2 0 R >> >>"
	for _, c := range []struct{ what, data, facts, objects, text string }{
		{"attachment", pdfOf(spec, streamOf("/Filter /FlateDecode", deflated(t, "EVIL"))), "EMBEDDED a.js", "a.js=EVIL", ""},
		{"by its type", pdfOf(streamOf("/Type /EmbeddedFile", "EVIL")), "EMBEDDED", "=EVIL", ""},
		{"chained", pdfOf(streamOf("/Type /EmbeddedFile /Filter [/AHx /A85 /Fl]", hex.EncodeToString([]byte(b85(deflated(t, "EVIL"))))+">")), "EMBEDDED", "=EVIL", ""},
		{"run lengths", pdfOf(streamOf("/Type /EmbeddedFile /Filter /RL", "\x01EV\xffI\x00L\x80")), "EMBEDDED", "=EVIIL", ""},
		{"predicted", pdfOf(streamOf("/Type /EmbeddedFile /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 2 >>", deflated(t, "\x02EV\x02\x04\xf6"))), "EMBEDDED", "=EVIL", ""},
		{"LZW", pdfOf(streamOf("/Type /EmbeddedFile /Filter /LZWDecode", "\x80\x0B\x60\x50\x22\x0C\x0C\x85\x01")), "EMBEDDED", "=-----A---B", ""},
		{"program", pdfOf(streamOf("", evil)), "", "=" + evil, ""},
		{"page", pdfOf(streamOf("/Filter /FlateDecode", deflated(t, "BT (EVIL) Tj ET"))), "", "", "BT (EVIL) Tj ET\n\n"},
		{"cut page", pdfOf(streamOf("/Filter /FlateDecode", deflated(t, "BT (EVIL) Tj ET")[:16])), "", "", "BT (EVIL) Tj \n\n"},
		{"pixels", pdfOf(streamOf("/Subtype /Image /Filter /FlateDecode", deflated(t, "EVIL"))), "", "", ""},
		{"objects in a stream", pdfOf(streamOf("/Type /ObjStm /N 2 /First 8 /Filter /FlateDecode", deflated(t, "7 0 8 3 (a) << /S /Launch /F (b.exe) >>"))), "PDF_LAUNCH Launch b.exe", "", "a\n7 0 8 3 (a) << /S /Launch /F (b.exe) >>\n\n"},
		{"no end", "%PDF-1.4\n1 0 obj << /Type /EmbeddedFile >> stream\nEVIL", "EMBEDDED", "=EVIL", ""},
		{"wrong length", strings.Replace(pdfOf(streamOf("/Type /EmbeddedFile", "EVIL")), "/Length 4", "/Length 999", 1), "EMBEDDED", "=EVIL\n", ""},
	} {
		s := read(file("a.pdf", c.data))
		s.check(t, c.what, c.facts, c.objects)
		if s.texts != c.text {
			t.Errorf("%s: text %q, want %q", c.what, s.texts, c.text)
		}
	}
	read(file("a.pdf", pdfOf(streamOf("/Filter /FlateDecode", "\x78\x9cnothing")))).check(t, "broken", "", "", archive.Damaged)
	bomb := pdfOf(streamOf("/Filter /FlateDecode", deflated(t, strings.Repeat("\x00", 32<<20))))
	read(file("a.pdf", bomb)).check(t, "bomb", "", "", archive.Limit)
	runs := pdfOf(streamOf("/Filter /RL", strings.Repeat("\x81 ", 64<<20/128+1)))
	read(file("a.pdf", runs)).check(t, "more runs than are expanded", "", "", archive.Limit)
}

// The files forbid printing and open with the empty password, as many ordinary ones do;
// each holds "EVIL" on its page. One has a password that is not known.
func TestPDFEncryption(t *testing.T) {
	for name, facts := range map[string]string{"rc4-40": "", "rc4-128": "", "aes-128": "", "aes-256": "", "aes-256-r5": "", "closed": "ENCRYPTED PDF"} {
		data, err := os.ReadFile("testdata/" + name + ".pdf")
		if err != nil {
			t.Fatal(err)
		}
		s := read(file("a.pdf", string(data)))
		s.check(t, name, facts, "")
		if strings.Contains(s.texts, "EVIL") != (facts == "") {
			t.Errorf("%s: text %q", name, s.texts)
		}
		if open := len(s.links) > 0 && s.links[0] == "https://mau.test/"; open != (facts == "") {
			t.Errorf("%s: links %q", name, s.links)
		}
	}
}

func FuzzPDF(f *testing.F) {
	fuzz(f, "a.pdf", false, pdfOf("<< /S /JavaScript /JS (a) >>", streamOf("/Type /ObjStm /N 1 /First 4 /Filter [/AHx /Fl]", "00>")),
		pdfOf(streamOf("/Filter /LZWDecode /DecodeParms << /Predictor 15 /Columns 3 >>", "\x80\x0B\x60\x50\x22\x0C\x0C\x85\x01")),
		strings.Replace(pdfOf(), "/Size", "/ID [(a)] /Encrypt << /Filter /Standard /V 5 /R 6 /O (x) /U ("+strings.Repeat("u", 48)+") >> /Size", 1))
}
