package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean gives text the one form that rules are compared with: compatibility letters
// (full width, mathematical) become plain ones, marks are composed, characters without
// width are gone. It returns how many of those stood between two letters.
func clean(s string) (string, int) {
	if isPlain(s) {
		return s, 0
	}
	var b strings.Builder
	b.Grow(len(s))
	n := 0
	var last rune
	for _, r := range s {
		if !invisible(r) {
			b.WriteRune(r)
			last = r
		} else if unicode.IsLetter(last) {
			n++
		}
	}
	return norm.NFKC.String(b.String()), n
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// invisible tells whether r takes no room on the screen. U+200D joins emoji, so it
// counts only between letters, which the caller checks.
func invisible(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x180E, r == 0xFEFF,
		r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x2069,
		r >= 0xE0000 && r <= 0xE007F:
		return true
	}
	return false
}

// folder takes clean, lower-case text to its bones: no marks, đ as d, and the letters
// of other scripts that look Latin as the Latin ones. It holds the answer for every
// letter of the scripts that have marks, 0 for a mark itself.
type folder []rune

const foldedTo = 0x2000 // the last Latin letters with marks end at U+1EFF

func newFolder() folder {
	f := make(folder, foldedTo)
	for i := range f {
		r := rune(i)
		base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			f[i] = 'd'
		default:
			f[i] = latin(base)
		}
	}
	return f
}

func (f folder) fold(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r >= 0 && int(r) < len(f) {
			r = f[r]
		}
		if r != 0 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// latin returns the Latin letter that a lower-case letter of another script is drawn
// as, or the letter itself (Unicode TR 39, the single letters of it that mail uses).
func latin(r rune) rune {
	const from = "асеорхуіјѕвһкмнтԁԛԝοαερτυνικγϲ"
	const to = "aceopxyijsbhkmhtdqwoaeptuvikyc"
	if r < 0x370 || r > 0x52F {
		return r
	}
	i := 0
	for _, f := range from {
		if f == r {
			return rune(to[i])
		}
		i++
	}
	return r
}

// tokens joins the words of lower-case text by one space each, with a space at both
// ends, so that " word " is found as a substring only where it is whole. Runs of
// single letters are joined: "v.a.y v o n" reads as "vay von" does to a person, as
// long as there are three or more of them.
func tokens(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && r != '%'
	})
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte(' ')
	for i := 0; i < len(words); {
		n := single(words[i:])
		if n < 3 {
			n = 1
		}
		for _, w := range words[i : i+n] {
			b.WriteString(w)
		}
		b.WriteByte(' ')
		i += n
	}
	return b.String()
}

// single counts the words of one letter at the head of the list.
func single(words []string) int {
	for i, w := range words {
		if r, size := utf8.DecodeRuneInString(w); size != len(w) || !unicode.IsLetter(r) {
			return i
		}
	}
	return len(words)
}

// mixedScript returns the words that mix Latin with Cyrillic or Greek letters.
func mixedScript(s string) []string {
	if isPlain(s) {
		return nil
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cyrillic, unicode.Greek) }) {
		return nil
	}
	var out []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) }) {
		var isLatin, other bool
		for _, r := range w {
			isLatin = isLatin || unicode.Is(unicode.Latin, r)
			other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek)
		}
		if isLatin && other && len(out) < 100 {
			out = append(out, w)
		}
	}
	return out
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}
