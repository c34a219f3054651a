package scan_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/picture/picturetest"
	"congthu/cmd/congthu-scan/scan"
	"congthu/internal/scanproto"
)

func watch(t testing.TB, objects ...scanproto.Object) scan.Seen {
	t.Helper()
	seen, err := new(scan.Watchdog).Look(context.Background(), words{}, archive.DefaultLimits(), request(objects...), func(scan.Seen) {})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// links are all of an object, a line each.
func links(t testing.TB, o scanproto.Object) string {
	t.Helper()
	var out []string
	for _, l := range watch(t, o).Links {
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s [%s] %s", l.How, l.URL, l.Text, l.Path, l.Part)), " "))
	}
	return strings.Join(out, "; ")
}

func qr(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picturetest.QR(t, text)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const rels = `<Relationships><Relationship Id="r1" Type="http://x/hyperlink" Target="https://xau.test/a?b=1&amp;c=2" TargetMode="External"/></Relationships>`

func TestLinksAreFoundWhereverTheyStand(t *testing.T) {
	code := qr(t, "https://xau.test/ma")
	for name, c := range map[string]struct {
		o    scanproto.Object
		want string
	}{
		"none":                      {object("a.txt", []byte("https://mot.test/ is in the text of the letter's part, which others read")), ""},
		"PDF":                       {object("a.pdf", []byte("%PDF-1.4\n1 0 obj << /S /URI /URI (https://xau.test/\\(1\\)) >> endobj")), "pdf https://xau.test/(1) [a.pdf] 1.2"},
		"Word":                      {object("a.docx", zipOf(t, "word/_rels/document.xml.rels", rels)), "office https://xau.test/a?b=1&c=2 [a.docx > word/_rels/document.xml.rels] 1.2"},
		"a field of Word":           {object("a.docx", zipOf(t, "word/document.xml", `<w:p><w:instrText> HYPERLINK "https://xau.test/" \h</w:instrText></w:p>`)), "office https://xau.test/ [a.docx > word/document.xml] 1.2"},
		"a formula":                 {object("a.xlsx", zipOf(t, "xl/worksheets/sheet1.xml", `<c><f>HYPERLINK("https://xau.test/","so lieu")</f></c>`)), "office https://xau.test/ [a.xlsx > xl/worksheets/sheet1.xml] 1.2"},
		"OpenDocument":              {object("a.odt", zipOf(t, "content.xml", `<text:a xlink:href="https://xau.test/">dvc.gov.vn</text:a>`)), "odf https://xau.test/ dvc.gov.vn [a.odt > content.xml] 1.2"},
		"RTF":                       {object("a.rtf", []byte(`{\rtf1{\field{\*\fldinst HYPERLINK "mailto:a@xau.test"}{\fldrslt x}}}`)), "rtf mailto:a@xau.test [a.rtf] 1.2"},
		"a page in RTF":             {object("a.rtf", []byte(`{\rtf1\fromhtml1{\*\htmltag84 <a href="https://xau.test/x">}}`)), "rtf https://xau.test/x [a.rtf] 1.2"},
		"a page":                    {object("a.html", []byte(`<html><A HREF="https://xau.test/Q">dvc <b>.gov.vn</b></A><form action=https://hai.test/>`)), "html https://xau.test/Q dvc .gov.vn [a.html] 1.2; html https://hai.test/ [a.html] 1.2"},
		"an appointment":            {object("a.ics", []byte("BEGIN:VCALENDAR\r\nDESCRIPTION:xem https://xau.test/a\\nhttps://hai.t\r\n est/b\r\nURL:https://ba.test/\r\n")), "calendar https://xau.test/a [a.ics] 1.2; calendar https://hai.test/b [a.ics] 1.2; calendar https://ba.test/ [a.ics] 1.2"},
		"a shortcut":                {object("a.url", []byte("[InternetShortcut]\r\nURL=https://xau.test/\r\n")), "shortcut https://xau.test/ [a.url] 1.2"},
		"a letter in a zip":         {object("a.zip", zipOf(t, "b.eml", "Subject: x\r\n\r\nhttps://xau.test/")), "text https://xau.test/ [a.zip > b.eml] 1.2"},
		"a code":                    {object("a.png", code), "qr https://xau.test/ma [a.png] 1.2"},
		"a code in a document":      {object("a.docx", zipOf(t, "word/media/a.png", string(code))), "qr https://xau.test/ma [a.docx > word/media/a.png] 1.2"},
		"a code that is no address": {object("a.png", qr(t, "Phong 301, ban so 2")), ""},
		"a visiting card":           {object("a.png", qr(t, "BEGIN:VCARD\nFN:A\nURL:https://xau.test/a\nEND:VCARD")), "qr https://xau.test/a [a.png] 1.2"},
		"without a scheme":          {object("a.png", qr(t, "WWW.xau.test/a")), "qr http://WWW.xau.test/a [a.png] 1.2"},
		"an app":                    {object("a.png", qr(t, "intent://xau.test#Intent;end")), "qr intent://xau.test#Intent;end [a.png] 1.2"},
	} {
		if got := links(t, c.o); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// One link must not be hidden among many: not behind those of one host, and behind those
// of too many hosts it is said that there were too many.
func TestManyLinks(t *testing.T) {
	page := func(url func(int) string) []byte {
		b := []byte("<html>")
		for i := range 3 * scanproto.MaxLinks {
			b = fmt.Appendf(b, `<a href="%s">x</a>`, url(i))
		}
		return append(b, `<a href="https://xau.test/">x</a>`...)
	}
	one := watch(t, object("a.html", page(func(i int) string { return fmt.Sprintf("https://mot.test/%d", i) })))
	if last := one.Links[len(one.Links)-1]; last.URL != "https://xau.test/" || len(one.Links) > 50 {
		t.Errorf("of one host: %d, the last %q", len(one.Links), last.URL)
	}
	many := watch(t, object("a.html", page(func(i int) string { return fmt.Sprintf("https://may-%d.test/%s", i, strings.Repeat("x", 1900)) })))
	said := slices.ContainsFunc(many.Findings, func(f scanproto.Finding) bool { return f.Symbol == scan.MoreLinks })
	if !said || len(many.Links) > scanproto.MaxLinks {
		t.Errorf("of many: %d, said %v", len(many.Links), said)
	}
	var wire bytes.Buffer
	if err := scanproto.WriteAnswer(&wire, &scanproto.Answer{Links: many.Links}); err != nil {
		t.Errorf("they do not fit into an answer: %v", err)
	}
}

// What cannot be looked at for codes is said.
func TestUnreadPictures(t *testing.T) {
	large := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x00\x00\x00\x00\x49\xef\x6f\x3f")
	for name, c := range map[string]struct {
		o    scanproto.Object
		want string
	}{
		"4 gigapixels":   {object("a.png", large), "PICTURE_UNREAD 1.2 a.png: pixels"},
		"cut":            {object("a.png", qr(t, "https://xau.test/")[:60]), "PICTURE_UNREAD 1.2 a.png: not decoded"},
		"JBIG2 in a PDF": {object("a.pdf", []byte("%PDF-1.4\n1 0 obj << /Subtype /Image /Filter /JBIG2Decode /Width 9 /Height 9 /Length 1 >> stream\nx\nendstream endobj")), "PICTURE_UNREAD 1.2 a.pdf > JBIG2Decode"},
	} {
		if got := look(t, c.o); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
