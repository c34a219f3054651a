package content

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/octets"
)

// The plain forms of what the search does in quick ways: they say what is right.

// slowWords divides a text octet by octet.
func slowWords(s string) []string {
	var out []string
	from, i := 0, 0
	for i < len(s) {
		n, in := 1, inWord[s[i]]
		if s[i] >= utf8.RuneSelf {
			n, in = beyondASCII(s[i:])
		}
		if !in {
			if i > from {
				out = append(out, s[from:i])
			}
			from = i + n
		}
		i += n
	}
	if i > from {
		out = append(out, s[from:i])
	}
	return out
}

// slowPhrases tries each phrase at each word.
func slowPhrases(forms []string, words []string) map[string][]int32 {
	out := map[string][]int32{}
	for at := range words {
		for _, f := range forms {
			want := strings.Split(f, " ")
			if at+len(want) <= len(words) && slices.Equal(words[at:at+len(want)], want) {
				out[f] = append(out[f], int32(at))
			}
		}
	}
	return out
}

func phrasesOf(forms []string) *phrases {
	p := newPhrases()
	for _, f := range forms {
		p.add(strings.Split(f, " "), f)
	}
	return p
}

// sample is phrases with what is hard about them: one in another, words of eight octets
// and of more, letters beyond ASCII, a percent sign.
func samplePhrases() []string {
	return []string{"ban", "ban an", "ban an cho", "an", "khuyen mai 50%", "abcdefgh", "abcdefgh abcdefghi", "abcdefghi", "nghiengng nghieng", "điện", "中文", "中文 an", "1", "%", "an an an"}
}

func FuzzPhrases(f *testing.F) {
	forms := samplePhrases()
	p := phrasesOf(forms)
	f.Add("ban an cho an an an, abcdefgh abcdefghi 中文 an")
	f.Add("khuyen mai 50% nghiengng nghieng điện\xff1\xc3 %")
	f.Fuzz(func(t *testing.T, text string) {
		words := slowWords(text)
		if got := wordsOf(text); !slices.Equal(got, words) {
			t.Fatalf("%q: words %q, want %q", text, got, words)
		}
		var s seen
		got := map[string][]int32{}
		p.find(text, func(n, at int32) {
			got[p.forms[n]] = append(got[p.forms[n]], at)
			s.add(n, at, true, len(forms))
		})
		want := slowPhrases(forms, words)
		if !maps.EqualFunc(got, want, slices.Equal[[]int32]) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
		for n, form := range p.forms {
			var places []int32
			s.any(int32(n), func(at int32) bool { places = append(places, at); return false })
			if !slices.Equal(places, want[form]) || s.has(int32(n)) != (len(places) > 0) {
				t.Fatalf("%q: %q at %v, want %v", text, form, places, want[form])
			}
		}
	})
}

// Two long words of one key are two words.
func TestTwins(t *testing.T) {
	p := phrasesOf([]string{"nghiengnghieng"})
	id := p.number("nghiengnghieng")
	p.lexicon.put(key("khuyenkhuyen"), id) // as if the hashes were the same
	if p.number("khuyenkhuyen") != 0 {
		t.Error("a word is taken for another with its key")
	}
	n := p.add([]string{"khuyenkhuyen", "mai"}, "khuyenkhuyen mai")
	var got []int32
	p.find("mai khuyenkhuyen mai nghiengnghieng", func(phrase, at int32) { got = append(got, phrase, at) })
	if !slices.Equal(got, []int32{n, 1, 0, 3}) {
		t.Errorf("%v", got)
	}
}

func FuzzWordOctets(f *testing.F) {
	f.Add([]byte("viet nam"))
	f.Add([]byte("\x80\xff/09:`az{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for i := 0; i+8 <= len(b); i++ {
			n := 0
			for n < 8 && b[i+n] < utf8.RuneSelf && inWord[b[i+n]] {
				n++
			}
			if got := wordOctets(octets.Eight(string(b[i:]))); got != n {
				t.Fatalf("%q: %d, want %d", b[i:i+8], got, n)
			}
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("abcabcxyz"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got table
		want := map[uint64]int32{}
		for i, c := range b {
			k := uint64(c%64+1) << (c % 3 * 20)
			got.put(k, int32(i))
			want[k] = int32(i)
		}
		for k := range uint64(65) {
			for shift := range 3 {
				if k := (k + 1) << (shift * 20); got.get(k) != want[k] {
					t.Fatalf("%d: %d, want %d", k, got.get(k), want[k])
				}
			}
		}
	})
}
