package content

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/text"
	"congthu/internal/tomlfile"
)

const (
	maxPattern = 1000 // octets of a regular expression
	maxProgram = 2000 // its compiled instructions: x{1000}{1000} is short, too
	maxLong    = 600  // of one that is run over whole bodies
)

// checker compiles one entry and complains about what is wrong with it.
type checker struct {
	*loader
	entry *entry
	slow  [][]any // the keys of expressions that nothing but a match shows to be there
}

func (c *checker) complain(what, hint lang.Text, more ...any) {
	c.problems = append(c.problems, c.entry.file.At(what, hint, append(slices.Clone(c.entry.key), more...)...))
}

var symbolForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{2,39}$`)

func (c *checker) symbol() string {
	s := ""
	if c.entry.rule != nil {
		s = c.entry.rule.Symbol
	} else {
		s = c.entry.composite.Symbol
	}
	switch {
	case !symbolForm.MatchString(s):
		c.complain(lang.T("symbol phải là chữ hoa, số và gạch dưới, 3 đến 40 ký tự", "a symbol is 3 to 40 capitals, digits and underscores"), lang.T("đặt tên như CONTENT_LOAN_OFFER", "name it like CONTENT_LOAN_OFFER"), "symbol")
	case slices.Contains(Symbols(), s):
		c.complain(lang.T("dấu hiệu "+s+" do chương trình báo", "the symbol "+s+" is the program's own"), lang.T("đặt tên khác; muốn tắt thì đặt off = true trong local/weights.toml", "choose another name; to switch it off set off = true in local/weights.toml"), "symbol")
	case c.entry.off() && len(c.origin[s].shipped) == 0:
		c.complain(lang.T("không có quy tắc "+s+" để tắt", "there is no rule "+s+" to switch off"), c.nearSymbol(s, lang.T("sửa tên hoặc xoá mục này", "correct the name or delete the entry")), "symbol")
	case c.entry.off() && !c.entry.local:
		c.complain(lang.T("off chỉ dùng trong local/content", "off is for files in local/content only"), lang.T("xoá quy tắc, hoặc tắt nó từ local/content", "delete the rule, or switch it off from local/content"), "off")
	}
	return s
}

// nearSymbol puts a likely name before the advice.
func (c *checker) nearSymbol(s string, hint lang.Text) lang.Text {
	var known []string
	for name, o := range c.origin {
		if len(o.shipped) > 0 {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	return tomlfile.DidYouMean(s, known, hint)
}

// price is what the entry says about its weight: a score and both sentences, or nothing.
func (c *checker) price() *Price {
	p := c.entry.price()
	if p.Score == nil && p.Group == "" && p.VI == "" && p.EN == "" {
		return nil
	}
	if p.Score == nil || p.VI == "" || p.EN == "" {
		c.complain(lang.T("trọng số trong quy tắc cần đủ score, vi và en", "a weight in a rule needs score, vi and en"), lang.T("thêm phần thiếu, hoặc để cả trong weights.toml", "add what is missing, or leave all of it to weights.toml"))
		return nil
	}
	return &Price{Score: *p.Score, Group: p.Group, VI: p.VI, EN: p.EN}
}

func (c *checker) composite() {
	e := c.entry
	if strings.TrimSpace(e.composite.When) == "" {
		c.complain(lang.T("quy tắc gộp chưa có when", "the composite has no when"), lang.T("viết như when = \"SPF_FAIL and not LIST_MAIL\"", "write it like when = \"SPF_FAIL and not LIST_MAIL\""))
		return
	}
	c.set.composites = append(c.set.composites, Composite{
		Symbol: e.composite.Symbol, When: e.composite.When,
		Complain: func(what, hint lang.Text) *tomlfile.Problem {
			return e.file.At(what, hint, append(slices.Clone(e.key), "when")...)
		},
	})
}

func (c *checker) rule() {
	in := c.entry.rule
	r := rule{symbol: in.Symbol}
	if !in.empty() {
		r.all = append(r.all, c.condition(in.test))
	}
	r.all = append(r.all, c.conditions(in.All, "all")...)
	r.any = c.conditions(in.Any, "any")
	r.not = c.conditions(in.Not, "not")
	if len(r.all)+len(r.any) == 0 {
		c.complain(lang.T("quy tắc không có điều kiện nào", "the rule has no condition"), lang.T("thêm words hoặc regex", "add words or regex"))
		return
	}
	c.set.rules = append(c.set.rules, r)
	if asleep := c.set.wake(int32(len(c.set.rules) - 1)); !asleep {
		c.tooSlow()
	}
}

// tooSlow complains about expressions that would have to be tried on every letter.
func (c *checker) tooSlow() {
	for _, key := range c.slow {
		c.complain(lang.T("biểu thức chính quy quá chậm: phải thử trên mọi thư", "the regular expression is too slow: it would have to be tried on every letter"),
			lang.T("thêm vào biểu thức ít nhất hai chữ cái liền nhau bắt buộc phải có, thêm một điều kiện words vào all, hoặc chỉ tìm ở subject, from, to, filename, header:…", "put at least two letters in a row into it that every match must have, add a condition with words to all, or look only in subject, from, to, filename, header:…"), key...)
	}
}

func (t test) empty() bool { return len(t.Where)+len(t.Words)+len(t.Regex) == 0 }

func (c *checker) conditions(in []test, kind string) []condition {
	var out []condition
	for j, t := range in {
		out = append(out, c.condition(t, kind, j))
	}
	return out
}

func (c *checker) condition(t test, key ...any) condition {
	at := func(more ...any) []any { return append(slices.Clone(key), more...) }
	out := condition{where: t.Where, min: max(t.Min, 1), full: t.Full, form: c.form(t, at("form"))}
	if len(t.Where) == 0 {
		out.where = []string{"subject", "body"}
	}
	for j, w := range t.Where {
		c.place(w, at("where", j))
	}
	for j, w := range t.Words {
		out.words = append(out.words, c.word(w, out.form == asBare, at("words", j)))
	}
	if t.Regex != "" {
		c.regex(&out, t.Regex, at("regex"))
	}
	if len(t.Words)+len(t.Regex) == 0 {
		c.complain(lang.T("điều kiện thiếu words hoặc regex", "the condition has neither words nor regex"), lang.T("thêm một trong hai", "add one of them"), key...)
	}
	if t.Full != 0 && (t.Full <= out.min || t.Full > len(t.Words)) {
		c.complain(lang.T("full phải lớn hơn min và không quá số từ", "full must be more than min and no more than there are words"), lang.T("sửa full, hoặc bỏ đi nếu min đã đủ cho cả trọng số", "correct full, or leave it out where min is worth the whole weight"), at("full")...)
	}
	if t.Min < 0 || t.Min > len(t.Words) {
		c.complain(lang.T("min lớn hơn số từ nên không bao giờ đúng", "min is more than there are words, so it never holds"), lang.T("giảm min hoặc thêm từ", "lower min or add words"), at("min")...)
	}
	return out
}

func (c *checker) form(t test, key []any) form {
	forms := map[string]form{"": asShown, "shown": asShown, "folded": asFolded, "bare": asBare}
	f, ok := forms[t.Form]
	switch {
	case !ok:
		c.complain(lang.T("không có dạng '"+t.Form+"'", "there is no form '"+t.Form+"'"), tomlfile.DidYouMean(t.Form, []string{"shown", "folded", "bare"}, lang.T("dùng shown, folded hoặc bare", "use shown, folded or bare")), key...)
	case t.Fold && t.Form != "" && f != asBare:
		c.complain(lang.T("fold = true nghĩa là form = \"bare\"", "fold = true means form = \"bare\""), lang.T("bỏ một trong hai", "leave one of them out"), key...)
	case t.Fold:
		return asBare
	}
	return f
}

var fieldName = regexp.MustCompile(`^header:[!-9;-~]{1,60}$`)

func (c *checker) place(w string, key []any) {
	if !slices.Contains(places(), w) && !fieldName.MatchString(w) {
		c.complain(lang.T("không có nơi tìm '"+w+"'", "there is no place '"+w+"'"), tomlfile.DidYouMean(w, places(), lang.T("dùng "+strings.Join(places(), ", ")+" hoặc header:Tên-Trường", "use "+strings.Join(places(), ", ")+" or header:Field-Name")), key...)
	}
}

// word enters the word in the form of the text in which it is sought.
func (c *checker) word(s string, bare bool, key []any) word {
	folded, plain := text.Fold(s)
	bones, marked := wordsOf(plain), wordsOf(folded)
	form := strings.Join(bones, " ")
	if len(form) < 2 {
		c.complain(lang.T("từ quá ngắn: '"+s+"'", "the word is too short: '"+s+"'"), lang.T("dùng từ có ít nhất 2 chữ, hoặc regex", "use a word of two letters or more, or a regex"), key...)
		return word{}
	}
	w := word{phrase: c.set.phrases.add(bones, form), shown: form}
	if int(w.phrase) == len(c.set.exact) {
		c.set.exact = append(c.set.exact, false)
	}
	if !bare {
		w.folded, w.shown = marked, strings.Join(marked, " ")
		c.set.exact[w.phrase] = true
	}
	return w
}

func (c *checker) regex(out *condition, pattern string, key []any) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || len(pattern) > maxPattern {
		what := "longer than " + strconv.Itoa(maxPattern)
		if err != nil {
			what = err.Error()
		}
		c.complain(lang.T("biểu thức chính quy sai: "+what, "the regular expression is wrong: "+what), lang.T("cú pháp RE2; trong TOML nên viết trong dấu nháy đơn '…'", "the syntax is RE2; in TOML write it in single quotes '…'"), key...)
		return
	}
	if s, yes := never(tree, out.form == asBare); yes && out.form != asShown {
		c.complain(lang.T("'"+s+"' không bao giờ có trong dạng này", "'"+s+"' never stands in this form"), lang.T("folded và bare viết chữ thường; bare không có dấu tiếng Việt", "folded and bare are lower case; bare has no Vietnamese marks"), key...)
	}
	tree = tree.Simplify()
	needs := required(tree)
	long := slices.ContainsFunc(out.where, isLong)
	prog, err := syntax.Compile(tree)
	switch limit := map[bool]int{true: maxLong, false: maxProgram}[long]; {
	case err != nil || len(prog.Inst) > limit:
		c.complain(lang.T("biểu thức chính quy quá lớn", "the regular expression is too large"), lang.T("giảm các số lặp {n,m}", "lower the repetition counts {n,m}"), key...)
		return
	case long && len(needs) == 0:
		c.slow = append(c.slow, key)
	}
	if out.regex, err = regexp.Compile(pattern); err == nil {
		out.starts, err = newStarts(pattern)
		out.filter = newFilter(pattern)
	}
	if err != nil {
		c.complain(lang.T("biểu thức chính quy sai: "+err.Error(), "the regular expression is wrong: "+err.Error()), lang.Text{}, key...)
		return
	}
	for _, lit := range needs {
		out.needs = append(out.needs, c.set.parts.Add(lit))
	}
}
