package reported_test

import (
	"bytes"
	"strings"
	"testing"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/reported"
	"congthu/internal/text"
)

const inner = "From: a@shop.example\r\nSubject: =?utf-8?q?Tr=C3=BAng_th=C6=B0=E1=BB=9Fng?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBạn đã trúng 5 triệu.\r\n"

func message(raw string) *msg.Message {
	return &msg.Message{Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
}

func mixed(parts ...string) string {
	return "From: u@so.test\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\n" + strings.Join(parts, "\r\n--zz\r\n") + "\r\n--zz--\r\n"
}

func TestAttached(t *testing.T) {
	note := "Content-Type: text/plain\r\n\r\nthư rác đấy"
	rfc822 := "Content-Type: message/rfc822\r\n\r\n" + inner
	for _, c := range []struct {
		name, raw string
		want      int
	}{
		{"one", mixed(note, rfc822), 1},
		{"two", mixed(note, rfc822, rfc822), 2},
		{"many", mixed(slice(rfc822, 15)...), 10},
		{"base64", mixed(note, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nRnJvbTogYUBzaG9wLmV4YW1wbGUNClN1YmplY3Q6IHgNCg0KYg0K"), 1},
		{"file", mixed(note, "Content-Type: application/octet-stream; name=\"a.eml\"\r\nContent-Disposition: attachment; filename=\"a.EML\"\r\n\r\n"+inner), 1},
		{"file that is none", mixed(note, "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.eml\"\r\n\r\nPK..."), 0},
		{"nested", mixed(note, "Content-Type: message/rfc822\r\n\r\n"+strings.ReplaceAll(mixed(note, rfc822), "zz", "yy")), 1},
		{"none", mixed(note), 0},
	} {
		got := reported.Originals(message(c.raw))
		if len(got) != c.want {
			t.Errorf("%s: %d letters", c.name, len(got))
		}
	}
	if got := reported.Originals(message(mixed(note, rfc822))); !bytes.Equal(bytes.TrimSpace(got[0]), []byte(strings.TrimSpace(inner))) {
		t.Errorf("the letter is not as it was:\n%s", got[0])
	}
}

func slice(s string, n int) (out []string) {
	for range n {
		out = append(out, s)
	}
	return out
}

func TestInline(t *testing.T) {
	head := "From: u@so.test\r\nSubject: Fwd\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGửi anh xem, rác quá.\r\n\r\n"
	page := "From: u@so.test\r\nSubject: Fwd\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
	body := "\r\n\r\nBạn đã trúng 5 triệu.\r\nBấm vào đây.\r\n"
	for name, raw := range map[string]string{
		"gmail":       head + "---------- Forwarded message ---------\r\nFrom: Shop <a@shop.example>\r\nDate: Mon, Nov 16, 2026\r\nSubject: Trúng thưởng\r\nTo: <u@so.test>" + body,
		"gmail vi":    head + "---------- Forwarded message ---------\r\nTừ: Shop <a@shop.example>\r\nDate: Th 2, 16 thg 11, 2026\r\nSubject: Trúng thưởng\r\nTo: <u@so.test>" + body,
		"thunderbird": head + "-------- Thư chuyển tiếp --------\r\nChủ đề: \tgì đó\r\n\r\nTừ: Shop <a@shop.example>\r\nTiêu đề: Trúng thưởng\r\nNgày: 16/11" + body,
		"apple":       head + "Begin forwarded message:\r\n\r\n> From: Shop <a@shop.example>\r\n> Subject: Trúng thưởng\r\n> Date: x\r\n>\r\n> Bạn đã trúng 5 triệu.\r\n> Bấm vào đây.\r\n",
		"outlook":     head + "________________________________\r\nNgười gửi: Shop <a@shop.example>\r\nĐã gửi: 16/11\r\nĐến: u@so.test\r\nChủ đề: Trúng thưởng" + body,
		"page":        page + "<p>rác</p><div><b>From:</b> Shop &lt;a@shop.example&gt;<br><b>Sent:</b> x<br><b>Subject:</b> Trúng thưởng<br></div><br><p>Bạn đã trúng 5 triệu.</p><p>Bấm vào đây.</p>",
	} {
		got := reported.Originals(message(raw))
		if len(got) != 1 {
			t.Errorf("%s: %d letters", name, len(got))
			continue
		}
		root := mimetree.Parse(got[0], mimetree.DefaultLimits())
		x := text.Read(root)
		if x.Subject != "Trúng thưởng" || !strings.Contains(root.Get("From"), "a@shop.example") || !strings.Contains(x.Body, "Bạn đã trúng 5 triệu.") || strings.Contains(x.Body, "rác") {
			t.Errorf("%s:\n%s\n%q", name, got[0], x.Body)
		}
	}
	if got := reported.Originals(message(head + "không có gì\r\nTừ: nay trở đi\r\n")); got != nil {
		t.Errorf("a letter was made of nothing: %s", got[0])
	}
}

// FuzzOriginals: whatever comes, few letters come of it, each one that can be parsed and has
// a header.
func FuzzOriginals(f *testing.F) {
	f.Add([]byte(mixed("Content-Type: message/rfc822\r\n\r\n" + inner)))
	f.Add([]byte("\r\nFrom: a\r\nSubject: b\r\n\r\nc"))
	f.Add([]byte("Content-Type: text/html\r\n\r\n<b>Từ:</b> a<br>Tiêu đề: b<br><br>c"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := reported.Originals(&msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())})
		if len(got) > 10 {
			t.Errorf("%d letters", len(got))
		}
		for _, g := range got {
			if root := mimetree.Parse(g, mimetree.DefaultLimits()); root.Get("From") == "" && root.Get("Subject") == "" {
				t.Errorf("no letter: %q", g)
			}
		}
	})
}
