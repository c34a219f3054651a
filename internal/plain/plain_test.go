package plain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

const letter = `From: a@x.example
Subject: =?UTF-8?B?VGjGsCBt4budaQ==?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Kính gửi <b>Sở</b></p><p style="display:none">ẩn</p><script>alert(1)</script>
--b
Content-Type: application/pdf; name="giấy mời.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--b--
`

func TestLetter(t *testing.T) {
	v := Of(crlf(letter))
	if len(v.Header) != 4 || v.Header[1] != "Subject: =?UTF-8?B?VGjGsCBt4budaQ==?=" {
		t.Errorf("header %q", v.Header)
	}
	want := []string{"0 multipart/mixed", "  1 text/html utf-8 ", `  2 application/pdf "giấy mời.pdf" 5 octets`}
	for i, w := range want {
		if i >= len(v.Tree) || !strings.HasPrefix(v.Tree[i], w) {
			t.Errorf("tree %q, want %q", v.Tree, want)
			break
		}
	}
	if !slices.Contains(v.Text, "Kính gửi Sở") || strings.Contains(strings.Join(v.Text, ""), "alert") {
		t.Errorf("text %q", v.Text)
	}
	if !strings.Contains(strings.Join(v.Hidden, ""), "ẩn") {
		t.Errorf("hidden %q", v.Hidden)
	}
	if v.Cut {
		t.Error("cut")
	}
}

func TestBounds(t *testing.T) {
	v := Of(crlf("Subject: x\n\n" + strings.Repeat("dòng\n", 3*maxText)))
	if len(v.Text) != maxText || !v.Cut {
		t.Errorf("%d lines, cut %v", len(v.Text), v.Cut)
	}
	v = Of(crlf(strings.Repeat("A: b\n", 2*maxHeader) + "\nx\n"))
	if len(v.Header) != maxHeader || !v.Cut {
		t.Errorf("%d header lines, cut %v", len(v.Header), v.Cut)
	}
	parts := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 2*maxParts) + "--b--\n"
	if v = Of(crlf(parts)); len(v.Tree) > maxParts || !v.Cut {
		t.Errorf("%d lines of tree, cut %v", len(v.Tree), v.Cut)
	}
}

// harmless tells whether a terminal only draws the line.
func harmless(line string) error {
	for _, r := range line {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return fmt.Errorf("U+%04X in %q", r, line)
		}
	}
	return nil
}

func FuzzOf(f *testing.F) {
	f.Add(crlf(letter))
	f.Add([]byte("Subject: \x1b]0;x\x07\r\nContent-Type: text/html\r\n\r\n<b>\u202egpj.exe\x9b2J\r\rx"))
	f.Add([]byte("Content-Type: image/png; name=\"a\\\x1b[2J\u200b.exe\"\r\n\r\n\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := Of(raw)
		for _, line := range slices.Concat(v.Header, v.Tree, v.Text, v.Hidden) {
			if err := harmless(line); err != nil {
				t.Fatal(err)
			}
		}
		if len(v.Header) > maxHeader || len(v.Tree) > maxParts || len(v.Text) > maxText {
			t.Fatal("longer than the bounds")
		}
	})
}
