package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"congthu/internal/corpus"
	"congthu/internal/msg"
)

// The credit for an agency's letter is for agencies: not for who types like one, not for
// who writes its address into From, not for who sends a lure from its stolen mailbox.
func TestOfficialCredit(t *testing.T) {
	b := newBench(t)
	agency := corpus.Letter{Client: netip.MustParseAddr("192.0.2.10"), Helo: "mail.sonoivu.tinh-mau.gov.vn", From: "vanthu@sonoivu.tinh-mau.gov.vn"}
	stranger := corpus.Letter{Client: netip.MustParseAddr("198.51.100.10"), Helo: "smtp0.uu-dai-hom-nay.example", From: "cskh@uu-dai-hom-nay.example"}
	const letter = "Kính gửi: Các sở, ban, ngành.\n\nThực hiện quy định về công tác văn thư, đề nghị quý cơ quan báo cáo trước ngày 15, gửi về Sở để tổng hợp.\n\nTrân trọng.\n\nNơi nhận:\n- Như trên.\n"
	for _, c := range []struct {
		name, author, text string
		session            corpus.Letter
		want               bool
	}{
		{"an agency", "vanthu@sonoivu.tinh-mau.gov.vn", letter, agency, true},
		{"a stranger who types like one", "cskh@uu-dai-hom-nay.example", letter, stranger, false},
		{"a stranger with its address in From", "vanthu@soyte.tinh-mau.gov.vn", letter, stranger, false},
		{"a stranger with its address in the name", `"vanthu@sonoivu.tinh-mau.gov.vn" <cskh@uu-dai-hom-nay.example>`, letter, stranger, false},
		{"a stolen mailbox with a lure", "vanthu@sonoivu.tinh-mau.gov.vn", letter + "\nĐăng nhập bằng mật khẩu thư công vụ để xem: http://203.0.113.77/vn/login\n", agency, false},
		{"a stolen mailbox that sells", "vanthu@sonoivu.tinh-mau.gov.vn", letter + "\nVay tín chấp, giải ngân trong ngày, liên hệ Zalo 0900 000 123.\n", agency, false},
	} {
		l := c.session
		l.Name, l.To = c.name, "van-thu@so-mau.tinh-mau.gov.vn"
		l.Raw = normalise([]byte("From: " + c.author + "\nTo: van-thu@so-mau.tinh-mau.gov.vn\nSubject: V/v bao cao\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <1@a.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + c.text))
		d := b.judge(t, l)
		got := slices.ContainsFunc(d.Why.Counted, func(w msg.Weighed) bool { return w.Symbol == "OFFICIAL_LETTER" })
		if got != c.want {
			t.Errorf("%s: credit %v, want %v: %s", c.name, got, c.want, why(d))
		}
	}
}

// What warns of frauds is no fraud, unless it leads somewhere.
func TestWarningCredit(t *testing.T) {
	b := newBench(t)
	const warning = "Cảnh báo thủ đoạn lừa đảo: đối tượng giả danh ngân hàng, yêu cầu bấm vào liên kết. Đề nghị nâng cao cảnh giác, không cung cấp mã OTP, trình báo công an.\n"
	for text, want := range map[string]bool{
		warning: true,
		warning + "Xem thêm tại https://conganmau.gov.vn/canh-bao\n":              true,
		warning + "Xác minh tài khoản: https://xac-minh.mau-phishing.example/a\n": false,
		warning + "Xem http://203.0.113.77/canh-bao\n":                            false,
		warning + "Xem https://canh-bao-mau.vn/tra-cuu\n":                         false,
		warning + "Xem https://mail.govv.vn/tra-cuu\n":                            false,
		warning + "Xem https://tinh-mau.gov.vn.example/a\n":                       false,
		warning + "Liên hệ Zalo 0900 000 123 để được hỗ trợ lấy lại tiền.\n":      false,
	} {
		l := corpus.Letter{Client: netip.MustParseAddr("192.0.2.51"), Helo: "mail.benh-vien-mau.test", From: "khth@benh-vien-mau.test", To: "van-thu@so-mau.tinh-mau.gov.vn"}
		l.Raw = normalise([]byte("From: khth@benh-vien-mau.test\nTo: van-thu@so-mau.tinh-mau.gov.vn\nSubject: Canh bao\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <1@a.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + text))
		d := b.judge(t, l)
		if got := strings.Contains(why(d), "CONTENT_WARNING"); got != want {
			t.Errorf("%q: credit %v, want %v: %s", text, got, want, why(d))
		}
	}
}
