package corpus

import (
	"slices"
	"testing"
)

// Braces may stand within braces, and a topic's own list goes before the common one.
func TestBracesWithinBraces(t *testing.T) {
	f := &filler{
		slots: map[string][]string{"a": {"common"}, "b": {"x{a}y"}},
		own:   map[string][]string{"a": {"own"}},
		r:     newRandom("t"), drawn: map[string]string{},
	}
	for in, want := range map[string]string{
		"{a}":             "own",
		"{b}":             "xowny",
		"{{a}|{a}}":       "own",
		"{p {a}|p {a}} q": "p own q",
		"{3-3}{a2}":       "3own",
		"open {a":         "open {a",
		"shut a}":         "shut a}",
		"{|}":             "",
	} {
		if got := f.fill(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := choices("a|{b|c}|d {e|f}"); !slices.Equal(got, []string{"a", "{b|c}", "d {e|f}"}) {
		t.Errorf("choices: %q", got)
	}
}
