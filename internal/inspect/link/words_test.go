package link

import (
	"slices"
	"strings"
	"testing"
)

// FuzzAsk holds the search for all words at once against one for each.
func FuzzAsk(f *testing.F) {
	for _, s := range []string{"nang cap hop thu", "verify your account", "password", "log in", "xac thucmat khau", "ma xac thuc"} {
		f.Add(s, uint16(3))
	}
	a := newAskers()
	f.Fuzz(func(t *testing.T, text string, pick uint16) {
		text += " " + demands[int(pick)%len(demands)] + text + acts[int(pick>>8)%len(acts)]
		for cut := range 3 {
			s := text[:len(text)-min(len(text), cut*len(text)/3)]
			has := func(w string) bool { return strings.Contains(s, w) }
			if want := slices.ContainsFunc(demands, has) && slices.ContainsFunc(acts, has); a.ask(s) != want {
				t.Fatalf("%q: %v, want %v", s, !want, want)
			}
		}
	})
}
