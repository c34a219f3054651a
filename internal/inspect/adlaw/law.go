package adlaw

import (
	"strings"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// Law is what is asked of advertising, as rules/lists/ad-law.toml says it.
type Law struct {
	Name       string   `toml:"name"`        // of the decree, for whoever reads the file
	Labels     []string `toml:"labels"`      // one of them comes first in the subject
	PerDay     int      `toml:"per_day"`     // letters to one address in 24 hours; 0: not counted
	LikelyFrom int      `toml:"likely_from"` // how many of Words make a letter advertising that carries no label
	Words      []string `toml:"words"`
	OptOut     []string `toml:"opt_out"` // words of the way to refuse more
	Address    []string `toml:"address"` // words of a postal address
}

// Load reads ad-law.toml. The error is tomlfile.Problems.
func Load(name string) (Law, error) {
	var l Law
	file, err := tomlfile.Read(name, &l)
	if err != nil {
		return Law{}, err
	}
	var ps tomlfile.Problems
	complain := func(what, hint lang.Text, key ...any) { ps = append(ps, file.At(what, hint, key...)) }
	if len(l.Labels) == 0 {
		complain(lang.T("thiếu labels: nhãn đứng đầu chủ đề thư quảng cáo", "labels is missing: what advertising carries first in its subject"), lang.T(`ví dụ / viết labels = ["[QC]", "[AD]"]`, `write labels = ["[QC]", "[AD]"]`))
	}
	for i, s := range l.Labels {
		if len(strings.Trim(s, "[] ")) < 2 || !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
			complain(lang.T("'"+s+"' không phải nhãn", "'"+s+"' is no label"), lang.T("viết trong ngoặc vuông, như [QC]", "write it in square brackets, like [QC]"), "labels", i)
		}
	}
	if l.LikelyFrom < 2 {
		complain(lang.T("likely_from phải từ 2 trở lên", "likely_from must be 2 or more"), lang.T("một từ không làm nên thư quảng cáo", "one word makes no advertising"), "likely_from")
	}
	for key, words := range map[string][]string{"words": l.Words, "opt_out": l.OptOut, "address": l.Address} {
		for i, w := range words {
			if len(strings.TrimSpace(w)) < 3 {
				complain(lang.T("từ quá ngắn: "+w, "the word is too short: "+w), lang.T("dùng từ ít nhất 3 chữ", "use three letters or more"), key, i)
			}
		}
	}
	return l, ps.Err()
}
