package learn

import "math"

// counts is the learner that only counts in how many letters of each kind a feature
// stood. It is worse than the regressions where they were trained and better where they
// were not, and it errs on other letters than they do.
type counts struct {
	n     [][2]uint16 // ham, spam
	total [2]float64
}

func newCounts(slots int) *counts { return &counts{n: make([][2]uint16, 1<<slots)} }

func (c *counts) train(f []uint32, spam bool) {
	k := index(spam)
	c.total[k]++
	for _, i := range f {
		if c.n[i][k] < math.MaxUint16 {
			c.n[i][k]++
		}
	}
}

const (
	telling = 100  // how many of the most telling features are heard
	doubt   = 0.2  // how many letters' worth of doubt a feature begins with
	steps   = 64   // buckets of telling; see score
	widest  = 12.0 // log-odds from which all features tell alike
	sharp   = 0.5  // what the sum is worth beside the regressions
)

// score is the opinion in log-odds by the most telling features, and the share of the
// features that were seen at all. The most telling are found by counting features into
// buckets rather than by sorting them; of the last bucket a part is heard.
func (c *counts) score(f []uint32) (logOdds, known float64) {
	if len(f) == 0 || c.total[0] == 0 || c.total[1] == 0 {
		return 0, 0
	}
	var many [steps]float64
	var sums [steps]float64
	seen := 0
	for _, i := range f {
		n := c.n[i]
		if n[0] == 0 && n[1] == 0 {
			continue
		}
		seen++
		l := c.tells(float64(n[0]), float64(n[1]))
		b := min(steps-1, int(math.Abs(l)*(steps/widest)))
		many[b]++
		sums[b] += l
	}
	var sum, heard float64
	for b := steps - 1; b >= 0 && heard < telling; b-- {
		if many[b] == 0 {
			continue
		}
		part := min(1, (telling-heard)/many[b])
		sum += float64(sums[b] * part)
		heard += float64(many[b] * part)
	}
	return sharp * sum / math.Sqrt(heard+1), float64(seen) / float64(len(f))
}

// tells is what one feature says, in log-odds: drawn towards nothing when it was seen
// seldom.
func (c *counts) tells(ham, spam float64) float64 {
	h, s := ham/c.total[0], spam/c.total[1]
	p := s / (s + h)
	n := ham + spam
	p = (float64(doubt*0.5) + float64(n*p)) / (doubt + n)
	return math.Log(p / (1 - p))
}
