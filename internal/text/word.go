package text

import (
	"strings"
	"unicode/utf8"

	"congthu/internal/viet"
)

// maxExamples is how many words with mixed scripts are kept to be shown.
const maxExamples = 4

// endWord does to the word that was written what needs all its letters.
func (f *folder) endWord() {
	w := &f.word
	if !w.open {
		return
	}
	w.open = false
	if w.foreign > 0 {
		f.rewrite(f.asLatin(string(f.folded[w.start:])))
	}
	if w.digits > 0 && w.letters > 0 {
		f.rewrite(withoutDigits(string(f.folded[w.start:])))
	}
	if w.misplaced {
		if s := string(f.folded[w.start:]); s != viet.Place(s) {
			f.rewrite(viet.Place(s))
		}
	}
	if w.runes == 1 && w.letters == 1 {
		f.extend()
	} else {
		f.endRow()
	}
}

// rewrite replaces the word.
func (f *folder) rewrite(s string) {
	f.folded = append(f.folded[:f.word.start], s...)
	f.bare = f.bare[:f.word.begin]
	for _, r := range s {
		if r < tableEnd {
			r = rune(classes[r].bare)
		}
		f.bare = utf8.AppendRune(f.bare, r)
	}
}

// asLatin reads the letters of other scripts that look Latin as Latin ones, in a word
// that is not plainly of the other script: all its letters look Latin, or some are.
func (f *folder) asLatin(s string) string {
	mixed := f.word.foreign < f.word.letters
	if mixed {
		f.mixed++
		if len(f.example) < maxExamples {
			f.example = append(f.example, s)
		}
	}
	out := strings.Map(func(r rune) rune {
		if l := alike[r]; l != 0 {
			return rune(l)
		}
		return r
	}, s)
	if !mixed && strings.ContainsFunc(out, func(r rune) bool { return kindOf(r) == foreign }) {
		return s
	}
	return out
}

// withoutDigits reads digits as the letters that they are drawn like, where a Vietnamese
// syllable results and the digits are not just a number behind a letter: "v0n", "b4n",
// "1ãi", "t13n", but not "a4", "q1", "h5n1".
func withoutDigits(s string) string {
	if len(s) > 16 || isNumbered(s) {
		return s
	}
	for _, one := range "li" {
		c := strings.Map(func(r rune) rune {
			switch r {
			case '0':
				return 'o'
			case '1':
				return one
			case '3':
				return 'e'
			case '4':
				return 'a'
			}
			return r
		}, s)
		if viet.ValidBare(c) && !strings.ContainsAny(c, "0123456789") {
			return viet.Place(c)
		}
	}
	return s
}

// isNumbered tells a word that is a number with a letter before or behind it, or whose
// digits stand at its end where a counted thing has its number: "a4", "q10", "1a". Behind
// two letters one digit may be a letter, "h0", "ch1"; two may where one more stands inside.
func isNumbered(s string) bool {
	letters := strings.TrimRight(s, "0123456789")
	if !strings.ContainsAny(letters, "0123456789") {
		if len(s)-len(letters) > 1 {
			return true
		}
		return s[len(s)-1] != '0' && utf8.RuneCountInString(letters) < 2
	}
	return utf8.RuneCountInString(strings.TrimLeft(s, "0123456789")) < 2
}
