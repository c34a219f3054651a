package notice_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"congthu/internal/notice"
)

// linked is what mail programs are known to make links of.
var linked = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*:/|\bwww\.|[\pL\pN]\.[\pL\pN]|@|(mailto|tel|sms|skype|javascript|data|file):\S|//|\\\\`)

func TestPlain(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Công văn số 12/UBND-VP", "Công văn số 12[/]UBND-VP"},
		{"xem http://evil.example/a?b=c", "xem http[:][/][/]evil[.]example[/]a?b=c"},
		{"WWW.evil.example", "WWW[.]evil[.]example"},
		{"a@b.vn", "a(at)b[.]vn"},
		{"a＠b．vn", "a(at)b[.]vn"},
		{"evil。com", "evil[.]com"},
		{"Hết câu. Câu sau", "Hết câu. Câu sau"},
		{"x\u202ey\u200bz\u00ad", "xyz"},
		{"a\r\nBcc: b\tc", "a Bcc: b c"},
		{"mailto:ai", "mailto[:]ai"},
		{"\x1b[2J", `\x1b[2J`},
		{"NHAN\u2028x", "NHAN x"},
		{"<b>", "(b)"},
	} {
		if got := notice.Plain(c.in, 200); got != c.want {
			t.Errorf("Plain(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	if got := notice.Plain(strings.Repeat("á", 300), 10); got != strings.Repeat("á", 10)+"…" {
		t.Errorf("cut: %q", got)
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"http://a.b", "a@b.c", "x。y", "\u202e", "＠．：／", "ｗｗｗ．ａ．ｂ", "a․b", "⒈a", "℡:1", "㏂b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := notice.Plain(s, 100)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x1b\x00<>") {
			t.Errorf("%q is not one safe line: %q", s, got)
		}
		if m := linked.FindString(got); m != "" {
			t.Errorf("%q makes a link of %q in %q", s, m, got)
		}
		for _, r := range got {
			if unicode.Is(unicode.Cf, r) {
				t.Errorf("%q: hidden %U in %q", s, r, got)
			}
		}
		if n := utf8.RuneCountInString(got); n > 100*10+1 {
			t.Errorf("%d runes", n)
		}
	})
}
