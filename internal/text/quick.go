package text

import (
	"encoding/binary"
	"unicode/utf8"

	"congthu/internal/octets"
	"congthu/internal/viet"
)

// The quick way through a text: words of nothing but Latin letters, as nearly all are, one
// after the other with one space between, eight octets at a time. Whatever else there is
// goes letter by letter, in fold.go; both write the same.

// quick is what the quick way knows of a letter beyond ASCII.
type quick struct {
	folded [3]byte // the letter in UTF-8
	size   uint8   // octets of it; 0: a letter that goes the long way
	bare   byte    // without marks
	toned  bool    // see loneTone
	marked bool    // a Vietnamese letter with a mark
}

var quicks = makeQuicks()

func makeQuicks() *[tableEnd]quick {
	var t [tableEnd]quick
	for r := rune(utf8.RuneSelf); r < tableEnd; r++ {
		c := &classes[r]
		if c.kind != latin || c.bare >= utf8.RuneSelf {
			continue
		}
		q := quick{bare: byte(c.bare), toned: loneTone(c), marked: viet.Marked(rune(c.folded))}
		q.size = uint8(copy(q.folded[:], string(rune(c.folded))))
		t[r] = q
	}
	return &t
}

// words takes words from i on as long as they are plain, and returns where it stopped:
// behind the space after a word, at the end of a word that stays open, or at the beginning
// of one that is not plain.
func (f *folder) words(s string, i int) int {
	for i+8 <= len(s) {
		start, begin := len(f.folded), len(f.bare)
		end := f.plain(s, i)
		if end == i {
			return i
		}
		w := &f.word
		if w.runes > 1 && !w.misplaced && s[end] == ' ' && len(f.row) == 0 {
			f.folded, f.bare = append(f.folded, ' '), append(f.bare, ' ')
			f.gap = gap{spaces: 1}
			f.last = space
			i = end + 1
			continue
		}
		w.open, w.letters, w.foreign, w.digits = true, w.runes, 0, 0
		w.start, w.begin, w.gap = int32(start), int32(begin), f.gap
		f.gap, f.last = gap{}, latin
		return end
	}
	return i
}

// plain writes the word that begins at i if all its letters are plain and it ends within
// the text, and returns where it ends; else nothing is written, and it ends at i. Of the
// word that is being read it sets what the letters say.
func (f *folder) plain(s string, i int) (end int) {
	folded, bare := f.folded, f.bare
	runes, toned, misplaced := int32(0), false, false
	for at := i; at+8 <= len(s); {
		x := octets.Eight(s[at:]) | octets.Cases
		if n := octets.Run(octets.Within(x, 'a', 'z')); n > 0 {
			if toned {
				l := byte(x)
				misplaced = misplaced || l == 'a' || l == 'e' || l == 'y'
				toned = false
			}
			folded, bare = firstOf(folded, x, n), firstOf(bare, x, n)
			runes += int32(n)
			if at += n; n == 8 {
				continue
			}
		}
		c := s[at]
		if c < utf8.RuneSelf {
			if runes == 0 || c >= '0' && c <= '9' {
				return i
			}
			f.folded, f.bare = folded, bare
			f.word.runes, f.word.toned, f.word.misplaced = runes, toned, misplaced
			return at
		}
		r, size := decodeRune(s[at:])
		if r >= tableEnd || quicks[r].size == 0 {
			return i
		}
		q := &quicks[r]
		misplaced = misplaced || toned && q.marked
		toned = q.toned
		folded = append(folded, q.folded[:]...)[:len(folded)+int(q.size)]
		bare = append(bare, q.bare)
		runes++
		at += size
	}
	return i
}

// firstOf appends the first n of eight octets.
func firstOf(b []byte, x uint64, n int) []byte {
	return binary.LittleEndian.AppendUint64(b, x)[:len(b)+n]
}
