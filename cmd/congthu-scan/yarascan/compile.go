// Package yarascan compiles the administrator's YARA rules and scans octets with them.
// It is the only package that calls C.
//
// The rules are compiled once as a whole, for their mistakes, and once for each kind of
// object that many of them demand (package yarasplit): an object is scanned in one pass
// by the rules that can match it at all.
package yarascan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hillu/go-yara/v4"

	"congthu/internal/scanproto"
)

// externals are the words that a rule may ask about the object, by the custom of those
// who publish rules.
func externals() []string {
	return []string{"filename", "filepath", "extension", "filetype", "owner", "md5"}
}

// modules are those that look at the octets and nothing else: "console" prints them,
// "magic" opens files, "cuckoo" wants a report, and "time" makes a verdict depend on
// when it is asked for.
func modules() []string {
	return []string{"pe", "elf", "math", "hash", "dotnet", "dex", "macho"}
}

// unit is the text of one file, or of a part of it.
type unit struct{ text, namespace string }

func newCompiler() (*yara.Compiler, error) {
	c, err := yara.NewCompiler()
	if err != nil {
		return nil, fmt.Errorf("yara: %w", err)
	}
	c.DisableIncludes() // an include of any file prints its lines in the error
	for _, name := range externals() {
		if err := c.DefineVariable(name, ""); err != nil {
			return nil, fmt.Errorf("yara: %s: %w", name, err)
		}
	}
	return c, nil
}

// whole compiles every file in a namespace of its own. After an error a compiler is of
// no more use; the files that follow are then only looked at for their own mistakes.
func whole(files []*file) (*yara.Rules, []scanproto.Problem, error) {
	c, err := newCompiler()
	if err != nil {
		return nil, nil, err
	}
	defer func() { c.Destroy() }()
	var problems []scanproto.Problem
	for _, f := range files {
		found := f.foreign()
		if len(found) == 0 {
			found = f.add(c)
		}
		if len(found) == 0 {
			continue
		}
		if problems = append(problems, found...); len(problems) > 100 {
			return nil, problems, nil
		}
		c.Destroy()
		if c, err = newCompiler(); err != nil {
			return nil, nil, err
		}
	}
	if len(problems) > 0 {
		return nil, problems, nil
	}
	rules, err := c.GetRules()
	if err != nil {
		return nil, nil, fmt.Errorf("yara: %w", err)
	}
	return rules, nil, nil
}

// add compiles the file.
func (f *file) add(c *yara.Compiler) []scanproto.Problem {
	before := len(c.Errors)
	err := c.AddString(f.text, f.name)
	if err == nil {
		return nil
	}
	var problems []scanproto.Problem
	for _, m := range c.Errors[before:] {
		problems = append(problems, at(f, m.Line, m.Text))
	}
	if len(problems) == 0 {
		problems = append(problems, scanproto.Problem{File: f.path, Message: err.Error()})
	}
	return problems
}

// compile compiles texts that are known to be good.
func compile(units []unit) (*yara.Rules, error) {
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	defer c.Destroy()
	for _, u := range units {
		if err := c.AddString(u.text, u.namespace); err != nil {
			return nil, fmt.Errorf("yara: %s: %w", u.namespace, err)
		}
	}
	rules, err := c.GetRules()
	if err != nil {
		return nil, fmt.Errorf("yara: %w", err)
	}
	return rules, nil
}

// foreign finds includes, and imports of modules that are not allowed. What escapes it
// is found by a trial (see trial).
func (f *file) foreign() []scanproto.Problem {
	if f.parts == nil {
		return nil
	}
	var problems []scanproto.Problem
	for _, i := range f.parts.Imports {
		line := 1 + strings.Count(f.text[:i.Offset], "\n")
		switch {
		case i.Word == "include":
			problems = append(problems, at(f, line, "include is not allowed: put the file into the folder itself"))
		case !slices.Contains(modules(), i.Name):
			problems = append(problems, at(f, line, fmt.Sprintf("module %q is not allowed; allowed are %s", i.Name, strings.Join(modules(), " "))))
		}
	}
	return problems
}

// trial scans one octet and refuses rules that load a module that is not allowed.
type trial struct{ foreign string }

// RuleMatching goes on.
func (*trial) RuleMatching(*yara.ScanContext, *yara.Rule) (bool, error) { return false, nil }

// ImportModule is asked by libyara before each module is loaded.
func (t *trial) ImportModule(_ *yara.ScanContext, name string) ([]byte, bool, error) {
	if !slices.Contains(modules(), name) {
		t.foreign = name
		return nil, true, nil
	}
	return nil, false, nil
}

// tried is the problem of rules whose trial failed.
func tried(rules *yara.Rules, dir string) []scanproto.Problem {
	t := &trial{}
	err := rules.ScanMem([]byte("x"), yara.ScanFlagsFastMode, scanTime, t)
	switch {
	case t.foreign != "":
		return []scanproto.Problem{{File: dir, Message: fmt.Sprintf("module %q is not allowed", t.foreign)}}
	case err != nil:
		return []scanproto.Problem{{File: dir, Message: "the rules cannot scan one octet: " + err.Error()}}
	}
	return nil
}

// at names the place: libyara knows lines only, so the column is that of the word it
// complains about, or of the first character of the line.
func at(f *file, line int, message string) scanproto.Problem {
	p := scanproto.Problem{File: f.path, Line: line, Column: 1, Message: message}
	lines := strings.Split(f.text, "\n")
	if line < 1 || line > len(lines) {
		return p
	}
	here := lines[line-1]
	p.Column = 1 + len(here) - len(strings.TrimLeft(here, " \t"))
	if quoted := regexp.MustCompile(`"([^"]+)"`).FindStringSubmatch(message); quoted != nil {
		if i := strings.Index(here, quoted[1]); i >= 0 {
			p.Column = i + 1
		}
	}
	return p
}
