package relay

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

// recorder is a connection whose other end has said everything beforehand.
type recorder struct {
	net.Conn
	replies *strings.Reader
	said    bytes.Buffer
}

func (r *recorder) Read(b []byte) (int, error)       { return r.replies.Read(b) }
func (r *recorder) Write(b []byte) (int, error)      { return r.said.Write(b) }
func (r *recorder) SetReadDeadline(time.Time) error  { return nil }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) Close() error                     { return nil }

// onWire returns what one transaction puts on the wire when everything is taken.
func onWire(t *msg.Transfer, ext ...string) string {
	r := &recorder{replies: strings.NewReader(strings.Repeat("250 ok\r\n", 1+len(t.To)) + "354 go\r\n250 ok\r\n")}
	k := &conn{o: &New(Options{}).o, ext: map[string]string{}}
	for _, e := range ext {
		k.ext[e] = ""
	}
	k.net, k.r = r, bufio.NewReader(r)
	replies, open, _ := k.offer(&task{Transfer: t})
	if open {
		k.send(t, replies)
	}
	return r.said.String()
}

// readPath takes a path in angle brackets off a command as RFC 5321 section 4.1.2 has it:
// a bracket in a quoted string is text, and a backslash there takes the next octet along.
func readPath(s string) (path, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, "<"); !ok {
		return "", "", false
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '>':
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// Whatever an address is made of: it leaves as it is or not at all, and nothing in it can
// be read as another command or as a parameter.
func FuzzAddressOnTheWire(f *testing.F) {
	for _, s := range []string{
		"a@b.test", `"a b"@b.test`, `"a>b"@b.test`, `"\"> NOTIFY=NEVER"@b.test`, `"\\"@b.test`, "a\r\nDATA@b.test", "a> SIZE=1@b.test",
		"thư@b.test", "\xff@b.test", `"a`, `a"b"@c`, `"\`, "@a.test:b@c.test", "", "postmaster", "a@[192.0.2.1]", "a\x00b@c", "a b@c",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		x := &msg.Transfer{From: msg.Path{Raw: from}, To: []msg.Path{{Raw: to}, {Raw: "last@b.test"}}, Content: [][]byte{[]byte("A: b\r\n\r\nx\r\n")}}
		x, r := checked(x)
		if r.Code != 0 {
			return
		}
		lines := strings.Split(onWire(x, "PIPELINING", "SMTPUTF8", "SIZE"), "\r\n")
		want := []struct{ verb, path string }{{"MAIL FROM:", from}, {"RCPT TO:", to}, {"RCPT TO:", "last@b.test"}}
		if len(lines) < 5 || lines[3] != "DATA" {
			t.Fatalf("said %q", lines)
		}
		for i, w := range want {
			rest, ok := strings.CutPrefix(lines[i], w.verb)
			path, params, read := readPath(rest)
			if !ok || !read || path != w.path {
				t.Fatalf("%q is read as %q with %q", lines[i], path, params)
			}
			if i > 0 && params != "" || i == 0 && strings.Trim(strings.NewReplacer(" SIZE=11", "", " SMTPUTF8", "").Replace(params), " ") != "" {
				t.Fatalf("%q has the parameters %q", lines[i], params)
			}
		}
	})
}

// Whatever a message is made of: on the wire every CR has its LF and every LF its CR,
// there is no NUL, no line but the last is a dot, and what a receiver makes of it is what
// was given.
func FuzzContentOnTheWire(f *testing.F) {
	for _, s := range []string{"", "a", ".", "..\r\n", "a\r\n.\r\nb", "a\r", "\nb", "a\x00b", "\r\n.\r\nMAIL FROM:<x@y>\r\n", "\xff\xfe"} {
		f.Add([]byte(s), []byte(s), true)
		f.Add([]byte("A: b\r"), []byte("\n\r\n"+s), false)
	}
	f.Fuzz(func(t *testing.T, one, two []byte, pipelining bool) {
		x := &msg.Transfer{From: msg.Path{Raw: "a@b.test"}, To: []msg.Path{{Raw: "c@d.test"}}, Content: [][]byte{one, two}}
		x, r := checked(x)
		if r.Code != 0 {
			return
		}
		ext := "HELP"
		if pipelining {
			ext = "PIPELINING"
		}
		_, body, ok := strings.Cut(onWire(x, ext), "DATA\r\n")
		if !ok || !plainClean(body) || !strings.HasSuffix(body, ".\r\n") {
			t.Fatalf("on the wire: %q", body)
		}
		var got strings.Builder
		lines := strings.SplitAfter(strings.TrimSuffix(body, "\r\n"), "\r\n")
		for _, l := range lines[:len(lines)-1] {
			if l == ".\r\n" {
				t.Fatalf("ends before its end: %q", body)
			}
			got.WriteString(strings.TrimPrefix(l, "."))
		}
		want := string(one) + string(two)
		if want != "" && !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		if got.String() != want {
			t.Errorf("given %q, read %q", want, got.String())
		}
	})
}

// Replies come from strangers: nothing of them is more than a reply, and nothing in a
// reply's text can write a line of its own further on.
func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-a\r\n250 b\r\n", "250\r\n", "550 5.1.1 nobody\r\n", "250-a\n250 b\n", "354 \x1b[2J\r\n", "999 x\r\n", "250_x\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, lines, err := readReply(bufio.NewReaderSize(strings.NewReader(text), maxReplyLine))
		if err != nil {
			return
		}
		if r.Code < 200 || r.Code > 599 || len(lines) == 0 || len(lines) > maxReplyLines {
			t.Errorf("%q: %v, %d lines", text, r, len(lines))
		}
		if strings.ContainsFunc(r.Text+r.Detail, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			t.Errorf("%q: control characters in %q", text, r.Text)
		}
	})
}
