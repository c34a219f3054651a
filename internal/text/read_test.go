package text

import (
	"strings"
	"syscall"
	"testing"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

func read(t testing.TB, raw string) *msg.Text {
	t.Helper()
	return Read(mimetree.Parse([]byte(strings.ReplaceAll(raw, "\n", "\r\n")), mimetree.DefaultLimits()))
}

func TestRead(t *testing.T) {
	m := read(t, `Subject: =?utf-8?B?VuG7gSB2aeG7h2M=?= Xoa
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Kính gửi
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<p>Hủy <img src=x><p hidden>khuất</p>
--b--
`)
	want := msg.Text{
		Subject: "Về việc Xoa", Body: "Kính gửi\n\nHủy \n", Hidden: "khuất\n",
		Folded: "về việc xoa\nkính gửi\nhuỷ\n", Bare: "ve viec xoa\nkinh gui\nhuy\n", Images: 1,
	}
	if strings.TrimSpace(m.Hidden) != "khuất" || m.Subject != want.Subject || strings.Join(strings.Fields(m.Body), " ") != "Kính gửi Hủy" ||
		strings.ReplaceAll(m.Folded, " \n", "\n") != want.Folded || strings.ReplaceAll(m.Bare, " \n", "\n") != want.Bare || m.Images != 1 || m.Cut {
		t.Errorf("%+v", m)
	}
}

func TestReadIsBounded(t *testing.T) {
	m := read(t, "Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"+strings.Repeat("chữ ", Limit))
	if !m.Cut || len(m.Body) > Limit || strings.ContainsRune(m.Body, '\uFFFD') {
		t.Errorf("%d octets, cut %v", len(m.Body), m.Cut)
	}
	if Read(nil) != nil {
		t.Error("something was read of nothing")
	}
}

// The subject is one line of Folded, whatever it holds.
func TestSubjectIsOneLine(t *testing.T) {
	for _, subject := range []string{"", "a", "=?utf-8?Q?a=0A=0Db=E2=80=A8?= ", "=?utf-8?Q?v.a.?= "} {
		m := read(t, "Subject: "+subject+"\n\ny z\n")
		head, body, ok := strings.Cut(m.Folded, "\n")
		if !ok || strings.TrimSpace(body) != "y z" || strings.TrimSpace(head) != strings.TrimSpace(strings.Join(strings.Fields(strings.ToLower(m.Subject)), " ")) {
			t.Errorf("%q: %q", subject, m.Folded)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, raw := range letters40() {
		root := mimetree.Parse([]byte(raw), mimetree.DefaultLimits())
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			start := processorTime()
			for b.Loop() {
				Read(root)
			}
			b.ReportMetric(float64(processorTime()-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what the process has used, in nanoseconds: what a benchmark measures on
// a machine that others use as well.
func processorTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// letters40 are letters of 40 KB: plain, a page that is mostly text, a page that is mostly
// markup.
func letters40() map[string]string {
	const sentence = "Kính gửi các cơ quan, đơn vị: Ủy ban nhân dân huyện đề nghị báo cáo kết quả thực hiện trước ngày 15/10. "
	page := func(unit string) string {
		return "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><head><style>.a{color:#333} td{font-size:14px}</style></head><body>" +
			strings.Repeat(unit, 40<<10/len(unit)) + "</body></html>"
	}
	return map[string]string{
		"plain":  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + strings.Repeat(sentence+"\r\n", 40<<10/len(sentence)),
		"page":   page("<p style=\"margin:0 0 12px\">" + strings.Repeat(sentence, 4) + "</p>\r\n"),
		"markup": page("<tr><td class=\"a\" style=\"padding:4px 8px;color:#222;font-family:Arial,sans-serif;font-size:14px\" valign=\"top\"><a href=\"https://example.test/x?y=1&amp;z=2\"><b>" + sentence + "</b></a></td></tr>\r\n"),
	}
}
