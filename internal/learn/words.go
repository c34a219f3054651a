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
	e.wordsOf("d:", head(t.Folded, wordLimit))
	if t.Folded != t.Bare {
		e.wordsOf("n:", head(t.Bare, wordLimit))
	}
	subject, _, _ := strings.Cut(t.Folded, "\n")
	e.wordsOf("s:", head(subject, subjectLimit))
}

func head(s string, n int) string { return s[:min(len(s), n)] }

// chars reads octets in a row of the text, where everything between two words is one
// space and all digits are one.
func (e *emitter) chars(s string) {
	const mask = 1<<(8*gramSize) - 1
	set := &e.sets[Chars]
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
			set.add(mix(uint32(gram)*0x9E3779B1 ^ uint32(gram>>32)*0x85ebca77))
		}
	}
}

// wordsOf reads the syllables of a text, alone and in pairs.
func (e *emitter) wordsOf(prefix, s string) {
	if e.named != nil {
		e.words(prefix, syllables(s))
		return
	}
	set := &e.sets[Words]
	start := fnv(fnvStart, prefix)
	pair, behind := uint32(0), false
	for i := 0; i < len(s); {
		if syllabic[s[i]] == 0 {
			i++
			continue
		}
		one, two := start, pair
		for most := i + syllableLimit; i < len(s) && syllabic[s[i]] != 0; i++ {
			if i < most {
				c := uint32(syllabic[s[i]])
				one = (one ^ c) * fnvPrime
				two = (two ^ c) * fnvPrime
			}
		}
		set.add(mix(one))
		if behind {
			set.add(mix(two))
		}
		pair, behind = (one^' ')*fnvPrime, true
	}
}

// words reads syllables one by one, so that each can be named; wordsOf does the same.
func (e *emitter) words(prefix string, list []string) {
	for i, w := range list {
		e.say(Words, prefix, w)
		if i > 0 {
			e.say(Words, prefix, list[i-1]+" "+w)
		}
	}
}

// syllabic is what an octet is within a syllable, all digits being one; 0: it is in none.
var syllabic = func() (t [256]byte) {
	for i := range t {
		if b := digitless(string([]byte{byte(i)})); inSyllable(b[0]) {
			t[i] = b[0]
		}
	}
	return t
}()

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
