// Package charset reads the character sets that Vietnamese was written in before Unicode
// (TCVN3, VNI, VISCII, VIQR; windows-1258 is in the standard tables), under their own
// name, and where a letter says nothing or something else about itself: by which reading
// makes Vietnamese syllables of it.
//
// Such letters are old, not suspicious: an office that has typed in .VnTime for twenty
// years sends them.
package charset

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Name is how a character set is called in the findings.
type Name string

// The character sets that are told by their syllables.
const (
	TCVN3  Name = "tcvn3" // TCVN 5712:1993, the ABC fonts
	VNI    Name = "vni"
	VISCII Name = "viscii" // RFC 1456
	VIQR   Name = "viqr"   // RFC 1456
	CP1258 Name = "windows-1258"
	UTF8   Name = "utf-8" // read once too often as Latin-1
)

// Decode reads octets that are declared in one of the old Vietnamese sets, in NFC. Not ok:
// the label names no such set, or they are not in it. VIQR stays the ASCII text that it is
// to every mail program; Repair reads it as a person does.
func Decode(label string, octets []byte) (text string, ok bool) {
	switch name := Named(label); name {
	case "":
		return "", false
	case VIQR:
		return string(octets), isASCII(string(octets))
	default:
		return norm.NFC.String(decode(name, octets, false)), true
	}
}

var signs = strings.NewReplacer("-", "", "_", "", ":1993", "", " ", "")

// Named returns the set that a label (RFC 2978, or as old programs wrote it) stands for;
// windows-1258 is left to the general tables.
func Named(label string) Name {
	switch strings.ToLower(label) {
	case "utf-8", "us-ascii", "iso-8859-1": // nearly all are
		return ""
	}
	switch signs.Replace(strings.ToLower(label)) {
	case "tcvn", "tcvn3", "abc", "tcvn5712", "tcvn57121", "tcvn57122", "xviettcvn5712", "xviettcvn", "xtcvn", "csisotcvn5712":
		return TCVN3
	case "viscii", "viscii1.11", "csviscii", "xviscii", "xvietviscii":
		return VISCII
	case "viqr", "csviqr", "xviqr", "xvietviqr":
		return VIQR
	case "vni", "xvietvni", "xvni", "vniwindows", "vnitimes":
		return VNI
	}
	return ""
}

// decode reads octets. loose: they are known as Latin-1 text, whose quotes and dashes the
// fonts of TCVN3 left where windows-1252 has them.
func decode(name Name, octets []byte, loose bool) string {
	switch name {
	case TCVN3:
		return decodeTable(&tcvn3, octets, loose)
	case VISCII:
		return decodeTable(&viscii, octets, false)
	case VNI:
		return decodeVNI(octets)
	case VIQR:
		return decodeVIQR(octets)
	case CP1258:
		out, err := charmap.Windows1258.NewDecoder().Bytes(octets)
		if err == nil {
			return norm.NFC.String(string(out))
		}
	case UTF8:
		if utf8.Valid(octets) {
			return norm.NFC.String(string(octets))
		}
	}
	return latin1(octets)
}

func decodeTable(table *[256]rune, octets []byte, loose bool) string {
	var b strings.Builder
	b.Grow(len(octets) + len(octets)/2)
	for i, c := range octets {
		if loose && c >= 0x80 && c < 0xA0 && !capitals(octets, i) {
			b.WriteRune(cp1252[c-0x80])
			continue
		}
		b.WriteRune(table[c])
	}
	return b.String()
}

// capitals tells whether the octet at i stands in a word of capitals. What closes a quote
// may stand behind a capital.
func capitals(octets []byte, i int) bool {
	upper := func(i int) bool { return i >= 0 && i < len(octets) && octets[i] >= 'A' && octets[i] <= 'Z' }
	closes := octets[i] == 0x92 || octets[i] == 0x94
	switch octets[i] {
	case 0x85, 0x91, 0x93, 0x96, 0x97:
		return upper(i - 1)
	}
	return !closes || upper(i-1) && upper(i+1)
}

// latin1 reads octets as windows-1252, the last resort.
func latin1(octets []byte) string {
	var b strings.Builder
	b.Grow(len(octets) + len(octets)/2)
	for _, c := range octets {
		if c >= 0x80 && c < 0xA0 {
			b.WriteRune(cp1252[c-0x80])
		} else {
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}
