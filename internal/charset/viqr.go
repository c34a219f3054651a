package charset

import "strings"

// decodeVIQR reads Vietnamese written in ASCII (RFC 1456): "Ti'nh gu+?i". A backslash
// before a mark says that it is none.
func decodeVIQR(octets []byte) string {
	var b strings.Builder
	b.Grow(len(octets) + len(octets)/2)
	for i := 0; i < len(octets); i++ {
		c := octets[i]
		switch {
		case c == '\\' && i+1 < len(octets) && strings.IndexByte(viqrMarks, octets[i+1]) >= 0:
			i++
			b.WriteByte(octets[i])
		case (c == 'd' || c == 'D') && i+1 < len(octets) && octets[i+1]|0x20 == 'd' && !letterBefore(octets, i):
			b.WriteString(map[byte]string{'d': "đ", 'D': "Đ"}[c])
			i++
		default:
			b.WriteByte(c)
			i += vowelMarks(&b, c, octets[i+1:])
		}
	}
	return b.String()
}

const viqrMarks = "\\^(+*'`?~."

func letterBefore(octets []byte, i int) bool {
	return i > 0 && (octets[i-1]|0x20 >= 'a' && octets[i-1]|0x20 <= 'z')
}

// vowelMarks writes the marks that follow a vowel, one of quality and one of tone, and
// returns how many octets they are.
func vowelMarks(b *strings.Builder, vowel byte, next []byte) int {
	n := 0
	switch v := vowel | 0x20; v {
	case 'a', 'e', 'o', 'u', 'i', 'y':
		if len(next) > 0 {
			if m := shapeMark(v, next[0]); m != "" {
				b.WriteString(m)
				n++
			}
		}
	default:
		return 0
	}
	if n < len(next) {
		if m := toneMark(next[n]); m != "" {
			b.WriteString(m)
			n++
		}
	}
	return n
}

func shapeMark(vowel, c byte) string {
	switch {
	case c == '^' && (vowel == 'a' || vowel == 'e' || vowel == 'o'):
		return "\u0302"
	case c == '(' && vowel == 'a':
		return "\u0306"
	case (c == '+' || c == '*') && (vowel == 'o' || vowel == 'u'):
		return "\u031b"
	}
	return ""
}

func toneMark(c byte) string {
	switch c {
	case '\'':
		return "\u0301"
	case '`':
		return "\u0300"
	case '?':
		return "\u0309"
	case '~':
		return "\u0303"
	case '.':
		return "\u0323"
	}
	return ""
}
