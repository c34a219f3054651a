package text

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"congthu/internal/viet"
)

// A row is words of one letter after each other: "v.a.y v.o.n", "v a y  v o n". A person
// reads the words.

const (
	minRow = 3
	maxRow = 200 // letters
)

// single is a word of one letter: where it stands, and what lies before it.
type single struct {
	start, end   int // in folded
	begin, until int // in bare
	distance     distance
}

// gap is what stands between two words.
type gap struct {
	marks, spaces uint8
	severed       bool // a line feed, a bracket, a comma: not within one word
}

// distance grades gaps.
type distance uint8

const (
	closed distance = iota // one mark: v.a.y
	narrow                 // one space: v a y
	wide                   // more
	apart                  // no row goes across
)

func (g *gap) mark(r rune) {
	g.marks = min(g.marks+1, 3)
	if !strings.ContainsRune(".-_*/|~+=:·•", r) {
		g.severed = true
	}
}

func (g *gap) white(k kind) {
	g.spaces = min(g.spaces+1, 3)
	if k == newline {
		g.severed = true
	}
}

func (g *gap) distance() distance {
	switch {
	case g.severed, g.marks > 2:
		return apart
	case g.marks == 1 && g.spaces == 0:
		return closed
	case g.marks == 0 && g.spaces < 2:
		return narrow
	}
	return wide
}

// extend adds the word just written, of one letter, to the row.
func (f *folder) extend() {
	s := single{int(f.word.start), len(f.folded), int(f.word.begin), len(f.bare), f.word.gap.distance()}
	if len(f.row) > 0 && s.distance == apart || len(f.row) == maxRow {
		f.endRow()
		// The row before may have been written anew: this word has moved with it.
		s.start, s.begin = len(f.folded)-(s.end-s.start), len(f.bare)-(s.until-s.begin)
		s.end, s.until = len(f.folded), len(f.bare)
	}
	f.row = append(f.row, s)
}

// endRow writes the row as the words that it is read as.
func (f *folder) endRow() {
	row := f.row
	f.row = f.row[:0]
	if len(row) < minRow {
		return
	}
	first, last := row[0], row[len(row)-1]
	words := join(f.folded, row, f.otherLanguage(first.begin))
	bones := make([]string, len(words))
	for i, w := range words {
		bones[i] = strings.Map(func(r rune) rune {
			if r < tableEnd {
				return rune(classes[r].bare)
			}
			return r
		}, w)
	}
	f.folded = splice(f.folded, first.start, last.end, strings.Join(words, " "))
	f.bare = splice(f.bare, first.begin, last.until, strings.Join(bones, " "))
}

// splice replaces b[from:to].
func splice(b []byte, from, to int, s string) []byte {
	tail := string(b[to:])
	return append(append(b[:from], s...), tail...)
}

// join returns the words of a row. Where its letters stand in groups the groups are the
// words; else they are divided into syllables, and stand undivided beside them: "s a l e"
// is no row of syllables. In another language the row is one word: "h.o.m.e" as "ho me
// home" would stand apart from the words around it.
func join(text []byte, row []single, otherLanguage bool) []string {
	least := apart
	for _, s := range row[1:] {
		least = min(least, s.distance)
	}
	var groups []string
	var letters []rune
	for i, s := range row {
		if i > 0 && s.distance > least {
			groups = append(groups, string(letters))
			letters = letters[:0]
		}
		r, _ := utf8.DecodeRune(text[s.start:s.end])
		letters = append(letters, r)
	}
	if len(groups) > 0 {
		return mend(append(groups, string(letters)))
	}
	whole := string(letters)
	if otherLanguage {
		return []string{whole}
	}
	parts := viet.Split(letters)
	if len(parts) < 2 {
		return []string{whole}
	}
	return append(parts, whole)
}

// What is looked at before a row to tell the language.
const (
	lookBack    = 200 // octets
	wordsBefore = 6   // of two letters or more; fewer tell nothing
)

// otherLanguage tells whether the text before a row is not Vietnamese, with marks or
// without: fewer than half of its words are syllables. At the beginning nobody knows.
// What was told holds for the next rows, so that a text of rows costs no more.
func (f *folder) otherLanguage(begin int) bool {
	if f.told > 0 && begin-f.told < lookBack/2 {
		return f.other
	}
	f.told, f.other = begin, notVietnamese(f.bare[max(0, begin-lookBack):begin])
	return f.other
}

func notVietnamese(before []byte) bool {
	words, valid := 0, 0
	for _, w := range bytes.FieldsFunc(before, func(r rune) bool { return r < 'a' || r > 'z' }) {
		if len(w) > 1 {
			words++
			if viet.ValidBare(string(w)) {
				valid++
			}
		}
	}
	return words >= wordsBefore && 2*valid < words
}

// mend joins single letters that are left side by side, as folding again would.
func mend(groups []string) []string {
	for i := 0; i < len(groups); i++ {
		n := i
		for n < len(groups) && utf8.RuneCountInString(groups[n]) == 1 {
			n++
		}
		if n-i >= minRow {
			groups = append(append(groups[:i:i], strings.Join(groups[i:n], "")), groups[n:]...)
		}
	}
	return groups
}
