package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSuite(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CONGTHU_SUITES", dir)
	write(t, filepath.Join(dir, "toy", "cases.yml"), "---\na: one\na: two # twice\nlist: [x, 'y z']\n---\nb: |\n  text\n")
	t.Chdir(t.TempDir())
	write(t, filepath.Join("testdata", "deviations-toy.txt"), "# why\nodd: it is known\n")

	s := Open(t, "toy", "toy")
	docs := s.Documents("cases.yml")
	if len(docs) != 2 || docs[1].Get("b").Text() != "text\n" || docs[0].Get("none").Given() {
		t.Errorf("%+v", docs)
	}
	pairs := docs[0].Pairs()
	if len(pairs) != 3 || pairs[0].Value.Text() != "one" || pairs[1].Value.Text() != "two" {
		t.Errorf("%+v", pairs)
	}
	if l := docs[0].Get("list").List(); len(l) != 2 || l[1].Text() != "y z" || docs[0].Get("list").Text() != "xy z" {
		t.Errorf("%+v", l)
	}
	if got := s.Glob("*.yml"); len(got) != 1 || got[0] != "cases.yml" {
		t.Errorf("%v", got)
	}
	s.Case("even", "pass", []string{"fail", "pass"}, "")
	s.Case("odd", "fail", []string{"pass"}, "detail")
	s.Done(2)
	if s.total != 2 || s.right != 1 || len(s.lines) != 1 || s.lines[0] != "  odd: fail, the suite wants pass: it is known" {
		t.Errorf("%+v", s)
	}
}

// A suite that is not there is skipped, and says so.
func TestMissingSuite(t *testing.T) {
	t.Setenv("CONGTHU_SUITES", t.TempDir())
	t.Setenv(Required, "")
	skipped := true
	t.Run("open", func(t *testing.T) {
		Open(t, "toy", "toy")
		skipped = false
	})
	if !skipped {
		t.Error("a missing suite was opened")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
