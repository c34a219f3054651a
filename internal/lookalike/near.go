package lookalike

import (
	"slices"
	"strings"
)

// Domain is a domain that is protected, made ready for comparing.
type Domain struct {
	Name     string   // A-labels
	skeleton string   // of the domain as shown
	label    string   // what was registered, letters made plain
	words    []string // of the domain, divided at dots and hyphens
}

// New makes a domain ready; "*.a.vn" is that above it.
func New(domain string) Domain {
	domain = ASCII(strings.TrimPrefix(domain, "*."))
	shown := Fold(Unicode(domain))
	return Domain{domain, Skeleton(shown), Registrable(shown), Tokens(shown)}
}

// Bounds within which a difference is a slip of the eye and not another name: of short
// names there are too many honest neighbours.
const (
	oneSlip  = 6  // letters from which one difference counts
	twoSlips = 11 // and two
)

// Mimics tells, by its skeleton, whether a foreign domain is this one in other letters, or
// with digits for letters.
func (p Domain) Mimics(skeleton string) bool { return Within(skeleton, p.skeleton) }

// Reads tells whether a foreign domain, its letters made plain, is to be read as this one.
func (p Domain) Reads(shown string) bool {
	words := Tokens(shown)
	if len(p.words) > 1 && (contains(words, p.words) || slices.Contains(words, strings.Join(p.words, ""))) {
		return true // so-mau.gov.test.example.top, so-mau-gov-test.com
	}
	return p.misspelt(words) || p.slip(Registrable(shown))
}

// misspelt tells whether only the last word differs, by one slip: so-mau.gov.vm.
func (p Domain) misspelt(words []string) bool {
	n := len(p.words) - 1
	return n > 0 && len(words) == n+1 && slices.Equal(words[:n], p.words[:n]) && Distance(words[n], p.words[n], 1) == 1
}

// slip tells whether a label differs from ours by a slip of the eye.
func (p Domain) slip(label string) bool {
	if len(p.label) < oneSlip || label == "" {
		return false
	}
	if rest, ok := strings.CutPrefix(label, p.label); ok && slices.Contains([]string{"gov", "govvn"}, strings.Trim(rest, "-")) {
		return true
	}
	d := Distance(label, p.label, 2)
	return d == 1 || d == 2 && len(p.label) >= twoSlips
}

// contains tells whether the run of words stands in the list.
func contains(words, run []string) bool {
	for i := 0; i+len(run) <= len(words); i++ {
		if slices.Equal(words[i:i+len(run)], run) {
			return true
		}
	}
	return false
}

// Distance counts the letters put in, left out, changed or swapped with their neighbour
// between two labels, up to a limit; beyond it the answer is limit+1.
func Distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit || len(a) > 63 || len(b) > 63 {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}
