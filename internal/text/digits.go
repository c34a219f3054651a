package text

import (
	"slices"
	"strings"
	"unicode/utf8"

	"congthu/internal/viet"
)

// Digits and signs in the place of letters: "v0n", "ng4n h4ng", "z4l0", "b1tc0in", "ca$h".
// A word that mixes them with letters is read back where a word comes out: a Vietnamese
// syllable, or else what can be spoken. A number of a document, a plate or a part, which
// has its digits at one end or cannot be spoken, stays as it is: "a4", "q10", "h5n1",
// "covid19".

const (
	longestSwapped = 20 // octets of a word that is read back
	longestSigned  = 6  // of one with a sign; longer ones are addresses of a house: "root@printer"
	shortestSpoken = 4  // "z4l0"; shorter ones are codes: "b2b", "p2p"
	toldSwapped    = 4  // letters of a word that is counted as a trick
	suspicious     = 3  // words read back: the text is read again, and others are looked at harder
)

// drawn gives for a digit or sign the letters that it is drawn like, the likeliest last.
func drawn(c byte) string {
	switch c {
	case '0':
		return "o"
	case '1':
		return "li"
	case '3':
		return "e"
	case '4', '@':
		return "a"
	case '5', '$':
		return "s"
	case '6':
		return "bg"
	case '7':
		return "t"
	case '8':
		return "b"
	case '9':
		return "g"
	}
	return ""
}

// isSign tells the signs that stand for letters inside words.
func isSign(r rune) bool { return r == '@' || r == '$' }

// swapped reads the word that was written as its reader does, and counts the trick.
func (f *folder) swapped() {
	s := string(f.folded[f.word.start:])
	if len(s) > longestSwapped || f.word.signed && (len(s) > longestSigned || !f.standsFree()) {
		return
	}
	read, ok := f.readBack(s)
	if !ok {
		return
	}
	f.rewrite(read)
	f.hints++
	if f.standsFree() && utf8.RuneCountInString(read) >= toldSwapped && len(f.swaps) < maxExamples && !slices.Contains(f.swaps, s) {
		f.swaps = append(f.swaps, s)
	}
}

// readBack gives the word that is meant. What may as well be a number, "h04", is a word
// where others were swapped.
func (f *folder) readBack(s string) (string, bool) {
	if !isNumbered(s) || f.suspect && !isShort(s) {
		if read, ok := asSyllable(s); ok {
			return read, true
		}
	}
	return asSpoken(s, f.suspect)
}

// standsFree tells whether the word touches no other: what does is part of an address, a
// number, or a link.
func (f *folder) standsFree() bool {
	g := f.word.gap
	return (g.spaces > 0 || g.severed || g.marks == 0) && f.ender != '.' && f.ender != '-' && f.ender != '_' && f.ender != '/'
}

// isShort tells what is a number wherever it stands: "a4", "7h", "h5".
func isShort(s string) bool {
	last := s[len(s)-1]
	return len(s) < 3 || last >= '5' && last <= '9' || s[0] >= '0' && s[0] <= '9'
}

// asSyllable reads digits as letters where a Vietnamese syllable results: "v0n", "b4n",
// "1ãi", "t13n", "7iền".
func asSyllable(s string) (string, bool) {
	for choice := range 2 {
		c, ok := redrawn(s, choice)
		if ok && viet.ValidBare(c) {
			return viet.Place(c), true
		}
	}
	return s, false
}

// redrawn puts letters in the place of digits and signs, the first or the last choice.
func redrawn(s string, choice int) (string, bool) {
	out := make([]byte, len(s))
	for i := range len(s) {
		out[i] = s[i]
		if s[i] >= '0' && s[i] <= '9' || isSign(rune(s[i])) {
			d := drawn(s[i])
			if d == "" {
				return s, false
			}
			out[i] = d[min(choice, len(d)-1)]
		}
	}
	return string(out), true
}

