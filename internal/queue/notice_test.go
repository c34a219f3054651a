package queue

import (
	"bytes"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

var update = flag.Bool("update", false, "write the golden files anew")

var zone = time.FixedZone("", 7*3600)

// write makes the notice of a letter for some fates, half a day after its arrival.
func writeNotice(l *loaded, a action, fs ...fate) *msg.Transfer {
	q := New(Options{Hostname: "gw.haiduong.test"})
	l.age = 12 * time.Hour
	return q.notice(l, "home:25", a, fs, 1, l.created.Add(12*time.Hour).In(zone))
}

func loadedLetter(from string, content ...string) *loaded {
	l := &loaded{t: &msg.Transfer{ID: "4KQ7-M2XN", From: path(from)}, created: t0}
	for _, c := range content {
		l.t.Content = append(l.t.Content, []byte(c))
	}
	return l
}

func TestNoticeGolden(t *testing.T) {
	plain := []string{
		"X-Spam-Status: No, score=1\r\nAuthentication-Results: gw; spf=pass\r\n\t(secret)\r\nX-Congthu-Id: 4KQ7\r\nReceived: from a by gw;\r\n\tTue, 24 Nov 2026 08:00:00 +0000\r\n",
		"From: a@so-mau.gov.test\r\nSubject: =?utf-8?q?B=C3=A1o_c=C3=A1o?=\r\n\r\nThe body does not go back.\r\n",
	}
	tests := []struct {
		name string
		l    *loaded
		a    action
		fs   []fate
	}{
		{"failed", loadedLetter("vanthu@so-mau.gov.test", plain...), actionFailed, []fate{
			{to: path("khong-co@x.test"), reply: no550, event: "failed"},
			{to: path("day@x.test"), reply: msg.Reply{Code: 552, Detail: "2.2", Text: "over quota\nreally"}, event: "failed"},
			{to: path("khac@x.test"), reply: msg.Reply{Code: 554, Text: strings.Repeat("a long story with \x1b[31m and www.evil.example and x@y.example ", 8)}, event: "failed"},
		}},
		{"expired", loadedLetter("vanthu@so-mau.gov.test", plain...), actionFailed, []fate{
			{to: path("a@x.test"), reply: msg.Reply{}, event: "expired"},
			{to: path("b@x.test"), reply: try450, event: "expired"},
		}},
		{"delayed", loadedLetter("vanthu@so-mau.gov.test", plain...), actionDelayed, []fate{
			{to: path("a@x.test"), reply: msg.Reply{Code: 451, Detail: "4.1", Text: "try later"}, event: "deferred"},
			{to: path("b@x.test"), reply: msg.Reply{}, event: "deferred"},
		}},
		{"utf8", loadedLetter("văn-thư@sở-mẫu.test", "Subject: Báo cáo\r\nX-Long: "+strings.Repeat("dài ", 20)+"\r\n\r\nbody\r\n"), actionFailed, []fate{
			{to: path("người+nhận@x.test"), reply: msg.Reply{Code: 550, Detail: "7.1", Text: "không nhận"}, event: "failed"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := writeNotice(tt.l, tt.a, tt.fs...)
			if !got.From.IsNull() || got.NextHop != "home:25" || got.To[0] != tt.l.t.From || got.SMTPUTF8 != (tt.name == "utf8") {
				t.Errorf("envelope %+v", got)
			}
			octets := bytes.Join(got.Content, nil)
			checkNotice(t, octets)
			golden(t, filepath.Join("testdata", "notice-"+tt.name+".eml"), octets)
		})
	}
}

// golden compares with a file that has LF line ends; the octets must have CRLF.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s", file, got)
	}
}

