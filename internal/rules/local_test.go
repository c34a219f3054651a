package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// withLocal copies the shipped rules and lays local files beside them.
func withLocal(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(shipped)); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		name = filepath.Join(dir, "local", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Nothing shipped is edited: local files change a weight, replace a rule, switch one off,
// and bring rules and composites with weights of their own.
func TestLocalFilesOverrideShippedOnes(t *testing.T) {
	dir := withLocal(t, map[string]string{
		"weights.toml": "[symbol.SPF_FAIL]\nscore = 3.5\n[symbol.DKIM_FAIL]\noff = true\n[group.auth]\ncap = 9.5\n",
		"content/a.toml": `
[[rule]]
symbol = "CONTENT_LOAN_OFFER"
words = ["vay nóng"]
[[rule]]
symbol = "CONTENT_PHARMACY"
off = true
[[rule]]
symbol = "LOCAL_WORD"
words = ["chữ của tỉnh"]
score = 1.5
group = "content"
vi = "Có chữ của tỉnh."
en = "It has the province's word."
[[composite]]
symbol = "LOCAL_BOTH"
when = "LOCAL_WORD and not SPF_PASS"
score = 2.0
vi = "Có chữ của tỉnh mà không có SPF."
en = "It has the province's word and no SPF."
`,
	})
	set, err := source(dir).Load()
	if err != nil {
		t.Fatal(err)
	}
	w := set.Policy.Weights
	spf := w.Symbols["SPF_FAIL"]
	if spf.Score != 3.5 || spf.VI == "" || spf.Place != "local/weights.toml:1" || !strings.HasPrefix(spf.Overrides, "weights.toml:") || w.Caps["auth"] != 9.5 {
		t.Errorf("%+v %v", spf, w.Caps["auth"])
	}
	if !w.Symbols["DKIM_FAIL"].Off || w.Symbols["LOCAL_WORD"].Score != 1.5 || len(set.Policy.Composites) < 1 {
		t.Errorf("%+v %+v", w.Symbols["DKIM_FAIL"], w.Symbols["LOCAL_WORD"])
	}
	loan, off := 0, false
	for _, r := range set.Content.Rules() {
		if r.Symbol == "CONTENT_LOAN_OFFER" {
			loan++
			if !r.Local || len(r.Overrides) == 0 || !strings.Contains(r.Overrides[0], "content/") {
				t.Errorf("%+v", r)
			}
		}
		off = off || r.Symbol == "CONTENT_PHARMACY" && r.Off
	}
	if loan != 1 || !off {
		t.Errorf("%d loan rules, off %v", loan, off)
	}
	score, _ := w.Weigh([]msg.Outcome{{Findings: []msg.Finding{{Symbol: "LOCAL_WORD"}}}})
	if score != 1.5 {
		t.Error(score)
	}
}

func TestMistakesInLocalFiles(t *testing.T) {
	const rule = "[[rule]]\nsymbol='LOCAL_A'\nwords=['abc']\n"
	const priced = "score=1.0\nvi='Có.'\nen='Has.'\n"
	for name, c := range map[string]struct{ file, data, want string }{
		"weight of nothing":    {"weights.toml", "[symbol.SPF_FIAL]\nscore=1.0\nvi='a'\nen='b'\n", "local/weights.toml:1:2: no inspector and no rule reports the symbol SPF_FIAL; did you mean 'SPF_FAIL'?"},
		"group of nothing":     {"weights.toml", "[symbol.SPF_FAIL]\ngroup='auht'\n", "local/weights.toml:2:1: there is no group auht; did you mean 'auth'?"},
		"key":                  {"weights.toml", "[symbol.SPF_FAIL]\nscroe=1.0\n", "local/weights.toml:2:1: there is no key called 'symbol.SPF_FAIL.scroe'; did you mean 'score'?"},
		"no weight":            {"content/a.toml", rule, "the symbol LOCAL_A has no weight"},
		"off of nothing":       {"content/a.toml", "[[rule]]\nsymbol='CONTENT_PHARMACI'\noff=true\n", "a.toml:2:1: there is no rule CONTENT_PHARMACI to switch off; did you mean 'CONTENT_PHARMACY'?"},
		"off of the program's": {"content/a.toml", "[[rule]]\nsymbol='TEXT_ZERO_WIDTH'\noff=true\n", "a.toml:2:1: the symbol TEXT_ZERO_WIDTH is the program's own"},
		"composite syntax":     {"content/a.toml", "[[composite]]\nsymbol='LOCAL_A'\nwhen='SPF_FAIL and'\n" + priced, "a.toml:3:1: the condition cannot be understood at character 13"},
		"composite symbol":     {"content/a.toml", "[[composite]]\nsymbol='LOCAL_A'\nwhen='SPF_FIAL'\n" + priced, "a.toml:3:1: there is no symbol SPF_FIAL; did you mean 'SPF_FAIL'?"},
		"composite of itself":  {"content/a.toml", "[[composite]]\nsymbol='LOCAL_A'\nwhen='LOCAL_A'\n" + priced, "a.toml:3:1: the composite LOCAL_A stands later, or is this one"},
		"score out of bounds":  {"content/a.toml", rule + "score=5000.0\nvi='Có.'\nen='Has.'\n", "a.toml:1:1: a score lies between -100 and 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := source(withLocal(t, map[string]string{c.file: c.data})).Load()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
