package internal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// README says why each direct dependency is there, and stays short enough to be read.
func TestReadmeNamesEveryDependency(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(readme), "\n"); n >= 150 {
		t.Errorf("README has %d lines", n)
	}
	named := 0
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
		named++
		if !strings.Contains(string(readme), "| `"+strings.TrimPrefix(m[1], "github.com/")+"` |") {
			t.Errorf("README does not say why %s is there", m[1])
		}
	}
	if named < 10 {
		t.Errorf("only %d dependencies found in go.mod: the test sees nothing", named)
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)\)`)

// Every path that README links to is there.
func TestReadmeLinks(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range link.FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		if _, err := os.Stat("../" + m[1]); err != nil {
			t.Errorf("README links to %s: %v", m[1], err)
		}
	}
}
