package content

import (
	"sync"
	"unicode/utf8"

	"congthu/internal/octets"
)

// phrases finds many words and phrases in one pass over a text: each word of the text is
// looked up once, and only a word with which a phrase begins is looked at further.
type phrases struct {
	lexicon table            // key of a word -> its number; where several long words have one key, the first of them
	words   []string         // by number; 0 is none
	twins   map[string]int32 // long words that have the key of another
	first   []int32          // node to which a word leads from the root, by number; 0: no phrase begins with it
	next    table            // node and word -> node
	nodes   int32            // that there are
	ends    []int32          // by node: 1 more than the phrase that ends there
	forms   []string         // of each phrase: its words with one space between
	index   map[string]int32 // of the forms
	numbers sync.Pool        // of *[]int32: the words of a text by number
}

func newPhrases() *phrases {
	return &phrases{
		words: []string{""}, twins: map[string]int32{}, first: []int32{0}, ends: []int32{0}, index: map[string]int32{},
		numbers: sync.Pool{New: func() any { return new([]int32) }},
	}
}

// add returns the phrase's number; the same phrase has one number. The form is folded.
func (p *phrases) add(words []string, form string) int32 {
	if n, ok := p.index[form]; ok {
		return n
	}
	n := int32(len(p.forms))
	p.forms = append(p.forms, form)
	p.index[form] = n
	node := int32(0)
	for i, w := range words {
		node = p.grow(node, p.learn(w), i == 0)
	}
	if len(words) > 0 {
		p.ends[node] = n + 1
	}
	return n
}

// learn returns the number of a word, which is new or known.
func (p *phrases) learn(w string) int32 {
	if id := p.number(w); id != 0 {
		return id
	}
	id := int32(len(p.words))
	p.words = append(p.words, w)
	p.first = append(p.first, 0)
	if k := key(w); p.lexicon.get(k) == 0 {
		p.lexicon.put(k, id)
	} else {
		p.twins[w] = id
	}
	return id
}

// grow returns the node to which a word leads from another, and makes it if there is none.
func (p *phrases) grow(node, word int32, begins bool) int32 {
	to := p.first[word]
	if !begins {
		to = p.next.get(edge(node, word))
	}
	if to != 0 {
		return to
	}
	p.nodes++
	p.ends = append(p.ends, 0)
	if begins {
		p.first[word] = p.nodes
	} else {
		p.next.put(edge(node, word), p.nodes)
	}
	return p.nodes
}

func edge(node, word int32) uint64 { return uint64(node)<<32 | uint64(uint32(word)) }

// number returns the number of a word; 0: no phrase has it.
func (p *phrases) number(w string) int32 {
	id := p.lexicon.get(key(w))
	if id == 0 || len(w) <= 8 || p.words[id] == w {
		return id
	}
	return p.twins[w]
}

// find looks for all phrases in folded text, and tells with which of its words they begin.
func (p *phrases) find(text string, found func(phrase, at int32)) {
	if len(p.forms) == 0 {
		return
	}
	room, _ := p.numbers.Get().(*[]int32)
	*room = p.numbered(text, (*room)[:0])
	p.follow(*room, found)
	if cap(*room) <= mostKept {
		p.numbers.Put(room)
	}
}

// mostKept bounds the memory that is kept for the next letter, in words.
const mostKept = 64 << 10

func (p *phrases) follow(words []int32, found func(phrase, at int32)) {
	for i, w := range words {
		node := p.first[w]
		for at := i + 1; node != 0; at++ {
			if n := p.ends[node]; n != 0 {
				found(n-1, int32(i))
			}
			if at == len(words) || words[at] == 0 {
				break
			}
			node = p.next.get(edge(node, words[at]))
		}
	}
}

// numbered appends the number of each word of the text.
func (p *phrases) numbered(text string, out []int32) []int32 {
	i := 0
	for i+8 <= len(text) {
		x := octets.Eight(text[i:])
		n := wordOctets(x)
		if n < 8 && text[i+n] < utf8.RuneSelf { // all of a short word, or none
			if n > 0 {
				out = append(out, p.lexicon.get(x&(1<<(8*n)-1)))
			}
			i += n + 1
			continue
		}
		from, to := nextWord(text, i)
		if from < len(text) {
			out = append(out, p.number(text[from:to]))
		}
		i = to
	}
	for from, to := nextWord(text, i); from < len(text); from, to = nextWord(text, to) {
		out = append(out, p.number(text[from:to]))
	}
	return out
}
