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
		f.swapped()
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
