package text

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ name, in, folded, bare string }{
		{"case and space", "Kính  Gửi:\tÔng/Bà\r\n\r\nX", "kính gửi: ông/bà\nx", "kinh gui: ong/ba\nx"},
		{"decomposed", norm.NFD.String("Đề nghị Ủy ban"), "đề nghị uỷ ban", "de nghi uy ban"},
		{"old and new tones", "xóa hủy hòa qúy", "xoá huỷ hoà quý", "xoa huy hoa quy"},
		{"full width", "ｖａｙ　ｖốｎ", "vay vốn", "vay von"},
		{"mathematical", "𝐯𝐚𝐲 𝓿𝓸𝓷 𝟭𝟬", "vay von 10", "vay von 10"},
		{"circled", "ⓥⓐⓨ", "vay", "vay"},
		{"Cyrillic in a word", "v\u0430y v\u043en", "vay von", "vay von"},
		{"Cyrillic alone that looks Latin", "\u0441\u0430\u0455\u0456\u043eп", "\u0441\u0430\u0455\u0456\u043eп", "\u0441\u0430\u0455\u0456\u043eп"},
		{"all letters look Latin", "\u0441\u0430\u0455\u0456", "casi", "casi"},
		{"Russian stays Russian", "сообщение для", "сообщение для", "сообщение для"},
		{"Greek word stays", "γλώσσα", "γλώσσα", "γλωσσα"},
		{"zero width", "v\u200ba\u2060y\u00ad v\ufeffốn", "vay vốn", "vay von"},
		{"invisible before a mark", "vo\u200b\u0302\u0301n", "vốn", "von"},
		{"tags", "v\U000e0061ay", "vay", "vay"},
		{"heaps of marks", "v\u0336\u0337a\u0335\u0338y", "vay", "vay"},
		{"digits in words", "v0n 1ãi b4n l0 h5n1 a4 q10 1a 2024a mp3", "von lãi ban lo h5n1 a4 q10 1a 2024a mp3", "von lai ban lo h5n1 a4 q10 1a 2024a mp3"},
		{"digits inside and behind", "t13n h0 ch1 ch0v4y s1m a1 k3 mp3 p2p", "tien ho chi chovay sim a1 k3 mp3 p2p", "tien ho chi chovay sim a1 k3 mp3 p2p"},
		{"five to nine", "7iền 5im 8án 9ia 6ia an5 tổ7 8am 5km 7h30", "tiền sim bán gia bia an5 tổ7 8am 5km 7h30", "tien sim ban gia bia an5 to7 8am 5km 7h30"},
		{"names and English", "z4l0 T3l3gr4m b1tc0in v1agra 0nline fr33 m0n3y c1ick b1og va1ue off1c1al", "zalo telegram bitcoin viagra online free money click blog value official", "zalo telegram bitcoin viagra online free money click blog value official"},
		{"numbers among such words", "v0n ng4n h4ng b4nk h04 h0ng g14 c4 A4 P10 7h30", "von ngan hang bank hoa hong gia c4 a4 p10 7h30", "von ngan hang bank hoa hong gia c4 a4 p10 7h30"},
		{"signs in words", "v@y c@sh ca$h thu@so.vn an.thu@so 5$ US$ @thu", "vay cash cash thu@so.vn an.thu@so 5$ us$ @thu", "vay cash cash thu@so.vn an.thu@so 5$ us$ @thu"},
		{"numbers of documents, plates, parts", "123/UBND-VP A4 covid19 Q1 34A-12345 2026/NĐ-CP KT3 H5N1 B1.1.7 mp3 html5 utf8 k8s ipv4 HD01 D400 4G XBB15 1C26TGM 7XK2P3", "123/ubnd-vp a4 covid19 q1 34a-12345 2026/nđ-cp kt3 h5n1 b1.1.7 mp3 html5 utf8 k8s ipv4 hd01 d400 4g xbb15 1c26tgm 7xk2p3", "123/ubnd-vp a4 covid19 q1 34a-12345 2026/nd-cp kt3 h5n1 b1.1.7 mp3 html5 utf8 k8s ipv4 hd01 d400 4g xbb15 1c26tgm 7xk2p3"},
		{"dots", "v.a.y v.ố.n", "vay vốn", "vay von"},
		{"dots and dashes", "v.a.y v-o-n", "vay von", "vay von"},
		{"wide gaps", "v a y  v o n", "vay von", "vay von"},
		{"one gap", "v a y v o n", "vay von vayvon", "vay von vayvon"},
		{"an English word", "s a l e", "sa le sale", "sa le sale"},
		{"an English word in English", "we need a local person to work from h.o.m.e now", "we need a local person to work from home now", "we need a local person to work from home now"},
		{"a Vietnamese row in Vietnamese", "can bo nao can tien gap hay v.a.y.v.o.n nhe", "can bo nao can tien gap hay vay von vayvon nhe", "can bo nao can tien gap hay vay von vayvon nhe"},
		{"no syllables", "F R E E", "free", "free"},
		{"two letters are no row", "a b, c d", "a b, c d", "a b, c d"},
		{"a list is no row", "điểm a, b, c, d khoản 1", "điểm a, b, c, d khoản 1", "diem a, b, c, d khoan 1"},
		{"lines are no row", "a\nb\nc", "a\nb\nc", "a\nb\nc"},
		{"row before a word", "x.y.z rồi", "xyz rồi", "xyz roi"},
		{"quotes and dashes", "“can’t” – now", "\"can't\" - now", "\"can't\" - now"},
		{"Đ of other alphabets", "Ðề Ɖề", "đề đề", "de de"},
		{"overrides", "\u202ebac\u202c", "bac", "bac"},
		{"broken octets", "a\xffb", "a\ufffdb", "a\ufffdb"},
		{"Chinese", "中文 ﹣ 漢字", "中文 - 漢字", "中文 - 漢字"},
		{"", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			folded, bare := Fold(c.in)
			if folded != c.folded || bare != c.bare {
				t.Errorf("%q: %q and %q, want %q and %q", c.in, folded, bare, c.folded, c.bare)
			}
		})
	}
}

