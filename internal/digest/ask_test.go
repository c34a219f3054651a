package digest_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/digest"
	"congthu/internal/mimetree"
)

const (
	codeA = "06BKGZ2S9T1QWERT-20785-0123456789ABCDEFGHJK"
	codeB = "06BKGZ2S9T1QWERA-2-20785-ZYXWVTSRQPNMKJHGFEDC"
)

func TestAsks(t *testing.T) {
	plain := "Content-Type: text/plain; charset=utf-8\r\n\r\n"
	page := "Content-Type: text/html; charset=utf-8\r\n\r\n"
	digestBelow := "\r\nVào 28/11, Cổng thư đã viết:\r\n\r\n1. 28/11 07:05\r\n   Từ / From: a(at)b[.]vn\r\n   Mã / Code: " + codeB + "\r\n\r\nĐể nhận một thư, trả lời thư này, viết trên một dòng riêng chữ\r\nNHAN rồi đến mã của thư.\r\n"
	quoted := strings.ReplaceAll(digestBelow, "\r\n", "\r\n> ")
	for _, c := range []struct {
		name, letter string
		want         []string
	}{
		{"one", plain + "NHAN " + codeA, []string{codeA}},
		{"english", plain + "Release " + codeA + "\r\n", []string{codeA}},
		{"marks, small", plain + "nhận " + strings.ToLower(codeA), []string{codeA}},
		{"decomposed", plain + "NHA\u0323\u0302N: " + codeA, []string{codeA}},
		{"look-alikes", plain + "NHAN O6BKGZ2S9TlQWERT–20785-Ol23456789ABCDEFGHJK.", []string{codeA}},
		{"politely", plain + "Kính gửi cổng thư,\r\n\r\n  NHAN " + codeA + " nhé, cảm ơn\r\n", []string{codeA}},
		{"several", plain + "NHAN " + codeA + ", " + codeB + "\r\nNHAN " + codeA, []string{codeA, codeB}},
		{"several lines", plain + "NHAN " + codeA + "\r\nNHAN " + codeB, []string{codeA, codeB}},
		{"wrapped", plain + "NHAN\r\n" + codeA + "\r\n", []string{codeA}},
		{"wrapped, and not at once", plain + "NHAN\r\ncái này\r\n" + codeA + "\r\n", nil},
		{"top posting", plain + "NHAN " + codeA + "\r\n" + digestBelow, []string{codeA}},
		{"bottom posting", plain + quoted + "\r\n\r\nNHAN " + codeA + "\r\n", []string{codeA}},
		{"quoted command", plain + "> NHAN " + codeB + "\r\n>> RELEASE " + codeB + "\r\n | NHAN " + codeB + "\r\nNHAN " + codeA, []string{codeA}},
		{"only the digest", plain + digestBelow, nil},
		{"only quoted", plain + quoted, nil},
		{"outlook", plain + "NHAN " + codeA + "\r\n\r\n-----Original Message-----\r\nNHAN " + codeB + "\r\n", []string{codeA}},
		{"outlook, in vietnamese", plain + "-----Thư gốc-----\r\nNHAN " + codeB + "\r\n", nil},
		{"outlook 365", plain + "NHAN " + codeA + "\r\n________________________________\r\nNHAN " + codeB + "\r\n", []string{codeA}},
		{"in a sentence", plain + "Tôi muốn NHAN " + codeA, nil},
		{"delete", plain + "XOÁ " + codeA + "\r\ndelete " + codeB, []string{"-" + codeA, "-" + codeB}},
		{"no code", plain + "NHAN hết\r\n", nil},
		{"page", page + "<html><body><p>NHẬN&nbsp;" + codeA + "</p></body></html>", []string{codeA}},
		{"page, spans", page + "<div><span>NHAN</span> <b>" + codeA + "</b></div>", []string{codeA}},
		{"page with blockquote", page + "<div>NHAN " + codeA + "</div><blockquote><div>NHAN " + codeB + "<blockquote>NHAN " + codeB + "</blockquote></div>NHAN " + codeB + "</blockquote>", []string{codeA}},
		{"page, bottom posting", page + "<blockquote>NHAN " + codeB + "</blockquote><div>NHAN " + codeA + "</div>", []string{codeA}},
		{"gmail", page + "<div dir=ltr>NHAN " + codeA + "</div><div class=\"gmail_quote gmail_quote_container\"><div>On … wrote:</div><div>NHAN " + codeB + "</div></div>", []string{codeA}},
		{"outlook page", page + "<div>NHAN " + codeA + "</div><hr><div id=\"divRplyFwdMsg\">From: x</div><div>NHAN " + codeB + "</div>", []string{codeA}},
		{"hidden", page + "<div style=\"display:none\">NHAN " + codeB + "</div><p>NHAN " + codeA + "</p>", []string{codeA}},
		{"both forms", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nNHAN " + codeA + "\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>NHAN " + codeA + "\r\n--b--\r\n", []string{codeA}},
		{"attached letter", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nNHAN " + codeB + "\r\n--b--\r\n", nil},
		{"attached file", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nNHAN " + codeB + "\r\n--b--\r\n", nil},
		{"base64", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nTkhBTiAwNkJLR1oyUzlUMVFXRVJULTIwNzg1LTAxMjM0NTY3ODlBQkNERUZHSEpL\r\n", []string{codeA}},
	} {
		var got []string
		for _, a := range digest.Asks(mimetree.Parse([]byte(c.letter), mimetree.DefaultLimits())) {
			if a.Delete {
				a.Code = "-" + a.Code
			}
			got = append(got, a.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAsksAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("\r\n")
	for i := range 3000 {
		b.WriteString("NHAN 0" + strings.Repeat("A", 1+i%20) + "-1-0123456789ABCDEFGHJ" + string("0123456789"[i%10]) + "\r\n")
	}
	if n := len(digest.Asks(mimetree.Parse([]byte(b.String()), mimetree.DefaultLimits()))); n != 20 { // 20 different ones
		t.Errorf("%d asks", n)
	}
}

// FuzzAsks: whatever comes, each ask is a code, few are read, and no quoted line is.
func FuzzAsks(f *testing.F) {
	f.Add([]byte("\r\nNHAN " + codeA + "\r\n> NHAN " + codeB))
	f.Add([]byte("Content-Type: text/html\r\n\r\n<blockquote>NHAN " + codeB + "</blockquote><p>NHAN " + codeA))
	f.Add([]byte("Content-Type: text/html\r\n\r\n<div class=gmail_quote><div>x</div>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := digest.Asks(mimetree.Parse(raw, mimetree.DefaultLimits()))
		if len(got) > 50 {
			t.Errorf("%d asks", len(got))
		}
		for _, a := range got {
			if !digest.IsCode(a.Code) || !utf8.ValidString(a.Code) || len(a.Code) > 100 {
				t.Errorf("%q is no code", a.Code)
			}
		}
		var quoted []byte // the whole of it as a quotation asks for nothing
		for _, line := range strings.Split(strings.ReplaceAll(string(raw), "\r", "\n"), "\n") {
			quoted = append(quoted, "> "+line+"\r\n"...)
		}
		if a := digest.Asks(mimetree.Parse(append([]byte("Subject: x\r\n\r\n"), quoted...), mimetree.DefaultLimits())); len(a) > 0 {
			t.Errorf("quoted, and still asked: %v", a)
		}
	})
}
