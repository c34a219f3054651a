package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"golang.org/x/tools/txtar"

	"congthu/internal/lang"
)

// otherwise are the commands whose output is no text to compare, and where each is tested
// in both languages.
var otherwise = map[string]string{
	"serve":   "../../internal/e2e/e2e_test.go",   // it prints its log
	"demo":    "../../internal/e2e/demo_test.go",  // it sends letters and prints what became of them
	"review":  "../../internal/e2e/term_test.go",  // it draws on the whole screen
	"check":   "../../testdata/cases/check.txtar", // what it says depends on the machine
	"version": "testdata/script/usage.txtar",      // it is the same in each language
}

// TestEveryCommandHasGoldens keeps what issue 8 asks: a script runs each command with
// success in Vietnamese and in English, and compares all that it prints. The command is
// found by the parser of the command line itself.
func TestEveryCommandHasGoldens(t *testing.T) {
	parser, leaves := grammar(t)
	have := map[string]bool{}
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, f := range files {
		a, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range compared(string(a.Comment)) {
			if name, l, ok := commandOf(parser, r); ok {
				have[name+" "+string(l)] = true
			}
		}
	}
	for _, name := range leaves {
		if where, ok := otherwise[name]; ok {
			if _, err := os.Stat(where); err != nil {
				t.Errorf("%s is said to be tested in %s: %v", name, where, err)
			}
			continue
		}
		for _, l := range []lang.Lang{lang.VI, lang.EN} {
			if !have[name+" "+string(l)] {
				t.Errorf("congthu %s: no script compares what it prints with --lang %s", name, l)
			}
		}
	}
}

// grammar returns the parser of the command line and the names of all commands.
func grammar(t *testing.T) (*kong.Kong, []string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("congthu"), kong.Exit(func(int) {}), kong.Writers(os.Stderr, os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	var leaves []string
	for _, n := range parser.Model.Leaves(true) {
		leaves = append(leaves, strings.TrimPrefix(n.FullPath(), "congthu "))
	}
	return parser, leaves
}

// ran is a command of a script whose whole output is compared.
type ran struct {
	args []string
	lang string // of the environment
}

var (
	runs     = regexp.MustCompile(`^(?:exec|exits 0) (.*)$`)
	compares = regexp.MustCompile(`^(?:golden stdout|printed|unnamed|cmp stdout|cmp got|cmp out)\b`)
	inShell  = regexp.MustCompile(`congthu ([^;|>&']*)`)
)

// compared returns the commands of a script that end well and are followed, before any
// other, by a comparison of what they have printed.
func compared(script string) []ran {
	var out, last []ran
	env := "en_US.UTF-8"
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "env LANG="); ok {
			env = v
		}
		if compares.MatchString(line) {
			out, last = append(out, last...), nil
		}
		if ended := regexp.MustCompile(`^(?:! )?(?:exec|exits)\b`); ended.MatchString(line) {
			last = nil
		}
		if m := runs.FindStringSubmatch(line); m != nil {
			last = calls(m[1], env)
		}
	}
	return out
}

// calls finds the congthu of a line: itself, or one within sh -c.
func calls(line, env string) []ran {
	if rest, ok := strings.CutPrefix(line, "congthu "); ok {
		return []ran{{words(rest), env}}
	}
	var out []ran
	if strings.HasPrefix(line, "sh -c ") {
		for _, m := range inShell.FindAllStringSubmatch(line, -1) {
			out = append(out, ran{words(m[1]), env})
		}
	}
	return out
}

// words takes a line apart as testscript does: at blanks, except in single quotes.
func words(line string) []string {
	var out []string
	line = regexp.MustCompile(`\$\([^)]*\)`).ReplaceAllString(line, "X") // what a shell puts there
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}

// commandOf names the command that a line calls, and the language it is asked to speak.
// What is for machines does not count.
func commandOf(parser *kong.Kong, r ran) (string, lang.Lang, bool) {
	k, err := parser.Parse(r.args)
	if err != nil || k.Selected() == nil || slices.Contains(r.args, "--json") {
		return "", "", false
	}
	said := ""
	for i, a := range r.args {
		if v, ok := strings.CutPrefix(a, "--lang="); ok {
			said = v
		} else if a == "--lang" && i+1 < len(r.args) {
			said = r.args[i+1]
		}
	}
	l := lang.Choose(said, func(name string) string {
		if name == "LANG" {
			return r.lang
		}
		return ""
	})
	return strings.TrimPrefix(k.Selected().FullPath(), "congthu "), l, true
}
