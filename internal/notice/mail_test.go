package notice_test

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/notice"
)

func path(a string) msg.Path {
	local, domain, _ := strings.Cut(a, "@")
	return msg.Path{Raw: a, Local: local, Domain: domain}
}

func TestOctets(t *testing.T) {
	m := notice.Mail{
		Name: `Cổng "thư"`, From: "cong-thu@gw.test", To: path("a@so.test"), Subject: "Thư đang được giữ " + strings.Repeat("ạ", 60), Body: "Dòng một\n.\nFrom x\n" + strings.Repeat("dài ", 100) + "\n",
		ID: "X", Host: "gw.test", Reply: true, Answers: "<1@so.test>", Now: time.Unix(1e9, 0),
	}
	raw := m.Octets()
	for _, line := range strings.Split(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
		if len(line) > 76 && !strings.HasPrefix(line, "From:") || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	if i := bytes.IndexFunc(raw, func(r rune) bool { return r > 126 }); i >= 0 {
		t.Errorf("octet %d is not ASCII", i)
	}
	p, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	from, err := (&mail.AddressParser{}).Parse(p.Header.Get("From"))
	if err != nil || from.Name != m.Name || from.Address != m.From {
		t.Errorf("From: %v %v", from, err)
	}
	if s, err := new(mime.WordDecoder).DecodeHeader(p.Header.Get("Subject")); err != nil || s != m.Subject {
		t.Errorf("Subject: %q %v", s, err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(p.Body))
	if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != m.Body {
		t.Errorf("body %q %v", body, err)
	}
	for name, want := range map[string]string{"Auto-Submitted": "auto-replied", "In-Reply-To": "<1@so.test>", "X-Auto-Response-Suppress": "All"} {
		if p.Header.Get(name) != want {
			t.Errorf("%s: %q", name, p.Header.Get(name))
		}
	}
	m.Reply, m.Answers = false, ""
	if !bytes.Contains(m.Octets(), []byte("\r\nAuto-Submitted: auto-generated\r\n")) {
		t.Error("a letter that answers none")
	}
}

func TestAutomatic(t *testing.T) {
	field := func(name, value string) *msg.Part { return &msg.Part{Header: []msg.Field{{Name: name, Value: value}}} }
	person := path("a@so.test")
	for _, c := range []struct {
		from msg.Path
		root *msg.Part
		want bool
	}{
		{person, &msg.Part{}, false},
		{person, field("Auto-Submitted", "no"), false},
		{person, field("Auto-Submitted", "No; x=y"), false},
		{person, field("X-Auto-Response-Suppress", "OOF"), false},
		{person, field("Precedence", "first-class"), false},
		{msg.Path{}, &msg.Part{}, true},
		{person, nil, true},
		{person, field("auto-submitted", "auto-replied"), true},
		{person, field("Auto-Submitted", "auto-generated; x"), true},
		{person, field("Auto-Submitted", ""), true},
		{person, field("Precedence", " Bulk "), true},
		{person, field("Precedence", "auto_reply"), true},
		{person, field("List-Id", "<a.b>"), true},
		{person, field("List-Unsubscribe", "<mailto:x>"), true},
		{person, field("X-Autoreply", "yes"), true},
		{person, field("X-Loop", "x"), true},
		{person, &msg.Part{MediaType: "multipart/report"}, true},
		{path("MAILER-DAEMON@so.test"), &msg.Part{}, true},
		{path("owner-list@so.test"), &msg.Part{}, true},
		{path("list-request@so.test"), &msg.Part{}, true},
		{path("no-reply@so.test"), &msg.Part{}, true},
	} {
		if got := notice.Automatic(c.from, c.root); got != c.want {
			t.Errorf("%v %+v: %v", c.from, c.root, got)
		}
	}
}
