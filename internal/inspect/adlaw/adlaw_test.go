package adlaw

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

const lawFile = "../../../rules/lists/ad-law.toml"

func shipped(t testing.TB) Law {
	t.Helper()
	l, err := Load(lawFile)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLabel(t *testing.T) {
	names := map[int]string{nowhere: "nowhere", elsewhere: "elsewhere", first: "first"}
	l := shipped(t)
	for subject, want := range map[string]string{
		"[QC] Giảm giá":                         "first",
		"[qc] Giảm giá":                         "first",
		"[AD]Sale":                              "first",
		"[QUẢNG CÁO] Ưu đãi":                    "first",
		"=?utf-8?b?W1FDXSBHaeG6o20=?=":          "first",
		"=?utf-8?q?[Q?= =?utf-8?q?C]_x?=":       "first",
		"Re: [QC] Giảm giá":                     "elsewhere",
		"Fwd: [AD] Sale":                        "elsewhere",
		"Giảm giá [QC]":                         "elsewhere",
		"=?utf-8?q?_[QC]_x?=":                   "elsewhere", // a space is first
		"\u200b[QC] Giảm giá":                   "elsewhere",
		"［QC］ Giảm giá":                         "elsewhere",
		"【QC】 Giảm giá":                         "elsewhere",
		"[ＱＣ] Giảm giá":                         "elsewhere",
		"[QС] Giảm giá":                         "elsewhere", // a Cyrillic С
		"[Q.C] Giảm giá":                        "elsewhere",
		"[ Q C ] Giảm giá":                      "elsewhere",
		"[QUANG CAO] x":                         "elsewhere",
		"(QC) Biên bản kiểm tra chất lượng":     "nowhere",
		"Báo cáo QC tháng 10":                   "nowhere",
		"[QCVN 102] Quy chuẩn":                  "nowhere",
		"V/v quảng cáo ngoài trời trên địa bàn": "nowhere",
		"Thông báo":                             "nowhere",
		"":                                      "nowhere",
		"=?utf-8?b?RndkOiBbUUNdIEto4bqjbyBzw6F0IG7Em20=?=": "elsewhere",
	} {
		if _, got := l.label(mimetree.DecodeWords(subject)); names[got] != want {
			t.Errorf("%q: %s, want %s", subject, names[got], want)
		}
	}
}

// letter makes a message; to is who gets it.
func letter(subject, body string, more ...string) *msg.Message {
	raw := "From: Cua hang <ban@hang.example>\r\nTo: a@gov.test\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + body + ">\r\n" +
		strings.Join(more, "\r\n")
	if len(more) > 0 {
		raw += "\r\n"
	}
	raw += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body + "\r\n"
	return &msg.Message{
		Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits()), Received: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
		Envelope: msg.Envelope{To: []msg.Path{{Raw: "a@gov.test", Local: "a", Domain: "gov.test"}}},
	}
}

func symbols(t testing.TB, in msg.Inspector, m *msg.Message) string {
	t.Helper()
	found, _, err := in.Inspect(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if !slices.Contains(Symbols(), f.Symbol) {
			t.Errorf("%+v is not listed", f)
		}
		out = append(out, strings.TrimSpace(f.Symbol+" "+f.Evidence))
	}
	return strings.Join(out, "; ")
}

func TestAdvertising(t *testing.T) {
	const whole = "Ưu đãi lớn.\r\nCông ty Mẫu, điện thoại 024 3333 4444, ban@hang.example, địa chỉ: 1 phố Mẫu.\r\nĐể từ chối nhận thư, trả lời TC."
	in := New(shipped(t), nil)
	for _, c := range []struct{ subject, body, more, want string }{
		{"[QC] a", whole, "", "SUBJECT_AD_LABEL [QC]; AD_OPT_OUT"},
		{"Re: [QC] a", whole, "", "AD_LABEL_MISPLACED Re: [QC] a; AD_OPT_OUT"},
		{"[QC] a", "Mua ngay.", "", "SUBJECT_AD_LABEL [QC]; AD_NO_OPT_OUT; AD_NO_SENDER_DATA phone, email, address"},
		{"[QC] a", "Mua ngay. Hotline 1900 1234 56, ban@hang.example", "List-Unsubscribe: <https://hang.example/u>", "SUBJECT_AD_LABEL [QC]; AD_OPT_OUT List-Unsubscribe; AD_NO_SENDER_DATA address"},
		{"Moi", "khuyen mai, giam gia, mua ngay, dat hang", "", "AD_NO_OPT_OUT; AD_NO_SENDER_DATA phone, email, address"},
		{"Moi", "KHUYẾN MẠI, giảm giá, mua ngay", "", ""},
		{"Giấy mời", "Kính mời dự họp. Điện thoại 0220.3.852.123", "", ""},
		{"[QC] a", whole + strings.Repeat("\r\ndòng", 2000), "", "SUBJECT_AD_LABEL [QC]; AD_NO_OPT_OUT; AD_NO_SENDER_DATA phone, email, address"}, // hidden far above the end
	} {
		var more []string
		if c.more != "" {
			more = []string{c.more}
		}
		if got := symbols(t, in, letter(c.subject, c.body, more...)); got != c.want {
			t.Errorf("%s, %.60q: %s, want %s", c.subject, c.body, got, c.want)
		}
	}
	if _, _, err := in.Inspect(t.Context(), &msg.Message{}); err == nil {
		t.Error("a message that was not parsed was called looked at")
	}
}

