package rules

import (
	"path/filepath"
	"slices"
	"strconv"

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
	Score  float64  `toml:"score"`
	Group  string   `toml:"group"`
	Unless []string `toml:"unless"`
	VI     string   `toml:"vi"`
	EN     string   `toml:"en"`
}

// loadWeights reads weights.toml. known are the symbols that can be found: each of
// them must be priced, and nothing else may be.
func loadWeights(dir string, known []string) (policy.Weights, *tomlfile.File, error) {
	var f weightsFile
	file, err := tomlfile.Read(filepath.Join(dir, "weights.toml"), &f)
	if err != nil {
		return policy.Weights{}, nil, err
	}
	w := policy.Weights{Symbols: map[string]policy.Weight{}, Caps: map[string]float64{}}
	var ps tomlfile.Problems
	for name, g := range f.Group {
		w.Caps[name] = g.Cap
		if g.Cap <= 0 {
			ps = append(ps, file.At(lang.T("trần điểm của nhóm "+name+" phải lớn hơn 0", "the cap of group "+name+" must be above 0"), lang.T("sửa cap", "correct cap"), "group", name, "cap"))
		}
	}
	for name, e := range f.Symbol {
		w.Symbols[name] = policy.Weight{Score: e.Score, Group: e.Group, Unless: e.Unless, VI: e.VI, EN: e.EN, Place: place(file, "symbol", name)}
		ps = append(ps, checkWeight(file, name, e, f, known)...)
	}
	for _, name := range known {
		if _, ok := f.Symbol[name]; !ok {
			ps = append(ps, file.At(lang.T("thiếu trọng số của dấu hiệu "+name, "the symbol "+name+" has no weight"), lang.T("thêm mục [symbol."+name+"] với score, vi, en", "add [symbol."+name+"] with score, vi, en")))
		}
	}
	return w, file, sorted(ps).Err()
}

func checkWeight(file *tomlfile.File, name string, e weightEntry, f weightsFile, known []string) tomlfile.Problems {
	var ps tomlfile.Problems
	if known != nil && !slices.Contains(known, name) {
		ps = append(ps, file.At(lang.T("không bộ kiểm tra hay quy tắc nào báo dấu hiệu "+name, "no inspector and no rule reports the symbol "+name), lang.T("sửa tên hoặc xoá mục này", "correct the name or delete the entry"), "symbol", name))
	}
	if e.Group != "" {
		if _, ok := f.Group[e.Group]; !ok {
			ps = append(ps, file.At(lang.T("không có nhóm "+e.Group, "there is no group "+e.Group), lang.T("thêm [group."+e.Group+"] với cap", "add [group."+e.Group+"] with a cap"), "symbol", name, "group"))
		}
	}
	for i, u := range e.Unless {
		_, group := f.Group[u]
		_, symbol := f.Symbol[u]
		if !group && !symbol {
			ps = append(ps, file.At(lang.T("không có nhóm hay dấu hiệu "+u, "there is no group and no symbol "+u), lang.T("sửa tên", "correct the name"), "symbol", name, "unless", i))
		}
	}
	if e.VI == "" || e.EN == "" {
		ps = append(ps, file.At(lang.T("thiếu câu giải thích vi hoặc en của "+name, name+" lacks its sentence vi or en"), lang.T("viết một câu cho người duyệt thư", "write one sentence for the reviewer"), "symbol", name))
	}
	if e.Score < -100 || e.Score > 1000 {
		ps = append(ps, file.At(lang.T("điểm phải trong khoảng -100 đến 1000", "a score lies between -100 and 1000"), lang.Text{}, "symbol", name, "score"))
	}
	return ps
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
