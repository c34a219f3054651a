package viet

import "unicode/utf8"

// maxSyllable is the longest syllable in letters: nghiêng.
const maxSyllable = 7

// syllable is a word taken apart, in the names of its letters.
type syllable struct {
	names [maxSyllable]byte
	size  int
	onset int // how many letters come before the rhyme
	tone  byte
	marks int // how many letters carry a tone
}

// take reads the letters of a word; false when it cannot be one syllable.
func (s *syllable) take(word string) bool {
	for i := 0; i < len(word); {
		r, w := rune(word[i]), 1
		if r >= utf8.RuneSelf {
			r, w = utf8.DecodeRuneInString(word[i:])
		}
		if s.size == maxSyllable || r > lastLetter || alphabet[r].name == 0 {
			return false
		}
		l := alphabet[r]
		s.names[s.size] = l.name
		if l.tone != level {
			s.tone = l.tone
			s.marks++
		}
		s.size++
		i += w
	}
	return s.size > 0 && s.marks < 2
}

// divide finds the onset; the rest is the rhyme.
func (s *syllable) divide() {
	at := func(i int) byte {
		if i < s.size {
			return s.names[i]
		}
		return 0
	}
	switch c := at(0); {
	case c == 'n' && at(1) == 'g' && at(2) == 'h':
		s.onset = 3
	case c == 'g' && at(1) == 'i' && isVowel(at(2)), c == 'q' && at(1) == 'u':
		s.onset = 2
	case at(1) == 'h' && (c == 'c' || c == 'g' || c == 'k' || c == 'n' || c == 'p' || c == 't'), c == 'n' && at(1) == 'g', c == 't' && at(1) == 'r':
		s.onset = 2
	case c != 0 && !isVowel(c):
		s.onset = 1
	}
}

func isVowel(name byte) bool {
	switch name {
	case 'a', 'A', 'B', 'e', 'E', 'i', 'o', 'O', 'P', 'u', 'U', 'y':
		return true
	}
	return false
}

// ends tells whether onset and rhyme may stand together. strict is the spelling with
// marks; without it the letters' own marks have been left out.
func (s *syllable) fits(known map[string]bool) bool {
	rhyme := s.names[s.onset:s.size]
	if len(rhyme) == 0 {
		return false
	}
	if s.onset == 2 && s.names[0] == 'g' && s.names[1] == 'i' && rhyme[0] == 'E' {
		return known["i"+string(rhyme)] // giếng: the i belongs to both
	}
	return known[string(rhyme)] && s.opens(rhyme[0])
}

// opens holds the spelling of the onsets that are written by what follows.
func (s *syllable) opens(next byte) bool {
	front := next == 'e' || next == 'E' || next == 'i' || next == 'y'
	switch onset := string(s.names[:s.onset]); onset {
	case "c", "ng":
		return !front
	case "g":
		return !front || next == 'i'
	case "k":
		return front
	case "gh", "ngh":
		return front && next != 'y'
	case "qu":
		return next != 'u' && next != 'U' && next != 'o' || next == 'o' && s.size > 3
	case "", "b", "d", "D", "h", "l", "m", "n", "p", "r", "s", "t", "v", "x", "ch", "gi", "kh", "nh", "ph", "th", "tr":
		return true
	}
	return false // f, j, w, z
}

// Valid tells whether the word is a syllable as it is written, with all its marks. A
// word of plain letters may be one: "ban", "cao".
func Valid(word string) bool {
	var s syllable
	if !s.take(word) {
		return false
	}
	s.divide()
	return s.fits(rhymes) && s.rings()
}

// rings tells whether the tone can be spoken: before a stop there are but two.
func (s *syllable) rings() bool {
	switch last := s.names[s.size-1]; {
	case last == 'c', last == 'p', last == 't', last == 'h' && s.names[s.size-2] == 'c':
		return s.tone == acute || s.tone == dot
	}
	return true
}

// ValidBare tells whether the word without its marks is a syllable without its marks:
// "duong" of "dương", "viet" of "việt".
func ValidBare(word string) bool {
	var s syllable
	if !s.take(word) {
		return false
	}
	for i := range s.size {
		s.names[i] = bare(s.names[i])
	}
	s.divide()
	return s.fits(bareRhymes)
}
