// Package lookalike tells when a name is written to be taken for another one: letters
// of other scripts, digits for letters, a slip of the eye, a ".gov.vn" that is none.
//
// It is pure: names in, likeness out. What an inspector makes of it is the inspector's.
package lookalike
