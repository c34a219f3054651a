package text_test

import (
	"strings"
	"testing"

	"congthu/internal/corpus"
	"congthu/internal/mimetree"
	"congthu/internal/text"
)

// The same letter in every charset and spelling reads the same without marks: the letters
// are those of internal/corpus, which encodes them by tables of its own.
func TestLettersReadTheSame(t *testing.T) {
	letters, err := corpus.Of(corpus.Tune, 1)
	if err != nil || len(letters) < 50 {
		t.Fatalf("%d letters: %v", len(letters), err)
	}
	for _, form := range append(corpus.Encodings(), corpus.Evasions()...) {
		var kept, all, whole, n int
		for _, l := range letters {
			v, err := corpus.As(l, form)
			if err != nil {
				t.Fatal(err)
			}
			a, b := words(l.Raw), words(v.Raw)
			k := common(a, b)
			kept, all, n = kept+k, all+len(a), n+1
			if k == len(a) {
				whole++
			}
		}
		t.Logf("%-12s %5d of %5d words, %d of %d letters word for word", form, kept, all, whole, n)
		if kept*1000 < all*990 {
			t.Errorf("%s: only %d of %d words are the same", form, kept, all)
		}
	}
}

func words(raw []byte) []string {
	m := text.Read(mimetree.Parse(raw, mimetree.DefaultLimits()))
	return strings.FieldsFunc(m.Bare, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// common counts the words of a that b has, too: a letter of spans has no plain part beside
// its page, so the words are fewer, but no other.
func common(a, b []string) int {
	have := map[string]bool{}
	for _, w := range b {
		have[w] = true
	}
	n := 0
	for _, w := range a {
		if have[w] {
			n++
		}
	}
	return n
}
