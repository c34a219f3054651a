package content

import (
	"unicode"
	"unicode/utf8"

	"congthu/internal/octets"
)

// span is a word of a text.
type span struct{ from, to int32 }

// A word of folded text is letters, digits and the percent sign.
var inWord = func() (t [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789%" {
		t[c] = true
	}
	return t
}()

func beyondASCII(s string) (size int, letter bool) {
	r, n := utf8.DecodeRuneInString(s)
	return n, unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// nextWord returns where the first word at or behind i begins and ends; from is the length
// of the text when there is none.
func nextWord(s string, i int) (from, to int) {
	for i < len(s) && !inWord[s[i]] {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		n, letter := beyondASCII(s[i:])
		if letter {
			break
		}
		i += n
	}
	return i, endOfWord(s, i)
}

// endOfWord returns where the word ends in which i stands.
func endOfWord(s string, i int) int {
	for i < len(s) {
		if inWord[s[i]] {
			i++
			continue
		}
		if s[i] < utf8.RuneSelf {
			break
		}
		n, letter := beyondASCII(s[i:])
		if !letter {
			break
		}
		i += n
	}
	return i
}

// wordsOf are the words of folded text as strings.
func wordsOf(s string) []string {
	var out []string
	for from, to := nextWord(s, 0); from < len(s); from, to = nextWord(s, to) {
		out = append(out, s[from:to])
	}
	return out
}

// spanner finds the words of a text as far as they are asked for.
type spanner struct {
	text string
	done int // octets that were divided
	list []span
}

// upTo returns the words of the text, of which there are n at least if it has as many.
func (w *spanner) upTo(n int) []span {
	for len(w.list) < n {
		from, to := nextWord(w.text, w.done)
		if from >= len(w.text) {
			break
		}
		w.list = append(w.list, span{int32(from), int32(to)})
		w.done = to
	}
	return w.list
}

// wordOctets returns how many of eight octets, from the lowest on, are in a word; one
// beyond ASCII is not, whatever it is.
func wordOctets(x uint64) int {
	return octets.Run(octets.Within(x, 'a', 'z') | octets.Within(x, '0', '9') | octets.Within(x, '%', '%'))
}

// key is a number for a word: its octets where they are eight or fewer, and a hash of
// them for a longer one. No word has the octet 0xFF, which tells the two apart; two long
// words may have one key.
func key(word string) uint64 {
	if len(word) > 8 {
		return hash64(word) | 0xFF<<56
	}
	k := uint64(0)
	for i := len(word) - 1; i >= 0; i-- {
		k = k<<8 | uint64(word[i])
	}
	return k
}

// hash64 is FNV-1a.
func hash64(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
