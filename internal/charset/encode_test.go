package charset

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// The encoders of the tests: what the old programs wrote.

func encode(name Name, s string) string {
	switch name {
	case TCVN3:
		return encodeTable(&tcvn3, s)
	case VISCII:
		return encodeTable(&viscii, s)
	case VNI:
		return encodeMarks(s, func(base rune, marks string) string {
			if l := string(base) + marks; len(marks) > 0 || base == 'đ' || base == 'Đ' {
				for c, own := range vniLetters {
					if norm.NFC.String(l) == own {
						return string([]byte{c})
					}
					if norm.NFC.String(l) == strings.ToUpper(own) {
						return string([]byte{c - 0x20})
					}
				}
			}
			out := string([]byte{byte(base)})
			if rest, ok := strings.CutPrefix(marks, "\u031b"); ok { // ơ and ư are letters
				out = map[rune]string{'o': "\xf4", 'O': "\xd4", 'u': "\xf6", 'U': "\xd6"}[base]
				marks = rest
			}
			for c, m := range vniMarks {
				if m == marks && base < 'a' {
					return out + string([]byte{c - 0x20})
				}
				if m == marks {
					return out + string([]byte{c})
				}
			}
			return out
		})
	case VIQR:
		last := ' '
		return encodeMarks(s, func(base rune, marks string) string {
			out := string(base)
			switch {
			case base == 'đ':
				out = "dd"
			case base == 'Đ':
				out = "DD"
			case strings.ContainsRune(viqrMarks, base) && (strings.ContainsRune("aeiouyAEIOUY", last) || base == '\\'):
				out = "\\" + out
			}
			last = base
			return out + strings.NewReplacer("\u0302", "^", "\u0306", "(", "\u031b", "+", "\u0301", "'", "\u0300", "`", "\u0309", "?", "\u0303", "~", "\u0323", ".").Replace(marks)
		})
	case CP1258:
		return encodeMarks(s, func(base rune, marks string) string {
			shaped := norm.NFC.String(string(base) + strings.Trim(marks, "\u0301\u0300\u0309\u0303\u0323"))
			tone := strings.Trim(marks, "\u0302\u0306\u031b")
			own := map[string]string{"ă": "\xe3", "Ă": "\xc3", "đ": "\xf0", "Đ": "\xd0", "ơ": "\xf5", "Ơ": "\xd5", "ư": "\xfd", "Ư": "\xdd"}
			out, ok := own[shaped]
			if !ok {
				out = string([]byte{byte([]rune(shaped)[0])})
			}
			return out + map[string]string{"\u0301": "\xec", "\u0300": "\xcc", "\u0309": "\xd2", "\u0303": "\xde", "\u0323": "\xf2"}[tone]
		})
	}
	return s
}

func encodeTable(table *[256]rune, s string) string {
	var out []byte
	letter := func(r rune) bool {
		for c, t := range table {
			if t == r {
				out = append(out, byte(c))
				return true
			}
		}
		return false
	}
	for _, r := range s {
		if !letter(r) { // Ằ of TCVN 5712
			whole := []rune(norm.NFD.String(string(r)))
			letter([]rune(norm.NFC.String(string(whole[:len(whole)-1])))[0])
			letter(whole[len(whole)-1])
		}
	}
	return string(out)
}

// encodeMarks hands over each letter with its marks, that of quality before that of tone.
func encodeMarks(s string, write func(base rune, marks string) string) string {
	var b strings.Builder
	letters := []rune(norm.NFD.String(s))
	for i := 0; i < len(letters); {
		base := letters[i]
		shape, tone := "", ""
		for i++; i < len(letters) && letters[i] >= 0x300 && letters[i] < 0x370; i++ {
			if m := letters[i]; m == 0x302 || m == 0x306 || m == 0x31b {
				shape = string(m)
			} else {
				tone = string(m)
			}
		}
		b.WriteString(write(base, shape+tone))
	}
	return b.String()
}
