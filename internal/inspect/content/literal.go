package content

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minLiteral is the shortest literal worth looking for: a single letter is in every
// text.
const minLiteral = 3

// required returns lower-case literals of which a match of the expression must
// contain at least one, or nil when none is certain.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		return best(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			one := required(sub)
			if one == nil {
				return nil
			}
			all = append(all, one...)
		}
		return all
	}
	return nil
}

func literal(re *syntax.Regexp) []string {
	if re.Flags&syntax.FoldCase != 0 && slices.ContainsFunc(re.Rune, manyCases) {
		return nil
	}
	if s := strings.ToLower(string(re.Rune)); utf8.RuneCountInString(s) >= minLiteral {
		return []string{s}
	}
	return nil
}

// manyCases tells whether a letter beyond ASCII has more than an upper and a lower
// form, such as sigma: lower-casing does not bring all of them together.
func manyCases(r rune) bool {
	next := unicode.SimpleFold(r)
	return r >= utf8.RuneSelf && unicode.SimpleFold(next) != r
}

// best picks the part of a sequence whose shortest literal is longest.
func best(subs []*syntax.Regexp) []string {
	var out []string
	for _, sub := range subs {
		if one := required(sub); shortest(one) > shortest(out) {
			out = one
		}
	}
	return out
}

func shortest(list []string) int {
	if len(list) == 0 {
		return 0
	}
	n := len(list[0])
	for _, s := range list {
		n = min(n, len(s))
	}
	return n
}
