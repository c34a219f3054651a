package mimetree

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// crlf makes a message out of lines.
func crlf(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// shape renders a tree as one line, such as "multipart/mixed(text/plain image/png)".
func shape(p *msg.Part) string {
	if len(p.Children) == 0 {
		return p.MediaType
	}
	var in []string
	for _, c := range p.Children {
		in = append(in, shape(c))
	}
	return p.MediaType + "(" + strings.Join(in, " ") + ")"
}

// codes are those of all parts, "path code", sorted.
func codes(root *msg.Part) []string {
	var out []string
	root.Walk(func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			out = append(out, p.Path+" "+a.Code)
		}
	})
	slices.Sort(out)
	return out
}

// allOf joins everything a scanner would be given.
func allOf(root *msg.Part) string {
	var b strings.Builder
	root.Walk(func(p *msg.Part) {
		b.Write(p.Decoded)
		b.WriteString("\x00" + p.Text + "\x00")
	})
	return b.String()
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const payload = "X5O-NOT-A-VIRUS-BUT-LOOKED-FOR" // stands for what must not hide

func TestParseShapes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		raw   []byte
		shape string
		codes []string
	}{
		{"empty", nil, "text/plain", nil},
		{"header only", crlf("Subject: a"), "text/plain", nil},
		{"body only", crlf("", "hello"), "text/plain", nil},
		{"plain", crlf("Subject: a", "", "hello"), "text/plain", nil},
		{
			"nested", crlf("Content-Type: multipart/mixed; boundary=a", "",
				"--a", "Content-Type: multipart/alternative; boundary=b", "",
				"--b", "", "text", "--b", "Content-Type: text/html", "", "<p>", "--b--",
				"--a", "Content-Type: image/png", "", "png", "--a--"),
			"multipart/mixed(multipart/alternative(text/plain text/html) image/png)", nil,
		},
		{
			"one boundary begins with the other", crlf("Content-Type: multipart/mixed; boundary=a", "",
				"--a", "Content-Type: multipart/alternative; boundary=ab", "",
				"--ab", "", "text", "--ab--", "--a--"),
			"multipart/mixed(multipart/alternative(text/plain))", nil,
		},
		{
			"message inside", crlf("Content-Type: multipart/mixed; boundary=a", "",
				"--a", "Content-Type: message/rfc822", "", "Subject: in", "Content-Type: text/html", "", "<p>", "--a--"),
			"multipart/mixed(message/rfc822(text/html))", nil,
		},
		{
			"digest", crlf("Content-Type: multipart/digest; boundary=a", "",
				"--a", "", "Subject: in", "", "x", "--a--"),
			"multipart/digest(message/rfc822(text/plain))", nil,
		},
		{
			"inner never closed", crlf("Content-Type: multipart/mixed; boundary=a", "",
				"--a", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "text",
				"--a", "", "two", "--a--"),
			"multipart/mixed(multipart/alternative(text/plain) text/plain)",
			[]string{"1 MIME_NO_CLOSE"},
		},
		{
			"siblings share a boundary", crlf("Content-Type: multipart/mixed; boundary=a", "",
				"--a", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "1", "--b--",
				"--a", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "2", "--b--", "--a--"),
			"multipart/mixed(multipart/alternative(text/plain) multipart/alternative(text/plain))", nil,
		},
		{
			"line ends of a file", []byte("Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n"),
			"multipart/mixed(text/plain)", nil,
		},
		{
			"padding behind the delimiter", crlf("Content-Type: multipart/mixed; boundary=a", "", "--a \t", "", "x", "--a-- "),
			"multipart/mixed(text/plain)", nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := Parse(tt.raw, DefaultLimits())
			if got := shape(root); got != tt.shape {
				t.Errorf("shape %s, want %s", got, tt.shape)
			}
			if got := codes(root); !slices.Equal(got, tt.codes) {
				t.Errorf("codes %q, want %q", got, tt.codes)
			}
			checkTree(t, tt.raw, root)
		})
	}
}

func TestPathsAndOffsets(t *testing.T) {
	raw := crlf("Subject: s", "Content-Type: multipart/mixed; boundary=a", "",
		"--a", "", "one", "--a", "Content-Type: message/rfc822", "", "Subject: in", "", "two", "--a--")
	root := Parse(raw, DefaultLimits())
	var got []string
	root.Walk(func(p *msg.Part) {
		got = append(got, fmt.Sprintf("%s %q", p.Path, raw[p.BodyStart:p.End]))
	})
	want := []string{
		`0 "--a\r\n\r\none\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n--a--\r\n"`,
		`1 "one"`, `2 "Subject: in\r\n\r\ntwo"`, `2.1 "two"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if root.Decoded != nil || string(root.Children[0].Decoded) != "one" || root.Children[0].Text != "one" {
		t.Errorf("decoded %q %q", root.Decoded, root.Children[0].Decoded)
	}
}

func TestDescribedPart(t *testing.T) {
	root := Parse(crlf("Content-Type: Application/PDF; Name=\"=?utf-8?q?C=C3=B4ng_v=C4=83n.pdf?=\"",
		"Content-Disposition: ATTACHMENT; filename*=utf-8''C%C3%B4ng%20v%C4%83n.pdf",
		"Content-Transfer-Encoding: BASE64", "", b64("%PDF-1.4")), DefaultLimits())
	if root.MediaType != "application/pdf" || root.Disposition != "attachment" || root.Encoding != "base64" ||
		root.Filename != "Công văn.pdf" || string(root.Decoded) != "%PDF-1.4" || root.Text != "" {
		t.Errorf("got %+v", root)
	}
	if c := codes(root); c != nil {
		t.Errorf("codes %q", c)
	}
}

// checkTree holds for every tree: offsets inside the octets, parts inside parents,
// paths unique.
func checkTree(t *testing.T, raw []byte, root *msg.Part) {
	t.Helper()
	seen := map[string]bool{}
	checkPart(t, int64(len(raw)), root, seen)
}

func checkPart(t *testing.T, size int64, p *msg.Part, seen map[string]bool) {
	t.Helper()
	if p.Start < 0 || p.Start > p.BodyStart || p.BodyStart > p.End || p.End > size {
		t.Fatalf("part %s: offsets %d %d %d of %d", p.Path, p.Start, p.BodyStart, p.End, size)
	}
	if seen[p.Path] {
		t.Fatalf("two parts %s", p.Path)
	}
	seen[p.Path] = true
	decoded := encodes(p.Encoding) && (p.IsMultipart() || isEmbedded(p.MediaType))
	last := p.BodyStart
	for _, c := range p.Children {
		if decoded && p.Decoded != nil {
			checkPart(t, int64(len(p.Decoded)), c, seen)
			continue
		}
		if c.Start < p.BodyStart || c.End > p.End {
			t.Fatalf("part %s [%d %d] outside of %s [%d %d]", c.Path, c.Start, c.End, p.Path, p.BodyStart, p.End)
		}
		if p.IsMultipart() && c.Start < last {
			t.Fatalf("part %s overlaps the one before", c.Path)
		}
		last = c.End
		checkPart(t, size, c, seen)
	}
}