// isNumbered tells a word that is a number with a letter before or behind it, or whose
// digits stand at its end where a counted thing has its number: "a4", "q10", "1a", "tổ7".
// Behind two letters one digit may be a letter, "h0", "ch1"; two may where one more stands
// inside. A five or more at the end is a number, "an5", "ca7"; so are hours: "7h30", "8am".
func isNumbered(s string) bool {
	letters := strings.TrimRight(s, "0123456789")
	if unit := strings.TrimLeft(letters, "0123456789"); len(unit) < len(letters) && (len(unit) < 2 || unit == "am" || unit == "pm") {
		return true
	}
	last := s[len(s)-1]
	if isSign(rune(last)) || last >= '5' && last <= '9' {
		return true
	}
	if !strings.ContainsAny(letters, "0123456789@$") {
		if len(s)-len(letters) > 1 {
			return true
		}
		return last != '0' && utf8.RuneCountInString(letters) < 2
	}
	return utf8.RuneCountInString(strings.TrimLeft(s, "0123456789")) < 2
}

// asSpoken reads digits as letters in a word of another language, or a name: they stand
// between letters, not too many of them, and what comes out can be spoken. Three letters
// are read where others were swapped: "4l0".
func asSpoken(s string, suspect bool) (string, bool) {
	least := shortestSpoken
	if suspect {
		least--
	}
	if len(s) < least || !isWritten(s) {
		return s, false
	}
	out, ok := redrawn(s, 1)
	if !ok {
		return s, false
	}
	b := []byte(out)
	for i := range b {
		if s[i] == '1' && isEll(b, i) {
			b[i] = 'l'
		}
	}
	if !canBeSpoken(b) {
		return s, false
	}
	return string(b), true
}

// isWritten tells a word whose digits stand as letters do: at most one before it, two
// inside it in a row, and at its end only where there is one inside as well, or it has no
// vowel yet: "fr33", but not "mp3", "html5", "2024a".
func isWritten(s string) bool {
	var run, inner, letters, digits int
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
			if run > 2 || run > 1 && i == run {
				return false
			}
			if run > 0 && i > run {
				inner++
			}
			run = 0
			letters++
		case c >= '0' && c <= '9' || isSign(rune(c)):
			run++
			digits++
		default:
			return false
		}
	}
	if letters == 0 || digits > letters+1 || s[0] >= '5' && s[0] <= '9' || len(s) <= shortestSpoken && strings.ContainsAny(s, "6789") {
		return false
	}
	last := s[len(s)-1]
	switch {
	case run == 0:
		return inner > 0 || letters > 3
	case run == 1:
		return last == '0' || inner > 0 && (last == '1' || last == '3' || last == '4')
	}
	return run == 2 && (last == '0' || last == '3') && s[len(s)-2] == last && !strings.ContainsAny(s[:len(s)-2], vowelsSpoken)
}

const vowelsSpoken = "aeiouy"

func isSpokenVowel(c byte) bool { return strings.IndexByte(vowelsSpoken, c) >= 0 }

// isEll tells whether a one is an l and not an i: between vowels, behind one at the end, and
// at the beginning where the word goes on with a vowel: "va1ue", "emai1", "1ogin", "b1og".
func isEll(b []byte, i int) bool {
	behind := i+1 < len(b) && isSpokenVowel(b[i+1])
	switch {
	case i == 0:
		return behind
	case isSpokenVowel(b[i-1]):
		return behind || i+1 == len(b)
	}
	return i == 1 && behind && strings.IndexByte("bcfgp", b[0]) >= 0
}

const (
	mostConsonants = 4 // in a row, in a word that is spoken: "ngths" is one too many
	mostVowels     = 3
)

// openings are two consonants that words begin with.
const openings = " bl br ch cl cr dr dw fl fr gh gl gr kh kl kn kr ng nh ph pl pr ps qu rh sc sh sk sl sm sn sp sq st sw th tr ts tw wh wr "

// canBeSpoken tells a row of letters that a person can say: consonants and vowels take
// turns, and it begins as words do.
func canBeSpoken(b []byte) bool {
	run, vowels, all := 0, false, 0
	for i, c := range b {
		v := isSpokenVowel(c)
		if i > 0 && v == vowels {
			run++
		} else {
			run = 1
		}
		vowels = v
		if v {
			all++
		}
		if v && run > mostVowels || !v && run > mostConsonants {
			return false
		}
		if i > 1 && b[i-1] == c && b[i-2] == c {
			return false
		}
	}
	if all == 0 || all == len(b) {
		return false
	}
	if isSpokenVowel(b[0]) || isSpokenVowel(b[1]) {
		return true
	}
	return strings.Contains(openings, " "+string(b[:2])+" ")
}
