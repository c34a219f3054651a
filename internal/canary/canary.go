// Package canary tells whether a new rule set holds more mail than the one before it,
// and whether that can be chance. It is arithmetic on counts and nothing else.
package canary

import "math"

// Arm is what one set has judged.
type Arm struct {
	Letters  int `json:"letters"`  // delivered, held or refused; what was put off comes again
	Held     int `json:"held"`     // of these: held or refused for a recipient
	Deferred int `json:"deferred"` // times that a letter was put off
}

// Rate is the held ones of a hundred letters.
func (a Arm) Rate() float64 {
	if a.Letters == 0 {
		return 0
	}
	return 100 * float64(a.Held) / float64(a.Letters)
}

// Bounds say what is too much.
type Bounds struct {
	MaxRise    float64 // in a hundred letters
	MinLetters int     // that each side has judged
}

// surely is how many standard deviations a difference must have. One look at two sets
// that are alike exceeds it once in 2,000; Looks keeps the looks few.
const surely = 3.3

// Jump tells whether after holds more than before by more than MaxRise, surely. Without
// MinLetters on both sides the answer is no: two of five letters are nothing.
func (b Bounds) Jump(before, after Arm) bool {
	return b.Enough(before, after) && after.Rate()-before.Rate() > b.MaxRise && Deviations(before, after) > surely
}

// Enough tells whether there are letters enough to say anything.
func (b Bounds) Enough(before, after Arm) bool {
	return before.Letters >= b.MinLetters && after.Letters >= b.MinLetters
}

// Deviations is the difference of the two rates in standard deviations, by the pooled
// test for two proportions; negative when after holds less.
func Deviations(before, after Arm) float64 {
	n, m := float64(before.Letters), float64(after.Letters)
	if n == 0 || m == 0 {
		return 0
	}
	pooled := float64(before.Held+after.Held) / (n + m)
	spread := math.Sqrt(pooled * (1 - pooled) * (1/n + 1/m))
	if spread == 0 {
		return 0
	}
	return (float64(after.Held)/m - float64(before.Held)/n) / spread
}

// Next is how many letters the new set must have judged before it is looked at again: a
// tenth more each time. Who looks after every letter finds a jump by chance sooner or
// later.
func (b Bounds) Next(letters int) int { return max(b.MinLetters, letters+letters/10+1) }
