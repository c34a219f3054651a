package mimetree

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// Every case hides the payload from one reader or another. It must be among what the
// scanners get, and the trick must be named.
func TestNothingHides(t *testing.T) {
	hidden := []string{"Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "", b64(payload)}
	body := func(b string) []string {
		return append(append([]string{"--" + b}, hidden...), "--"+b+"--")
	}
	cat := func(parts ...[]string) []byte { return crlf(slices.Concat(parts...)...) }
	l := func(lines ...string) []string { return lines }
	for _, tt := range []struct {
		name string
		raw  []byte
		code string
	}{
		{"two content types", cat(l("Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=x", ""), body("x")), "0 MIME_TWO_CONTENT_TYPES"},
		{"two content types, other order", cat(l("Content-Type: multipart/mixed; boundary=x", "Content-Type: text/plain", ""), body("x")), "0 MIME_TWO_CONTENT_TYPES"},
		{"two boundaries, first counts", cat(l("Content-Type: multipart/mixed; boundary=x; boundary=y", ""), body("x")), "0 MIME_TWO_BOUNDARIES"},
		{"two boundaries, last counts", cat(l("Content-Type: multipart/mixed; boundary=y; boundary=x", ""), body("x")), "0 MIME_TWO_BOUNDARIES"},
		{"two multiparts", cat(l("Content-Type: multipart/mixed; boundary=y", "Content-Type: multipart/mixed; boundary=x", ""), body("x")), "0 MIME_TWO_BOUNDARIES"},
		{"extended and plain boundary", cat(l("Content-Type: multipart/mixed; boundary*=utf-8''y; boundary=x", ""), body("x")), "0 MIME_TWO_BOUNDARIES"},
		{"continued and plain boundary", cat(l("Content-Type: multipart/mixed; boundary*0=x; boundary*1=z; boundary=y", ""), body("xz")), "0 MIME_TWO_BOUNDARIES"},
		{"escaped boundary", cat(l(`Content-Type: multipart/mixed; boundary="x\z"`, ""), body(`x\z`)), "0 MIME_TWO_BOUNDARIES"},
		{"trailing space", cat(l(`Content-Type: multipart/mixed; boundary="x "`, ""), body("x")), "0 MIME_BOUNDARY_SPACE"},
		{"no boundary", cat(l("Content-Type: multipart/mixed", ""), body("x")), "0 MIME_NO_BOUNDARY"},
		{"utf-7", cat(l("Content-Type: text/plain; charset=utf-7", "", utf7Of(payload))), "0 MIME_CHARSET_TRICK"},
		{"empty boundary", cat(l(`Content-Type: multipart/mixed; boundary=""`, ""), body("x")), "0 MIME_NO_BOUNDARY"},
		{"another boundary", cat(l("Content-Type: multipart/mixed; boundary=y", ""), body("x")), "0 MIME_BOUNDARY_UNSEEN"},
		{"long boundary", cat(l("Content-Type: multipart/mixed; boundary="+strings.Repeat("x", 71), ""), body(strings.Repeat("x", 71))), "0 MIME_BOUNDARY_LONG"},
		{"no semicolon", cat(l("Content-Type: multipart/mixed boundary=x", ""), body("x")), "0 MIME_BAD_MEDIA_TYPE"},
		{"no subtype", cat(l("Content-Type: multipart; boundary=x", ""), body("x")), "0 MIME_BAD_MEDIA_TYPE"},
		{"semicolons", cat(l("Content-Type: multipart/mixed;; boundary=x", ""), body("x")), "0 MIME_PARAM_SYNTAX"},
		{"comment", cat(l("Content-Type: multipart/mixed (;boundary=y); (a) boundary (b) = (c) x", ""), body("x")), ""},
		{"after the close", cat(l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x--"), body("x")), "0 MIME_PART_AFTER_CLOSE"},
		{"inner has the outer's boundary", cat(l("Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: multipart/mixed; boundary=x", ""), body("x")), "1 MIME_BOUNDARY_REUSED"},
		{"encoded multipart", cat(l("Content-Type: multipart/mixed; boundary=x", "Content-Transfer-Encoding: base64", "", b64(string(crlf(body("x")...))))), "0 MIME_ENCODED_CONTAINER"},
		{"multipart only claims base64", cat(l("Content-Type: multipart/mixed; boundary=x", "Content-Transfer-Encoding: base64", ""), body("x")), "0 MIME_ENCODED_CONTAINER"},
		{"encoded message", cat(l("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", b64(string(crlf(hidden...))))), "0 MIME_ENCODED_CONTAINER"},
		{"message only claims base64", cat(l("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", ""), hidden), "0 MIME_ENCODED_CONTAINER"},
		{"two encodings", cat(l("Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64", "", b64(payload))), "0 MIME_TWO_ENCODINGS"},
		{"two encodings, other order", cat(l("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit", "", b64(payload))), "0 MIME_TWO_ENCODINGS"},
		{"encoding with a comment", cat(l("Content-Transfer-Encoding: (7bit) base64;", "", b64(payload))), "0 MIME_ENCODING_SYNTAX"},
		{"unknown encoding", cat(l("Content-Transfer-Encoding: 7-bit", "", payload)), "0 MIME_UNKNOWN_ENCODING"},
		{"base64 with junk", cat(l("Content-Transfer-Encoding: base64", "", b64(payload)[:10]+"!#"+b64(payload)[10:])), "0 MIME_BASE64_JUNK"},
		{"base64 second stream", cat(l("Content-Transfer-Encoding: base64", "", b64("a"), b64(payload))), "0 MIME_BASE64_STREAMS"},
		{"base64 second stream in one line", cat(l("Content-Transfer-Encoding: base64", "", b64("a")+b64(payload))), "0 MIME_BASE64_STREAMS"},
		{"base64 without padding", cat(l("Content-Transfer-Encoding: base64", "", strings.TrimRight(b64(payload+"x"), "="))), "0 MIME_BASE64_TRUNCATED"},
		{"base64 in odd lines", cat(l("Content-Transfer-Encoding: base64", "", b64(payload)[:3], b64(payload)[3:10], b64(payload)[10:])), ""},
		{"quoted-printable", cat(l("Content-Transfer-Encoding: quoted-printable", "", payload[:5]+"=  ", strings.ReplaceAll(payload[5:], "-", "=2d"))), ""},
		{"quoted-printable with a stray sign", cat(l("Content-Transfer-Encoding: quoted-printable", "", "a=b "+payload)), "0 MIME_QP_INVALID"},
		{"preamble", cat(l("Content-Type: multipart/mixed; boundary=x", "", payload, "--x", "", "hi", "--x--")), "0 MIME_PREAMBLE"},
		{"epilogue", cat(l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x--", payload)), "0 MIME_EPILOGUE"},
		{"between close and part", cat(l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x--", payload, "--x", "", "ho", "--x--")), "0 MIME_EPILOGUE"},
		{"goes on behind the boundary", cat(l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x!", "", payload, "--x--")), "0 MIME_BOUNDARY_PREFIX"},
		{"header line without colon", cat(l("Subject: a", "no colon here"), hidden), "0 MIME_HEADER_NO_COLON"},
		{"space before the colon", cat(l("Content-Transfer-Encoding : base64", "", b64(payload))), "0 MIME_SPACE_BEFORE_COLON"},
		{"first line folded", cat(l(" Content-Transfer-Encoding: base64", "", b64(payload))), "0 MIME_HEADER_LEADING_SPACE"},
		{"blank fold", cat(l("Subject: a", " ", "Content-Transfer-Encoding: base64", "", b64(payload))), "0 MIME_BLANK_FOLD"},
		{"bad name", cat(l("Content Type: x"), hidden), "0 MIME_HEADER_BAD_NAME"},
		{"no header at all", cat(l("this is text", payload)), "0 MIME_HEADER_NO_COLON"},
		{"part without blank line", cat(l("Content-Type: multipart/mixed; boundary=x", "", "--x", payload, "--x--")), "1 MIME_HEADER_NO_COLON"},
		{"NUL in the body", cat(l("Subject: a", "", "a\x00b "+payload)), "0 MIME_NUL"},
		{"NUL in the header", cat(l("Subject: a\x00b", "", payload)), "0 MIME_NUL"},
		{"bare CR", cat(l("Subject: a\rContent-Type: multipart/mixed", "", payload)), "0 MIME_BARE_CR"},
		{"partial", cat(l("Content-Type: message/partial; id=a; number=1; total=2", "", payload)), "0 MIME_PARTIAL"},
		{"external body", cat(l("Content-Type: message/external-body; access-type=url; url=\"http://x.test/\"", "", payload)), "0 MIME_EXTERNAL_BODY"},
		{"uuencode", cat(l("Subject: a", "", "hi", "begin 644 a.exe"), uuLines(payload), l("`", "end", "bye")), "0 MIME_UUENCODE"},
		{"uuencode in base64", cat(l("Content-Transfer-Encoding: base64", "", b64(string(crlf(append(append([]string{"begin 644 a.exe"}, uuLines(payload)...), "end")...))))), "0 MIME_UUENCODE"},
		{"uuencode as encoding", cat(l("Content-Type: a/b", "Content-Transfer-Encoding: x-uuencode", "", "begin 644 a.exe"), uuLines(payload), l("end")), ""},
		{"yenc", cat(l("Subject: a", "", "=ybegin line=128 size=3 name=a.exe", yencOf(payload), "=yend size=3")), "0 MIME_YENC"},
		{"binhex", cat(l("Subject: a", "", "(This file must be converted with BinHex 4.0)", "", binHexOf("a.exe", payload))), "0 MIME_BINHEX"},
		{"tnef", cat(l("Content-Type: application/ms-tnef", "", payload)), "0 MIME_TNEF"},
		{"unknown charset", cat(l("Content-Type: text/plain; charset=x-nobody", "", payload+" \xae\xd2")), "0 MIME_CHARSET_UNKNOWN"},
		{"wrong charset", cat(l("Content-Type: text/plain; charset=utf-8", "", payload+" \xae\xd2")), "0 MIME_CHARSET_INVALID"},
		{"utf-16", cat(l("Content-Type: text/plain; charset=utf-16", "Content-Transfer-Encoding: base64", "", b64("\xfe\xff"+utf16be(payload)))), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := Parse(tt.raw, DefaultLimits())
			if !strings.Contains(allOf(root), payload) {
				t.Errorf("hidden in %s", shape(root))
			}
			got := codes(root)
			if tt.code == "" && got != nil || tt.code != "" && !slices.Contains(got, tt.code) {
				t.Errorf("codes %q, want %q", got, tt.code)
			}
			checkTree(t, tt.raw, root)
		})
	}
}

func utf16be(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r >> 8))
		b.WriteByte(byte(r))
	}
	return b.String()
}

// yencOf writes one line of yEnc; payloads of these tests need no escape but one.
func yencOf(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i] + 42; c {
		case 0, '\r', '\n', '=':
			b.WriteString("=" + string([]byte{c + 64}))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// binHexOf writes a file in BinHex 4.0, without check sums that mean anything.
func binHexOf(name, data string) string {
	b := []byte{byte(len(name))}
	b = append(b, name+"\x00"+"BINAhDmp\x00\x00"...)
	b = append(b, 0, 0, byte(len(data)>>8), byte(len(data)), 0, 0, 0, 0, 0, 0)
	b = append(b, data+"\x00\x00"...)
	b = bytes.ReplaceAll(b, []byte{0x90}, []byte{0x90, 0})
	var out strings.Builder
	acc, held := 0, 0
	for _, c := range append(b, 0) {
		acc = acc<<8 | int(c)
		for held += 8; held >= 6; {
			held -= 6
			out.WriteByte(binHexAlphabet[acc>>held&63])
			if out.Len()%65 == 64 {
				out.WriteString("\r\n")
			}
		}
	}
	return ":" + out.String() + ":"
}

func utf7Of(s string) string {
	return "+" + strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(utf16be(s))), "=") + "-"
}

// uuLines encodes s in lines of at most 45 octets.
func uuLines(s string) []string {
	var out []string
	for len(s) > 0 {
		n := min(45, len(s))
		line := []byte{byte(n) + ' '}
		chunk := append([]byte(s[:n]), 0, 0)
		for i := 0; i < n; i += 3 {
			a, b, c := chunk[i], chunk[i+1], chunk[i+2]
			for _, v := range []byte{a >> 2, a<<4&63 | b>>4, b<<2&63 | c>>6, c & 63} {
				line = append(line, v+' ')
			}
		}
		out = append(out, string(line))
		s = s[n:]
	}
	return out
}

func TestTextWithUUBecomesAContainer(t *testing.T) {
	raw := crlf(slices.Concat([]string{"Subject: a", "", "see below", "begin 644 h\xc3\xb3a.exe"}, uuLines(strings.Repeat(payload, 5)),
		[]string{"`", "end", "begin 600 two.txt"}, uuLines("second"), []string{"end", "bye"})...)
	root := Parse(raw, DefaultLimits())
	if got := shape(root); got != "text/plain(text/plain application/octet-stream application/octet-stream)" {
		t.Fatal(got)
	}
	text, one, two := root.Children[0], root.Children[1], root.Children[2]
	if !text.IsText() || !strings.Contains(text.Text, "bye") || root.Text != "" {
		t.Errorf("text %q, root %q", text.Text, root.Text)
	}
	if one.Filename != "hóa.exe" || string(one.Decoded) != strings.Repeat(payload, 5) || string(two.Decoded) != "second" {
		t.Errorf("%q %q %q", one.Filename, one.Decoded, two.Decoded)
	}
	if got := string(raw[two.Start:two.BodyStart]); got != "begin 600 two.txt\r\n" {
		t.Errorf("second begins with %q", got)
	}
	checkTree(t, raw, root)
}

func TestUUInProseIsProse(t *testing.T) {
	for _, body := range []string{
		"begin 644 of this story\r\nwas a dark night", "begin 12 monkeys\r\n", "we begin 644 a.exe\r\n", "begin 644 a",
	} {
		if root := Parse(crlf("Subject: a", "", body), DefaultLimits()); len(root.Children) != 0 || codes(root) != nil {
			t.Errorf("%q: %s %q", body, shape(root), codes(root))
		}
	}
}

func TestEveryCodeIsOfOneKind(t *testing.T) {
	for _, code := range []string{LimitDepth, LimitParts, LimitDecoded, LimitHeader} {
		if !Limit(code) || Conflict(code) {
			t.Errorf("%s", code)
		}
	}
	for _, code := range []string{Preamble, Epilogue, NoClose, UUEncode, TNEF, FilenameDiffers, CharsetUnknown, Base64Truncated} {
		if Limit(code) || Conflict(code) {
			t.Errorf("%s is a remark", code)
		}
	}
	if !Conflict(TwoContentTypes) || !Conflict(Partial) {
		t.Error("conflicts unknown")
	}
}
