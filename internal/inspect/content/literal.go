package content

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"congthu/internal/text"
)

// minRun is the shortest run of letters worth looking for: a single one is in every text.
const minRun = 2

// required returns runs of letters, in the form without marks, of which the form without
// marks of any text that the expression matches contains at least one; nil when none is
// certain. Letters alone keep their company in that form: digits may be read as letters,
// and single letters with gaps as words.
func required(re *syntax.Regexp) []string {
	if all, ok := spelled(re); ok {
		return runs(all)
	}
	switch re.Op {
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

// maxSpelled is how many texts an expression may match for them to be listed.
const maxSpelled = 32

// spelled lists all texts that the expression matches, if they are few: the parser has
// made m(?:k|ật khẩu) of mk|mật khẩu.
func spelled(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, re.Flags&syntax.FoldCase == 0 || !slices.ContainsFunc(re.Rune, manyCases)
	case syntax.OpCapture:
		return spelled(re.Sub[0])
	case syntax.OpQuest:
		all, ok := spelled(re.Sub[0])
		return append(all, ""), ok
	case syntax.OpConcat:
		all, ok := []string{""}, true
		for _, sub := range re.Sub {
			if all, ok = follow(all, sub); !ok {
				return nil, false
			}
		}
		return all, true
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			one, ok := spelled(sub)
			if all = append(all, one...); !ok || len(all) > maxSpelled {
				return nil, false
			}
		}
		return all, true
	}
	return nil, false
}

// follow lists each text with each that sub matches behind it.
func follow(heads []string, sub *syntax.Regexp) ([]string, bool) {
	tails, ok := spelled(sub)
	if !ok || len(heads)*len(tails) > maxSpelled {
		return nil, false
	}
	out := make([]string, 0, len(heads)*len(tails))
	for _, h := range heads {
		for _, t := range tails {
			out = append(out, h+t)
		}
	}
	return out, true
}

// runs is the longest run of letters of each text, or nil when one has none.
func runs(all []string) []string {
	var out []string
	for _, s := range all {
		longest := ""
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !steady(r) }) {
			if utf8.RuneCountInString(w) >= minRun && len(w) > len(longest) {
				longest = w
			}
		}
		if longest == "" {
			return nil
		}
		if _, bare := text.Fold(longest); !slices.Contains(out, bare) {
			out = append(out, bare)
		}
	}
	return out
}

// steady tells letters that fold one by one, whatever stands beside them: Latin ones, and
// those of scripts that do not look Latin.
func steady(r rune) bool {
	return unicode.Is(unicode.Latin, r) || unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Arabic, unicode.Hebrew) && unicode.IsLetter(r)
}

// manyCases tells whether a letter beyond ASCII has more than an upper and a lower form,
// such as sigma: lower-casing does not bring all of them together.
func manyCases(r rune) bool {
	next := unicode.SimpleFold(r)
	return r >= utf8.RuneSelf && unicode.SimpleFold(next) != r
}

// best picks the part of a sequence whose shortest run is longest. Neighbours that can be
// spelled out together are one part.
func best(subs []*syntax.Regexp) []string {
	var out []string
	take := func(one []string) {
		if shortest(one) > shortest(out) {
			out = one
		}
	}
	together := []string{""}
	for _, sub := range subs {
		if more, ok := follow(together, sub); ok {
			together = more
			continue
		}
		take(runs(together))
		together = []string{""}
		take(required(sub))
		if own, ok := spelled(sub); ok {
			together = own
		}
	}
	take(runs(together))
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

// never tells whether a literal of the expression cannot stand in folded text, which is
// lower case, or in bare text, which has no marks besides; and shows it.
func never(re *syntax.Regexp, bare bool) (string, bool) {
	if re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0 {
		for _, r := range re.Rune {
			folded, plain := text.Fold(string(r))
			if unicode.IsLetter(r) && (folded != string(r) || bare && plain != string(r)) {
				return string(r), true
			}
		}
	}
	for _, sub := range re.Sub {
		if s, yes := never(sub, bare); yes {
			return s, true
		}
	}
	return "", false
}