func TestTextThatIsRead(t *testing.T) {
	m := letter("Moi", "khong co gi")
	m.Text = &msg.Text{Bare: "moi\nkhuyen mai, giam gia, mua ngay, dat hang"}
	if got := symbols(t, New(shipped(t), nil), m); !strings.Contains(got, NoOptOut) {
		t.Errorf("the text as its reader sees it was not looked at: %q", got)
	}
}

func TestDaily(t *testing.T) {
	in := New(shipped(t), NewCounter())
	send := func(n int, at time.Duration) string {
		m := letter("[QC] "+fmt.Sprint(n), "x")
		m.Received = m.Received.Add(at)
		got := symbols(t, in, m)
		_, more, _ := strings.Cut(got, TooMany)
		return strings.TrimSpace(more)
	}
	for n := range 3 {
		if got := send(n, time.Duration(n)*time.Hour); got != "" {
			t.Errorf("letter %d: %s", n, got)
		}
	}
	if got := send(2, 3*time.Hour); got != "" {
		t.Errorf("the third brought again: %s", got)
	}
	if got := send(3, 23*time.Hour); got != "hang.example -> a@gov.test: 4" {
		t.Errorf("the fourth: %q", got)
	}
	if got := send(4, 47*time.Hour+time.Minute); got != "" {
		t.Errorf("a day later: %s", got)
	}
}

// Many houses and mailboxes take no more than the bound, and the count of one never falls
// below what it must be because of a turn.
func TestCounterIsBounded(t *testing.T) {
	c, at := NewCounter(), time.Unix(1e9, 0)
	for n := range 3 * maxPairs {
		c.add("h", fmt.Sprint(n), "x", at)
	}
	if len(c.now) > maxPairs || len(c.old) > maxPairs {
		t.Errorf("%d and %d pairs", len(c.now), len(c.old))
	}
	for n := range 10 {
		c.add("h", "a", fmt.Sprint(n), at)
	}
	if n := c.add("h", "a", "10", at.Add(25*time.Hour)); n != 1 {
		t.Errorf("%d letters in a new day", n)
	}
	if n := c.add("h", "a", "11", at.Add(26*time.Hour)); n != 2 {
		t.Errorf("%d letters, want 2", n)
	}
	for n := range 100 {
		if got := c.add("h", "b", fmt.Sprint(n), at.Add(26*time.Hour)); got > maxKept {
			t.Fatalf("%d letters kept of one pair", got)
		}
	}
}

func TestLoad(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ad-law.toml")
	for text, want := range map[string]string{
		"likely_from = 4":                                       "labels",
		"labels = [\"QC\"]\nlikely_from = 4":                    "ad-law.toml:1:",
		"labels = [\"[QC]\"]\nlikely_from = 1":                  "ad-law.toml:2:",
		"labels = [\"[QC]\"]\nlikely_from = 2\nlable = 1":       "ad-law.toml:3:1",
		"labels = [\"[QC]\"]\nlikely_from = 2\nwords = [\"a\"]": "ad-law.toml:3:",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Load(name + ".none"); err == nil {
		t.Error("a law that is not there")
	}
}

func FuzzInspect(f *testing.F) {
	f.Add("[QC] x", "huỷ đăng ký")
	f.Add("Re: ［ＱＣ］", "khuyến mãi giảm giá mua ngay đặt hàng 0912345678 a@b.vn")
	in := New(shipped(f), NewCounter())
	f.Fuzz(func(t *testing.T, subject, body string) {
		m := &msg.Message{Root: &msg.Part{Path: "0", MediaType: "text/plain", Text: body, Header: []msg.Field{{Name: "Subject", Value: subject}}}}
		if got := symbols(t, in, m); strings.Contains(got, Label) && strings.Contains(got, Misplaced) {
			t.Errorf("the label of %q is first and is not", subject)
		}
	})
}
