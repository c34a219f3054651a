package text

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"congthu/internal/viet"
)

// Fold gives text the one form in which it is compared with others: lower case, what
// takes no room on the screen taken out, compatibility letters (full width, mathematical)
// as plain ones, tone marks placed one way, look-alike letters, digits for letters and
// spread words as they are read; and the same without marks. White space is one space,
// or one line feed where there was one. Folding twice changes nothing more.
func Fold(s string) (folded, bare string) {
	f := fold(len(s), func(f *folder) { f.write(s) })
	return string(f.folded), string(f.bare)
}

// fold folds what write writes; again, looking harder, where words turn out to be written
// with digits.
func fold(size int, write func(*folder)) *folder {
	f := newFolder(size)
	write(f)
	f.end()
	if f.hints < suspicious {
		return f
	}
	f = newFolder(size)
	f.suspect = true
	write(f)
	f.end()
	return f
}

// folder folds in one pass, letter by letter. The little that is not letter by letter is
// done at the end of a word, on what was written of it.
type folder struct {
	folded, bare []byte
	tricks
	word    word
	slow    bool // letter by letter only, which says in tests what is right
	row     []single
	told    int  // where the language was last looked at; 0: never
	other   bool // and whether it was another than Vietnamese
	gap     gap
	last    kind // of what was written last
	suspect bool // words are written with digits in this text
	ender   rune // the sign that ends the word; 0: none
}

// tricks counts what no honest text needs.
type tricks struct {
	unseen  int      // characters without width behind a letter
	turns   int      // direction overrides
	mixed   int      // words that mix Latin letters with those of another script
	example []string // the first of them, as written

	hints int      // words that were read back
	swaps []string // the first words with digits or signs in the place of letters, as written, each once
}

// word is the one being read: where it begins and what it holds. One is made for every
// word, so it is small.
type word struct {
	open         bool
	toned        bool  // the letter before is o, u or i with a tone
	misplaced    bool  // and was followed by a letter that may want it
	signed       bool  // a sign stands in it, for a letter
	gap          gap   // before it
	start, begin int32 // in folded, in bare
	runes        int32
	letters      int32 // Latin and foreign
	foreign      int32
	digits       int32
}

func newFolder(size int) *folder {
	return &folder{folded: make([]byte, 0, size+size/64+64), bare: make([]byte, 0, size+size/64+64), gap: gap{severed: true}}
}

func (f *folder) write(s string) {
	for i := 0; i < len(s); {
		if !f.slow && !f.word.open && (isLetter[s[i]] || s[i] >= utf8.RuneSelf) {
			if i = f.words(s, i); i == len(s) {
				return
			}
		}
		c := s[i]
		switch {
		case isLetter[c]:
			n := i + 1
			for n < len(s) && isLetter[s[n]] {
				n++
			}
			f.letters(s[i:n])
			i = n
		case c == ' ' && f.word.open:
			f.space()
			i++
		case c < utf8.RuneSelf:
			f.rune(rune(c), &classes[c])
			i++
		default:
			r, w := decodeRune(s[i:])
			i += w
			if r < tableEnd {
				f.rune(r, &classes[r])
			} else {
				f.beyond(r)
			}
		}
	}
}

// isLetter tells a to z and A to Z.
var isLetter = func() (t [256]bool) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	return t
}()

