package corpus

import (
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// vietnamese are the letters with marks, in the order of the tables below.
const vietnamese = "àảãáạăằẳẵắặâầẩẫấậèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵđ"

// The octets of TCVN 5712:1993 (VN3, the ABC fonts) and of VISCII (RFC 1456). Capitals of
// VN3 come from fonts of capitals, so their case is lost.
const (
	tcvn3Low   = "\xb5\xb6\xb7\xb8\xb9\xa8\xbb\xbc\xbd\xbe\xc6\xa9\xc7\xc8\xc9\xca\xcb\xcc\xce\xcf\xd0\xd1\xaa\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xdc\xdd\xde\xdf\xe1\xe2\xe3\xe4\xab\xe5\xe6\xe7\xe8\xe9\xac\xea\xeb\xec\xed\xee\xef\xf1\xf2\xf3\xf4\xad\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xae"
	tcvn3High  = "ĂÂÊÔƠƯĐ"
	tcvn3Caps  = "\xa1\xa2\xa3\xa4\xa5\xa6\xa7"
	visciiLow  = "\xe0\xe4\xe3\xe1\xd5\xe5\xa2\xc6\xc7\xa1\xa3\xe2\xa5\xa6\xe7\xa4\xa7\xe8\xeb\xa8\xe9\xa9\xea\xab\xac\xad\xaa\xae\xec\xef\xee\xed\xb8\xf2\xf6\xf5\xf3\xf7\xf4\xb0\xb1\xb2\xaf\xb5\xbd\xb6\xb7\xde\xbe\xfe\xf9\xfc\xfb\xfa\xf8\xdf\xd7\xd8\xe6\xd1\xf1\xcf\xd6\xdb\xfd\xdc\xf0"
	visciiHigh = "\xc0\xc4\xc3\xc1\x80\xc5\x82\x02\x05\x81\x83\xc2\x85\x86\x06\x84\x87\xc8\xcb\x88\xc9\x89\xca\x8b\x8c\x8d\x8a\x8e\xcc\x9b\xce\xcd\x98\xd2\x99\xa0\xd3\x9a\xd4\x90\x91\x92\x8f\x93\xb4\x96\x97\xb3\x95\x94\xd9\x9c\x9d\xda\x9e\xbf\xbb\xbc\xff\xba\xb9\x9f\x14\x19\xdd\x1e\xd0"
)

// vniLow writes a letter as its base and a mark of its own, in ISO 8859-1.
func vniLow() []string {
	return strings.Fields("aø aû aõ aù aï aê aè aú aü aé aë aâ aà aå aã aá aä eø eû eõ eù eï eâ eà eå eã eá eä ì æ ó í ò oø oû oõ où oï oâ oà oå oã oá oä ô ôø ôû ôõ ôù ôï uø uû uõ uù uï ö öø öû öõ öù öï yø yû yõ yù î ñ")
}

// encode returns the octets of the text in the form's character set. What the set does
// not have becomes a question mark, as old mail programs wrote it.
func (f Form) encode(s string) []byte {
	s = strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'", "–", "-", "—", "-", "…", "...", "•", "-").Replace(norm.NFC.String(s))
	switch f {
	case TCVN3:
		return byTable(s, func(r rune, i int) string {
			if n := index(tcvn3High, r); n >= 0 {
				return tcvn3Caps[n : n+1]
			}
			return tcvn3Low[i : i+1]
		})
	case VISCII:
		return byTable(s, func(r rune, i int) string {
			if index(vietnamese, r) < 0 {
				return visciiHigh[i : i+1]
			}
			return visciiLow[i : i+1]
		})
	case VNI:
		low := vniLow()
		return byTable(s, func(r rune, i int) string {
			out := low[i]
			if index(vietnamese, r) < 0 {
				out = strings.ToUpper(out)
			}
			return latin1(out)
		})
	case CP1258:
		return windows1258(s)
	}
	return []byte(s)
}

// byTable asks for the octets of each Vietnamese letter by its place in the tables.
func byTable(s string, octets func(r rune, i int) string) []byte {
	var out []byte
	for _, r := range s {
		i := index(vietnamese, []rune(strings.ToLower(string(r)))[0])
		switch {
		case r < 0x80:
			out = append(out, byte(r))
		case i >= 0:
			out = append(out, octets(r, i)...)
		default:
			out = append(out, '?')
		}
	}
	return out
}

func index(list string, want rune) int {
	i := 0
	for _, r := range list {
		if r == want {
			return i
		}
		i++
	}
	return -1
}

func latin1(s string) string {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r))
	}
	return string(out)
}

// windows1258 has the vowels, and the five tones as marks that follow them.
func windows1258(s string) []byte {
	var out []byte
	for _, r := range s {
		if b, ok := charmap.Windows1258.EncodeRune(r); ok {
			out = append(out, b)
			continue
		}
		for _, part := range vowelAndTone(r) {
			b, ok := charmap.Windows1258.EncodeRune(part)
			if !ok {
				b = '?'
			}
			out = append(out, b)
		}
	}
	return out
}

// vowelAndTone takes the tone off a letter and leaves its other mark on: ế is ê and acute.
func vowelAndTone(r rune) []rune {
	var rest, tone []rune
	for _, m := range norm.NFD.String(string(r)) {
		if strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", m) {
			tone = append(tone, m)
		} else {
			rest = append(rest, m)
		}
	}
	return append([]rune(norm.NFC.String(string(rest))), tone...)
}

// label is the character set that the letter claims; the old ones have no name that mail
// programs knew, so they travel under another's.
func (f Form) label() string {
	switch f {
	case TCVN3, VNI:
		return "iso-8859-1"
	case VISCII:
		return "viscii"
	case CP1258:
		return "windows-1258"
	}
	return "utf-8"
}

// font is what an HTML letter in the form must be shown in to be read.
func (f Form) font() string {
	switch f {
	case TCVN3:
		return ".VnTime"
	case VNI:
		return "VNI-Times"
	}
	return ""
}
