package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"congthu/internal/inspect/content"
	"congthu/internal/lang"
	"congthu/internal/policy"
	"congthu/internal/tomlfile"
)

type weightsFile struct {
	Group map[string]struct {
		Cap float64 `toml:"cap"`
	} `toml:"group"`
	Symbol map[string]weightEntry `toml:"symbol"`
}

type weightEntry struct {
	Score  *float64 `toml:"score"`
	Group  string   `toml:"group"`
	Unless []string `toml:"unless"`
	VI     string   `toml:"vi"`
	EN     string   `toml:"en"`
	Off    bool     `toml:"off"` // in the local file: as if it were never found
}

func (e weightEntry) score() float64 {
	if e.Score == nil {
		return 0
	}
	return *e.Score
}

// pricing gathers what the files say about weights: weights.toml, then the rules that
// bring their own, then local/weights.toml.
type pricing struct {
	weights  policy.Weights
	known    []string // the symbols that can be found; nil: not known, because the rules are wrong
	problems tomlfile.Problems
}

// loadWeights reads the weights. known are the symbols that can be found: each of them
// must be priced, and nothing else may be.
func loadWeights(dir string, known []string, own []content.RuleInfo) (policy.Weights, error) {
	var f weightsFile
	file, err := tomlfile.Read(filepath.Join(dir, "weights.toml"), &f)
	if err != nil {
		return policy.Weights{}, err
	}
	p := &pricing{weights: policy.Weights{Symbols: map[string]policy.Weight{}, Caps: map[string]float64{}}, known: known}
	p.caps(file, f)
	for name, e := range f.Symbol {
		p.weights.Symbols[name] = policy.Weight{Score: e.score(), Group: e.Group, Unless: e.Unless, VI: e.VI, EN: e.EN, Place: place(file, "symbol", name)}
		p.check(file, name)
		p.unless(file, name, e, f)
		if e.Off {
			p.complain(file, lang.T("off chỉ dùng trong local/weights.toml", "off is for local/weights.toml only"), lang.T("xoá dòng này, hoặc đặt score = 0.0", "delete the line, or set score = 0.0"), "symbol", name, "off")
		}
	}
	p.rules(own)
	p.local(dir)
	for _, name := range known {
		if _, ok := p.weights.Symbols[name]; !ok {
			p.complain(file, lang.T("thiếu trọng số của dấu hiệu "+name, "the symbol "+name+" has no weight"), lang.T("thêm mục [symbol."+name+"] với score, vi, en, hoặc viết score, vi, en ngay trong quy tắc", "add [symbol."+name+"] with score, vi, en, or write score, vi, en into its rule"))
		}
	}
	return p.weights, sorted(p.problems).Err()
}

func (p *pricing) complain(file *tomlfile.File, what, hint lang.Text, key ...any) {
	p.problems = append(p.problems, file.At(what, hint, key...))
}

func (p *pricing) caps(file *tomlfile.File, f weightsFile) {
	for name, g := range f.Group {
		p.weights.Caps[name] = g.Cap
		if g.Cap <= 0 {
			p.complain(file, lang.T("trần điểm của nhóm "+name+" phải lớn hơn 0", "the cap of group "+name+" must be above 0"), lang.T("sửa cap", "correct cap"), "group", name, "cap")
		}
	}
}

// check looks at the weight of a symbol as it now stands.
func (p *pricing) check(file *tomlfile.File, name string) {
	w := p.weights.Symbols[name]
	if p.known != nil && !slices.Contains(p.known, name) {
		p.complain(file, lang.T("không bộ kiểm tra hay quy tắc nào báo dấu hiệu "+name, "no inspector and no rule reports the symbol "+name), tomlfile.DidYouMean(name, p.known, lang.T("sửa tên hoặc xoá mục này", "correct the name or delete the entry")), "symbol", name)
	}
	if w.VI == "" || w.EN == "" {
		p.complain(file, lang.T("thiếu câu giải thích vi hoặc en của "+name, name+" lacks its sentence vi or en"), lang.T("viết một câu cho người duyệt thư", "write one sentence for the reviewer"), "symbol", name)
	}
	p.bounds(func(what, hint lang.Text, key string) { p.complain(file, what, hint, "symbol", name, key) }, w)
}

