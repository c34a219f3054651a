package lang_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/lang"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		flag string
		env  map[string]string
		want lang.Lang
	}{
		{"en", map[string]string{"LANG": "vi_VN.UTF-8"}, lang.EN},
		{"", map[string]string{"LANG": "vi_VN.UTF-8"}, lang.VI},
		{"", map[string]string{"LANG": "en_US.UTF-8"}, lang.EN},
		{"", map[string]string{"LANG": "vi_VN", "LC_ALL": "en_GB"}, lang.EN},
		{"", map[string]string{"LANG": "fr_FR"}, lang.VI},
		{"", map[string]string{"LC_ALL": "C.UTF-8", "LANG": "en_US"}, lang.EN},
		{"", nil, lang.VI},
		{"vi", map[string]string{"LANG": "en_US"}, lang.VI},
	} {
		if got := lang.Choose(c.flag, func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%q %v: %s, want %s", c.flag, c.env, got, c.want)
		}
	}
}

func TestTextFallsBack(t *testing.T) {
	if got := lang.T("", "only English").In(lang.VI); got != "only English" {
		t.Error(got)
	}
	if got := lang.T("chỉ tiếng Việt", "").In(lang.EN); got != "chỉ tiếng Việt" {
		t.Error(got)
	}
	if got := lang.T("%d thư", "%d letters").F(lang.VI, 3); got != "3 thư" {
		t.Error(got)
	}
}

func TestSafe(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"Công văn số 12/UBND", 0, "Công văn số 12/UBND"},
		{"Co\u0302ng", 0, "Co\u0302ng"},
		{"\x1b[2Jx", 0, `\x1b[2Jx`},
		{"a\r\nb", 0, `a\x0d\x0ab`},
		{"fdp\u202eexe", 0, `fdp\u202eexe`},
		{"\xff\xfe", 0, `\xff\xfe`},
		{"abcdef", 3, "abc…"},
		{"\U000e0041", 0, `\U000e0041`},
		{"\u0085", 0, `\u0085`},
	} {
		if got := lang.Safe(c.in, c.max); got != c.want {
			t.Errorf("Safe(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzSafe(f *testing.F) {
	f.Add("\x1b]0;x\x07", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := lang.Safe(s, limit)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\x07\x1b\r\n\u009b\u202e") {
			t.Errorf("unsafe: %q", got)
		}
	})
}

func TestProblem(t *testing.T) {
	cause := errors.New("disk \x1b full")
	for _, c := range []struct {
		p      lang.Problem
		vi, en string
	}{
		{lang.Problem{What: lang.T("hỏng", "broken")}, "hỏng", "broken"},
		{lang.Problem{What: lang.T("hỏng", "broken"), Err: cause}, `hỏng: disk \x1b full`, `broken: disk \x1b full`},
	} {
		if c.p.In(lang.VI) != c.vi || c.p.Error() != c.en || !errors.Is(&c.p, c.p.Err) && c.p.Err != nil {
			t.Errorf("%q %q", c.p.In(lang.VI), c.p.Error())
		}
	}
}
