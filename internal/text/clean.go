package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Clean is the text as it stands, letters large and small, with only what has no width
// taken out and compatibility letters made plain.
func Clean(s string) string {
	if isASCII(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if _, yes := withoutWidth(r); yes {
			return -1
		}
		return r
	}, s)
	return norm.NFKC.String(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
