package main

import (
	"net/netip"
	"slices"
	"testing"

	"congthu/internal/corpus"
	"congthu/internal/msg"
)

// stranger is a letter of somebody unknown, by the one who sends it.
func stranger(from, author, subject, body string) corpus.Letter {
	l := corpus.Letter{Name: subject, Client: netip.MustParseAddr("192.0.2.200"), Helo: "mail-out.gmail.com", From: from, To: "van-thu@so-mau.tinh-mau.gov.vn"}
	if from == "khth@benh-vien-mau.test" {
		l.Client, l.Helo = netip.MustParseAddr("192.0.2.51"), "mail.benh-vien-mau.test"
	}
	l.Raw = normalise([]byte("From: " + author + " <" + from + ">\nTo: van-thu@so-mau.tinh-mau.gov.vn\nSubject: " + subject + "\nDate: Mon, 16 Nov 2026 08:30:00 +0700\nMessage-ID: <1@a.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body + "\n"))
	return l
}

// What composites say of strangers: each holds for what it is meant for, and for the letter
// beside it that differs in the one thing that counts, it does not.
func TestStrangers(t *testing.T) {
	b := newBench(t)
	const free, hospital = "ai-do@gmail.com", "khth@benh-vien-mau.test"
	const code = "Mã xác thực của bạn là 482913, hiệu lực 3 phút. Không cung cấp mã này cho bất kỳ ai."
	const complaint = "Tôi tố giác cửa hàng cho vay nặng lãi, bốc bát họ trả góp ngày, dán tờ rơi vay nhanh 15 phút. Mong cơ quan chức năng xử lý nghiêm, giữ kín tên tôi."
	const account = "Mọi khoản ủng hộ xin chuyển về số tài khoản 1903 000 555 666 của quỹ."
	for _, c := range []struct {
		symbol, from, author, body string
		want                       bool
	}{
		{"CODE_NOTICE", hospital, "Cong", code, true},
		{"CODE_NOTICE", hospital, "Cong", code + " Xem https://a.example/x", false},
		{"CODE_NOTICE", hospital, "Cong", code + " Gọi số 0912 345 678 để được giúp.", false},
		{"CODE_NOTICE", hospital, "VNeID", code, false},
		{"CODE_NOTICE", free, "Cong", code, false},
		{"SPEAKS_OF_IT", free, "Nguoi dan", complaint, true},
		{"SPEAKS_OF_IT", free, "Nguoi dan", complaint + " Cần vay liên hệ Zalo 0912 000 345.", false},
		{"ACCOUNT_FROM_STRANGER", free, "Quy", account, true},
		{"ACCOUNT_FROM_STRANGER", hospital, "Quy", account, false},
		{"ACCOUNT_FROM_STRANGER", free, "Quy", "Mọi khoản ủng hộ xin gửi tại trụ sở, hotline 1900 0000.", false},
		{"CLAIMS_STATE", hospital, "CSGT Thong bao", "Noi dung thong bao.", true},
		{"CLAIMS_STATE", hospital, "Bao Cong an", "Noi dung thong bao.", false},
		{"CLAIMS_STATE", hospital, "Phong Ke hoach", "Noi dung thong bao.", false},
		{"PRICED_OFFER", free, "Trung tam", "Kinh phí 4.850.000đ/học viên, gồm tài liệu.", true},
		{"PRICED_OFFER", free, "Trung tam", "Kinh phí 4.850.000đ đã nộp kho bạc.", false},
		{"PRICED_OFFER", free, "Trung tam", "Báo giá theo thư mời chào giá: 250.000đ/suất.", false},
		{"FREEMAIL_STRANGER", free, "Ai do", "Xin chao.", true},
		{"FREEMAIL_STRANGER", hospital, "Ai do", "Xin chao.", false},
		{"CONTENT_BOSS_CLAIM", free, "Pham Mau - Giam doc", "Xin chao.", true},
		{"CONTENT_BOSS_CLAIM", hospital, "Pham Mau - Giam doc", "Xin chao.", false},
	} {
		d := b.judge(t, stranger(c.from, c.author, "Thu", c.body))
		got := slices.ContainsFunc(d.Why.Counted, func(w msg.Weighed) bool { return w.Symbol == c.symbol })
		if got != c.want {
			t.Errorf("%s of %s <%s> %q: %v, want %v: %s", c.symbol, c.author, c.from, c.body, got, c.want, why(d))
		}
	}
}