// decodeRune is utf8.DecodeRuneInString, quicker for what Vietnamese is made of.
func decodeRune(s string) (rune, int) {
	if c := s[0]; c >= 0xC2 && c <= 0xDF && len(s) > 1 && s[1]&0xC0 == 0x80 {
		return rune(c&0x1F)<<6 | rune(s[1]&0x3F), 2
	} else if c == 0xE1 && len(s) > 2 && s[1]&0xC0 == 0x80 && s[2]&0xC0 == 0x80 {
		return 0x1000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return utf8.DecodeRuneInString(s)
}

func (f *folder) end() {
	f.endWord()
	f.endRow()
}

// letters takes a run of a to z, large or small.
func (f *folder) letters(run string) {
	w := &f.word
	if !w.open {
		f.openWord()
	}
	if w.toned {
		l := run[0] | 0x20
		w.misplaced = w.misplaced || l == 'a' || l == 'e' || l == 'y'
		w.toned = false
	}
	w.runes += int32(len(run))
	w.letters += int32(len(run))
	n, m := len(f.folded), len(f.bare)
	f.folded, f.bare = slices.Grow(f.folded, len(run))[:n+len(run)], slices.Grow(f.bare, len(run))[:m+len(run)]
	folded, bare := f.folded[n:], f.bare[m:]
	for i := range len(run) { // words are short: copying costs less than asking for it
		c := run[i] | 0x20
		folded[i], bare[i] = c, c
	}
	f.last = latin
}

// space is the short way for one space behind a word.
func (f *folder) space() {
	f.endWord()
	f.gap.white(space)
	f.last = space
	f.folded = append(f.folded, ' ')
	f.bare = append(f.bare, ' ')
}

func (f *folder) rune(r rune, c *class) {
	w := &f.word
	switch c.kind {
	case unseen, direction:
		f.unshown(c.kind)
		return
	case mark:
		f.combine(r)
		return
	case several:
		f.beyond(r)
		return
	case space, newline:
		f.white(c.kind)
		return
	case symbol:
		if w.open && (f.last == latin || f.last == digit) && isSign(rune(c.folded)) {
			f.sign(byte(c.folded))
			return
		}
		f.sever(rune(c.folded))
	default:
		if !w.open {
			f.openWord()
		}
		w.count(c)
	}
	f.last = c.kind
	f.folded = utf8.AppendRune(f.folded, rune(c.folded))
	if c.bare < utf8.RuneSelf {
		f.bare = append(f.bare, byte(c.bare))
	} else {
		f.bare = utf8.AppendRune(f.bare, rune(c.bare))
	}
}

// sign takes a sign within a word as the digit that it might be.
func (f *folder) sign(c byte) {
	w := &f.word
	w.signed, w.toned = true, false
	w.runes++
	w.digits++
	f.last = digit
	f.folded, f.bare = append(f.folded, c), append(f.bare, c)
}

// sever ends a word by a symbol.
func (f *folder) sever(r rune) {
	f.ender = r
	f.endWord()
	f.ender = 0
	f.gap.mark(r)
}

func (f *folder) openWord() {
	f.word = word{open: true, start: int32(len(f.folded)), begin: int32(len(f.bare)), gap: f.gap}
	f.gap = gap{}
}

func (w *word) count(c *class) {
	w.runes++
	if w.toned && viet.Marked(rune(c.folded)) {
		w.misplaced = true
	}
	w.toned = false
	switch c.kind {
	case latin:
		w.letters++
		w.toned = loneTone(c)
	case foreign:
		w.letters++
		w.foreign++
	case digit:
		w.digits++
	}
}

// loneTone tells o, u and i with a tone and no other mark: the old spelling puts the tone
// there where the new one puts it on the next letter.
func loneTone(c *class) bool {
	r := rune(c.folded)
	return (c.bare == 'o' || c.bare == 'u' || c.bare == 'i') && viet.Marked(r) && !viet.Shaped(r)
}

// beyond takes the runes that have no class of their own, in their plain form.
func (f *folder) beyond(r rune) {
	if k, yes := withoutWidth(r); yes {
		f.unshown(k)
		return
	}
	if r > 0x33FF && r < 0xF900 { // the bulk of the East Asian letters: nothing to change
		f.far(r)
		return
	}
	for _, p := range norm.NFKC.String(string(r)) {
		p = plain(unicode.ToLower(p))
		if p < tableEnd && classes[p].kind != several {
			f.rune(p, &classes[p])
		} else {
			f.far(p)
		}
	}
}

// far takes a lower-case rune in its compatibility form that has no class.
func (f *folder) far(r rune) {
	k := kindOf(r)
	switch k {
	case mark:
		f.combine(r)
		return
	case space, newline:
		f.white(k)
		return
	case symbol:
		f.sever(r)
	default:
		if !f.word.open {
			f.openWord()
		}
		f.word.count(&class{kind: k})
	}
	f.last = k
	f.folded = utf8.AppendRune(f.folded, r)
	f.bare = utf8.AppendRune(f.bare, r)
}

// unshown counts what takes no room and leaves it out.
func (f *folder) unshown(k kind) {
	if k == direction {
		f.turns++
	}
	if f.last == latin || f.last == foreign {
		f.unseen++
	}
}

// combine puts a mark on the letter before it, or drops it where there is no such letter:
// a letter under a heap of marks is read as the letter.
func (f *folder) combine(m rune) {
	if !f.word.open {
		return
	}
	r, size := utf8.DecodeLastRune(f.folded)
	both := norm.NFC.String(string([]rune{r, m}))
	c, n := utf8.DecodeRuneInString(both)
	if n != len(both) || c >= tableEnd {
		return
	}
	k := &classes[c]
	_, last := utf8.DecodeLastRune(f.bare)
	f.folded = utf8.AppendRune(f.folded[:len(f.folded)-size], rune(k.folded))
	f.bare = utf8.AppendRune(f.bare[:len(f.bare)-last], rune(k.bare))
	f.word.toned = f.word.toned || k.kind == latin && loneTone(k)
}

// white ends a word. A row of white space is written once.
func (f *folder) white(k kind) {
	f.endWord()
	c := byte(' ')
	if k == newline {
		c = '\n'
	}
	f.gap.white(k)
	if n := len(f.folded); n > 0 && (f.last == space || f.last == newline) {
		if k == newline {
			f.folded[n-1], f.bare[len(f.bare)-1] = c, c
			f.last = k
		}
		return
	}
	f.last = k
	f.folded = append(f.folded, c)
	f.bare = append(f.bare, c)
}
