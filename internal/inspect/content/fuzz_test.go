package content

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/text"
)

// patterns whose needs are taken from literals, alternatives, options and repetitions.
func patterns() []string {
	return []string{
		`khuyến mãi`, `(?i)Giảm Giá\s+\d+%`, `(vay|mượn) vốn|lãi suất`, `(?i)(?:mật khẩu|mk|pass|password)(?: file)?\s*[:=]`, `a(bcd)+e`, `a(?:b)?c\d`,
		`(abcd){2,3}`, `中文`, `\b(?:zalo|zal0|tele)\b[^0-9@\n]{0,40}`, `h[o0]i .{0,5}an`, `Đề nghị|(?i)xin GỬI`,
	}
}

// What an expression needs is there wherever it matches: the search may save its trial,
// and never its match.
func FuzzNeeds(f *testing.F) {
	type compiled struct {
		re    *regexp.Regexp
		form  form
		needs []string
	}
	var all []compiled
	for _, p := range patterns() {
		for name, kind := range map[string]form{"shown": asShown, "folded": asFolded, "bare": asBare} {
			s, err := load(f, "[[rule]]\nsymbol='ABC'\nwhere=['subject']\nform='"+name+"'\nregex='"+p+"'\n")
			if err != nil {
				continue // a pattern of capitals has no folded form
			}
			c := compiled{re: s.rules[0].all[0].regex, form: kind}
			for _, n := range s.rules[0].all[0].needs {
				c.needs = append(c.needs, s.parts.String(n))
			}
			all = append(all, c)
		}
	}
	for _, s := range []string{"Khuyến mãi giảm giá 50%", "v.a.y vốn, mk: x", "abcdabcde abc1 acl1", "xin gửi 中文 zal0 h0i an", "m k: pass ＝ﬁle"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := &view{raw: strings.ToValidUTF8(s, "?")}
		for _, c := range all {
			if len(c.needs) == 0 || !c.re.MatchString(v.in(c.form)) {
				continue
			}
			found := false
			for _, n := range c.needs {
				found = found || strings.Contains(v.in(asBare), n)
			}
			if !found {
				t.Fatalf("%s matches %q, and none of %q is in %q", c.re, v.in(c.form), c.needs, v.in(asBare))
			}
		}
		if a, b := wordsOf(v.in(asFolded)), wordsOf(v.in(asBare)); len(a) != len(b) {
			t.Fatalf("%d words with marks, %d without: %q %q", len(a), len(b), v.folded, v.bare)
		}
	})
}

// A rule that was not woken would not have held.
func FuzzWoken(f *testing.F) {
	s := mustLoad(f, manyRules(200)+`
[[rule]]
symbol = "ANY"
any = [{ words = ["ban an"] }, { where = ["filename", "from"], regex = '[0-9]' }]
not = [{ where = ["subject"], words = ["không"] }]
[[rule]]
symbol = "BOTH"
words = ["bán ao"]
all = [{ regex = '[0-9]+' }, { where = ["hidden"], words = ["an"] }]
`)
	f.Add("b", "ban an, mẫu ban 300 bán ao 7", "an")
	f.Fuzz(func(t *testing.T, subject, body, hidden string) {
		m := &msg.Message{Root: &msg.Part{Header: []msg.Field{{Name: "Subject", Value: subject}, {Name: "From", Value: hidden}}}, Text: &msg.Text{Subject: subject, Body: body, Hidden: hidden}}
		a, b := text.Fold(strings.Join(strings.Fields(subject), " "))
		c, d := text.Fold(body)
		m.Text.Folded, m.Text.Bare = a+"\n"+c, b+"\n"+d
		v := look(m)
		woken := map[int32]bool{}
		for _, n := range s.woken(v) {
			woken[n] = true
		}
		for n := range s.rules {
			if _, _, ok := s.rules[n].holds(s, v); ok && !woken[int32(n)] {
				t.Fatalf("%s holds and was not woken", s.rules[n].symbol)
			}
		}
	})
}

// A text made to wake many rules costs what its length costs.
func TestPhrasesAreLinear(t *testing.T) {
	s := mustLoad(t, "[[rule]]\nsymbol='ABC'\nwords=['ab "+strings.Repeat("ab ", 30)+"c','ab ab']\n")
	took := func(n int) time.Duration {
		v := &view{raw: strings.Repeat("ab ", n)}
		start := time.Now()
		v.search(s)
		return time.Since(start)
	}
	if small, large := took(20000), took(80000); large > 16*small+200*time.Millisecond {
		t.Errorf("20,000 words took %v, 80,000 %v", small, large)
	}
}
