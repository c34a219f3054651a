package mimetree

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// addSpellings adds what readers and file systems may make of one name: each step is
// something that a program in use does. Together they come last, so that a person is
// shown the name as it was written.
func addSpellings(out []string, name string) []string {
	if ordinary(name) {
		return out
	}
	add := func(s string) {
		if s = visible(s); s != "" && len(out) < maxNames && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, s := range charsetsOf(name) {
		add(s)
		if looseWord.MatchString(s) {
			add(looseWord.ReplaceAllString(s, "=?utf-8?$1?$2?="))
		}
		if before, _, cut := strings.Cut(s, "\x00"); cut {
			add(before) // a C string ends here
		}
		if strings.Contains(s, "%") {
			add(string(percentDecode(s)))
		}
		if stream := strings.IndexByte(s, ':'); stream > 1 {
			add(s[:stream]) // NTFS: the name of a stream of the file
		}
		if i := strings.LastIndexAny(s, "(;"); i > 0 {
			add(s[:i]) // taken for a comment or the next parameter
		}
		if i := strings.IndexByte(s, '"'); i > 0 {
			add(strings.TrimRight(s[:i], `\`)) // taken for the end of the name
		}
	}
	return out
}

// maxNames bounds the names of one part.
const maxNames = 64

// looseWord is an encoded word in a charset that nobody knows, or without an end.
var looseWord = regexp.MustCompile(`=\?[^? ]{0,64}\?([bBqQ])\?([^? ]*)\??=?$`)

// ordinary tells the names that everybody reads alike.
func ordinary(name string) bool {
	for _, r := range name {
		odd := r < ' ' || r >= 0x7F && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError ||
			r >= 0x2000 || strings.ContainsRune("\"'`%:;=?", r)
		if odd && !(r >= 0x1E00 && r < 0x1F00) {
			return false
		}
	}
	return strings.TrimRight(name, ". ") == name
}

// visible is the name without what cannot be seen and without what Windows drops at its
// end, in the compatible forms of its letters (NFKC).
func visible(s string) string {
	s = DecodeWords(s)
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
			unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	return strings.TrimRight(strings.Trim(s, "\"'` "), ". ")
}

// charsetsOf reads raw octets in the encodings in use here; what is UTF-8 is nothing else.
func charsetsOf(name string) []string {
	out := []string{name}
	if utf8.ValidString(name) {
		return out
	}
	for _, charset := range []string{"windows-1258", "windows-1252"} {
		if s, ok := toUTF8(charset, []byte(name)); ok {
			out = append(out, s)
		}
	}
	return out
}
