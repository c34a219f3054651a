// Package needles finds many strings in a text in one pass: only where the first two
// octets of one of them stand is it compared. It is for lists of some hundreds of words
// that are looked for in every letter.
package needles

import "strings"

// Set is strings to be found, each with a number. It is safe for concurrent use once all
// are added; the zero Set is empty.
type Set struct {
	class   [256]uint8     // of an octet; 0: none begins or goes on with it
	classes int            // octets that have one
	begins  [pairs]bool    // by the classes of two octets: a string may begin with them
	byPair  [pairs][]int32 // which
	short   []int32        // strings of less than two octets
	strings []string
	index   map[string]int32
}

// Octets beyond the first few different ones share a class: then more is compared, and
// nothing else found.
const (
	mostClasses = 64
	pairs       = mostClasses * mostClasses
)

// Of returns a set of the strings, numbered in their order; one that is there twice has
// its first number.
func Of(list []string) *Set {
	s := &Set{}
	for _, one := range list {
		s.Add(one)
	}
	return s
}

// Len is how many strings there are.
func (s *Set) Len() int { return len(s.strings) }

// String returns the string of a number.
func (s *Set) String(n int32) string { return s.strings[n] }

// Add returns the number of a string, which is new or known.
func (s *Set) Add(one string) int32 {
	if n, ok := s.index[one]; ok {
		return n
	}
	n := int32(len(s.strings))
	s.strings = append(s.strings, one)
	if s.index == nil {
		s.index = map[string]int32{}
	}
	s.index[one] = n
	if len(one) < 2 {
		s.short = append(s.short, n)
		return n
	}
	pair := s.classOf(one[0])*mostClasses + s.classOf(one[1])
	s.begins[pair] = true
	s.byPair[pair] = append(s.byPair[pair], n)
	return n
}

// classOf gives the octet a class.
func (s *Set) classOf(c byte) int {
	if s.class[c] == 0 {
		s.class[c] = uint8(s.classes%(mostClasses-1) + 1)
		s.classes++
	}
	return int(s.class[c])
}

// Find tells found the number of each string wherever it stands in the text, until found
// says that this is enough. A string of less than two octets is told once, and first.
func (s *Set) Find(text string, found func(n int32) (enough bool)) {
	for _, n := range s.short {
		if strings.Contains(text, s.strings[n]) && found(n) {
			return
		}
	}
	if len(s.strings) == len(s.short) || len(text) < 2 {
		return
	}
	pair := uint16(s.class[text[0]])
	for i := 1; i < len(text); i++ {
		pair = (pair*mostClasses | uint16(s.class[text[i]])) % pairs
		if s.begins[pair] && s.here(pair, text[i-1:], found) {
			return
		}
	}
}

// here compares the strings of a pair of classes with what stands at the head of the text.
func (s *Set) here(pair uint16, text string, found func(n int32) bool) (enough bool) {
	for _, n := range s.byPair[pair] {
		if strings.HasPrefix(text, s.strings[n]) && found(n) {
			return true
		}
	}
	return false
}

// In tells whether one of the strings stands in the text.
func (s *Set) In(text string) bool {
	in := false
	s.Find(text, func(int32) bool { in = true; return true })
	return in
}