// checkNotice holds a notice against RFC 5322, 2045 and 3464, and against what we
// promise of it.
func checkNotice(t *testing.T, octets []byte) (parts []string) {
	t.Helper()
	for line := range bytes.Lines(octets) {
		if len(line) > 1000 || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.IndexByte(line, '\r') != len(line)-2 || bytes.IndexByte(line, 0) >= 0 {
			t.Fatalf("bad line %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(octets))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Auto-Submitted") != "auto-replied" || m.Header.Get("Message-Id") == "" || m.Header.Get("Mime-Version") != "1.0" || len(m.Header) != 8 {
		t.Errorf("header %v", m.Header)
	}
	if _, err := m.Header.Date(); err != nil {
		t.Error(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatal(kind, params, err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"text/plain; charset=utf-8", "message/delivery-status", "text/rfc822-headers"} {
		p, err := r.NextPart() // undoes quoted-printable
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Type"); got != want {
			t.Errorf("part %s, want %s", got, want)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(body))
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Errorf("a fourth part: %v", err)
	}
	if strings.Contains(parts[0], "://") {
		t.Errorf("a link:\n%s", parts[0])
	}
	for _, secret := range []string{"X-Spam-", "X-Congthu-", "Authentication-Results"} {
		if strings.Contains("\n"+parts[2], "\n"+secret) {
			t.Errorf("%s goes back to the sender", secret)
		}
	}
	return parts
}

func TestReturnedHeader(t *testing.T) {
	long := strings.Repeat("x", headerMax)
	tests := []struct{ name, content, want, encoding string }{
		{"none", "", "", "7bit"},
		{"no header", "\r\nbody", "", "7bit"},
		{"plain", "A: b\r\nC: d\r\n\te\r\n\r\nbody: x\r\n", "A: b\r\nC: d\r\n\te\r\n", "7bit"},
		{"unfinished line", "A: b\r\nC: d", "A: b\r\n", "7bit"},
		{"ours", "x-spam-flag: YES\r\n  more\r\nA: b\r\nX-CONGTHU-ID: 1\r\n\r\n", "A: b\r\n", "7bit"},
		{"opened here", "X-Congthu-Decrypted: key=1\r\nReceived: by gw\r\nFrom: a@x.test\r\nSubject: secret\r\nX-More: secret\r\nKeywords:\r\n secret\r\nDate: today\r\n Message-ID: folded\r\n\r\n", "Received: by gw\r\nFrom: a@x.test\r\nDate: today\r\n Message-ID: folded\r\n", "7bit"},
		{"too long", "A: b\r\nC: " + long + "\r\nD: e\r\n\r\n", "A: b\r\n", "7bit"},
		{"8bit", "A: đ\r\n\r\n", "A: =C4=91\r\n", "quoted-printable"},
		{"first line continues", " A\r\nB: c\r\n\r\n", " A\r\nB: c\r\n", "7bit"},
		{"zero", "A: \x00\r\n\r\n", "A: =00\r\n", "quoted-printable"},
	}
	for _, tt := range tests {
		header, encoding := returned([][]byte{[]byte(tt.content)})
		if string(header) != tt.want || encoding != tt.encoding {
			t.Errorf("%s: %.80q %s", tt.name, header, encoding)
		}
	}
}

// FuzzNotice: whatever a sender and a next hop say, the notice is well-formed.
func FuzzNotice(f *testing.F) {
	f.Add("a@x.test", "b@y.test", 550, "1.1", "no such user", "Subject: a\r\n\r\n")
	f.Add("đ@x.test", "ả+b=c@y.test", 450, "", "see http://x www.y\r\n.\r\n", "A: \xff\xfe\r\n b\r\n"+strings.Repeat("x", 2000)+"\r\n\r\n")
	f.Add("a@x.test", "b@y.test", 0, "7.1\r\nX: y", "\x1b]0;\u202e--=_4KQ7-M2XN-dsn\r\n", "--=_4KQ7-M2XN-dsn\r\nA: b\n\nC\r\n--=_4KQ7-M2XN-dsn--\r\n")
	f.Add("a@x.test", "b@y.test", 554, "0.0", strings.Repeat("long ", 500), "\r\r\n\n")
	f.Fuzz(func(t *testing.T, from, to string, code int, detail, text, header string) {
		l := loadedLetter(from, header)
		l.t.To = []msg.Path{path(to)}
		l.t.NextHop = "hop:25"
		if check(l.t) != nil || strings.ContainsAny(from, " \",;:<>()[]\\") || !strings.Contains(from, "@") || len(from)+len(to) > 500 {
			t.Skip() // never accepted into the queue, or not a line that net/mail can read back
		}
		for _, e := range []string{"failed", "expired"} {
			got := writeNotice(l, actionFailed, fate{to: l.t.To[0], reply: msg.Reply{Code: code, Detail: tidy(detail), Text: text}, event: e})
			parts := checkNotice(t, bytes.Join(got.Content, nil))
			if !strings.Contains(parts[1], "\r\nAction: failed\r\nStatus: ") {
				t.Errorf("status part:\n%s", parts[1])
			}
		}
	})
}
