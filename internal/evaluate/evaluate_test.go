package evaluate_test

import (
	"math"
	"testing"

	"congthu/internal/evaluate"
)

func letters(ham, spam []float64) []evaluate.Scored {
	var out []evaluate.Scored
	for _, s := range ham {
		out = append(out, evaluate.Scored{Score: s})
	}
	for _, s := range spam {
		out = append(out, evaluate.Scored{Score: s, Spam: true})
	}
	return out
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		name      string
		ham, spam []float64
		auc, one  float64
		hm, sm    int
		lam       float64
	}{
		{"all right", []float64{-2, -1}, []float64{1, 2}, 0, 100, 0, 0, 25}, // half a letter of two: odds 1:3 on both sides
		{"all wrong", []float64{1, 2}, []float64{-2, -1}, 100, 0, 2, 2, 75},
		{"one pair of four wrong", []float64{-2, 1.5}, []float64{1, 2}, 25, 50, 1, 0, 100 / (1 + math.Sqrt(3))},
		{"all the same", []float64{0, 0}, []float64{0, 0}, 50, 0, 0, 2, 50},
	} {
		f := evaluate.Measure(letters(c.ham, c.spam))
		if !near(f.OneMinusAUC, c.auc) || !near(f.CaughtAtOne, c.one) || f.HamWrong != c.hm || f.SpamWrong != c.sm || !near(f.LAM, c.lam) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// At 0.1 % of 2,000 ham two may be above the threshold, the third may not; a tie with it
// is above as well.
func TestCaughtCountsTheAllowedHam(t *testing.T) {
	ham := make([]float64, 2000)
	for i := range ham {
		ham[i] = -10
	}
	ham[0], ham[1], ham[2] = 9, 8, 5
	f := evaluate.Measure(letters(ham, []float64{10, 7, 5, 4}))
	if !near(f.CaughtAtTenth, 50) || !near(f.CaughtAtOne, 100) {
		t.Errorf("%+v", f)
	}
}

func TestOneKindOnly(t *testing.T) {
	for _, l := range [][]evaluate.Scored{nil, letters([]float64{1}, nil), letters(nil, []float64{1})} {
		if f := evaluate.Measure(l); !math.IsNaN(f.OneMinusAUC) || !math.IsNaN(f.LAM) || !math.IsNaN(f.CaughtAtTenth) {
			t.Errorf("%+v", f)
		}
	}
}

func TestFolds(t *testing.T) {
	groups := make([]string, 103)
	for i := 90; i < 103; i++ {
		groups[i] = "g"
	}
	a := evaluate.Folds(groups, 5)
	sizes := map[int]int{}
	for i, f := range a {
		sizes[f]++
		if f < 0 || f > 4 || i > 90 && f != a[90] {
			t.Fatalf("letter %d in fold %d", i, f)
		}
	}
	for f, n := range sizes {
		if n < 18 || n > 24 {
			t.Errorf("fold %d has %d letters", f, n)
		}
	}
	if b := evaluate.Folds(groups, 5); len(sizes) != 5 || b[7] != a[7] {
		t.Error("not the same again")
	}
}
