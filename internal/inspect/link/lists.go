package link

import (
	"os"
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

// LoadList reads a list file of domain names: one entry a line, # begins a comment.
func LoadList(name string) ([]string, error) {
	return loadLines(name, func(line string) bool { return !strings.ContainsAny(line, " \t/:") && strings.Contains(line, ".") })
}

// LoadPlaces reads a list of domain names of which each may go on with a path, as in
// "docs.google.com/forms".
func LoadPlaces(name string) ([]string, error) {
	return loadLines(name, func(line string) bool {
		host, _, _ := strings.Cut(line, "/")
		return !strings.ContainsAny(line, " \t:") && strings.Contains(host, ".")
	})
}

func loadLines(name string, good func(line string) bool) ([]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, tomlfile.Problems{{File: name, What: lang.T("không đọc được tệp", "cannot read the file"), Hint: lang.T("kiểm tra đường dẫn và quyền đọc", "check the path and the permissions")}}
	}
	var out []string
	var ps tomlfile.Problems
	for i, line := range strings.Split(string(data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.ToLower(strings.TrimSpace(line)); line == "" {
			continue
		}
		if !good(line) {
			ps = append(ps, &tomlfile.Problem{File: name, Line: i + 1, Column: 1, What: lang.T("không phải tên miền: "+line, "not a domain name: "+line), Hint: lang.T("mỗi dòng một tên miền", "one domain name a line")})
			continue
		}
		out = append(out, line)
	}
	return out, ps.Err()
}
