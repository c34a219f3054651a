package link

import (
	"regexp"
	"slices"
	"testing"
)

// Links of plain text are what an expression would find that says the same.
func FuzzInText(f *testing.F) {
	says := regexp.MustCompile(`(?i)\bhttps?://[^\s<>"')\]]{3,}`)
	f.Add("xem https://a.test/b, HTTP://c.test. xhttp://no http://ab http://https://d.test")
	f.Add("éhttp://a.test _http://b.test http://\xff\xfe\xfd://://http://")
	f.Fuzz(func(t *testing.T, text string) {
		var want, got []string
		for _, at := range says.FindAllStringIndex(text, maxLinks+1) {
			want = append(want, text[at[0]:at[1]])
		}
		for _, a := range inText(text) {
			got = append(got, text[a.from:a.to])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}