func TestTricksAreCounted(t *testing.T) {
	f := newFolder(0)
	f.write("kh\u200buyến m\u00adãi \U0001F469\u200d\U0001F469 \u202etxt v\u0430y góc α")
	f.end()
	if f.unseen != 2 || f.turns != 1 || f.mixed != 1 || strings.Join(f.example, " ") != "v\u0430y" {
		t.Errorf("%+v", f.tricks)
	}
}

// A trick is counted where a word stands by itself and was read back.
func TestSwapsAreCounted(t *testing.T) {
	for s, want := range map[string]string{
		"tk ng4n h4ng, v0n m4t kh4u nhanh":          "ng4n h4ng kh4u",
		"c@sh b1tc0in fr33":                         "c@sh b1tc0in fr33",
		"https://a.example/h4ng.b0ng thu@so.vn":     "",
		"số 123/UBND-VP, khổ A4, covid19, quý Q1":   "",
		"máy Dell 5440, S/N 7XK2P3, thép D400 H5N1": "",
	} {
		f := newFolder(0)
		f.write(s)
		f.end()
		if got := strings.Join(f.swaps, " "); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"v.a.y v o n lãi suất", "\u0301\u0302a\u200b", "v0n 1ãi", "a.b c d e f.g", "ﬁ ㎏ İ ϴ", "гьё й", "c@sh b1tc0in fr33 ca$h.", "a@b@c v@y-v0n", "T0$A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded, bare := Fold(s)
		if !utf8.ValidString(folded) || !utf8.ValidString(bare) {
			t.Fatalf("%q: %q, %q", s, folded, bare)
		}
		if again, bones := Fold(folded); again != folded || bones != bare {
			t.Fatalf("%q: %q, %q, then %q, %q", s, folded, bare, again, bones)
		}
		if len(folded) > 20*len(s) {
			t.Fatalf("%d octets became %d", len(s), len(folded))
		}
		if c := Clean(s); Clean(c) != c {
			t.Fatalf("%q: %q then %q", s, c, Clean(c))
		}
	})
}

// plainly folds letter by letter.
func plainly(s string) *folder {
	f := newFolder(len(s))
	f.slow = true
	f.write(s)
	f.end()
	return f
}

// The quick way writes what the long way writes, and counts the same.
func FuzzQuick(f *testing.F) {
	for _, s := range []string{
		"Kính gửi Phòng số 7: Ủy ban nhân dân huyện, hoà bình của tôi", "v a y v o n nhanh  vay", "hủy xóa góa qúy mùa nghĩa thuế chủ yếu", "v\u0430y von abc4 4abc a\u0301b o\u0301a", "THÔNG BÁO\u00a0Ǆ Ⱥb ſt ﬁn ĐĐ", "abcdefgh abcdefghi\xe1\xbb ab\xc3",
		"v0n b1tc0in c@sh a@b ca$h. z4l0 ng4n h4ng", "a\u200bb cd\u00ade f\u202eg", "òa  oà, oa\tuý\n", "ab x y z cd", "x. y. z.  ab",
	} {
		f.Add(s)
		f.Add(norm.NFD.String(s))
		f.Add(strings.ToUpper(s))
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, want := newFolder(0), plainly(s)
		got.write(s)
		got.end()
		if string(got.folded) != string(want.folded) || string(got.bare) != string(want.bare) {
			t.Fatalf("%q:\n got %q %q\nwant %q %q", s, got.folded, got.bare, want.folded, want.bare)
		}
		if got.unseen != want.unseen || got.turns != want.turns || got.mixed != want.mixed || !slices.Equal(got.swaps, want.swaps) || strings.Join(got.example, " ") != strings.Join(want.example, " ") {
			t.Fatalf("%q: %+v, want %+v", s, got.tricks, want.tricks)
		}
	})
}

// Each letter that there is a class for, alone, in a word, behind and before a tone.
func TestQuickOfAll(t *testing.T) {
	for r := range rune(tableEnd + 100) {
		for _, form := range []string{"abcdefgh _ abcdefgh", "ab_ c _d a_ o_ ó_a ù_ _a _ _ _ abcdefgh", "n_h _ n_h x y z abcdefgh"} {
			s := strings.ReplaceAll(form, "_", string(r))
			got, want := newFolder(0), plainly(s)
			got.write(s)
			got.end()
			if string(got.folded) != string(want.folded) || string(got.bare) != string(want.bare) || got.unseen != want.unseen {
				t.Fatalf("%U %q:\n got %q %q\nwant %q %q", r, s, got.folded, got.bare, want.folded, want.bare)
			}
		}
	}
}
