package viet_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/viet"
)

// Whatever official and everyday letters say is made of syllables; English, French,
// German and rows of letters mostly are not.
func TestValid(t *testing.T) {
	const yes = `kính gửi ủy uỷ ban nhân dân huyện đề nghị báo cáo trước ngày nghiêng khuỷu quyết định giếng gì giờ giấy quý
	quốc quyển khuya thuở ngoằn xoong oan yên yêu ý uống ưa thủy thuỷ hòa hoà khoẻ xoáy ngoạch huých quỳnh tiêu hươu rượu
	chuyến nghị nghỉ ghế phẩm trưởng phòng tuyệt mật độ lịch ách ếch mực bước a ở ạ`
	for _, w := range strings.Fields(yes) {
		if !viet.Valid(w) {
			t.Errorf("%s is no syllable", w)
		}
	}
	const no = `für über été déjà français straße můj český bảc tảp đích_ kà nghà ngì ghà cì gbạ fò wồ jế vayvon zà tèch bốô
	ốố nghiêngg kh ng đ ſ 1ãi`
	for _, w := range strings.Fields(no) {
		if viet.Valid(w) {
			t.Errorf("%s is a syllable", w)
		}
	}
}

func TestValidBare(t *testing.T) {
	for _, w := range strings.Fields("duong viet nguyen quoc gieng uy ban dương việt tat cac") {
		if !viet.ValidBare(w) {
			t.Errorf("%s is no syllable", w)
		}
	}
	for _, w := range strings.Fields("free casino street word zalo jack") {
		if viet.ValidBare(w) {
			t.Errorf("%s is a syllable", w)
		}
	}
}

func TestPlace(t *testing.T) {
	for in, want := range map[string]string{
		"xóa": "xoá", "xoá": "xoá", "hủy": "huỷ", "hòa": "hoà", "khỏe": "khoẻ", "thúy": "thuý", "qúy": "quý", "qủa": "quả", "gìa": "già",
		"già": "già", "mùa": "mùa", "cửa": "cửa", "hòan": "hoàn", "tòan": "toàn", "ủy": "uỷ", "của": "của", "chìa": "chìa", "giúp": "giúp",
		"khuyến": "khuyến", "được": "được", "hỏi": "hỏi", "naïve": "naïve", "xyz": "xyz", "óó": "óó", "ngoèo": "ngoèo", "khuỷu": "khuỷu", "giặt": "giặt",
	} {
		got := viet.Place(in)
		if got != want || viet.Place(got) != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string]string{
		"vayvon": "vay von", "vayvốn": "vay vốn", "laisuatthap": "lai suat thap", "khuyenmai": "khuyen mai", "casino": "ca si no", "free": "", "": "",
	} {
		if got := strings.Join(viet.Split([]rune(in)), " "); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestLetters(t *testing.T) {
	for r, want := range map[rune]rune{'đ': 'd', 'ữ': 'u', 'ậ': 'a', 'x': 'x', 'ü': 'ü', '中': '中', 'ý': 'y'} {
		if got := viet.Base(r); got != want {
			t.Errorf("%c: %c", r, got)
		}
	}
	if !viet.Marked('đ') || viet.Marked('d') || !viet.Shaped('ớ') || viet.Shaped('ó') || viet.Shaped('đ') {
		t.Error("marks")
	}
}

func FuzzPlace(f *testing.F) {
	f.Add("hòa")
	f.Add("gìêng")
	f.Fuzz(func(t *testing.T, s string) {
		got := viet.Place(s)
		if viet.Place(got) != got || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("%q: %q, then %q", s, got, viet.Place(got))
		}
		if viet.Valid(s) != viet.Valid(got) {
			t.Fatalf("%q is another kind of word than %q", s, got)
		}
		if parts := viet.Split([]rune(s)); parts != nil && strings.Join(parts, "") != string([]rune(s)) {
			t.Fatalf("%q is not %q", parts, s)
		}
	})
}
