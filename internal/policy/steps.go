package policy

import "congthu/internal/msg"

// Step is how a finding came to its score.
type Step struct {
	msg.Weighed
	Weight float64 `json:"weight"`           // of the symbol
	Group  string  `json:"group,omitempty"`  // that it belongs to
	Cap    float64 `json:"cap,omitempty"`    // of the group; 0: none
	Again  bool    `json:"again,omitempty"`  // its symbol was counted before
	Capped bool    `json:"capped,omitempty"` // the group's cap left less than it weighs
	Void   bool    `json:"void,omitempty"`   // it does not count beside something else that was found (unless)
	Place  string  `json:"place,omitempty"`  // where the weight stands
	Sense  Sense   `json:"sentence"`         // of the symbol
}

// Sense is a sentence in both languages.
type Sense struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Steps explains findings that these weights have counted. What is left of a group's cap
// is reckoned again in the same order; findings that other weights have counted show as
// far as they fit.
func (w Weights) Steps(counted []msg.Weighed) []Step {
	seen := map[string]bool{}
	out := make([]Step, len(counted))
	for i, c := range counted {
		x := w.Symbols[c.Symbol]
		s := Step{Weighed: c, Weight: x.Score, Group: x.Group, Cap: w.Caps[x.Group], Again: seen[c.Symbol], Place: x.Place, Sense: Sense{x.VI, x.EN}}
		seen[c.Symbol] = true
		if !s.Again {
			s.Percent = w.asked(c.Symbol, counted)
			s.Void = len(x.Unless) > 0 && c.Score == 0 && x.Score*float64(s.Percent) != 0
			s.Capped = !s.Void && s.Cap > 0 && x.Score > 0 && c.Score < x.Score*float64(s.Percent)/100-1e-9
		}
		out[i] = s
	}
	return out
}

// asked is how much of a symbol's weight is counted, in a hundred: the most that any of
// its findings asks for.
func (w Weights) asked(symbol string, counted []msg.Weighed) int {
	most := 0
	for _, c := range counted {
		if c.Symbol == symbol {
			share := 100
			if c.Percent > 0 && c.Percent < 100 {
				share = c.Percent
			}
			most = max(most, share)
		}
	}
	return most
}
