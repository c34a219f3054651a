// Package octets looks at eight octets of a text at once, for passes over whole letters
// that must cost little.
package octets

import "math/bits"

// Masks with the same in each of eight octets.
const (
	Ones  = 0x0101010101010101
	Highs = 0x80 * Ones // the highest bit
	Cases = 0x20 * Ones // the bit in which small letters of ASCII differ from large ones
)

// Eight loads the first eight octets of s, the first of them lowest. There are eight.
func Eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Within has the highest bit of each octet of x that is from low to high; both are below
// 0x80, as such an octet is.
func Within(x uint64, low, high byte) uint64 {
	// What is short of 0x80 from a bound on raises the highest bit, and nothing reaches
	// into the next octet.
	seven := x &^ Highs
	return (seven + uint64(0x80-low)*Ones) &^ (seven + uint64(0x80-1-high)*Ones) &^ x & Highs
}

// Run is how many octets, from the lowest on, have their highest bit in marks.
func Run(marks uint64) int { return bits.TrailingZeros64(^marks&Highs) / 8 }

// ASCII is how many octets s begins with that are all below 0x80, eight at a time; there
// may be more.
func ASCII(s string) int {
	n := 0
	for n+8 <= len(s) && Eight(s[n:])&Highs == 0 {
		n += 8
	}
	return n
}
