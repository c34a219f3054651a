package mimetree

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/msg"
)

func FuzzParse(f *testing.F) {
	f.Add(mailOf(2000))
	f.Add(nested(40))
	f.Add(crlf("Content-Type: multipart/mixed; boundary=x", "Content-Type: text/html", "", "--x", "begin 644 a", "--x--", "--x", "", "y"))
	f.Add(crlf("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", b64("A: b\r\n\r\nbegin 644 a\r\n#86)C\r\nend\r\n")))
	f.Add(crlf("Content-Type: multipart/mixed; boundary=x", "Content-Transfer-Encoding: base64", "", b64("--x\r\n\r\na\r\n--x--\r\n")))
	f.Add(crlf("Content-Type: multipart/digest", "", "--y", "", "Subject: a", "", "b", "--y--"))
	f.Add([]byte("Content-Type: multipart/a; boundary=x\n\n--x\n--x\nA: b\n--x--\n--x"))
	lim := Limits{Depth: 6, Parts: 40, HeaderSize: 4000, HeaderFields: 40}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		root := Parse(raw, lim)
		checkTree(t, raw, root)
		if n := countParts(root); n > lim.Parts+1 {
			t.Fatalf("%d parts", n)
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("the octets were changed")
		}
		checkContent(t, root)
	})
}

// checkContent holds below any limits: fields stand in the part, text is text.
func checkContent(t *testing.T, root *msg.Part) {
	t.Helper()
	root.Walk(func(p *msg.Part) {
		for _, f := range p.Header {
			if f.Name == "" || strings.ContainsAny(f.Value, "\r\n") {
				t.Fatalf("field %q: %q", f.Name, f.Value)
			}
		}
		if p.IsText() && !utf8.ValidString(p.Text) && !utf8.Valid(p.Decoded) &&
			!hasCode(root, CharsetInvalid) && !hasCode(root, CharsetUnknown) {
			t.Fatal("text is no UTF-8 and nothing was said")
		}
		if p.MediaType == "" || p.Encoding == "" && len(p.Fields("Content-Transfer-Encoding")) == 0 {
			t.Fatalf("part %s is not described: %+v", p.Path, p)
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte("A: b\r\n c\r\n\r\nbody"))
	f.Add([]byte(" A : b\r\nno colon\r\n \r\nC: d\rE: f\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields, body, _ := ParseHeader(raw)
		if body < 0 || body > len(raw) {
			t.Fatalf("body at %d of %d", body, len(raw))
		}
		pos := 0
		for _, f := range fields {
			at := bytes.Index(raw[pos:body], f.Raw)
			if at < 0 {
				t.Fatalf("%q is not in the header, or not in its order", f.Raw)
			}
			pos += at + len(f.Raw)
			again, _, _ := ParseHeader(f.Raw)
			if len(again) != 1 || again[0].Name != f.Name || again[0].Value != f.Value {
				t.Fatalf("%q reads %q alone", f.Raw, again)
			}
		}
	})
}

func FuzzParseMediaType(f *testing.F) {
	for _, s := range []string{"a/b; x=y", `a/b; x*0*=utf-8''%41; x*1="\""`, "multipart (c) x=y;;", "a/b; x*=tcvn3''%ff; x=z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		mediaType, params, _ := ParseMediaType(s)
		major, minor, ok := strings.Cut(mediaType, "/")
		if !ok || !isToken(major) || !isToken(minor) {
			t.Fatalf("media type %q", mediaType)
		}
		for name := range params {
			if name != strings.ToLower(name) {
				t.Fatalf("parameter %q", name)
			}
		}
	})
}

func FuzzDecodeWords(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?a=?= =?utf-8?b?QQ?=", "=?x?y?z?=", "=?windows-1258?q?=EA=F2?=", "=?=?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := DecodeWords(s)
		if utf8.ValidString(s) && !utf8.ValidString(out) {
			t.Fatalf("%q became %q", s, out)
		}
		if !strings.Contains(s, "=?") && out != s {
			t.Fatalf("%q became %q without a word in it", s, out)
		}
	})
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{`"A, b" <c@d.test>, e@f`, "g: a@b, <@c:d@e>;", "(((", `a@[b,c"`, "<<a@b>>", "=?utf-8?q?a=40b?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, amb := Addresses(s)
		for _, a := range list {
			if !strings.Contains(s, a.Raw) {
				t.Fatalf("%q is not in %q", a.Raw, s)
			}
			if a.Domain == "" && len(amb) == 0 {
				t.Fatalf("%q has no domain and nothing was said", a.Raw)
			}
		}
	})
}

// FuzzTransfer compares the fast base64 reader with the slow one, which is the rule.
func FuzzTransfer(f *testing.F) {
	f.Add([]byte("QUJD\r\nREVG\r\nRw==\r\nSA=="))
	f.Add([]byte("Q!UJD\n=\r\nQQ"))
	f.Add([]byte("=3d=\r\n=zz \t\r\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		var fast, slow, n notes
		got, want := decodeBase64(src, &fast), slowBase64(nil, src, &slow)
		if !bytes.Equal(got, want) || len(fast) != len(slow) {
			t.Fatalf("%q: %q %v, want %q %v", src, got, fast, want, slow)
		}
		if out := decodeQP(src, &n); len(out) > len(src) {
			t.Fatalf("%q grew to %q", src, out)
		}
		decodeUU(src, 0)
	})
}
