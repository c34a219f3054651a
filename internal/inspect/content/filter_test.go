package content

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// filtered are expressions with all that is hard about them, and those that are shipped.
func filtered(t testing.TB) []string {
	t.Helper()
	out := append(patterns(), startsOf...)
	out = append(out, `\bk\B.`, `^a|b$`, `(?m)^x\b`, `(?i)kẹo|ſ`, `[^a-z]{3,9}z`, `\x{212a}x`, `(?s).\z`, `(?:ab?){5,12}c`, `\B`, `é\b`, `(?i)s{2,}`, `[[:^ascii:]]{2}a`, ``)
	names, err := filepath.Glob("../../../rules/content/*.toml")
	if err != nil || len(names) < 5 {
		t.Fatal(err, names)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f any
		if err := toml.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		out = append(out, expressions(f)...)
	}
	return out
}

// expressions are all values under the key "regex".
func expressions(in any) []string {
	var out []string
	switch in := in.(type) {
	case map[string]any:
		for k, v := range in {
			if s, ok := v.(string); ok && k == "regex" {
				out = append(out, s)
			}
			out = append(out, expressions(v)...)
		}
	case []any:
		for _, v := range in {
			out = append(out, expressions(v)...)
		}
	}
	return out
}

// Each expression that is shipped has a filter: without one it is slow.
func TestFilterOfShipped(t *testing.T) {
	for _, source := range filtered(t) {
		f := newFilter(source)
		if f == nil {
			t.Errorf("no filter for %s", source)
			continue
		}
		t.Logf("%4d states, %2d classes: %s", len(f.ends), f.classes, source)
	}
	if newFilter(strings.Repeat("(?:a|ab)(?:[a-c]|bc)", 60)) != nil || newFilter("(a|b)*a"+strings.Repeat("(a|b)", 20)) != nil {
		t.Error("a filter of thousands of states is built")
	}
}

// Where an expression matches its filter says that it may.
func FuzzFilter(f *testing.F) {
	type both struct {
		re     *regexp.Regexp
		filter *filter
	}
	var all []both
	for _, source := range filtered(f) {
		all = append(all, both{regexp.MustCompile(source), newFilter(source)})
	}
	for _, s := range []string{
		"giá 500k/tháng", "vn88bet kubet77 8xbet", "zalo: 0912 345 678", "https://a.b.test/x?y=\"z\"", "mat khau giai nen la: 12345", "lai 30% / thang, loi nhuan 5 % moi ngay",
		"[QC] bán", "0á0", "[Ab\xc3 0á0", "a@b.gov.vn>", "x.docx", "sale off up to 50 %", "\u212a\u017f\xff\xc3 ké", "abbababbc",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, b := range all {
			if b.re.MatchString(text) && !b.filter.may(text) {
				t.Fatalf("%s matches %q, and its filter says that it does not", b.re, text)
			}
		}
	})
}

// The filter is worth its memory only where it says no to most of what does not match.
func TestFilterSaysNo(t *testing.T) {
	for source, text := range map[string]string{
		`\b[0-9]{2,4} ?k\b`:             "nhiem vu 4900 truoc ngay 12/10, 12 km, 5k 12345k",
		`\bzalo\b[^0-9@\n]{0,40}0\d{8}`: "zalos 012345678, zalo @ 012345678, zalo\n012345678, zalo 0123",
		`é\b`:                           "é é",
	} {
		if newFilter(source).may(text) {
			t.Errorf("%s: not sure of %q", source, text)
		}
	}
}

// Building a filter must cost no more than a rule set of thousands can pay.
func BenchmarkNewFilter(b *testing.B) {
	for name, source := range map[string]string{"short": `(?i)mẫu ban an\s+[0-9]{3,}`, "long": `\b(?:zalo|zal0|telegram|tele|viber|whatsapp|wechat|inbox|ib|inb|alo)\b[^0-9@\n]{0,40}(?:\+?84|0|o)[ .o-]*[0-9][0-9 .o-]{6,12}`} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				newFilter(source)
			}
		})
	}
}
