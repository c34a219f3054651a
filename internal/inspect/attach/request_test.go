package attach

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

func parsed(raw string) *msg.Message {
	return &msg.Message{Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
}

// lines is data in base64 as mailers write it.
func lines(data []byte) string {
	var b strings.Builder
	for text := base64.StdEncoding.EncodeToString(data); text != ""; {
		n := min(len(text), 76)
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	return b.String()
}

// with is a letter with a file; fields stand above its body.
func with(fields, body string) string {
	return "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n" +
		fields + "\r\n" + body + "--b\r\nContent-Type: text/plain\r\n\r\nthe end\r\n--b--\r\n"
}

const file = "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"

// What is left out is the rest of a long file that was decoded without a doubt, and
// nothing else.
func TestSpare(t *testing.T) {
	long := lines(bytes.Repeat([]byte("octets "), 6000))
	inner := with(file, long)
	for _, c := range []struct {
		name, raw string
		files     int // whose rest is left out
	}{
		{"no file", "Subject: x\r\n\r\n" + strings.Repeat("text\r\n", 9000), 0},
		{"a file", with(file, long), 1},
		{"two files", with(file, long+"--b\r\n"+file+"\r\n"+long), 2},
		{"the letter is the file", "Subject: x\r\n" + file + "\r\n" + long, 1},
		{"a short file", with(file, lines([]byte("octets"))), 0},
		{"text", with("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n", long), 0},
		{"foreign octets", with(file, "!!!! "+long), 0},
		{"more behind the padding", with(file, lines(make([]byte, 20000))+long), 0},
		{"another encoding by another field", with(file+"Content-Transfer-Encoding: 7bit\r\n", long), 0},
		{"a letter in base64 with a file", with("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n", lines([]byte(inner))), 0},
		{"an ambiguity elsewhere", with(file, long) + "--b\r\n\r\nbehind the end\r\n", 0},
	} {
		m := parsed(c.raw)
		got := spare(m)
		if cut := len(m.Raw) - len(got); cut > c.files*len(long) || cut < c.files*(len(long)-beginning-4) || (c.files == 0) != (cut == 0) {
			t.Errorf("%s: %d octets are left out, of %d files of %d", c.name, cut, c.files, len(long))
		}
		if !bytes.HasPrefix(got, []byte("Subject: x")) || !strings.HasSuffix(c.raw, long) && !strings.HasSuffix(c.raw, string(got[len(got)-20:])) {
			t.Errorf("%s: the ends are gone", c.name)
		}
	}
}

// Whatever is left out was decoded by the letter of RFC 4648.
func FuzzSpare(f *testing.F) {
	text := lines(bytes.Repeat([]byte("octets "), 2500))
	f.Add([]byte(with(file, text)), uint16(300), byte('='))
	f.Add([]byte(with(file, text+"--b\r\n"+file+"\r\n"+text)), uint16(9000), byte('\r'))
	f.Add([]byte(with("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n", lines([]byte(with(file, text))))), uint16(200), byte('-'))
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, b byte) {
		if int(at) < len(raw) {
			raw[at] = b
		}
		m := parsed(string(raw))
		if !plain(m.Root) {
			return
		}
		var last int64
		for _, p := range long(m.Raw, m.Root, nil) {
			body := bytes.ReplaceAll(m.Raw[p.BodyStart:p.End], []byte("\r\n"), nil)
			data, err := base64.StdEncoding.DecodeString(string(body))
			if err != nil || !bytes.Equal(data, p.Decoded) || p.BodyStart < last {
				t.Fatal(fmt.Sprint("part ", p.Path, " is left out: "), err, len(data), len(p.Decoded))
			}
			last = p.End
		}
	})
}
