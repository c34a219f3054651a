package content

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"congthu/internal/lang"
	"congthu/internal/needles"
	"congthu/internal/tomlfile"
)

type ruleFile struct {
	Rule      []ruleEntry      `toml:"rule"`
	Composite []compositeEntry `toml:"composite"`
}

type ruleEntry struct {
	Symbol string `toml:"symbol"`
	Off    bool   `toml:"off"`
	test
	All []test `toml:"all"`
	Any []test `toml:"any"`
	Not []test `toml:"not"`
	price
}

type test struct {
	Where []string `toml:"where"`
	Words []string `toml:"words"`
	Min   int      `toml:"min"`
	Full  int      `toml:"full"`
	Regex string   `toml:"regex"`
	Fold  bool     `toml:"fold"`
	Form  string   `toml:"form"`
}

type compositeEntry struct {
	Symbol string `toml:"symbol"`
	Off    bool   `toml:"off"`
	When   string `toml:"when"`
	price
}

type price struct {
	Score *float64 `toml:"score"`
	Group string   `toml:"group"`
	VI    string   `toml:"vi"`
	EN    string   `toml:"en"`
}

// RuleInfo describes a rule or a composite: where it stands, what it replaces, and what it
// says of its own weight.
type RuleInfo struct {
	Symbol    string   `json:"symbol"`
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Composite bool     `json:"composite,omitempty"`
	Local     bool     `json:"local,omitempty"`
	Off       bool     `json:"off,omitempty"`       // a local file switches the symbol off
	Overrides []string `json:"overrides,omitempty"` // file:line of the shipped rules that it replaces
	Price     *Price   `json:"price,omitempty"`     // nil: weights.toml says
}

// Price is what a rule file says about the weight of its symbol.
type Price struct {
	Score float64 `json:"score"`
	Group string  `json:"group,omitempty"`
	VI    string  `json:"vi"`
	EN    string  `json:"en"`
}

// Composite is a symbol of other symbols, of any inspector. Whoever knows them all
// evaluates it.
type Composite struct {
	Symbol, When string
	Complain     func(what, hint lang.Text) *tomlfile.Problem // about When
}

// Rules describes the rules and composites in use, and the symbols that are off.
func (s *Set) Rules() []RuleInfo {
	if s == nil {
		return nil
	}
	return s.infos
}

// Composites returns the composites in the order of the files.
func (s *Set) Composites() []Composite {
	if s == nil {
		return nil
	}
	return s.composites
}

// Load reads every *.toml of the directory, in the order of their names, then those of
// the local one, which need not be there: a symbol that a local file has rules for has no
// others. The error is tomlfile.Problems with every mistake.
func Load(dir, local string) (*Set, error) {
	l := &loader{set: newSet(), origin: map[string]*entryOrigin{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err == nil && len(names) == 0 {
		_, err = os.ReadDir(dir)
	}
	if err != nil || len(names) == 0 {
		return nil, tomlfile.Problems{{File: dir, What: lang.T("không có tệp quy tắc nội dung nào", "there is no file of content rules"), Hint: lang.T("kiểm tra rules_dir và quyền đọc; cần ít nhất một tệp .toml", "check rules_dir and the permissions; at least one .toml file is needed")}}
	}
	slices.Sort(names)
	for _, name := range names {
		l.read(name, false)
	}
	own, _ := filepath.Glob(filepath.Join(local, "*.toml"))
	slices.Sort(own)
	for _, name := range own {
		l.read(name, true)
	}
	l.build()
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	return l.set, nil
}

// entryOrigin gathers all entries of one symbol.
type entryOrigin struct {
	shipped, local []entry
}

// entry is one rule or composite as it was read.
type entry struct {
	file      *tomlfile.File
	key       []any
	line      int
	local     bool
	rule      *ruleEntry
	composite *compositeEntry
}

func (e *entry) place() string { return fmt.Sprintf("%s:%d", e.file.Name, e.line) }

func (e *entry) price() price {
	if e.rule != nil {
		return e.rule.price
	}
	return e.composite.price
}

func (e *entry) off() bool {
	return e.rule != nil && e.rule.Off || e.composite != nil && e.composite.Off
}

type loader struct {
	set      *Set
	entries  []entry
	origin   map[string]*entryOrigin
	problems tomlfile.Problems
}

// read takes in the entries of one file.
func (l *loader) read(name string, local bool) {
	var f ruleFile
	file, err := tomlfile.Read(name, &f)
	if err != nil {
		if ps, ok := err.(tomlfile.Problems); ok { //nolint:errorlint // Read documents it
			l.problems = append(l.problems, ps...)
		}
		return
	}
	for i := range f.Rule {
		l.enter(entry{file: file, key: []any{"rule", i}, local: local, rule: &f.Rule[i]}, f.Rule[i].Symbol)
	}
	for i := range f.Composite {
		l.enter(entry{file: file, key: []any{"composite", i}, local: local, composite: &f.Composite[i]}, f.Composite[i].Symbol)
	}
}

func (l *loader) enter(e entry, symbol string) {
	e.line = e.file.At(lang.Text{}, lang.Text{}, e.key...).Line
	l.entries = append(l.entries, e)
	o := l.origin[symbol]
	if o == nil {
		o = &entryOrigin{}
		l.origin[symbol] = o
	}
	if e.local {
		o.local = append(o.local, e)
	} else {
		o.shipped = append(o.shipped, e)
	}
}

// build compiles what is in force.
func (l *loader) build() {
	for i := range l.entries {
		e := &l.entries[i]
		c := &checker{entry: e, loader: l}
		symbol := c.symbol()
		o := l.origin[symbol]
		if !e.local && len(o.local) > 0 {
			continue // replaced
		}
		info := RuleInfo{Symbol: symbol, File: e.file.Name, Line: e.line, Composite: e.composite != nil, Local: e.local, Off: e.off(), Price: c.price()}
		if e.local {
			for _, s := range o.shipped {
				info.Overrides = append(info.Overrides, s.place())
			}
		}
		l.set.infos = append(l.set.infos, info)
		switch {
		case info.Off:
		case e.composite != nil:
			c.composite()
		default:
			c.rule()
		}
	}
}

func newSet() *Set {
	return &Set{phrases: newPhrases(), parts: &needles.Set{}, wakes: wakes{phrase: map[string][][]int32{}, part: map[string][][]int32{}}}
}
