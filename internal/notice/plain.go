package notice

import (
	"strings"
	"unicode"

	"congthu/internal/lang"
	"congthu/internal/text"
)

// Plain makes words of a stranger fit for a letter of ours: one line, nothing that is not
// seen, and nothing that a mail program makes a link of. Our name stands on the letter, and
// what the stranger says is not ours. Programs make links of more than URLs: of bare host
// names, of addresses, of anything before a colon; so no dot, colon or slash is left between
// two characters, nor any at-sign. At most max runes of the original are shown.
func Plain(s string, max int) string {
	r := []rune(strings.Join(strings.Fields(text.Clean(s)), " "))
	cut := len(r) > max
	if cut {
		r = r[:max]
	}
	var b strings.Builder
	for i, c := range r {
		b.WriteString(plainRune(c, i > 0 && r[i-1] != ' ', i+1 < len(r) && r[i+1] != ' '))
	}
	if cut {
		b.WriteString("…")
	}
	return lang.Safe(b.String(), 0)
}

// plainRune is one character of Plain; before and after tell whether another stands there.
func plainRune(c rune, before, after bool) string {
	switch {
	case c == '@' || c == '﹫':
		return "(at)"
	case c == '.' || c == '。' || c == '․' || c == '｡' || c == '·' && before && after:
		if before && after || before && c != '.' {
			return "[.]"
		}
		return "."
	case c == ':' || c == '：' || c == '∶':
		if after {
			return "[:]"
		}
		return ":"
	case (c == '/' || c == '⁄' || c == '∕') && before && after:
		return "[/]"
	case c == '\\':
		return `[\]` // a file server begins with two
	case c == '<' || c == '>':
		return map[rune]string{'<': "(", '>': ")"}[c]
	case unicode.Is(unicode.Cf, c) || unicode.Is(unicode.Co, c):
		return ""
	}
	return string(c)
}
