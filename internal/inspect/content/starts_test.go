package content

import (
	"regexp"
	"slices"
	"testing"
)

var startsOf = []string{
	`\b[0-9]{2,4} ?k\b`, `[0-9]{1,3}(?:0k|0 k)\b`, `\B[0-9]x?`, `(?:\+84|0)[0-9]{3}`, `[$€]?[0-9]+`, `\$[0-9]{1,3}(?:,[0-9]{3}){0,2}`, `(?i)[0-9]{1,2}K|#[a-z]{2}`, `[0-9].\b`,
}

func TestStarts(t *testing.T) {
	for source, apt := range map[string]bool{
		`\b[0-9]{2,4} ?k\b`: true, `\$[0-9]{1,3}`: true, `(?i)#[a-z]{2}`: true,
		`[0-9]+`: false, `k[0-9]`: false, `^[0-9]`: false, `[0-9]$`: false, `[0-9]?`: false, `.[0-9]`: false, `[0-9]{1,900}`: false, `€[0-9]`: false, `(?:[0-9]|x)`: false,
	} {
		s, err := newStarts(source)
		if err != nil || (s != nil) != apt {
			t.Errorf("%s: %v %v", source, s != nil, err)
		}
	}
}

// What is found is what the expression finds, at the same place.
func FuzzStarts(f *testing.F) {
	f.Add(uint8(0), "giá 500k/tháng, 12k3 99 k.")
	f.Add(uint8(2), "a1x 2x\xff3")
	f.Add(uint8(5), "$1,234,567,890 é$12")
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		source := startsOf[int(n)%len(startsOf)]
		s, err := newStarts(source)
		if err != nil {
			t.Fatal(err)
		}
		if s == nil {
			return
		}
		if got, want := s.find(text), regexp.MustCompile(source).FindStringIndex(text); !slices.Equal(got, want) {
			t.Errorf("%s in %q: %v, want %v", source, text, got, want)
		}
	})
}
