package tomlfile

import (
	"os"
	"strings"

	"congthu/internal/lang"
)

// Lines reads a list file: one entry a line, lower-case, # begins a comment. An entry
// that good does not like is a problem of its line, and what says what it is not. The
// error is Problems.
func Lines(name string, good func(line string) bool, what, hint lang.Text) ([]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, Problems{{File: name, What: lang.T("không đọc được tệp", "cannot read the file"), Hint: lang.T("kiểm tra đường dẫn và quyền đọc", "check the path and the permissions")}}
	}
	var out []string
	var ps Problems
	for i, line := range strings.Split(string(data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.ToLower(strings.TrimSpace(line)); line == "" {
			continue
		}
		if !good(line) {
			said := lang.T(what.In(lang.VI)+": "+line, what.In(lang.EN)+": "+line)
			ps = append(ps, &Problem{File: name, Line: i + 1, Column: 1, What: said, Hint: hint})
			continue
		}
		out = append(out, line)
	}
	return out, ps.Err()
}
