package content

import (
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

type ruleFile struct {
	Rule []struct {
		Symbol string `toml:"symbol"`
		test
		All []test `toml:"all"`
		Any []test `toml:"any"`
		Not []test `toml:"not"`
	} `toml:"rule"`
}

type test struct {
	Where []string `toml:"where"`
	Words []string `toml:"words"`
	Min   int      `toml:"min"`
	Full  int      `toml:"full"`
	Regex string   `toml:"regex"`
	Fold  bool     `toml:"fold"`
}

const (
	maxPattern = 1000 // octets of a regular expression
	maxProgram = 5000 // its compiled instructions: x{1000}{1000} is short, too
)

// Load reads every *.toml of the directory, in the order of their names. The error is
// tomlfile.Problems with every mistake.
func Load(dir string) (*Set, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err == nil && len(names) == 0 {
		_, err = os.ReadDir(dir)
	}
	if err != nil || len(names) == 0 {
		return nil, tomlfile.Problems{{File: dir, What: lang.T("không có tệp quy tắc nội dung nào", "there is no file of content rules"), Hint: lang.T("kiểm tra rules_dir và quyền đọc; cần ít nhất một tệp .toml", "check rules_dir and the permissions; at least one .toml file is needed")}}
	}
	l := &loader{set: &Set{plain: newDictionary(), bones: newDictionary(), parts: newDictionary()}}
	slices.Sort(names)
	for _, name := range names {
		l.load(name)
	}
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	for _, d := range []*dictionary{l.set.plain, l.set.bones, l.set.parts} {
		d.build()
	}
	return l.set, nil
}

type loader struct {
	set      *Set
	file     *tomlfile.File
	problems tomlfile.Problems
}

func (l *loader) load(name string) {
	var f ruleFile
	file, err := tomlfile.Read(name, &f)
	if err != nil {
		if ps, ok := err.(tomlfile.Problems); ok { //nolint:errorlint // Read documents it
			l.problems = append(l.problems, ps...)
		}
		return
	}
	l.file = file
	for i, in := range f.Rule {
		r := rule{info: RuleInfo{Symbol: in.Symbol, File: name, Line: file.At(lang.Text{}, lang.Text{}, "rule", i).Line}}
		l.symbol(in.Symbol, i)
		if !in.empty() {
			r.all = append(r.all, l.condition(in.test, "rule", i))
		}
		r.all = append(r.all, l.conditions(in.All, i, "all")...)
		r.any = l.conditions(in.Any, i, "any")
		r.not = l.conditions(in.Not, i, "not")
		if len(r.all)+len(r.any) == 0 {
			l.complain(lang.T("quy tắc không có điều kiện nào", "the rule has no condition"), lang.T("thêm words hoặc regex", "add words or regex"), "rule", i)
		}
		l.set.rules = append(l.set.rules, r)
	}
}

func (l *loader) complain(what, hint lang.Text, key ...any) {
	l.problems = append(l.problems, l.file.At(what, hint, key...))
}

var symbolForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{2,39}$`)

func (l *loader) symbol(s string, i int) {
	switch {
	case !symbolForm.MatchString(s):
		l.complain(lang.T("symbol phải là chữ hoa, số và gạch dưới, 3 đến 40 ký tự", "a symbol is 3 to 40 capitals, digits and underscores"), lang.T("đặt tên như CONTENT_LOAN_OFFER", "name it like CONTENT_LOAN_OFFER"), "rule", i, "symbol")
	case slices.Contains(Symbols(), s):
		l.complain(lang.T("dấu hiệu "+s+" do chương trình báo", "the symbol "+s+" is the program's own"), lang.T("đặt tên khác", "choose another name"), "rule", i, "symbol")
	}
}

func (t test) empty() bool { return len(t.Where)+len(t.Words)+len(t.Regex) == 0 }

func (l *loader) conditions(in []test, i int, kind string) []condition {
	var out []condition
	for j, t := range in {
		out = append(out, l.condition(t, "rule", i, kind, j))
	}
	return out
}

func (l *loader) condition(t test, key ...any) condition {
	at := func(more ...any) []any { return append(slices.Clone(key), more...) }
	c := condition{where: t.Where, fold: t.Fold, min: max(t.Min, 1), full: t.Full}
	if len(t.Where) == 0 {
		c.where = []string{"subject", "body"}
	}
	for j, w := range t.Where {
		l.place(w, at("where", j))
	}
	for j, w := range t.Words {
		c.words = append(c.words, l.word(w, t.Fold, at("words", j)))
	}
	if t.Regex != "" {
		l.regex(&c, t.Regex, at("regex"))
	}
	if len(t.Words)+len(t.Regex) == 0 {
		l.complain(lang.T("điều kiện thiếu words hoặc regex", "the condition has neither words nor regex"), lang.T("thêm một trong hai", "add one of them"), key...)
	}
	if t.Full != 0 && (t.Full <= c.min || t.Full > len(t.Words)) {
		l.complain(lang.T("full phải lớn hơn min và không quá số từ", "full must be more than min and no more than there are words"), lang.T("sửa full, hoặc bỏ đi nếu min đã đủ cho cả trọng số", "correct full, or leave it out where min is worth the whole weight"), at("full")...)
	}
	if t.Min < 0 || t.Min > len(t.Words) {
		l.complain(lang.T("min lớn hơn số từ nên không bao giờ đúng", "min is more than there are words, so it never holds"), lang.T("giảm min hoặc thêm từ", "lower min or add words"), at("min")...)
	}
	return c
}

var fieldName = regexp.MustCompile(`^header:[!-9;-~]{1,60}$`)

func (l *loader) place(w string, key []any) {
	if !slices.Contains(places(), w) && !fieldName.MatchString(w) {
		l.complain(lang.T("không có nơi tìm '"+w+"'", "there is no place '"+w+"'"), lang.T("dùng "+strings.Join(places(), ", ")+" hoặc header:Tên-Trường", "use "+strings.Join(places(), ", ")+" or header:Field-Name"), key...)
	}
}

// word enters the word in the same form as the text in which it is sought.
func (l *loader) word(w string, folded bool, key []any) int {
	form := (&view{raw: w}).tokens(folded)
	if len(form) < 4 { // a space, two octets, a space
		l.complain(lang.T("từ quá ngắn: '"+w+"'", "the word is too short: '"+w+"'"), lang.T("dùng từ có ít nhất 2 chữ, hoặc regex", "use a word of two letters or more, or a regex"), key...)
	}
	if folded {
		return l.set.bones.add(form)
	}
	return l.set.plain.add(form)
}

func (l *loader) regex(c *condition, pattern string, key []any) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || len(pattern) > maxPattern {
		what := "longer than " + strconv.Itoa(maxPattern)
		if err != nil {
			what = err.Error()
		}
		l.complain(lang.T("biểu thức chính quy sai: "+what, "the regular expression is wrong: "+what), lang.T("cú pháp RE2; trong TOML nên viết trong dấu nháy đơn '…'", "the syntax is RE2; in TOML write it in single quotes '…'"), key...)
		return
	}
	tree = tree.Simplify()
	prog, err := syntax.Compile(tree)
	if err != nil || len(prog.Inst) > maxProgram {
		l.complain(lang.T("biểu thức chính quy quá lớn", "the regular expression is too large"), lang.T("giảm các số lặp {n,m}", "lower the repetition counts {n,m}"), key...)
		return
	}
	c.regex, err = regexp.Compile(pattern)
	if err != nil {
		l.complain(lang.T("biểu thức chính quy sai: "+err.Error(), "the regular expression is wrong: "+err.Error()), lang.Text{}, key...)
		return
	}
	for _, lit := range required(tree) {
		c.needs = append(c.needs, l.set.parts.add(lit))
	}
}
