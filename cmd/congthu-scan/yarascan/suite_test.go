package yarascan_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/conformance"
)

// files lists what is in a folder, at any depth, by paths under it.
func files(t *testing.T, dir string, extensions ...string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (len(extensions) == 0 || slices.Contains(extensions, filepath.Ext(path))) {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// command is what the yara command says of the files: "file rule-file:rule" each.
func command(t *testing.T, rules, docs string) map[string]bool {
	t.Helper()
	args := []string{"-w", "-e", "-r", "-p", "1"}
	for _, name := range files(t, rules, ".yar", ".yara") {
		args = append(args, "extra/"+name+":"+filepath.Join(rules, name))
	}
	cmd := exec.Command("yara", append(args, docs)...)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, trouble.String())
	}
	matches := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		rule, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		rel, err := filepath.Rel(docs, file)
		if err != nil {
			t.Fatal(line, err)
		}
		matches[rel+" "+rule] = true
	}
	return matches
}

// ours is what we say of the same.
func ours(t *testing.T, s *yarascan.Scanner, docs string) map[string]bool {
	t.Helper()
	matches := map[string]bool{}
	for _, name := range files(t, docs) {
		data, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Fatal(err)
		}
		ms, err := s.Scan(yarascan.Object{Data: data, Names: []string{name}}, time.Minute)
		if err != nil {
			t.Error(name, err)
		}
		for _, m := range ms {
			matches[name+" "+m.File+":"+m.Rule] = true
		}
	}
	return matches
}

// suites loads the published rules beside ours.
func suites(t *testing.T, rules string) *yarascan.Rules {
	t.Helper()
	r, problems, err := yarascan.Load(yarascan.Source{Dir: "../../../rules/yara", Extra: rules})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	return r
}

// Published rules match what the yara command matches with them, and nothing else,
// though each object meets only the rules that can match it.
func TestConformanceYara(t *testing.T) {
	rules, docs := conformance.Open(t, "yara", "yara"), conformance.Open(t, "yara", "docs")
	if _, err := exec.LookPath("yara"); err != nil {
		t.Fatal("the yara command is missing: make needs-test installs it")
	}
	r := suites(t, rules.Dir())
	s, err := r.Scanner()
	if err != nil {
		t.Fatal(err)
	}
	generated := t.TempDir()
	generate(t, rules.Dir(), generated)
	equal := same(t, s, rules.Dir(), docs.Dir()) + same(t, s, rules.Dir(), generated)
	fmt.Printf("conformance: yara %d rules, %d matches equal (%d files)\n", r.Count(), equal, len(files(t, docs.Dir()))+len(files(t, generated)))
	if r.Count() < 1300 || equal < 300 {
		t.Errorf("%d rules and %d matches: there are more", r.Count(), equal)
	}
}

// same compares the two and returns how many matches are equal.
func same(t *testing.T, s *yarascan.Scanner, rules, docs string) int {
	t.Helper()
	want, got := command(t, rules, docs), ours(t, s, docs)
	maps.DeleteFunc(got, func(m string, _ bool) bool { return !strings.Contains(m, " extra/") })
	equal := 0
	for m := range want {
		if !got[m] {
			t.Errorf("yara matches and we do not: %s", m)
			continue
		}
		equal++
	}
	for m := range got {
		if !want[m] {
			t.Errorf("we match and yara does not: %s", m)
		}
	}
	return equal
}
