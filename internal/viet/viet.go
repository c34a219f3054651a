// Package viet knows how Vietnamese is written: which letters carry which marks, which
// letters together are a syllable, and where its tone mark stands. It is what tells a
// word from a mere row of letters where nothing else does: the octets of an unnamed
// character set, a word written with digits, a phrase with a dot between all its letters.
//
// Words are lower case and composed (NFC) throughout.
package viet

import "unicode/utf8"

// Tones, in the order of the tables.
const (
	level = iota
	grave
	hook
	tilde
	acute
	dot
)

// vowels has a row for each vowel: without tone, grave, hook, tilde, acute, dot.
const vowels = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵ"

// quality names a vowel by one octet: small as it is, capital with its own mark.
const quality = "aABeEioOPuUy"

const stroke = 'D' // names đ

// lastLetter is the last letter of the Vietnamese alphabet in Unicode, ỹ.
const lastLetter = 0x1EF9

// alphabet says of each letter up to lastLetter what it is made of; name 0: no letter.
type letter struct{ name, tone byte }

var alphabet = makeAlphabet()

func makeAlphabet() *[lastLetter + 1]letter {
	var t [lastLetter + 1]letter
	for c := 'a'; c <= 'z'; c++ {
		t[c] = letter{byte(c), level}
	}
	n := 0
	for _, r := range vowels {
		t[r] = letter{quality[n/6], byte(n % 6)}
		n++
	}
	t['đ'] = letter{stroke, level}
	return &t
}

// toned gives back the vowel of that name with that tone, or the letter without one.
var toned = makeToned()

func makeToned() *[128][6]rune {
	var t [128][6]rune
	for r, l := range alphabet {
		if l.name != 0 {
			t[l.name][l.tone] = rune(r)
		}
	}
	return &t
}

// bare is the letter that is left when the marks are taken away.
func bare(name byte) byte {
	switch name {
	case 'A', 'B':
		return 'a'
	case 'O', 'P':
		return 'o'
	}
	if name >= 'A' && name <= 'Z' {
		return name + 'a' - 'A'
	}
	return name
}

// Base returns the letter without Vietnamese marks, đ as d, and any other rune as it is.
func Base(r rune) rune {
	if r >= utf8.RuneSelf && r <= lastLetter {
		if n := alphabet[r].name; n != 0 {
			return rune(bare(n))
		}
	}
	return r
}

// Marked tells whether r is a Vietnamese letter with a mark, or đ.
func Marked(r rune) bool {
	return r >= utf8.RuneSelf && r <= lastLetter && alphabet[r].name != 0
}

// Shaped tells whether r is a vowel with a mark of its own besides the tone: ă â ê ô ơ ư.
func Shaped(r rune) bool {
	if r < utf8.RuneSelf || r > lastLetter {
		return false
	}
	n := alphabet[r].name
	return n >= 'A' && n <= 'Z' && n != stroke
}
