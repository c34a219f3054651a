package queue

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// reader has Python's email package read a notice: an independent parser that knows
// the parts of RFC 3464 and says what it finds wrong.
const reader = `
import sys, json, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
defects = [str(d) for p in m.walk() for d in p.defects]
text, status, orig = m.get_payload()
json.dump({
  "defects": defects, "type": m.get_content_type(), "report": m.get_param("report-type"),
  "auto": m["Auto-Submitted"], "subject": str(m["Subject"]), "from": m["From"].addresses[0].addr_spec, "name": m["From"].addresses[0].display_name,
  "reply": str(m["In-Reply-To"] or ""), "date": m["Date"].datetime is not None, "id": str(m["Message-ID"]),
  "text": text.get_content(), "types": [p.get_content_type() for p in m.get_payload()],
  "status": [dict((k, str(v)) for k, v in b.items()) for b in status.get_payload()],
  "orig": orig.get_payload(decode=True).decode(),
}, sys.stdout)
`

type read struct {
	Defects                                                        []string
	Type, Report, Auto, Subject, From, Name, Reply, ID, Text, Orig string
	Date                                                           bool
	Types                                                          []string
	Status                                                         []map[string]string
}

func pythonReads(t *testing.T, octets []byte) read {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3, whose email package reads the notices")
	}
	cmd := exec.Command(python, "-c", reader)
	cmd.Stdin = bytes.NewReader(octets)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, errs.String(), octets)
	}
	var r read
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// What another program reads in a notice is what was meant: RFC 3464 for the fields,
// RFC 6533 for an address that is not ASCII, RFC 3834 for what keeps others from
// answering it.
func TestNoticeReadByAnother(t *testing.T) {
	l := loadedLetter("văn-thư@sở-mẫu.test", "X-Spam-Status: Yes\r\n", "Message-ID: <orig@so-mau.test>\r\nSubject: Báo cáo\r\n\r\nbody\r\n")
	own := msg.Reply{Code: 451, Detail: "4.1", Text: "not sent: nobody there", Own: true}
	n := writeNotice(l, actionFailed,
		fate{to: path("a@x.test"), reply: no550, event: "failed"},
		fate{to: path("người@x.test"), reply: own, event: "expired"})
	r := pythonReads(t, bytes.Join(n.Content, nil))
	if len(r.Defects) > 0 {
		t.Errorf("defects: %v", r.Defects)
	}
	if r.Type != "multipart/report" || r.Report != "delivery-status" || strings.Join(r.Types, " ") != "text/plain message/delivery-status text/rfc822-headers" {
		t.Errorf("%s %s %v", r.Type, r.Report, r.Types)
	}
	if r.Auto != "auto-replied" || r.From != "postmaster@gw.haiduong.test" || r.Name != "Cổng thư" || r.Reply != "<orig@so-mau.test>" || !r.Date ||
		r.Subject != "Thư không gửi được / Undelivered mail" || !strings.HasSuffix(r.ID, "@gw.haiduong.test>") || !n.From.IsNull() {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(r.Text, "không có địa chỉ này") || !strings.Contains(r.Text, "there is no such address") || strings.Contains(r.Text, "nobody there") {
		t.Errorf("text:\n%s", r.Text)
	}
	if len(r.Status) != 3 || r.Status[0]["Reporting-MTA"] != "dns; gw.haiduong.test" || r.Status[0]["Arrival-Date"] == "" {
		t.Fatalf("status %v", r.Status)
	}
	a, b := r.Status[1], r.Status[2]
	if a["Final-Recipient"] != "rfc822; a@x.test" || a["Action"] != "failed" || a["Status"] != "5.1.1" || !strings.HasPrefix(a["Diagnostic-Code"], "smtp; 550 5.1.1") {
		t.Errorf("%v", a)
	}
	if _, quoted := b["Diagnostic-Code"]; b["Final-Recipient"] != `utf-8; ng\x{1B0}\x{1EDD}i@x.test` || b["Status"] != "4.4.7" || quoted {
		t.Errorf("%v", b)
	}
	if !strings.Contains(r.Orig, "Subject: Báo cáo") || strings.Contains(r.Orig, "X-Spam") || strings.Contains(r.Orig, "body") {
		t.Errorf("original:\n%s", r.Orig)
	}
}

func TestAutomatic(t *testing.T) {
	for header, want := range map[string]bool{
		"Subject: a\r\n":                          false,
		"Auto-Submitted: no\r\n":                  false,
		"auto-submitted: auto-generated; x=y\r\n": true,
		"Precedence: BULK\r\n":                    true,
		"Precedence: first-class\r\n":             false,
		"List-Id: <a.b>\r\n":                      true,
		"Listed: x\r\n\r\nList-Id: in the body":   false,
	} {
		if got := automatic([][]byte{[]byte(header), []byte("\r\n")}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestMessageID(t *testing.T) {
	for header, want := range map[string]string{
		"message-id:\r\n <a@b>\r\n": "<a@b>",
		"Message-ID: <a b@c>\r\n":   "",
		"Message-ID: <đ@c>\r\n":     "",
		"Message-ID: a@b\r\n":       "",
		"Subject: <a@b>\r\n":        "",
	} {
		if got := messageID([][]byte{[]byte(header)}); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}
