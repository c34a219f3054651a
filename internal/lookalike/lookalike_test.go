package lookalike

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"haiduong", "haiduong", 0},
		{"haidoung", "haiduong", 1},
		{"haidong", "haiduong", 1},
		{"haiduongg", "haiduong", 1},
		{"haiphong", "haiduong", 2},
		{"hungyen", "haiduong", 3},
		{"", "ab", 2},
		{"abcdef", "badcfe", 3},
		{strings.Repeat("a", 64), strings.Repeat("a", 64), 3},
	} {
		if got := Distance(c.a, c.b, 2); got != c.want || Distance(c.b, c.a, 2) != got {
			t.Errorf("%s, %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestGov(t *testing.T) {
	for domain, want := range map[string]string{
		"so-mau.gov.vn":          "",
		"gov.vn":                 "",
		"tinh-mau.vn":            "",
		"govern.example":         "",
		"mau.gov.au":             "",
		"mau.gov.vn.top":         "gov.vn",
		"gov-vn.com":             "gov.vn",
		"haiduong-gov.vn":        "gov.vn",
		"mail.govvn.example":     "gov.vn",
		"haiduonggovvn.com":      "haiduonggovvn",
		"mau.gov.example.vn.top": "",
		"mau.g0v.vn":             "g0v.vn",
		"thue-gov.com":           "thue-gov",
		"xn--mau-gv-0jg.vn":      "",
	} {
		if got := Gov(domain, Fold(Unicode(domain))); got != want {
			t.Errorf("%s: %q, want %q", domain, got, want)
		}
	}
	if got := Gov(ASCII("mau.gоv.vn"), Fold("mau.gоv.vn")); got != ".gov.vn" { // a Cyrillic o
		t.Errorf("another alphabet: %q", got)
	}
}

func TestReads(t *testing.T) {
	ours := New("*.haiduong.gov.vn")
	for domain, want := range map[string]bool{
		"haiduong.gov.vn.top":     true,
		"haiduong-gov-vn.com":     true,
		"haidoung.gov.vn":         true,
		"haiduong.gov.vm":         true,
		"haiduong.gov.com":        false,
		"haiduonggovvn.example":   true,
		"haiduong-gov.com":        true,
		"baohaiduong.vn":          false,
		"haiphong.gov.vn":         false,
		"x.haiduong.gov.example":  false,
		"mail.haiduong.gov.vn.io": true,
	} {
		if got := ours.Reads(Fold(domain)); got != want {
			t.Errorf("%s: %v, want %v", domain, got, want)
		}
	}
	if !ours.Mimics(Skeleton("hаiduong.gov.vn")) || !ours.Mimics(Skeleton("x.ha1duong.gov.vn")) || ours.Mimics(Skeleton("haiphong.gov.vn")) {
		t.Error("skeletons")
	}
}

// Names come from strangers: whatever they are, the answer comes and is the same both
// ways where likeness is mutual.
func FuzzNames(f *testing.F) {
	f.Add("haiduong.gov.vn", "xn--80ak6aa92e.vn")
	f.Add("..", "-.gov-vn")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 300 || len(b) > 300 {
			return
		}
		if Distance(a, b, 2) != Distance(b, a, 2) {
			t.Errorf("distance of %q and %q", a, b)
		}
		_ = Gov(ASCII(a), Fold(Unicode(a)))
		_ = New(a).Reads(Fold(b))
		_ = Related(a, b)
	})
}

// The table says what the rules say, and letters are made plain one by one as together.
func FuzzFold(f *testing.F) {
	f.Add("Kính gửi Ủy ban nhân dân ĐƯỜNG hаiduong \u0130 ﬁ ｑｃ e\u0302\u0301 한국 ΣΑΣ")
	f.Add("\xff\xfe\u00ad\u200b")
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := Fold(s), fold(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	})
}

func BenchmarkFold(b *testing.B) {
	s := strings.Repeat("Kính gửi các đơn vị trực thuộc, đề nghị báo cáo. ", 20)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		_ = Fold(s)
	}
}
