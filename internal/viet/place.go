package viet

import "unicode/utf8"

// Place returns the syllable with its tone mark where the new spelling puts it: xoá for
// xóa, huỷ for hủy, quý for qúy. A word that is no syllable, or has no tone, is returned
// as it is.
func Place(word string) string {
	var s syllable
	if !s.take(word) || s.marks == 0 {
		return word
	}
	s.divide()
	if !s.fits(rhymes) {
		return word
	}
	at := s.seat()
	var room [maxSyllable * utf8.UTFMax]byte
	out := room[:0]
	for i, name := range s.names[:s.size] {
		tone := byte(level)
		if i == at {
			tone = s.tone
		}
		out = utf8.AppendRune(out, toned[name][tone])
	}
	if string(out) == word { // as nearly always
		return word
	}
	return string(out)
}

// seat is the letter that bears the tone: a vowel with a mark of its own (the last of
// them: ươ), else the second of two vowels where a consonant follows or the first is
// only a glide, else the first.
func (s *syllable) seat() int {
	first, last, own := -1, -1, -1
	for i := s.onset; i < s.size && isVowel(s.names[i]); i++ {
		if first < 0 {
			first = i
		}
		last = i
		if n := s.names[i]; n >= 'A' && n <= 'Z' {
			own = i
		}
	}
	switch {
	case own >= 0:
		return own
	case last == first:
		return first
	case last+1 < s.size, last-first == 2, glides(s.names[first], s.names[first+1]):
		return first + 1
	}
	return first
}

func glides(a, b byte) bool {
	return a == 'o' && (b == 'a' || b == 'e') || a == 'u' && b == 'y'
}

// maxSplit bounds the letters that Split looks at.
const maxSplit = 200

// Split divides a row of letters without spaces into syllables, as few as there may be,
// each of two letters or more, or returns nil where that cannot be done. Letters may lack
// their marks.
func Split(row []rune) []string {
	if len(row) == 0 || len(row) > maxSplit {
		return nil
	}
	const never = maxSplit + 1
	best := make([]int, len(row)+1) // syllables needed for the rest from here
	size := make([]int, len(row)+1)
	for i := len(row) - 1; i >= 0; i-- {
		best[i] = never
		for n := min(maxSyllable, len(row)-i); n > 1; n-- {
			if rest := best[i+n]; rest+1 < best[i] && ValidBare(string(row[i:i+n])) {
				best[i], size[i] = rest+1, n
			}
		}
	}
	if best[0] >= never {
		return nil
	}
	var out []string
	for i := 0; i < len(row); i += size[i] {
		out = append(out, string(row[i:i+size[i]]))
	}
	return out
}
