package learn

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Reason is one feature of a letter with what it says.
type Reason struct {
	View  View
	Kind  string  // what Words are: of Words "d" and "n" (text), "s" (subject), "u", "p" (host and path of a link); of Shape the kind of fact
	Words string  // of the letter; untrusted text
	Says  float64 // log-odds; above 0: for spam
}

// Reasons are the features that say most about the letter, the strongest first, at most
// n of each side. Only what has words is named: syllables and facts about the form. The
// letter is read again for it, so this is for explaining, not for the path of a letter.
func (m *Model) Reasons(l Letter, n int) (spam, ham []Reason) {
	best := map[string]Reason{}
	var sizes [views]float64
	e := read(l, nil)
	for v := range views {
		sizes[v] = math.Sqrt(float64(max(1, len(e[v]))))
	}
	read(l, func(v View, feature uint32, prefix, words string) {
		r := Reason{View: v, Says: float64(m.line[v].w[feature]) / sizes[v]}
		if v == Words {
			n := m.naive.n[feature]
			if n[0]+n[1] == 0 || m.naive.total[0] == 0 || m.naive.total[1] == 0 {
				return
			}
			r.Says += m.naive.tells(float64(n[0]), float64(n[1])) * sharp / math.Sqrt(telling)
		}
		r.Kind, r.Words = strings.TrimRight(prefix, ": "), words
		if key := r.Kind + "\x00" + r.Words; math.Abs(r.Says) > math.Abs(best[key].Says) {
			best[key] = r
		}
	})
	for _, r := range best {
		if r.Says > 0 {
			spam = append(spam, r)
		} else {
			ham = append(ham, r)
		}
	}
	return strongest(spam, n), strongest(ham, n)
}

// strongest keeps the n that say most; words that a stronger reason contains say nothing
// more.
func strongest(list []Reason, n int) []Reason {
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Says), math.Abs(a.Says)), len(b.Words)-len(a.Words), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Words, b.Words))
	})
	var out []Reason
	for _, r := range list {
		if len(out) == n {
			break
		}
		if !slices.ContainsFunc(out, func(o Reason) bool { return o.View == r.View && overlaps(o.Words, r.Words) }) {
			out = append(out, r)
		}
	}
	return out
}

func overlaps(a, b string) bool {
	return strings.Contains(" "+a+" ", " "+b+" ") || strings.Contains(" "+b+" ", " "+a+" ")
}
