package link

import (
	"strings"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// Brand is a name that is often imitated: the words that claim it and the domains
// that may.
type Brand struct {
	Name    string   `toml:"name"`
	Words   []string `toml:"words"`
	Domains []string `toml:"domains"`
}

// LoadBrands reads brands.toml. The error is tomlfile.Problems.
func LoadBrands(name string) ([]Brand, error) {
	var f struct {
		Brand []Brand `toml:"brand"`
	}
	file, err := tomlfile.Read(name, &f)
	if err != nil {
		return nil, err
	}
	var ps tomlfile.Problems
	for i, b := range f.Brand {
		if b.Name == "" || len(b.Words) == 0 || len(b.Domains) == 0 {
			ps = append(ps, file.At(lang.T("thương hiệu thiếu name, words hoặc domains", "the brand lacks name, words or domains"), lang.T("điền đủ ba khoá", "give all three"), "brand", i))
		}
		for j, w := range b.Words {
			if len(w) < 3 {
				ps = append(ps, file.At(lang.T("từ quá ngắn: "+w, "the word is too short: "+w), lang.T("dùng từ ít nhất 3 chữ", "use three letters or more"), "brand", i, "words", j))
			}
		}
	}
	return f.Brand, ps.Err()
}

var (
	notADomain = lang.T("không phải tên miền", "not a domain name")
	oneALine   = lang.T("mỗi dòng một tên miền", "one domain name a line")
)

// LoadList reads a list file of domain names: one entry a line, # begins a comment.
func LoadList(name string) ([]string, error) {
	return tomlfile.Lines(name, func(line string) bool { return !strings.ContainsAny(line, " \t/:") && strings.Contains(line, ".") }, notADomain, oneALine)
}

// LoadPlaces reads a list of domain names of which each may go on with a path, as in
// "docs.google.com/forms".
func LoadPlaces(name string) ([]string, error) {
	return tomlfile.Lines(name, func(line string) bool {
		host, _, _ := strings.Cut(line, "/")
		return !strings.ContainsAny(line, " \t:") && strings.Contains(host, ".")
	}, notADomain, oneALine)
}
