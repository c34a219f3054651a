package content

import (
	"unicode"
	"unicode/utf8"
)

// phrases finds many words and phrases in one pass over a text: each word of the text is
// looked up once, and only a word with which a phrase begins is looked at further.
type phrases struct {
	lexicon map[string]int32  // the words of all phrases
	next    map[uint64]int32  // node of the phrases' tree and word -> node
	ends    map[int32][]int32 // node -> the phrases that end there
	filter  [1 << 10]uint64   // of the hashes of words that begin a phrase
	forms   []string          // of each phrase: its words with one space between
	index   map[string]int32
}

const root int32 = 0

func newPhrases() *phrases {
	return &phrases{lexicon: map[string]int32{}, next: map[uint64]int32{}, ends: map[int32][]int32{}, index: map[string]int32{}}
}

// add returns the phrase's number; the same phrase has one number. The form is folded.
func (p *phrases) add(words []string, form string) int32 {
	if n, ok := p.index[form]; ok {
		return n
	}
	n := int32(len(p.forms))
	p.forms = append(p.forms, form)
	p.index[form] = n
	node := root
	for i, w := range words {
		if i == 0 {
			h := hash(w)
			p.filter[h>>6&1023] |= 1 << (h & 63)
		}
		id, ok := p.lexicon[w]
		if !ok {
			id = int32(len(p.lexicon))
			p.lexicon[w] = id
		}
		key := edge(node, id)
		to, ok := p.next[key]
		if !ok {
			to = int32(len(p.next)) + 1
			p.next[key] = to
		}
		node = to
	}
	p.ends[node] = append(p.ends[node], n)
	return n
}

func edge(node, word int32) uint64 { return uint64(node)<<32 | uint64(uint32(word)) }

// hash is FNV-1a.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// hits are where phrases begin: the number of the word, by phrase.
type hits map[int32][]int32

// span is a word of a text.
type span struct{ from, to int32 }

// find looks for all phrases in folded text whose words are given.
func (p *phrases) find(text string, words []span, found func(phrase, at int32)) {
	if len(p.forms) == 0 {
		return
	}
	for i := range words {
		first := text[words[i].from:words[i].to]
		if h := hash(first); p.filter[h>>6&1023]&(1<<(h&63)) == 0 {
			continue
		}
		node := root
		for _, w := range words[i:] {
			id, ok := p.lexicon[text[w.from:w.to]]
			if !ok {
				break
			}
			to, ok := p.next[edge(node, id)]
			if !ok {
				break
			}
			node = to
			for _, n := range p.ends[node] {
				found(n, int32(i))
			}
		}
	}
}

// spans divides folded text into its words: letters, digits and the percent sign.
func spans(s string) []span {
	out := make([]span, 0, len(s)/5+1)
	from, i := 0, 0
	for i < len(s) {
		if inWord[s[i]] {
			i++
			continue
		}
		n, letter := 1, false
		if s[i] >= utf8.RuneSelf {
			n, letter = beyondASCII(s[i:])
		}
		if !letter {
			if i > from {
				out = append(out, span{int32(from), int32(i)})
			}
			from = i + n
		}
		i += n
	}
	if i > from {
		out = append(out, span{int32(from), int32(i)})
	}
	return out
}

var inWord = func() (t [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789%" {
		t[c] = true
	}
	return t
}()

func beyondASCII(s string) (size int, letter bool) {
	r, n := utf8.DecodeRuneInString(s)
	return n, unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// wordsOf are the words of folded text as strings.
func wordsOf(s string) []string {
	var out []string
	for _, w := range spans(s) {
		out = append(out, s[w.from:w.to])
	}
	return out
}
