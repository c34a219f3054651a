package yarascan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hillu/go-yara/v4"

	"congthu/cmd/congthu-scan/yarasplit"
	"congthu/internal/scanproto"
)

// Rules are compiled rules. They must not be closed while a scan runs.
type Rules struct {
	digest string
	count  int
	book   map[string]Judgement // by namespace, a zero octet and name; without private rules
	sets   []*set               // the first is the whole
	byHead map[string]int       // which of the sets an object needs that begins so
	plain  int                  // which the others need
}

// set is the rules for some objects.
type set struct {
	compiled *yara.Rules // nil: none can match
	rules    int
	uses     []string // of the externals
}

// Count returns the number of rules.
func (r *Rules) Count() int { return r.count }

// Digest names the state of the files that the rules were compiled from.
func (r *Rules) Digest() string { return r.digest }

// Load compiles the rules. The problems are the administrator's mistakes, with their
// lines; err is trouble with the machine.
func Load(s Source) (*Rules, []scanproto.Problem, error) {
	return LoadUnless(s, "")
}

// LoadUnless is Load, but returns nothing at all when the files are those that have
// this digest.
func LoadUnless(s Source, known string) (*Rules, []scanproto.Problem, error) {
	files, problems, err := s.read()
	if err != nil || len(problems) > 0 {
		return nil, problems, err
	}
	sum := digest(files)
	if sum == known {
		return nil, nil, nil
	}
	compiled, problems, err := whole(files)
	if err != nil || len(problems) > 0 {
		return nil, problems, err
	}
	r := &Rules{digest: sum, book: map[string]Judgement{}, byHead: map[string]int{}}
	if problems := append(tried(compiled, s.Dir), r.judge(compiled, files)...); len(problems) > 0 {
		return nil, problems, nil
	}
	r.sets = []*set{{compiled: compiled, rules: r.count, uses: externals()}}
	r.split(files)
	return r, nil, nil
}

// judge asks every rule what its match means, and leaves files whole that the splitter
// sees otherwise than libyara does.
func (r *Rules) judge(compiled *yara.Rules, files []*file) []scanproto.Problem {
	byName := map[string]*file{}
	for _, f := range files {
		byName[f.name] = f
	}
	var problems []scanproto.Problem
	seen := map[string][]string{}
	for _, rule := range compiled.GetRules() {
		r.count++
		f := byName[rule.Namespace()]
		seen[f.name] = append(seen[f.name], rule.Identifier())
		if rule.IsPrivate() {
			continue
		}
		j, ok := judge(rule, f.house)
		if !ok {
			problems = append(problems, untagged(f, rule.Identifier()))
		}
		r.book[key(f.name, rule.Identifier())] = j
	}
	for _, f := range files {
		f.rules = len(seen[f.name])
		if f.parts != nil && !slices.EqualFunc(f.parts.Rules, seen[f.name], func(a *yarasplit.Rule, b string) bool { return a.Name == b }) {
			f.parts = nil
		}
	}
	return problems
}

func key(namespace, rule string) string { return namespace + "\x00" + rule }

func untagged(f *file, rule string) scanproto.Problem {
	message := fmt.Sprintf("rule %q has neither the tag malware nor suspicious, nor a meta that says what its match means: write  rule %s : malware", rule, rule)
	if f.parts != nil {
		for _, r := range f.parts.Rules {
			if r.Name == rule {
				return at(f, 1+strings.Count(f.text[:r.Offset], "\n"), message)
			}
		}
	}
	return scanproto.Problem{File: f.path, Message: message}
}

// split compiles a set for each kind of object that many rules demand. Whatever does
// not work out leaves those objects to the whole.
func (r *Rules) split(files []*file) {
	popular := map[string]int{}
	for _, f := range files {
		if f.parts == nil {
			continue
		}
		for _, rule := range f.parts.Rules {
			for _, h := range rule.Beginnings() {
				popular[h]++
			}
		}
	}
	r.plain = r.part(files, "")
	heads := slices.SortedFunc(maps.Keys(popular), func(a, b string) int {
		return cmp.Or(popular[b]-popular[a], strings.Compare(a, b))
	})
	for i, h := range heads {
		r.byHead[h] = 0
		if i < mostSets && r.size() < 3*r.count+500 { // rules for everything are in each set
			r.byHead[h] = r.part(files, h)
		}
	}
}

const mostSets = 15

// size is the number of rules in all sets together.
func (r *Rules) size() int {
	n := 0
	for _, s := range r.sets {
		n += s.rules
	}
	return n
}

// part compiles the rules for objects that begin so, and returns its place; that of the
// whole when there is nothing to gain.
func (r *Rules) part(files []*file, head string) int {
	s := &set{}
	var units []unit
	for _, f := range files {
		p := f.piece(head)
		if p.Rules == 0 {
			continue
		}
		units = append(units, unit{p.Text, f.name})
		s.rules += p.Rules
		for _, w := range p.Words {
			if slices.Contains(externals(), w) && !slices.Contains(s.uses, w) {
				s.uses = append(s.uses, w)
			}
		}
	}
	if len(units) > 0 {
		var err error
		if s.compiled, err = compile(units); err != nil || len(s.compiled.GetRules()) != s.rules {
			return 0
		}
	}
	r.sets = append(r.sets, s)
	return len(r.sets) - 1
}

func (f *file) piece(head string) yarasplit.Piece {
	if f.parts == nil {
		return yarasplit.Piece{Text: f.text, Rules: f.rules, Words: externals()}
	}
	return f.parts.Piece(head)
}
