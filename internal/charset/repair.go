package charset

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"congthu/internal/viet"
)

// Repair returns text that was decoded by its declaration as it was meant, in valid
// UTF-8, and the character set that it turned out to be in; "" when the declaration was
// right, or nothing better is known. expected is what a font in it or the letter around it
// suggests; it lowers the bar. Time grows with the length only.
//
// What cannot have come from octets of Latin-1 (Vietnamese in Unicode beside it) is left,
// line by line.
func Repair(s string, expected Name) (string, Name) {
	if isASCII(s) {
		if expected != VIQR && !maybeVIQR(s) {
			return s, ""
		}
		return repairAs(s, VIQR, sample(s), expected)
	}
	whole := utf8.ValidString(s)
	if !whole || !settled(s) {
		words := sample(s)
		best, name := fit{}, Name("")
		for _, n := range []Name{UTF8, TCVN3, VNI, VISCII, CP1258} {
			if f := judge(words, n); f.valid > best.valid || name == "" {
				best, name = f, n
			}
		}
		if expected != "" && judge(words, expected).valid >= best.valid {
			name = expected
		}
		if out, n := repairAs(s, name, words, expected); n != "" {
			return out, n
		}
	}
	if whole {
		return s, ""
	}
	return wellFormed(s), ""
}

// repairAs reads the text in the set if that is clearly better than as it is.
func repairAs(s string, name Name, words [][]byte, expected Name) (string, Name) {
	if !judge(words, name).convinces(name == expected) {
		return s, ""
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	changed := false
	for len(s) > 0 {
		line := s
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			line = s[:i+1]
		}
		s = s[len(line):]
		if out, ok := repairLine(line, name); ok {
			b.WriteString(out)
			changed = true
		} else {
			b.WriteString(wellFormed(line))
		}
	}
	if !changed {
		name = ""
	}
	return b.String(), name
}

// repairLine reads one line in the set; not ok where it is not from octets, or is
// Vietnamese as it is.
func repairLine(line string, name Name) (string, bool) {
	octets, ok := octetsOf(line)
	if !ok || name != VIQR && isASCII(line) && !hasControls(line) {
		return "", false
	}
	var f fit
	for _, w := range wordsOf(octets[:min(len(octets), maxLine)], nil, name == VIQR) {
		f.add(w, name)
	}
	if f.asIs > f.valid {
		return "", false
	}
	return norm.NFC.String(decode(name, octets, true)), true
}

// hasControls tells letters of VISCII and TCVN3 among the control octets.
func hasControls(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\n' && c != '\r' && c != '\t' {
			return true
		}
	}
	return false
}

// wellFormed reads octets that are no UTF-8 as windows-1252.
func wellFormed(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && w == 1 {
			b.WriteString(latin1([]byte{s[i]}))
		} else {
			b.WriteString(s[i : i+w])
		}
		i += w
	}
	return norm.NFC.String(b.String())
}

// octetsOf takes decoded text back to the octets that it was read from as Latin-1 or
// windows-1252 (or x-user-defined); octets that were kept stay.
func octetsOf(s string) ([]byte, bool) {
	if !utf8.ValidString(s) {
		return []byte(s), true
	}
	out := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r < 0x100:
			out = append(out, byte(r))
		case r >= 0xF780 && r <= 0xF7FF:
			out = append(out, byte(r))
		default:
			c, ok := toCP1252[r]
			if !ok {
				return nil, false
			}
			out = append(out, c)
		}
	}
	return out, true
}

const (
	maxSample  = 150 // words
	enough     = 40  // words that are Vietnamese as they are settle it
	maxOctets  = 16  // of a word that is worth looking at
	maxScanned = 64 << 10
	maxLine    = 64 // octets that tell what a line is
)

// settled tells, cheaply, that the text is right as it is: among its first letters with
// marks are many that Latin-1 does not have, or its words are Vietnamese.
func settled(s string) bool {
	beyond, within := 0, 0
	for _, r := range s {
		if r < 0x80 {
			continue
		}
		if r < 0x100 || r >= 0xF780 && r <= 0xF7FF {
			within++
		} else if _, ok := toCP1252[r]; ok {
			within++
		} else if beyond++; beyond >= enough && beyond*2 > within {
			return true
		}
		if within > 400 {
			break
		}
	}
	return within == 0
}

