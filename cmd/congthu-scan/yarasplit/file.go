// Package yarasplit tells, from the text of YARA rules, which objects each rule can
// match at all, so that rules for programs are not run on letters.
//
// The question it answers is narrow on purpose: with which first two octets must an
// object begin so that the condition can be true? `uint16(0) == 0x5A4D and …` is false
// of everything that does not begin "MZ"; `$pdf at 0`, `elf.entry_point == 4` and a
// reference to such a rule demand theirs. Where the text is not wholly understood the
// answer is "any object", so a mistake here costs time and no match; the tests compare
// with whole rule sets.
package yarasplit

import (
	"slices"
	"strings"
)

// File is one rule file, taken apart.
type File struct {
	Imports []Import
	Rules   []*Rule
	src     string
	index   map[string]*Rule
	joined  bool // some condition names rules by a wildcard: they stay together
}

// Import is an import or an include statement.
type Import struct {
	Word   string // "import" or "include"
	Name   string
	Offset int
}

// Rule is one rule of a file.
type Rule struct {
	Name    string
	Private bool
	Global  bool
	Heads   Heads
	Offset  int // of its name

	from, to  int // from its first modifier to after its closing brace
	condition []token
	strings   map[string]Heads // by "$name": how an object begins that has it at 0
	refs      []string         // rules that the condition names
	cuts      []cut
	looked    bool // Heads is known
}

// Beginnings are all heads that make a difference to the rule or to a part of it.
func (r *Rule) Beginnings() []string {
	all := slices.Clone(r.Heads.Of)
	for _, c := range r.cuts {
		all = append(all, c.heads.Of...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// cut is a piece of a condition that is false of objects that begin otherwise.
type cut struct {
	from, to int
	heads    Heads
}

// Parse takes the text apart. An error means that it was not understood; libyara knows
// whether it is wrong.
func Parse(src string) (*File, error) {
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	f := &File{src: src, index: map[string]*Rule{}}
	for p.peek().kind != nothing {
		if err := p.statement(f); err != nil {
			return nil, err
		}
	}
	for _, r := range f.Rules {
		f.look(r)
	}
	return f, nil
}

type parser struct {
	toks []token
	at   int
}

func (p *parser) peek() token {
	if p.at < len(p.toks) {
		return p.toks[p.at]
	}
	return token{kind: nothing}
}

func (p *parser) take() token {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) want(s string) error {
	if !p.take().is(s) {
		return errLex
	}
	return nil
}

func (p *parser) statement(f *File) error {
	if t := p.peek(); t.is("import") || t.is("include") {
		p.at++
		name := p.take()
		if name.kind != text {
			return errLex
		}
		f.Imports = append(f.Imports, Import{t.text, strings.Trim(name.text, `"`), name.from})
		return nil
	}
	r, err := p.rule()
	if err == nil {
		f.Rules = append(f.Rules, r)
		f.index[r.Name] = r
	}
	return err
}

func (p *parser) rule() (*Rule, error) {
	r := &Rule{from: p.peek().from, strings: map[string]Heads{}}
	for {
		switch t := p.take(); {
		case t.is("private"):
			r.Private = true
		case t.is("global"):
			r.Global = true
		case t.is("rule"):
			return r, p.body(r)
		default:
			return nil, errLex
		}
	}
}

func (p *parser) body(r *Rule) error {
	name := p.take()
	if name.kind != word {
		return errLex
	}
	r.Name, r.Offset = name.text, name.from
	for t := p.take(); !t.is("{"); t = p.take() { // tags
		if t.kind == nothing {
			return errLex
		}
	}
	if p.section("meta") {
		p.until("strings", "condition")
	}
	if p.section("strings") {
		if err := p.strings(r); err != nil {
			return err
		}
	}
	if !p.section("condition") {
		return errLex
	}
	from := p.at
	for t := p.take(); !t.is("}"); t = p.take() {
		if t.kind == nothing || t.is("{") {
			return errLex
		}
	}
	r.condition = p.toks[from : p.at-1]
	r.to = p.toks[p.at-1].to
	return nil
}

func (p *parser) section(name string) bool {
	if !p.peek().is(name) || p.at+1 >= len(p.toks) || !p.toks[p.at+1].is(":") {
		return false
	}
	p.at += 2
	return true
}

// until goes on to the head of a section; its name is a keyword, so no meta is called so.
func (p *parser) until(sections ...string) {
	for t := p.peek(); t.kind != nothing && !(t.kind == word && slices.Contains(sections, t.text)); t = p.peek() {
		p.at++
	}
}

// strings reads the strings section.
func (p *parser) strings(r *Rule) error {
	for p.peek().kind == str {
		name := p.take()
		if err := p.want("="); err != nil {
			return err
		}
		value := p.take()
		var modifiers []token
		for t := p.peek(); t.kind != str && !t.is("condition"); t = p.peek() {
			if t.kind == nothing {
				return errLex
			}
			modifiers = append(modifiers, p.take())
		}
		r.strings[name.text] = beginning(value, modifiers)
	}
	return nil
}
