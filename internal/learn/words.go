package learn

import (
	"strings"

	"congthu/internal/msg"
)

// Bounds of what is read of the text, in octets of UTF-8.
const (
	charLimit    = 3500
	wordLimit    = 6000
	subjectLimit = 400
	gramSize     = 5
)

// text reads subject and body: runs of octets, syllables, and pairs of syllables. Between
// blanks stands a syllable in Vietnamese and a word in other languages; a pair of them is
// mostly a word in Vietnamese, so no dictionary is needed.
func (e *emitter) text(t *msg.Text) {
	if t == nil {
		return
	}
	e.chars(head(t.Folded, charLimit))
	e.words("d:", syllables(head(t.Folded, wordLimit)))
	if t.Folded != t.Bare {
		e.words("n:", syllables(head(t.Bare, wordLimit)))
	}
	subject, _, _ := strings.Cut(t.Folded, "\n")
	e.words("s:", syllables(head(subject, subjectLimit)))
}

func head(s string, n int) string { return s[:min(len(s), n)] }

// chars reads octets in a row of the text, where everything between two words is one
// space and all digits are one.
func (e *emitter) chars(s string) {
	const mask = 1<<(8*gramSize) - 1
	var gram uint64
	n := 0
	space := true
	for i := range len(s) {
		b := s[i]
		switch {
		case b <= ' ':
			if space {
				continue
			}
			b = ' '
		case b >= '0' && b <= '9':
			b = '0'
		}
		space = b == ' '
		gram = (gram<<8 | uint64(b)) & mask
		if n++; n >= gramSize {
			e.add(Chars, mix(uint32(gram)*0x9E3779B1^uint32(gram>>32)*0x85ebca77))
		}
	}
}

// words reads syllables, alone and in pairs.
func (e *emitter) words(prefix string, list []string) {
	for i, w := range list {
		e.say(Words, prefix, w)
		if i > 0 {
			e.pair(prefix, list[i-1], w)
		}
	}
}

// pair is say for two words with a blank between.
func (e *emitter) pair(prefix, first, second string) {
	if e.named != nil {
		e.say(Words, prefix, first+" "+second)
		return
	}
	var buf [2*syllableLimit + 1]byte
	b := append(append(append(buf[:0], first...), ' '), second...)
	h := uint32(2166136261)
	for i := range len(prefix) {
		h = (h ^ uint32(prefix[i])) * 16777619
	}
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	e.add(Words, mix(h))
}

// syllableLimit bounds a syllable, in octets.
const syllableLimit = 40

// syllables splits text at what is no letter and no digit. All digits are one: a number
// itself is rarely the same twice.
func syllables(s string) []string {
	s = digitless(s)
	out := make([]string, 0, len(s)/5+1)
	start := -1
	for i := range len(s) {
		if inSyllable(s[i]) {
			if start < 0 {
				start = i
			}
		} else if start >= 0 {
			out = append(out, head(s[start:i], syllableLimit))
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, head(s[start:], syllableLimit))
	}
	return out
}

func inSyllable(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '0' || b >= 0x80 || b == '$' || b == '\''
}

func digitless(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= '0' && c <= '9' {
			b[i] = '0'
		}
	}
	return string(b)
}
