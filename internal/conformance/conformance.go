// Package conformance is how a test measures the gateway against a published test
// suite: where the suites are, one printed line a suite ("spf 203/203"), and a file
// of deviations each with its reason. It is used by tests only.
//
// A suite's test is called TestConformance…; `make conformance` runs them all. A case
// that comes out otherwise than the suite says fails the test unless its name is in
// the package's testdata/deviations-SUITE.txt, one "name: reason" a line; a name there
// that does not deviate fails it too, so that the list is never longer than the truth.
package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Required is the environment variable that makes a missing suite a failure rather
// than a skipped test; `make conformance` sets it.
const Required = "CONGTHU_CONFORMANCE"

// Suite is one run of a suite.
type Suite struct {
	t      *testing.T
	name   string
	dir    string
	listed map[string]string // reasons by name
	seen   map[string]bool   // listed names that did deviate
	total  int
	right  int
	lines  []string
}

// Open finds the suite in the folder sub of the suites: $CONGTHU_SUITES, or
// shared/suites beside the source tree. The test is skipped when it is not there.
func Open(t *testing.T, name, sub string) *Suite {
	t.Helper()
	s := &Suite{t: t, name: name, dir: filepath.Join(root(t), sub), seen: make(map[string]bool)}
	if _, err := os.Stat(s.dir); err != nil {
		missing := t.Skipf
		if os.Getenv(Required) != "" {
			fmt.Printf("conformance: %s: no suite (set CONGTHU_SUITES to the folder of the suites)\n", name)
			missing = t.Fatalf
		}
		missing("suite %s is missing, set CONGTHU_SUITES to the folder of the suites: %v", name, err)
	}
	s.listed = deviations(t, filepath.Join("testdata", "deviations-"+name+".txt"))
	return s
}

func root(t *testing.T) string {
	if dir := os.Getenv("CONGTHU_SUITES"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "..", "shared", "suites")
}

// deviations reads the list; a package without one has none.
func deviations(t *testing.T, file string) map[string]string {
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, reason, ok := strings.Cut(line, ":")
		if reason = strings.TrimSpace(reason); !ok || reason == "" || out[name] != "" {
			t.Fatalf("%s:%d: want a name, a colon and a reason, each name once", file, i+1)
		}
		out[name] = reason
	}
	return out
}

// Dir is the folder of the suite.
func (s *Suite) Dir() string { return s.dir }

// File reads a file of the suite.
func (s *Suite) File(name string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// Glob lists the files of the suite that match, sorted, by their names in it.
func (s *Suite) Glob(pattern string) []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, pattern))
	if err != nil {
		s.t.Fatal(err)
	}
	for i, f := range files {
		files[i], _ = filepath.Rel(s.dir, f)
	}
	slices.Sort(files)
	return files
}

// Case records one case: got and want are compared, detail is for whoever reads why.
func (s *Suite) Case(name, got string, want []string, detail string) {
	s.t.Helper()
	s.total++
	if slices.Contains(want, got) {
		s.right++
		return
	}
	reason, ok := s.listed[name]
	if !ok {
		s.t.Errorf("%s %s: %s, want %s (%s)", s.name, name, got, strings.Join(want, " or "), detail)
		reason = "NOT LISTED: " + detail
	}
	s.seen[name] = true
	s.lines = append(s.lines, fmt.Sprintf("  %s: %s, the suite wants %s: %s", name, got, strings.Join(want, " or "), reason))
}

// Done prints the line of the suite and its deviations, and fails the test when fewer
// cases were seen than the suite is known to have.
func (s *Suite) Done(atLeast int) {
	s.t.Helper()
	fmt.Printf("conformance: %s %d/%d%s\n", s.name, s.right, s.total, s.beside())
	for _, l := range s.lines {
		fmt.Println("conformance: " + l)
	}
	for name := range s.listed {
		if !s.seen[name] {
			s.t.Errorf("%s: %s is listed as a deviation and does not deviate", s.name, name)
		}
	}
	if s.total < atLeast {
		s.t.Errorf("%s: only %d cases seen, the suite has %d", s.name, s.total, atLeast)
	}
}

// beside tells how many of the cases that are not right are listed.
func (s *Suite) beside() string {
	if len(s.seen) == 0 {
		return ""
	}
	listed := 0
	for name := range s.seen {
		if s.listed[name] != "" {
			listed++
		}
	}
	return fmt.Sprintf(" and %d listed deviations", listed)
}
