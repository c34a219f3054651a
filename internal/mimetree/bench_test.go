package mimetree

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// mailOf makes a mail with a text, an HTML text and an attachment in base64, of about
// that size.
func mailOf(size int) []byte {
	text := strings.Repeat("Kính gửi Ủy ban nhân dân, đề nghị báo cáo trước ngày 15.\r\n", 1+size/1000)
	var b bytes.Buffer
	b.WriteString("From: a@so-mau.gov.test\r\nTo: b@so-mau.gov.test\r\nSubject: =?utf-8?q?B=C3=A1o_c=C3=A1o?=\r\n" +
		"Message-ID: <1@so-mau.gov.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"m\"\r\n\r\n" +
		"--m\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text +
		"--m\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		strings.ReplaceAll(text, "á", "=C3=A1") +
		"--m\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n")
	data := make([]byte, max(0, size-b.Len())*3/4)
	for i := range data {
		data[i] = byte(i * 7)
	}
	enc := base64.StdEncoding.EncodeToString(data)
	for len(enc) > 0 {
		n := min(76, len(enc))
		b.WriteString(enc[:n] + "\r\n")
		enc = enc[n:]
	}
	b.WriteString("--m--\r\n")
	return b.Bytes()
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{4 << 10, 40 << 10, 1 << 20} {
		raw := mailOf(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(raw, DefaultLimits())
			}
		})
	}
}

func BenchmarkBase64(b *testing.B) {
	clean := bytes.Repeat([]byte(strings.Repeat("QUJD", 19)+"\r\n"), 10000)
	for name, src := range map[string][]byte{"clean": clean, "junk": append([]byte("!"), clean...)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				var n notes
				decodeBase64(src, &n)
			}
		})
	}
}

func TestBenchmarkMailIsClean(t *testing.T) {
	root := Parse(mailOf(10<<10), DefaultLimits())
	if c := codes(root); c != nil || len(root.Children) != 3 {
		t.Errorf("%s %q", shape(root), c)
	}
}
