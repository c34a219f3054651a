// Package evaluate measures how well a filter tells unwanted letters from wanted ones,
// in the measures of the TREC spam track, from the scores that it gave.
package evaluate

import (
	"math"
	"slices"
)

// Scored is one letter with what it is and what the filter thought of it.
type Scored struct {
	Name  string
	Spam  bool
	Score float64 // log-odds: above 0 the filter calls it spam
}

// Figures are the measures. Shares are in percent.
type Figures struct {
	Ham, Spam     int
	OneMinusAUC   float64 // chance that a ham scores above a spam; ties count half
	CaughtAtTenth float64 // spam caught where 0.1 % of the ham would be
	CaughtAtOne   float64 // spam caught where 1 % of the ham would be
	LAM           float64 // logistic average of the misclassified shares of both kinds, at score 0
	HamWrong      int     // ham above score 0
	SpamWrong     int     // spam not above it
}

// Measure computes the figures. Where there is only one kind of letter, what needs both
// is NaN.
func Measure(list []Scored) Figures {
	byScore := slices.Clone(list)
	slices.SortStableFunc(byScore, func(a, b Scored) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	var f Figures
	for _, s := range byScore {
		if s.Spam {
			f.Spam++
		} else {
			f.Ham++
		}
		switch {
		case s.Spam && !(s.Score > 0):
			f.SpamWrong++
		case !s.Spam && s.Score > 0:
			f.HamWrong++
		}
	}
	f.OneMinusAUC = 100 * inversions(byScore) / (float64(f.Ham) * float64(f.Spam))
	f.CaughtAtTenth = caught(byScore, f, 0.001)
	f.CaughtAtOne = caught(byScore, f, 0.01)
	f.LAM = lam(f)
	return f
}

// inversions counts the pairs of a ham and a spam in the wrong order, ties half.
func inversions(byScore []Scored) float64 {
	var sum, hamAbove float64
	for i := 0; i < len(byScore); {
		var ham, spam float64
		j := i
		for ; j < len(byScore) && byScore[j].Score == byScore[i].Score; j++ {
			if byScore[j].Spam {
				spam++
			} else {
				ham++
			}
		}
		sum += spam * (hamAbove + ham/2)
		hamAbove += ham
		i = j
	}
	return sum
}

// caught is the share of the spam above the threshold at which the share of the ham is at
// most allow. A threshold lies between two scores, so of letters with the same score all
// are above it or none.
func caught(byScore []Scored, f Figures, allow float64) float64 {
	if f.Spam == 0 || f.Ham == 0 {
		return math.NaN()
	}
	limit := int(allow * float64(f.Ham))
	ham, spam, best := 0, 0, 0
	for i := 0; i < len(byScore); {
		j := i
		for ; j < len(byScore) && byScore[j].Score == byScore[i].Score; j++ {
			if byScore[j].Spam {
				spam++
			} else {
				ham++
			}
		}
		if ham > limit {
			break
		}
		best = spam
		i = j
	}
	return 100 * float64(best) / float64(f.Spam)
}

// lam is invlogit of the mean of the two shares' logits. A share of nothing is counted
// as half a letter, as the TREC toolkit does it, because its logit would have no end.
func lam(f Figures) float64 {
	if f.Spam == 0 || f.Ham == 0 {
		return math.NaN()
	}
	mean := (logit(f.HamWrong, f.Ham) + logit(f.SpamWrong, f.Spam)) / 2
	return 100 / (1 + math.Exp(-mean))
}

func logit(wrong, all int) float64 {
	w := min(max(float64(wrong), 0.5), float64(all)-0.5)
	return math.Log(w / (float64(all) - w))
}
