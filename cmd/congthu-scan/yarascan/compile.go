// Package yarascan compiles the administrator's YARA rules and scans octets with them.
// It is the only package that calls C.
package yarascan

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hillu/go-yara/v4"

	"congthu/internal/scanproto"
)

// Rules are compiled rules. They must not be closed while a scan runs.
type Rules struct {
	compiled *yara.Rules
	count    int
}

// Count returns the number of rules.
func (r *Rules) Count() int { return r.count }

// Load compiles every *.yar file of the directory, in the order of their names. The
// problems are the administrator's mistakes, with their lines; err is trouble with
// the machine.
func Load(dir string) (*Rules, []scanproto.Problem, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yar"))
	if err != nil || len(names) == 0 {
		return nil, []scanproto.Problem{{File: dir, Message: "no *.yar file is here"}}, nil
	}
	c, err := yara.NewCompiler()
	if err != nil {
		return nil, nil, fmt.Errorf("yara: %w", err)
	}
	defer c.Destroy()
	c.DisableIncludes() // an include of any file prints its lines in the error
	slices.Sort(names)
	for _, name := range names {
		if problems := add(c, name); len(problems) > 0 {
			return nil, problems, nil
		}
	}
	compiled, err := c.GetRules()
	if err != nil {
		return nil, nil, fmt.Errorf("yara: %w", err)
	}
	return checked(compiled, names)
}

// add compiles one file in a namespace of its own. After an error the compiler is of
// no more use, so the first bad file ends it.
func add(c *yara.Compiler, name string) []scanproto.Problem {
	text, err := os.ReadFile(name)
	if err != nil {
		return []scanproto.Problem{{File: name, Message: err.Error()}}
	}
	if problems := foreign(name, string(text)); len(problems) > 0 {
		return problems
	}
	err = c.AddString(string(text), filepath.Base(name))
	if err == nil {
		return nil
	}
	var problems []scanproto.Problem
	for _, m := range c.Errors {
		problems = append(problems, at(name, string(text), m.Line, m.Text))
	}
	if len(problems) == 0 {
		problems = append(problems, scanproto.Problem{File: name, Message: err.Error()})
	}
	return problems
}

// allowed are the modules that look at the octets and nothing else: "console" prints
// them, "magic" opens files, "cuckoo" wants a report, and "time" makes a verdict
// depend on when it is asked for.
func allowed(module string) bool {
	return slices.Contains([]string{"pe", "elf", "math", "hash", "dotnet", "dex", "macho"}, module)
}

// foreign finds imports of modules that are not allowed.
func foreign(name, text string) []scanproto.Problem {
	importLine := regexp.MustCompile(`(?m)^\s*import\s+"([^"]*)"`)
	var problems []scanproto.Problem
	for _, m := range importLine.FindAllStringSubmatchIndex(text, -1) {
		module := text[m[2]:m[3]]
		if !allowed(module) {
			line := 1 + strings.Count(text[:m[2]], "\n")
			problems = append(problems, at(name, text, line, fmt.Sprintf("module %q is not allowed; allowed are pe elf math hash dotnet dex macho", module)))
		}
	}
	return problems
}

// at names the place: libyara knows lines only, so the column is that of the word it
// complains about, or of the first character of the line.
func at(name, text string, line int, message string) scanproto.Problem {
	p := scanproto.Problem{File: name, Line: line, Column: 1, Message: message}
	lines := strings.Split(text, "\n")
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

// checked asks every rule for the one tag that says what its match means.
func checked(compiled *yara.Rules, names []string) (*Rules, []scanproto.Problem, error) {
	r := &Rules{compiled: compiled}
	var problems []scanproto.Problem
	for _, rule := range compiled.GetRules() {
		r.count++
		if rule.IsPrivate() || symbol(rule.Tags()) != "" {
			continue
		}
		problems = append(problems, untagged(rule, names))
	}
	if len(problems) > 0 {
		compiled.Destroy()
		return nil, problems, nil
	}
	return r, nil, nil
}

func untagged(rule yara.Rule, names []string) scanproto.Problem {
	message := fmt.Sprintf("rule %q has neither the tag malware nor suspicious: write  rule %s : malware", rule.Identifier(), rule.Identifier())
	for _, name := range names {
		if filepath.Base(name) != rule.Namespace() {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			break
		}
		declared := regexp.MustCompile(`(?m)^[ \t]*(?:(?:private|global)[ \t]+)*rule[ \t]+` + rule.Identifier() + `\b`)
		if i := declared.FindIndex(text); i != nil {
			return at(name, string(text), 1+strings.Count(string(text[:i[1]]), "\n"), message)
		}
		return scanproto.Problem{File: name, Message: message}
	}
	return scanproto.Problem{File: rule.Namespace(), Message: message}
}
