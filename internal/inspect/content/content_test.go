package content

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/lang"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/text"
	"congthu/internal/tomlfile"
)

func load(t testing.TB, text string) (*Set, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(dir, filepath.Join(dir, "local"))
}

func mustLoad(t testing.TB, text string) *Set {
	t.Helper()
	s, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func found(t testing.TB, s *Set, raw string) []string {
	t.Helper()
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	m := &msg.Message{Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
	m.Text = text.Read(m.Root)
	fs, ar, err := New(func() *Set { return s }).Inspect(context.Background(), m)
	if err != nil || ar != nil {
		t.Fatal(ar, err)
	}
	var out []string
	for _, f := range fs {
		out = append(out, f.Symbol+" "+f.Evidence)
	}
	return out
}

const plain = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"

const htmlPage = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"

func TestConditions(t *testing.T) {
	s := mustLoad(t, `
[[rule]]
symbol = "LOAN"
where = ["body"]
words = ["vay vốn", "lãi suất thấp", "giải ngân"]
min = 2
fold = true
not = [{ where = ["from"], words = ["ngân hàng nhà nước"] }]

[[rule]]
symbol = "EXACT"
words = ["bán"]

[[rule]]
symbol = "AMOUNT"
regex = '(?i)\d+ (triệu|tỷ) đồng'
any = [{ words = ["trúng thưởng"] }, { where = ["header:X-Campaign"], regex = '^[0-9]+$' }]

[[rule]]
symbol = "NAME"
where = ["filename"]
regex = '(?i)giay moi'
fold = true
`)
	for _, c := range []struct{ name, raw, want string }{
		{"two words", plain + "Vay vốn LÃI SUẤT THẤP!", "LOAN vay von, lai suat thap"},
		{"one word is not enough", plain + "Vay vốn", ""},
		{"without marks", plain + "vay von, lai suat thap", "LOAN vay von, lai suat thap"},
		{"decomposed", plain + "vay vo\u0302\u0301n la\u0303i sua\u0302\u0301t tha\u0302\u0301p", "LOAN vay von, lai suat thap"},
		{"full width", plain + "ｖａｙ ｖốｎ lãi suất thấp", "LOAN vay von, lai suat thap"},
		{"spread letters", plain + "v.a.y vốn, giai-ngan", "LOAN vay von, giai ngan"},
		{"one letter a word", plain + "v.a.y. .v.o.n\ngiai ngan, lai suat thap", "LOAN vay von, lai suat thap, giai ngan"},
		{"Cyrillic letters", plain + "v\u0430y v\u043en, giải ngân", "LOAN vay von, giai ngan TEXT_MIXED_SCRIPT v\u0430y v\u043en"},
		{"line break in a phrase", plain + "vay\nvốn lãi  suất\tthấp", "LOAN vay von, lai suat thap"},
		{"not", "From: =?utf-8?q?Ng=C3=A2n_h=C3=A0ng_Nh=C3=A0_n=C6=B0=E1=BB=9Bc?= <a@sbv.test>\n" + plain + "vay vốn, giải ngân", ""},
		{"whole words only", plain + "bánh, bạn, ban", ""},
		{"the word itself", plain + "cần BÁN gấp", "EXACT bán"},
		{"in the subject", "Subject: =?utf-8?b?YsOhbg==?=\n" + plain + "x", "EXACT bán"},
		{"regex and any", plain + "Trúng thưởng 5 Tỷ đồng", "AMOUNT 5 Tỷ đồng, trúng thưởng"},
		{"regex without any", plain + "chi 5 tỷ đồng", ""},
		{"header field", "X-Campaign: 99\n" + plain + "chi 5 tỷ đồng", "AMOUNT 5 tỷ đồng, 99"},
		{"file name", "Content-Type: application/pdf; name=\"Giấy mời.pdf\"\n\nx", "NAME giay moi"},
		{"html", htmlPage + "<p>vay <b>v</b>ốn</p><td>lãi suất</td><td>thấp</td>", "LOAN vay von, lai suat thap"},
		{"html cells are words of their own", htmlPage + "<td>vay</td><td>vốn</td><div>giải</div>ngân", "LOAN vay von, giai ngan"},
		{"html entities", htmlPage + "vay v&#7889;n gi&#x1EA3;i ng&acirc;n", "LOAN vay von, giai ngan"},
		{"text that the reader is not shown", htmlPage + "<div style='display:none'>vay vốn giải ngân</div>chào", ""},
		{"shown without scripts", htmlPage + "<noscript><p>vay vốn giải ngân</p></noscript>", "LOAN vay von, giai ngan"},
		{"a script is no text", htmlPage + "<script>vay vốn giải ngân</script>", ""},
		{"hidden parts of words", htmlPage + "v<span style='font-size:0'>xx</span>ay v<!-- c -->ốn giải ngân", "LOAN vay von, giai ngan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := found(t, s, c.raw)
			slices.Sort(got)
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	s := mustLoad(t, "[[rule]]\nsymbol='NEVER'\nwords=['không bao giờ thấy']\n")
	long := strings.Repeat("chữ ẩn ", 20)
	for _, c := range []struct{ name, raw, want string }{
		{"hidden text", htmlPage + "<p>Kính gửi các cơ quan</p><div hidden>" + long + "</div>", HiddenText},
		{"hidden by style of an outer element", htmlPage + "<div style='opacity: 0'><p>" + long + "</p></div>x", HiddenText},
		{"nothing after the hidden element is hidden", htmlPage + "<div hidden>a</div><p>" + long + "</p>", ""},
		{"a void element opens nothing", htmlPage + "<input hidden><p>" + long + "</p>", ""},
		{"a preview line", htmlPage + "<div style='display:none'>Thư mời họp</div><p>Kính gửi</p>", ""},
		{"font size of ten is not nought", htmlPage + "<p style='font-size:0.9em'>" + long + "</p>", ""},
		{"a picture alone", htmlPage + "<img src=x><p>xem</p>", ImageOnly},
		{"a picture with text", htmlPage + "<img src=x><p>" + long + "</p>", ""},
		{"zero width", plain + "kh\u200buyến m\u200bãi gi\u2060ảm giá", ZeroWidth},
		{"joined emoji", plain + "\U0001F469\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466", ""},
		{"Greek in a formula", plain + "góc α và β bằng π", ""},
		{"too much", plain + strings.Repeat("abc def ghi\n", text.Limit/10), TextLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range found(t, s, c.raw) {
				got = append(got, strings.Fields(f)[0])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"regex", "[[rule]]\nsymbol='ABC'\nregex='('\n", "a.toml:3:1: the regular expression is wrong: error parsing regexp: missing closing )"},
		{"large regex", "[[rule]]\nsymbol='ABC'\nregex='(a{1,1000}){10}'\n", "a.toml:3:1: the regular expression is "},
		{"long regex", "[[rule]]\nsymbol='ABC'\nregex='" + strings.Repeat("a", 1001) + "'\n", "a.toml:3:1: the regular expression is wrong: longer than 1000"},
		{"slow regex", "[[rule]]\nsymbol='ABC'\nregex='[a-z]+[0-9]'\n", "a.toml:3:1: the regular expression is too slow"},
		{"slow only in long places", "[[rule]]\nsymbol='ABC'\nall=[{where=['subject'],regex='[0-9]'},{where=['html'],regex='.'}]\n", "a.toml:3:56: the regular expression is too slow"},
		{"form", "[[rule]]\nsymbol='ABC'\nform='bar'\nregex='abc'\n", "a.toml:3:1: there is no form 'bar'; did you mean 'bare'?"},
		{"two forms", "[[rule]]\nsymbol='ABC'\nform='folded'\nfold=true\nregex='abc'\n", "a.toml:3:1: fold = true means"},
		{"capitals in folded text", "[[rule]]\nsymbol='ABC'\nform='folded'\nregex='abC'\n", "a.toml:4:1: 'C' never stands in this form"},
		{"marks in bare text", "[[rule]]\nsymbol='ABC'\nfold=true\nregex='vốn'\n", "a.toml:4:1: 'ố' never stands in this form"},
		{"half a weight", "[[rule]]\nsymbol='ABC'\nscore=1.5\nwords=['abc']\n", "a.toml:1:3: a weight in a rule needs score, vi and en"},
		{"off in a shipped file", "[[rule]]\nsymbol='ABC'\nwords=['abc']\n[[rule]]\nsymbol='ABC'\noff=true\n", "a.toml:6:1: off is for files in local/content"},
		{"composite of nothing", "[[composite]]\nsymbol='ABC'\n", "a.toml:1:3: the composite has no when"},
		{"place", "[[rule]]\nsymbol='ABC'\nwhere=['bdy']\nwords=['abc']\n", "a.toml:3:8: there is no place 'bdy'; did you mean 'body'?"},
		{"min", "[[rule]]\nsymbol='ABC'\nwords=['abc']\nmin=2\n", "a.toml:4:1: min is more than there are words"},
		{"full", "[[rule]]\nsymbol='ABC'\nwords=['abc','abd']\nmin=2\nfull=2\n", "a.toml:5:1: full must be more than min"},
		{"symbol", "[[rule]]\nsymbol='a-b'\nwords=['abc']\n", "a.toml:2:1: a symbol is 3 to 40 capitals"},
		{"own symbol", "[[rule]]\nsymbol='HTML_HIDDEN_TEXT'\nwords=['abc']\n", "a.toml:2:1: the symbol HTML_HIDDEN_TEXT is the program's own"},
		{"no condition", "[[rule]]\nsymbol='ABC'\n", "a.toml:1:3: the rule has no condition"},
		{"only not", "[[rule]]\nsymbol='ABC'\nnot=[{words=['abc']}]\n", "a.toml:1:3: the rule has no condition"},
		{"empty part", "[[rule]]\nsymbol='ABC'\nwords=['abc']\nany=[{where=['body']}]\n", "a.toml:4:6: the condition has neither words nor regex"},
		{"short word", "[[rule]]\nsymbol='ABC'\nwords=['-']\n", "a.toml:3:8: the word is too short"},
		{"unknown key", "[[rule]]\nsymbol='ABC'\nword=['abc']\n", "a.toml:3:1: there is no key called 'rule.word'; did you mean 'words'?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.text)
			var ps tomlfile.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("want Problems, got %v", err)
			}
			if got := ps.In(lang.EN); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if ps.In(lang.EN) == ps.In(lang.VI) {
				t.Error("both languages say the same")
			}
		})
	}
}

func TestDirectoryWithoutRules(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "no")} {
		if _, err := Load(dir, ""); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// The literals are only a way to run fewer expressions: whatever matches without them
// must match with them.
func TestRequiredLiterals(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{`khuyến mãi`, "khuyen"},
		{`(?i)Giảm Giá\s+\d+%`, "giam"},
		{`(vay|mượn) vốn|lãi suất`, "von muon suat"},
		{`(?i)(?:mật khẩu|mk|pass|password)(?: file)?\s*[:=]`, "khau file mk pass password"},
		{`a(bcd)+e`, "bcd"},
		{`a(?:b)?c\d`, "abc ac"},
		{`(abc)?`, ""},
		{`abc|.`, ""},
		{`(abcd){0,3}`, ""},
		{`(abcd){2,3}`, "abcdabcdabcd abcdabcd"},
		{`a b c 1 2`, ""},
		{`h5n1 x`, ""},
		{`(?i)ςσςσ`, ""},
		{`ςσςσ`, ""},
		{`中文`, "中文"},
		{`(a|b|c|d|e|f)(a|b|c|d|e|f)(a|b|c|d|e|f)xyz`, "xyz"},
	} {
		s := mustLoad(t, "[[rule]]\nsymbol='ABC'\nwhere=['subject']\nregex='"+c.pattern+"'\n")
		var needs []string
		for n := range s.parts.Len() {
			needs = append(needs, s.parts.String(int32(n)))
		}
		if got := strings.Join(needs, " "); got != c.want {
			t.Errorf("%s: needs %q, want %q", c.pattern, got, c.want)
		}
	}
}

func TestNoRulesIsNotClean(t *testing.T) {
	_, _, err := New(func() *Set { return nil }).Inspect(context.Background(), &msg.Message{Root: &msg.Part{}, Text: &msg.Text{}})
	if err == nil {
		t.Error("without rules nothing was looked at, and that was called clean")
	}
	s := mustLoad(t, "[[rule]]\nsymbol='ABC'\nwords=['abc']\n")
	if _, _, err := New(func() *Set { return s }).Inspect(context.Background(), &msg.Message{}); err == nil {
		t.Error("a message that was not parsed was called clean")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := New(func() *Set { return s }).Inspect(ctx, &msg.Message{Root: &msg.Part{}, Text: &msg.Text{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSymbolReportedOnce(t *testing.T) {
	s := mustLoad(t, "[[rule]]\nsymbol='ABC'\nwords=['một']\n[[rule]]\nsymbol='ABC'\nwords=['hai']\n")
	if got := found(t, s, plain+"một hai"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if r := s.Rules(); len(r) != 2 || r[1].Line != 4 || filepath.Base(r[1].File) != "a.toml" {
		t.Errorf("%+v", r)
	}
}

// Markup made to be expensive is read in time that grows with its length only.
func TestHostileMarkupIsBounded(t *testing.T) {
	s := mustLoad(t, "[[rule]]\nsymbol='ABC'\nregex='(a+)+b(c*)*de'\n")
	for name, unit := range map[string]string{
		"open": "<div>", "shut": "</div>", "noscript": "<noscript>", "hidden": "<p hidden>", "attributes": "<a x='", "letters": "a b ", "marks": "a\u0301\u0302",
	} {
		body := strings.Repeat(unit, (1<<20)/len(unit))
		start := time.Now()
		found(t, s, htmlPage+body)
		t.Log(name, time.Since(start))
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("%s: 1 MB took %v", name, took)
		}
	}
}

func BenchmarkInspect(b *testing.B) {
	var rules strings.Builder
	for i := range 300 {
		w := string(rune('a'+i%26)) + string(rune('a'+i/26))
		rules.WriteString("[[rule]]\nsymbol='RULE_" + strings.ToUpper(w) + "'\nwords=['từ " + w + " một', 'cụm " + w + " hai']\nfold=true\n")
		rules.WriteString("[[rule]]\nsymbol='REGEX_" + strings.ToUpper(w) + "'\nregex='(?i)mẫu " + w + "\\s+[0-9]{3,}'\n")
	}
	s := mustLoad(b, rules.String())
	raw := []byte(strings.ReplaceAll(plain+strings.Repeat("Kính gửi các cơ quan, đề nghị báo cáo kết quả thực hiện trước ngày 15.\n", 130), "\n", "\r\n"))
	m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	m.Text = text.Read(m.Root)
	in := New(func() *Set { return s })
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, _, err := in.Inspect(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
}

// More words are worth more of the weight; a word within another is none of its own.
func TestWeightGrowsWithWords(t *testing.T) {
	s := mustLoad(t, "[[rule]]\nsymbol='ABC'\nwords=['vay vốn','vay vốn nhanh','giải ngân','nợ xấu','thế chấp']\nmin=2\nfull=4\nfold=true\n")
	for words, want := range map[string]int{
		"vay vốn nhanh":                              -1,
		"vay vốn nhanh, giải ngân":                   60,
		"vay vốn, giải ngân, nợ xấu":                 80,
		"vay vốn nhanh, giải ngân, nợ xấu, the chap": 0,
	} {
		raw := []byte(strings.ReplaceAll(plain+words, "\n", "\r\n"))
		m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
		m.Text = text.Read(m.Root)
		fs, _, err := New(func() *Set { return s }).Inspect(context.Background(), m)
		got := -1
		if len(fs) == 1 {
			got = fs[0].Percent
		}
		if err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", words, got, want, err)
		}
	}
}

// What a link leads to is found whether the plain text spells it out or a page hides it.
func TestLinksAreAPlace(t *testing.T) {
	s := mustLoad(t, `
[[rule]]
symbol = "APP"
where = ["subject", "body", "links"]
words = ["vneid"]
`)
	for raw, want := range map[string]string{
		plain + "xem https://vneid.xau.example/a":                                     "APP vneid",
		htmlPage + `<p>xem <a href="https://vneid.xau.example/a?b=1">tại đây</a></p>`: "APP vneid",
		htmlPage + `<p>xem <a href="https://khac.example/">tại đây</a></p>`:           "",
		plain + "xem :// va ://vneid":                                                 "APP vneid",
		plain + "không có gì":                                                         "",
	} {
		if got := strings.Join(found(t, s, raw), ";"); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	many := strings.Repeat("http://a.example/", 3*maxLinks) + " http://vneid.example"
	if root := mimetree.Parse([]byte(strings.ReplaceAll(plain, "\n", "\r\n")+many), mimetree.DefaultLimits()); len(links(root)) > maxLinks {
		t.Errorf("%d links", len(links(root)))
	}
}
