package content

import (
	"context"
	"regexp"
	"slices"
	"strings"

	ahocorasick "github.com/BobuSumisu/aho-corasick"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// Set is all content rules, compiled.
type Set struct {
	rules []rule
	plain *dictionary // of words as written
	bones *dictionary // of words without marks
	parts *dictionary // literals that regular expressions need
}

// rule reports its symbol when its own condition and every one of all hold, and one
// of any (if there are some), and none of not.
type rule struct {
	info          RuleInfo
	all, any, not []condition
}

// condition looks in some places for words, or for a regular expression, or both.
type condition struct {
	where []string
	fold  bool
	words []int // in the dictionary that fold names
	min   int   // so many different words
	full  int   // as many for the whole weight; 0: min is enough
	regex *regexp.Regexp
	needs []int // literals of which the expression needs one; empty: unknown
}

// RuleInfo describes a rule.
type RuleInfo struct {
	Symbol string `json:"symbol"`
	File   string `json:"file"`
	Line   int    `json:"line"`
}

// Rules describes the rules in the order in which they are tried.
func (s *Set) Rules() []RuleInfo {
	var out []RuleInfo
	for i := range s.rules {
		out = append(out, s.rules[i].info)
	}
	return out
}

// apply tries every rule. A symbol is reported once.
func (s *Set) apply(ctx context.Context, t *texts) ([]msg.Finding, error) {
	e := &evaluation{set: s, texts: t, seen: map[string]map[int]bool{}}
	var out []msg.Finding
	done := map[string]bool{}
	for i := range s.rules {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r := &s.rules[i]
		if done[r.info.Symbol] {
			continue
		}
		if evidence, percent, ok := e.rule(r); ok {
			done[r.info.Symbol] = true
			out = append(out, msg.Finding{Symbol: r.info.Symbol, Percent: percent, Evidence: lang.Safe(strings.Join(evidence, ", "), maxEvidence)})
		}
	}
	return out, nil
}

// evaluation is one message against one set; what was seen where is kept, so each
// view is searched once for all rules.
type evaluation struct {
	set   *Set
	texts *texts
	seen  map[string]map[int]bool
}

// rule returns what was seen, and how much of the symbol's weight it is worth, as in
// msg.Finding.
func (e *evaluation) rule(r *rule) (evidence []string, percent int, ok bool) {
	for i := range r.not {
		if _, ok := e.condition(&r.not[i]); ok {
			return nil, 0, false
		}
	}
	for i := range r.all {
		c := &r.all[i]
		what, ok := e.condition(c)
		if !ok {
			return nil, 0, false
		}
		evidence = append(evidence, what...)
		percent = max(percent, c.percent(len(what)))
	}
	for i := range r.any {
		if what, ok := e.condition(&r.any[i]); ok {
			return append(evidence, what...), percent, true
		}
	}
	return evidence, percent, len(r.any) == 0
}

// percent grows with the number of words: three fifths of the weight for min of them, all
// of it for full.
func (c *condition) percent(words int) int {
	if c.full <= c.min || words >= c.full {
		return 0 // all of it
	}
	return 60 + 40*(words-c.min)/(c.full-c.min)
}

func (e *evaluation) condition(c *condition) ([]string, bool) {
	var evidence []string
	if len(c.words) > 0 {
		evidence = e.words(c)
		if len(evidence) < c.min {
			return nil, false
		}
	}
	if c.regex == nil {
		return evidence, true
	}
	hit, ok := e.regex(c)
	return append(evidence, hit), ok
}

// words returns the words that were seen. One that is part of another does not count
// beside it: "vay vốn nhanh" is one word, not also "vay vốn".
func (e *evaluation) words(c *condition) []string {
	d := e.set.plain
	if c.fold {
		d = e.set.bones
	}
	var hits []int
	for _, place := range c.where {
		seen := e.search(place, d, c.fold)
		for _, w := range c.words {
			if seen[w] && !slices.Contains(hits, w) {
				hits = append(hits, w)
			}
		}
	}
	var out []string
	for _, w := range hits {
		part := func(other int) bool { return other != w && strings.Contains(d.entries[other], d.entries[w]) }
		if !slices.ContainsFunc(hits, part) {
			out = append(out, strings.TrimSpace(d.entries[w]))
		}
	}
	return out
}

func (e *evaluation) search(place string, d *dictionary, folded bool) map[int]bool {
	key := "w:" + place
	if folded {
		key = "f:" + place
	}
	return e.once(key, func() map[int]bool { return d.find(e.texts.at(place).tokens(folded)) })
}

func (e *evaluation) once(key string, search func() map[int]bool) map[int]bool {
	if s, ok := e.seen[key]; ok {
		return s
	}
	s := search()
	e.seen[key] = s
	return s
}

// regex runs the expression over the text with marks, or, with fold, over its bones.
func (e *evaluation) regex(c *condition) (string, bool) {
	for _, place := range c.where {
		v := e.texts.at(place)
		key, text, lower := "l:"+place, v.cleaned(), v.lowered
		if c.fold {
			v.fold()
			key, text, lower = "b:"+place, v.bare, func() string { return v.bare }
		}
		if len(c.needs) > 0 {
			seen := e.once(key, func() map[int]bool { return e.set.parts.find(lower()) })
			if !slices.ContainsFunc(c.needs, func(n int) bool { return seen[n] }) {
				continue
			}
		}
		if at := c.regex.FindStringIndex(text); at != nil {
			return text[at[0]:at[1]], true
		}
	}
	return "", false
}

// dictionary finds many strings in one pass.
type dictionary struct {
	entries []string
	index   map[string]int
	trie    *ahocorasick.Trie
}

func newDictionary() *dictionary { return &dictionary{index: map[string]int{}} }

// add returns the entry's number.
func (d *dictionary) add(s string) int {
	if n, ok := d.index[s]; ok {
		return n
	}
	d.entries = append(d.entries, s)
	d.index[s] = len(d.entries) - 1
	return len(d.entries) - 1
}

func (d *dictionary) build() { d.trie = ahocorasick.NewTrieBuilder().AddStrings(d.entries).Build() }

func (d *dictionary) find(text string) map[int]bool {
	seen := map[int]bool{}
	if len(d.entries) == 0 || text == "" {
		return seen
	}
	d.trie.Walk([]byte(text), func(_, _, pattern int64) bool {
		seen[int(pattern)] = true
		return true
	})
	return seen
}
