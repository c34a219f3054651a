package policy

import (
	"slices"

	"congthu/internal/msg"
)

// Weight is what an administrator says a symbol is worth.
type Weight struct {
	Score  float64
	Group  string   // symbols of one group together count at most its cap
	Unless []string // symbols, and groups of which one scores 1 or more: beside these it does not count
	VI, EN string   // one sentence each, for reviewers
	Off    bool     // the administrator does not want to hear of it
	Place  string   // where it stands, such as "weights.toml:57"

	Overrides string // the place of the weight that a local file has replaced; ""
}

// Weights is the content of rules/weights.toml.
type Weights struct {
	Symbols map[string]Weight
	Caps    map[string]float64 // by group; absent means no cap
}

// Weigh sums findings up. A symbol counts once however often it was found, by the
// gravest of its findings; the others are kept at score 0 as evidence. A symbol without
// a weight is kept at 0: a fact is never dropped because nobody priced it.
func (w Weights) Weigh(outcomes []msg.Outcome) (score float64, counted []msg.Weighed) {
	seen := map[string]bool{}
	used := map[string]float64{}
	asked := shares(outcomes)
	for _, o := range outcomes {
		for _, f := range o.Findings {
			s := 0.0
			if !seen[f.Symbol] {
				seen[f.Symbol] = true
				x := w.Symbols[f.Symbol]
				x.Score *= asked[f.Symbol]
				s = w.capped(x, used)
			}
			score += s
			counted = append(counted, msg.Weighed{Finding: f, Score: s})
		}
	}
	if w.void(counted) {
		score = 0
		for _, c := range counted {
			score += c.Score
		}
	}
	return score, counted
}

// withoutOff returns the outcomes without the symbols that are switched off; the same
// outcomes where none is.
func (w Weights) withoutOff(outcomes []msg.Outcome) []msg.Outcome {
	off := func(f msg.Finding) bool { return w.Symbols[f.Symbol].Off }
	for i, o := range outcomes {
		if !slices.ContainsFunc(o.Findings, off) {
			continue
		}
		out := slices.Clone(outcomes)
		for k := i; k < len(out); k++ {
			out[k].Findings = slices.DeleteFunc(slices.Clone(out[k].Findings), off)
		}
		return out
	}
	return outcomes
}

// grave is the score from which a symbol of a group is more than a blemish.
const grave = 1.0

// void takes the score of symbols that do not count beside what else was found: credit is
// no licence for malware.
func (w Weights) void(counted []msg.Weighed) (taken bool) {
	for i, c := range counted {
		unless := w.Symbols[c.Symbol].Unless
		if c.Score == 0 || len(unless) == 0 {
			continue
		}
		bad := func(o msg.Weighed) bool {
			x := w.Symbols[o.Symbol] // its own weight: other findings may have used up the cap of its group
			return x.Score > 0 && slices.Contains(unless, o.Symbol) || o.Score >= grave && slices.Contains(unless, x.Group)
		}
		if slices.ContainsFunc(counted, bad) {
			taken, counted[i].Score = true, 0
		}
	}
	return taken
}

// shares returns by symbol how much of its weight is asked for: a rule may want less than
// the administrator gives its kind, never more.
func shares(outcomes []msg.Outcome) map[string]float64 {
	out := map[string]float64{}
	for _, o := range outcomes {
		for _, f := range o.Findings {
			share := 1.0
			if f.Percent > 0 && f.Percent < 100 {
				share = float64(f.Percent) / 100
			}
			out[f.Symbol] = max(out[f.Symbol], share)
		}
	}
	return out
}

// capped returns what still fits under the group's cap. Only what raises the score
// is capped; what lowers it counts in full.
func (w Weights) capped(x Weight, used map[string]float64) float64 {
	limit, ok := w.Caps[x.Group]
	if !ok || x.Score <= 0 {
		return x.Score
	}
	s := min(x.Score, limit-used[x.Group])
	used[x.Group] += s
	return s
}
