package charset

import "strings"

// VNI writes a vowel as its letter and, mostly, an octet behind it for all its marks; the
// octets of capitals are 0x20 lower than those of small letters.

// vniMarks are the combining marks of the octets that follow a, e, o, u, y, ơ, ư.
var vniMarks = map[byte]string{
	0xF9: "\u0301", 0xF8: "\u0300", 0xFB: "\u0309", 0xF5: "\u0303", 0xEF: "\u0323",
	0xE2: "\u0302", 0xE1: "\u0302\u0301", 0xE0: "\u0302\u0300", 0xE5: "\u0302\u0309", 0xE3: "\u0302\u0303", 0xE4: "\u0302\u0323",
	0xEA: "\u0306", 0xE9: "\u0306\u0301", 0xE8: "\u0306\u0300", 0xFA: "\u0306\u0309", 0xFC: "\u0306\u0303", 0xEB: "\u0306\u0323",
}

// vniLetters are the octets that are letters by themselves.
var vniLetters = map[byte]string{
	0xED: "í", 0xEC: "ì", 0xE6: "ỉ", 0xF3: "ĩ", 0xF2: "ị", 0xEE: "ỵ", 0xF4: "ơ", 0xF6: "ư", 0xF1: "đ",
}

func decodeVNI(octets []byte) string {
	var b strings.Builder
	b.Grow(len(octets) * 2)
	for i, c := range octets {
		if c < 0x80 {
			b.WriteByte(c)
			continue
		}
		small := c
		if c >= 0xC0 && c <= 0xDF {
			small |= 0x20
		}
		if m, ok := vniMarks[small]; ok && i > 0 && takesVNI(octets[i-1], m) {
			b.WriteString(m)
			continue
		}
		l, ok := vniLetters[small]
		switch {
		case !ok:
			b.WriteString(latin1(octets[i : i+1]))
		case small != c:
			b.WriteString(strings.ToUpper(l))
		default:
			b.WriteString(l)
		}
	}
	return b.String()
}

// takesVNI tells whether the vowel before may carry the marks: only a has a breve, only
// a, e, o a circumflex, and of ơ and ư the horn is there already.
func takesVNI(vowel byte, marks string) bool {
	switch vowel {
	case 'a', 'A':
		return true
	case 'e', 'E', 'o', 'O':
		return !strings.HasPrefix(marks, "\u0306")
	case 'u', 'U', 'y', 'Y', 0xF4, 0xD4, 0xF6, 0xD6:
		return !strings.HasPrefix(marks, "\u0306") && !strings.HasPrefix(marks, "\u0302")
	}
	return false
}