// unless looks at what a symbol does not count beside: groups, and symbols with a weight in
// the same file or one before it.
func (p *pricing) unless(file *tomlfile.File, name string, e weightEntry, f weightsFile) {
	for i, u := range e.Unless {
		_, group := p.weights.Caps[u]
		_, here := f.Symbol[u]
		if _, before := p.weights.Symbols[u]; !group && !here && !before {
			p.complain(file, lang.T("không có nhóm hay dấu hiệu "+u, "there is no group and no symbol "+u), lang.T("sửa tên", "correct the name"), "symbol", name, "unless", i)
		}
	}
}

func (p *pricing) bounds(complain func(what, hint lang.Text, key string), w policy.Weight) {
	if w.Group != "" {
		if _, ok := p.weights.Caps[w.Group]; !ok {
			complain(lang.T("không có nhóm "+w.Group, "there is no group "+w.Group), tomlfile.DidYouMean(w.Group, slices.Sorted(maps.Keys(p.weights.Caps)), lang.T("thêm [group."+w.Group+"] với cap", "add [group."+w.Group+"] with a cap")), "group")
		}
	}
	if w.Score < -100 || w.Score > 1000 {
		complain(lang.T("điểm phải trong khoảng -100 đến 1000", "a score lies between -100 and 1000"), lang.T("sửa score", "correct score"), "score")
	}
}

// rules takes in the weights that rules bring with them.
func (p *pricing) rules(own []content.RuleInfo) {
	for _, r := range own {
		if r.Price == nil {
			continue
		}
		complain := func(what, hint lang.Text, _ string) {
			p.problems = append(p.problems, &tomlfile.Problem{File: r.File, Line: r.Line, Column: 1, What: what, Hint: hint})
		}
		if w, priced := p.weights.Symbols[r.Symbol]; priced && !r.Local {
			complain(lang.T("dấu hiệu "+r.Symbol+" đã có trọng số ở "+w.Place, "the symbol "+r.Symbol+" has a weight at "+w.Place), lang.T("để trọng số ở một nơi", "leave it in one of the places"), "")
			continue
		}
		w := policy.Weight{Score: r.Price.Score, Group: r.Price.Group, VI: r.Price.VI, EN: r.Price.EN, Place: fmt.Sprintf("%s:%d", filepath.Base(r.File), r.Line)}
		p.weights.Symbols[r.Symbol] = w
		p.bounds(complain, w)
	}
}

// local lays local/weights.toml, if it is there, over all: what an entry does not say
// stays as it was.
func (p *pricing) local(dir string) {
	name := filepath.Join(dir, "local", "weights.toml")
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return
	}
	var f weightsFile
	file, err := tomlfile.Read(name, &f)
	if err != nil {
		p.problems = add(p.problems, err)
		return
	}
	p.caps(file, f)
	for symbol, e := range f.Symbol {
		w := p.weights.Symbols[symbol]
		w.Overrides, w.Place, w.Off = w.Place, "local/"+place(file, "symbol", symbol), e.Off
		if e.Score != nil {
			w.Score = *e.Score
		}
		if e.Unless != nil {
			w.Unless = e.Unless
		}
		w.Group, w.VI, w.EN = cmp.Or(e.Group, w.Group), cmp.Or(e.VI, w.VI), cmp.Or(e.EN, w.EN)
		p.weights.Symbols[symbol] = w
		p.check(file, symbol)
		p.unless(file, symbol, e, f)
	}
}

// place says where a key stands, for those who are told what decided.
func place(file *tomlfile.File, key ...any) string {
	p := file.At(lang.Text{}, lang.Text{}, key...)
	return filepath.Base(p.File) + ":" + strconv.Itoa(p.Line)
}

// sorted orders problems by place; maps were walked to find them.
func sorted(ps tomlfile.Problems) tomlfile.Problems {
	slices.SortFunc(ps, func(a, b *tomlfile.Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return ps
}
