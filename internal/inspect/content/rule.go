package content

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/needles"
)

// Set is all content rules, compiled.
type Set struct {
	rules      []rule
	composites []Composite
	infos      []RuleInfo
	phrases    *phrases     // the words of all rules, without marks
	exact      []bool       // of phrases: every place counts, because a rule wants them with marks
	parts      *needles.Set // what regular expressions need
	wakes      wakes
}

// rule reports its symbol when every one of all holds, and one of any (if there are
// some), and none of not.
type rule struct {
	symbol        string
	all, any, not []condition
}

// condition looks in some places for words, or for a regular expression, or both.
type condition struct {
	where  []string
	words  []word
	min    int // so many different words
	full   int // as many for the whole weight; 0: min is enough
	regex  *regexp.Regexp
	starts *starts // of the expression, where it has any
	filter *filter // of the expression; nil: it would be too large
	form   form    // in which the expression is compared
	needs  []int32 // parts of which the expression needs one; empty: unknown
}

// word is a word or phrase to be found.
type word struct {
	phrase int32
	folded []string // with its marks; nil: without
	shown  string
}

// wakes says which rules may hold when something is found somewhere. The others need not
// be tried, which is nearly all of them.
type wakes struct {
	places []string
	phrase map[string][][]int32 // place, phrase -> rules
	part   map[string][][]int32 // place, part -> rules
	always []int32              // rules that must be tried on every message
}

// wake enters the rule under what one of its conditions needs: the first of all that
// needs something, else each of any. False: nothing shows that the rule need not be tried.
func (s *Set) wake(n int32) bool {
	r := &s.rules[n]
	for i := range r.all {
		if c := &r.all[i]; c.shows() {
			s.wakeBy(c, n)
			return true
		}
	}
	if len(r.all) > 0 || slices.ContainsFunc(r.any, func(c condition) bool { return !c.shows() }) {
		s.wakes.always = append(s.wakes.always, n)
		return false
	}
	for i := range r.any {
		s.wakeBy(&r.any[i], n)
	}
	return true
}

// shows tells whether a search of the text can say that the condition does not hold.
func (c *condition) shows() bool { return len(c.words)+len(c.needs) > 0 }

func (s *Set) wakeBy(c *condition, n int32) {
	enter := func(t map[string][][]int32, place string, what int32) {
		for len(t[place]) <= int(what) {
			t[place] = append(t[place], nil)
		}
		t[place][what] = append(t[place][what], n)
	}
	for _, place := range c.where {
		if !slices.Contains(s.wakes.places, place) {
			s.wakes.places = append(s.wakes.places, place)
		}
		for _, w := range c.words {
			enter(s.wakes.phrase, place, w.phrase)
		}
		if len(c.words) > 0 {
			continue
		}
		for _, part := range c.needs {
			enter(s.wakes.part, place, part)
		}
	}
}

// woken returns the rules that may hold, in the order of the files.
func (s *Set) woken(v *views) []int32 {
	out := slices.Clone(s.wakes.always)
	for _, place := range s.wakes.places {
		w := v.at(place)
		w.search(s)
		out = wakeUp(out, s.wakes.phrase[place], w.phrases.order)
		out = wakeUp(out, s.wakes.part[place], w.partsSeen)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wakeUp appends the rules of what was found.
func wakeUp(out []int32, rules [][]int32, found []int32) []int32 {
	for _, n := range found {
		if int(n) < len(rules) {
			out = append(out, rules[n]...)
		}
	}
	return out
}

// apply tries the rules that may hold. A symbol is reported once.
func (s *Set) apply(ctx context.Context, v *views) ([]msg.Finding, error) {
	var out []msg.Finding
	done := map[string]bool{}
	for _, n := range s.woken(v) {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r := &s.rules[n]
		if done[r.symbol] {
			continue
		}
		if evidence, percent, ok := r.holds(s, v); ok {
			done[r.symbol] = true
			out = append(out, msg.Finding{Symbol: r.symbol, Percent: percent, Evidence: lang.Safe(strings.Join(evidence, ", "), maxEvidence)})
		}
	}
	return out, ctx.Err()
}

// holds returns what was seen, and how much of the symbol's weight it is worth, as in
// msg.Finding.
func (r *rule) holds(s *Set, v *views) (evidence []string, percent int, ok bool) {
	if !r.possible(s, v) {
		return nil, 0, false
	}
	for i := range r.all {
		c := &r.all[i]
		what, ok := c.holds(s, v)
		if !ok {
			return nil, 0, false
		}
		evidence = append(evidence, what...)
		percent = max(percent, c.percent(len(what)))
	}
	ok = len(r.any) == 0
	for i := range r.any {
		var what []string
		if what, ok = r.any[i].holds(s, v); ok {
			evidence = append(evidence, what...)
			break
		}
	}
	denied := func(c condition) bool { _, yes := c.holds(s, v); return yes }
	return evidence, percent, ok && !slices.ContainsFunc(r.not, denied)
}

// possible tells by what was searched already that all may hold, before any expression is
// tried.
func (r *rule) possible(s *Set, v *views) bool {
	for i := range r.all {
		if c := &r.all[i]; len(c.words) > 0 && len(c.found(s, v)) < c.min || len(c.needs) > 0 && !c.needed(s, v) {
			return false
		}
	}
	return true
}

// needed tells whether a part that the expression needs stands in one of the places.
func (c *condition) needed(s *Set, v *views) bool {
	return slices.ContainsFunc(c.where, func(place string) bool {
		view := v.at(place)
		view.search(s)
		return view.part(c.needs)
	})
}

// percent grows with the number of words: three fifths of the weight for min of them, all
// of it for full.
func (c *condition) percent(words int) int {
	if c.full <= c.min || words >= c.full {
		return 0 // all of it
	}
	return 60 + 40*(words-c.min)/(c.full-c.min)
}

func (c *condition) holds(s *Set, v *views) ([]string, bool) {
	var evidence []string
	if len(c.words) > 0 {
		if evidence = c.found(s, v); len(evidence) < c.min {
			return nil, false
		}
	}
	if c.regex == nil {
		return evidence, true
	}
	hit, ok := c.match(s, v)
	return append(evidence, hit), ok
}

// found returns the different words that are there, in the order of the rule. One that is
// part of another does not count beside it: "vay vốn nhanh" is one word, not also "vay vốn".
func (c *condition) found(s *Set, v *views) []string {
	var hits []string
	for _, w := range c.words {
		for _, place := range c.where {
			view := v.at(place)
			view.search(s)
			if view.has(w.phrase, w.folded) {
				if !slices.Contains(hits, w.shown) {
					hits = append(hits, w.shown)
				}
				break
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(hits), func(w string) bool {
		return slices.ContainsFunc(hits, func(other string) bool {
			return other != w && strings.Contains(" "+other+" ", " "+w+" ")
		})
	})
}

func (c *condition) find(text string) []int {
	if c.filter != nil && !c.filter.may(text) {
		return nil
	}
	if c.starts != nil {
		return c.starts.find(text)
	}
	return c.regex.FindStringIndex(text)
}

func (c *condition) match(s *Set, v *views) (string, bool) {
	for _, place := range c.where {
		view := v.at(place)
		if len(c.needs) > 0 {
			view.search(s)
			if !view.part(c.needs) {
				continue
			}
		}
		text := view.in(c.form)
		if at := c.find(text); at != nil {
			return text[at[0]:at[1]], true
		}
	}
	return "", false
}
