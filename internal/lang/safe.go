package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe makes untrusted text fit for a terminal or a log line: control
// characters, escape sequences, direction overrides and broken UTF-8 are shown
// as \x1b or \u202e instead of being obeyed. At most max runes are kept; max <= 0
// keeps all.
func Safe(s string, max int) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(s); {
		if max > 0 && n >= max {
			b.WriteString("…")
			break
		}
		r, w := utf8.DecodeRuneInString(s[i:])
		writeSafe(&b, r, w, s[i])
		i += w
		n++
	}
	return b.String()
}

func writeSafe(b *strings.Builder, r rune, width int, octet byte) {
	const hex = "0123456789abcdef"
	switch {
	case r == utf8.RuneError && width == 1, r < 0x20, r == 0x7f:
		b.WriteString(`\x` + string(hex[octet>>4]) + string(hex[octet&15]))
	case r == ' ' || unicode.IsPrint(r) || unicode.Is(unicode.Mn, r):
		b.WriteRune(r) // Mn: decomposed Vietnamese (NFD) is ordinary text
	default:
		b.WriteString(escapeRune(r))
	}
}

func escapeRune(r rune) string {
	q := []byte(`\u0000`)
	const hex = "0123456789abcdef"
	if r > 0xffff {
		q = []byte(`\U00000000`)
	}
	for i := len(q) - 1; i > 1; i-- {
		q[i] = hex[r&15]
		r >>= 4
	}
	return string(q)
}
