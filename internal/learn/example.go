package learn

import (
	"math/bits"
	"sync"
)

// View is one way to look at a letter. Each has a learner of its own, because what one
// sees may not exist elsewhere: the octets of a header tell much about one mailbox and
// little about another, words do so the other way round.
type View uint8

// The views.
const (
	Octets View = iota // four octets in a row, of the beginning of the letter as it came
	Frame              // the same, without what relays, lists and mailboxes add
	Chars              // five octets in a row, of subject and text
	Words              // syllables and pairs of them, with marks and without; words of links
	Shape              // which fields, parts, tags and links there are and how they look; no values
	views
)

// slots is the binary logarithm of how many weights a view has. Together they bound the
// memory: see Model.
func (v View) slots() int { return [views]int{19, 19, 19, 19, 16}[v] }

// Example is a letter as the learners see it: by view the sorted numbers of the features
// that it has. Nothing of the letter can be read from it.
type Example [views][]uint32

// Read looks at the letter. Its time is bounded whatever the letter's size.
func Read(l Letter) Example { return read(l, nil) }

// naming hears which feature stands for which words.
type naming func(v View, feature uint32, prefix, words string)

// read is Read; named, if it is not nil, is told every feature that has words.
func read(l Letter, named naming) Example {
	e := emitter{named: named, sets: workspace.Get().(*[views]set)}
	defer workspace.Put(e.sets)
	if vietnamese(l.Text) {
		e.plain(l)
	} else {
		e.octets(l.Raw)
		e.frame(l.Raw)
		e.text(l.Text)
		e.shape(l)
	}
	var out Example
	for v := range views {
		out[v] = e.sets[v].take()
	}
	return out
}

// emitter collects the features of one letter.
type emitter struct {
	sets  *[views]set
	named naming
}

// add counts a feature in.
func (e *emitter) add(v View, hash uint32) { e.sets[v].add(hash) }

// say counts a feature in that has words for it.
func (e *emitter) say(v View, prefix, word string) {
	h := hash(prefix, word)
	e.add(v, h)
	if e.named != nil {
		e.named(v, h>>(32-v.slots()), prefix, word)
	}
}

// hash is FNV-1a with a final mix, because the high bits are those that are used.
func hash(prefix, word string) uint32 { return mix(fnv(fnv(fnvStart, prefix), word)) }

const (
	fnvStart = 2166136261
	fnvPrime = 16777619
)

// fnv goes on with FNV-1a over the octets.
func fnv(h uint32, s string) uint32 {
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * fnvPrime
	}
	return h
}

// mix spreads every bit over all (the finalizer of MurmurHash3).
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// set is a set of slots that gives its members in order without sorting them.
type set struct {
	words []uint64 // a bit for each slot
	some  []uint64 // a bit for each of words that is not 0
	shift uint8    // 32 less the binary logarithm of the slots
	n     int
}

func newSet(slots int) set {
	words := max(1, 1<<slots/64)
	return set{words: make([]uint64, words), some: make([]uint64, (words+63)/64), shift: uint8(32 - slots)}
}

// workspace keeps the sets between letters.
var workspace = sync.Pool{New: func() any {
	var s [views]set
	for v := range views {
		s[v] = newSet(v.slots())
	}
	return &s
}}

// add puts the slot of a hash in. It does not ask whether it is there: a processor guesses
// wrong too often.
func (s *set) add(hash uint32) {
	i := hash >> s.shift
	was := s.words[i>>6]
	s.words[i>>6] = was | 1<<(i&63)
	s.some[i>>12] |= 1 << (i >> 6 & 63)
	s.n += int(^was >> (i & 63) & 1)
}

// take returns the members in order and empties the set.
func (s *set) take() []uint32 {
	out := make([]uint32, 0, s.n)
	for i, some := range s.some {
		for ; some != 0; some &= some - 1 {
			n := i*64 + bits.TrailingZeros64(some)
			for w := s.words[n]; w != 0; w &= w - 1 {
				out = append(out, uint32(n*64+bits.TrailingZeros64(w)))
			}
			s.words[n] = 0
		}
		s.some[i] = 0
	}
	s.n = 0
	return out
}
