package lookalike

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Readings are the plain domains a hurried eye may take this one for. Our own domains
// can only be asked for one by one, so the common swaps are tried.
func Readings(shown string) []string {
	plain := Fold(shown)
	return []string{
		plain,
		strings.ReplaceAll(plain, "0", "o"),
		strings.ReplaceAll(plain, "1", "l"),
		strings.ReplaceAll(plain, "1", "i"),
		strings.ReplaceAll(plain, "l", "i"),
		strings.ReplaceAll(plain, "i", "l"),
		strings.ReplaceAll(plain, "rn", "m"),
		strings.ReplaceAll(plain, "vv", "w"),
	}
}

// Compatible gives full-width and other compatibility letters their plain form.
func Compatible(s string) string { return norm.NFKC.String(strings.ToValidUTF8(s, "\ufffd")) }

// Fold makes letters plain: lower case, no marks, no look-alikes of other scripts. Each
// letter is made plain by itself, so those that are met every day come from a table.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	plain := usual()
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r < 0x80:
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			b.WriteByte(byte(r))
		case r < tableEnd:
			b.WriteString(plain[r])
		case r >= vietnamese && r < vietnamese+0x100:
			b.WriteString(plain[tableEnd+r-vietnamese])
		default:
			b.WriteString(fold(string(r)))
		}
	}
	return b.String()
}

// The letters of the table: Latin, Greek, Cyrillic and Armenian, and after them those of
// U+1E00 to U+1EFF, where Vietnamese has its own.
const (
	tableEnd   = 0x590
	vietnamese = 0x1E00
)

var usual = sync.OnceValue(func() []string {
	out := make([]string, tableEnd+0x100)
	for r := range rune(tableEnd) {
		out[r] = fold(string(r))
	}
	for r := range rune(0x100) {
		out[tableEnd+r] = fold(string(vietnamese + r))
	}
	return out
})

// fold is Fold without the table.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(Compatible(s))) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r): // tone marks, invisible characters
		default:
			if plain, ok := confusable[r]; ok {
				r = plain
			}
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Skeleton goes on where fold ends: letters and digits that look alike become one. Only
// skeletons may be compared with each other.
func Skeleton(s string) string {
	return alike.Replace(Fold(s))
}

var alike = strings.NewReplacer("rn", "m", "vv", "w", "0", "o", "1", "l", "i", "l", "|", "l", "!", "l", "3", "e", "4", "a", "5", "s")

// confusable has letters of other scripts, and Latin letters without a decomposition,
// that look like a plain one.
var confusable = map[rune]rune{
	'đ': 'd', 'ð': 'd', 'ɖ': 'd', 'ı': 'i', 'ɩ': 'i', 'ł': 'l', 'ø': 'o', 'ħ': 'h', 'ɑ': 'a', 'ɡ': 'g', 'ŋ': 'n', 'ſ': 's',
	'а': 'a', 'в': 'b', 'ь': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'н': 'h', 'і': 'i', 'ј': 'j', 'к': 'k',
	'ӏ': 'l', 'м': 'm', 'п': 'n', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'г': 'r', 'ѕ': 's', 'т': 't', 'ѵ': 'v', 'ԝ': 'w',
	'х': 'x', 'у': 'y',
	'α': 'a', 'β': 'b', 'ε': 'e', 'γ': 'y', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't',
	'υ': 'u', 'χ': 'x', 'ω': 'w',
	'օ': 'o', 'ո': 'n', 'ս': 'u', 'հ': 'h', 'ց': 'g',
}

// MixesScripts tells whether a label has Latin letters beside Cyrillic, Greek or
// Armenian ones.
func MixesScripts(label string) bool {
	latin, other := false, false
	for _, r := range label {
		latin = latin || unicode.Is(unicode.Latin, r)
		other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
	}
	return latin && other
}

// ASCII is the domain in A-labels (RFC 5890), or lower-case when it has no such form.
func ASCII(domain string) string {
	domain = strings.TrimRight(strings.ToLower(domain), ".")
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

// Unicode is the domain as a mail program shows it.
func Unicode(domain string) string {
	u, err := idna.Punycode.ToUnicode(domain)
	if err != nil {
		return domain
	}
	return u
}
