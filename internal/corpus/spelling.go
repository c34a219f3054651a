package corpus

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// spell writes the text as the form does. What a form does to letters it does to every
// other word: one who hides does not hide all, and must be caught all the same.
func (f Form) spell(s string) string {
	switch f {
	case NFD:
		return norm.NFD.String(s)
	case Bare:
		return bare(s)
	case Spaced:
		return everyOther(s, func(w string) string { return strings.Join(strings.Split(w, ""), ".") })
	case Digits:
		return everyOther(s, digits)
	case Dashed:
		return everyOther(s, func(w string) string {
			return strings.Join(strings.Split(w, ""), string("-_"[len(w)%2]))
		})
	case Lookalike:
		return everyOther(s, lookalike)
	case ZeroWidth:
		return everyOther(s, func(w string) string { return strings.Join(strings.Split(w, ""), "\u200b") })
	}
	return s
}

// bare takes the Vietnamese marks off.
func bare(s string) string {
	s = strings.NewReplacer("đ", "d", "Đ", "D").Replace(s)
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// everyOther changes every second word of three letters or more; links, addresses and
// numbers stay as they are.
func everyOther(s string, change func(string) string) string {
	words := strings.SplitAfter(s, " ")
	n := 0
	for i, w := range words {
		core := strings.TrimRight(w, " \n.,;:!?")
		if utf8.RuneCountInString(core) < 3 || strings.ContainsFunc(core, func(r rune) bool { return !unicode.IsLetter(r) }) {
			continue
		}
		if n++; n%2 == 1 {
			words[i] = change(core) + w[len(core):]
		}
	}
	return strings.Join(words, "")
}

// lookalike puts letters of other scripts in the place of Latin ones.
func lookalike(w string) string {
	return strings.NewReplacer("a", "а", "o", "о", "e", "е", "c", "с", "i", "і", "p", "р", "y", "у", "x", "х").Replace(w)
}

// digits puts digits in the place of letters that look like them.
func digits(w string) string {
	return strings.NewReplacer("o", "0", "e", "3", "a", "4", "i", "1").Replace(w)
}