// sample gathers the words that tell something: from octets, with one beyond ASCII, or,
// in ASCII text, with a mark of VIQR.
func sample(s string) [][]byte {
	ascii := isASCII(s)
	s = s[:min(len(s), maxScanned)]
	var words [][]byte
	for len(s) > 0 && len(words) < maxSample {
		line := s
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			line = s[:i+1]
		}
		s = s[len(line):]
		if octets, ok := octetsOf(line); ok {
			words = wordsOf(octets, words, ascii)
		}
	}
	return words
}

// wordsOf appends the words of a line that tell something; signs without a plain letter
// beside them do not.
func wordsOf(line []byte, words [][]byte, ascii bool) [][]byte {
	for i := 0; i < len(line); {
		start, tells, letters := i, false, false
		for i < len(line) && isWordOctet(line[i], ascii) {
			tells = tells || tellsSet(line, i, ascii)
			letters = letters || line[i]|0x20 >= 'a' && line[i]|0x20 <= 'z'
			i++
		}
		if tells && letters && i-start <= maxOctets && len(words) < maxSample {
			words = append(words, line[start:i])
		}
		i++
	}
	return words
}

func isWordOctet(c byte, ascii bool) bool {
	switch {
	case c|0x20 >= 'a' && c|0x20 <= 'z', c >= 0x80:
		return true
	case ascii:
		return strings.IndexByte("^(+'`?~.", c) >= 0
	}
	return c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f'
}

// tellsSet tells whether the octet shows that the word is no plain ASCII word. A mark of
// tone alone is too often an apostrophe or the end of a sentence.
func tellsSet(line []byte, i int, ascii bool) bool {
	if !ascii {
		return line[i] >= 0x80 || line[i] < 0x20
	}
	return i > 0 && shapeMark(line[i-1]|0x20, line[i]) != ""
}

// maybeVIQR tells ASCII text that has at least a few vowels with a circumflex or a horn.
func maybeVIQR(s string) bool {
	n := 0
	for _, mark := range []byte{'^', '+'} {
		for rest := s; n < 3; {
			i := strings.IndexByte(rest, mark)
			if i < 0 {
				break
			}
			if i > 0 && shapeMark(rest[i-1]|0x20, mark) != "" {
				n++
			}
			rest = rest[i+1:]
		}
	}
	return n >= 3
}

// fit counts how well words do in a set.
type fit struct {
	words, valid int // Vietnamese syllables when read so
	asIs         int // Vietnamese syllables as they are
	odd          int // words with a sign inside that is no letter, as no language writes them
}

func judge(words [][]byte, name Name) fit {
	var f fit
	for _, w := range words {
		f.add(w, name)
	}
	return f
}

func (f *fit) add(w []byte, name Name) {
	f.words++
	if syllable(latin1(w)) {
		f.asIs++
	}
	if name == UTF8 {
		if utf8.Valid(w) && len(w) > 1 {
			f.valid++
			f.odd++
		}
		return
	}
	word := decode(name, w, true)
	if name == VIQR {
		word = strings.TrimRight(word, "('`?~.+^")
	}
	if syllable(word) {
		f.valid++
		if hasSign(w) {
			f.odd++
		}
	}
}

// syllable tells whether the word, in any case, is a Vietnamese one.
func syllable(w string) bool {
	return viet.Valid(norm.NFC.String(strings.ToLower(strings.Trim(w, "“”‘’\u00a0…–—"))))
}

// hasSign tells signs of Latin-1 (¸ © ® ¬) next to letters.
func hasSign(w []byte) bool {
	for i, c := range w {
		if c >= 0xA1 && c <= 0xBF && (i > 0 && w[i-1]|0x20 >= 'a' && w[i-1]|0x20 <= 'z' || i+1 < len(w) && w[i+1]|0x20 >= 'a' && w[i+1]|0x20 <= 'z') {
			return true
		}
	}
	return false
}

// convinces holds the bar: most of the words are Vietnamese when read so, and clearly
// more than as they are. The fewer words, the higher.
func (f fit) convinces(expected bool) bool {
	share, asIs := float64(f.valid)/float64(max(f.words, 1)), float64(f.asIs)/float64(max(f.words, 1))
	switch {
	case f.valid == 0:
		return false
	case expected:
		return share >= 0.5 && share > asIs
	case f.words < 3:
		return f.valid == f.words && f.asIs == 0 && (f.odd > 0 || f.words == 2)
	}
	return share >= 0.6 && share >= asIs+0.2
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
