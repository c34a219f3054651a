package text

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// kind is what a letter means to the fold.
type kind uint8

const (
	symbol    kind = iota // neither letter nor space
	latin                 // a Latin letter
	foreign               // a letter of Cyrillic, Greek, Armenian or Cherokee, which may look Latin
	other                 // a letter of a script that looks like no other
	digit                 // 0 to 9
	space                 // one that stays on the line
	newline               //
	unseen                // takes no room on the screen
	direction             // unseen, and turns the text round
	mark                  // combines with the letter before it
	several               // stands for several letters (NFKC)
)

// class is what the fold makes of one rune.
type class struct {
	folded uint16 // lower case, compatibility form
	bare   uint16 // folded without marks
	alike  byte   // the Latin letter that a foreign one is drawn as; 0: none
	kind   kind
}

// tableEnd is where classes end: after the last Latin letters with marks (U+1EFF), the
// Greek ones with breathings, and general punctuation.
const tableEnd = 0x2070

var classes = makeClasses()

func makeClasses() *[tableEnd]class {
	var t [tableEnd]class
	for i := range t {
		t[i] = classOf(rune(i))
	}
	return &t
}

// classOf works out the class of a rune below tableEnd; those beyond go through wide.
func classOf(r rune) class {
	if k, yes := withoutWidth(r); yes {
		return class{kind: k}
	}
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
		return class{folded: uint16(r), kind: mark}
	}
	form := norm.NFKC.String(string(r))
	if utf8.RuneCountInString(form) > 1 {
		return class{kind: several}
	}
	c, _ := utf8.DecodeRuneInString(form)
	c = plain(unicode.ToLower(c))
	if c == 0xF0 || c == 0x256 {
		c = 'đ' // Ð and Ɖ are drawn as Đ
	}
	base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(c)))
	if c == 'đ' {
		base = 'd'
	}
	k := kindOf(c)
	out := class{folded: uint16(c), bare: uint16(base), kind: k}
	if k == foreign {
		out.alike = alike[c]
	}
	return out
}

// withoutWidth tells what takes no room: soft hyphen, joiners, marks of direction. The
// variation selectors and tags beyond tableEnd are such, too.
func withoutWidth(r rune) (kind, bool) {
	switch {
	case r == 0x202D, r == 0x202E: // overrides: the text is shown in another order than it is written
		return direction, true
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r >= 0x180B && r <= 0x180F,
		r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
		r == 0x3164, r == 0xFFA0, r == 0xFEFF, r >= 0xFE00 && r <= 0xFE0F, r >= 0xFFF0 && r <= 0xFFF8, r >= 0xE0000 && r <= 0xE0FFF:
		return unseen, true
	}
	return symbol, false
}

// plain gives typographic marks the form that a rule is typed in.
func plain(r rune) rune {
	switch r {
	case '‘', '’', '‚', '‛', 'ʼ', '´', '`', '′':
		return '\''
	case '“', '”', '„', '‟', '″', '«', '»':
		return '"'
	case '‐', '‑', '‒', '–', '—', '―':
		return '-'
	}
	return r
}

func kindOf(r rune) kind {
	switch {
	case r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029:
		return newline
	case unicode.IsSpace(r):
		return space
	case r >= '0' && r <= '9':
		return digit
	case unicode.Is(unicode.Latin, r):
		return latin
	case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee) && unicode.IsLetter(r):
		return foreign
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return other
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		return mark
	}
	return symbol
}

// doubles are pairs: a small letter of another script and the Latin one that it, or its
// capital, is drawn as (the single letters of Unicode TR 39 that mail uses).
const doubles = "аaсcеeоoрpхxуyіiјjѕsһhвbкkмmнhтtԁdԛqԝwѵvґrгrьbӏlїiёeӓaӧoүyαaβbγyεeρpτtυuνvιiκkχxοoηhζzωwϲcςcσoάaέeίiόoύuήhὰaὲeὶiὸoὺuհhոnսuօoցgյj"

var alike = makeAlike()

func makeAlike() map[rune]byte {
	t := map[rune]byte{}
	var from rune
	for _, r := range doubles {
		if from == 0 {
			from = r
		} else {
			t[from], from = byte(r), 0
		}
	}
	return t
}
