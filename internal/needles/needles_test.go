package needles_test

import (
	"slices"
	"strings"
	"testing"

	"congthu/internal/needles"
)

// slow finds each string at each place.
func slow(list []string, text string) map[string]int {
	out := map[string]int{}
	for _, s := range list {
		for i := range len(text) + 1 {
			if strings.HasPrefix(text[i:], s) {
				out[s]++
			}
		}
		if len(s) < 2 {
			out[s] = min(out[s], 1)
		}
	}
	return out
}

func FuzzFind(f *testing.F) {
	list := []string{"ab", "abc", "bc", "zalo", "mk", "điện", "中文", "aa", "aab", "x", ""}
	for i := range 200 { // more octets than there are classes
		list = append(list, string([]byte{byte(i + 50), byte(i * 7)}))
	}
	all, few := needles.Of(list), needles.Of(list[:9])
	f.Add("abc zalo điện 中文 aaab")
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string]int{}
		all.Find(text, func(n int32) bool { got[all.String(n)]++; return false })
		want := slow(list, text)
		for _, s := range list {
			if got[s] != want[s] {
				t.Fatalf("%q in %q: %d times, want %d", s, text, got[s], want[s])
			}
		}
		if in := slices.ContainsFunc(list[:9], func(s string) bool { return strings.Contains(text, s) }); few.In(text) != in {
			t.Fatalf("%q: %v, want %v", text, !in, in)
		}
	})
}

func TestFindStops(t *testing.T) {
	s := needles.Of([]string{"ab", "bc", "a", "ab"})
	if s.Len() != 3 {
		t.Errorf("%d strings", s.Len())
	}
	for enough, want := range map[int]string{1: "a", 2: "a ab", 3: "a ab bc", 9: "a ab bc ab"} {
		var got []string
		s.Find("abcab", func(n int32) bool { got = append(got, s.String(n)); return len(got) == enough })
		if strings.Join(got, " ") != want {
			t.Errorf("%d: %q, want %q", enough, got, want)
		}
	}
	var none needles.Set
	if none.In("abc") || none.In("") || s.In("x") || s.In("b") {
		t.Error("found what is not there")
	}
}
