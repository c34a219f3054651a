package learn_test

import (
	"slices"
	"strings"
	"testing"

	"congthu/internal/corpus"
	"congthu/internal/learn"
	"congthu/internal/mimetree"
	"congthu/internal/text"
)

func exampleOf(raw []byte) learn.Example {
	root := mimetree.Parse(raw, mimetree.DefaultLimits())
	return learn.Read(learn.Letter{Raw: raw, Root: root, Text: text.Read(root)})
}

// A Vietnamese letter is nearly the same example in every charset and disguise, in every
// view; before it was read in one form, the views of octets shared a tenth.
func TestOneExampleInEveryForm(t *testing.T) {
	letters, err := corpus.Of(corpus.Tune, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, l := range letters {
		if corpus.TCVN3.Foreign(l) {
			continue
		}
		seen++
		base := exampleOf(l.Raw)
		for _, f := range append(corpus.Encodings(), corpus.Evasions()...) {
			v, err := corpus.As(l, f)
			if err != nil {
				t.Fatal(err)
			}
			e := exampleOf(v.Raw)
			for view := range base {
				least := 0.75
				if learn.View(view) == learn.Octets {
					least = 0.6 // the numbers in Message-ID and Received are drawn anew
				}
				if s := shared(base[view], e[view]); s < least {
					t.Errorf("%s as %s: view %d shares %.2f", l.Name, f, view, s)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d letters", seen)
	}
}

// shared is the share of the features of two examples that both have.
func shared(a, b []uint32) float64 {
	both := 0
	for _, x := range a {
		if _, yes := slices.BinarySearch(b, x); yes {
			both++
		}
	}
	return float64(both) / float64(max(1, len(a)+len(b)-both))
}

// English is read as it came: what its octets say counts.
func TestEnglishIsReadAsItCame(t *testing.T) {
	const letter = "From: A <a@b.example>\r\nSubject: hello there\r\nContent-Type: %s\r\n\r\nWe would like to tell you about the meeting which takes place next Thursday at our office in the city.\r\n"
	a := exampleOf([]byte(strings.Replace(letter, "%s", "text/plain", 1)))
	b := exampleOf([]byte(strings.Replace(letter, "%s", "text/plain; charset=windows-1252", 1)))
	if slices.Equal(a[learn.Octets], b[learn.Octets]) || slices.Equal(a[learn.Shape], b[learn.Shape]) {
		t.Error("how the letter is written is not seen")
	}
	vietnamese := strings.NewReplacer("hello there", "moi hop", "We would like to tell you about the meeting which takes place next Thursday at our office in the city.", "Kinh moi dong chi du hop giao ban tai phong hop so mot vao sang thu nam tuan nay.").Replace(letter)
	a = exampleOf([]byte(strings.Replace(vietnamese, "%s", "text/plain", 1)))
	b = exampleOf([]byte(strings.Replace(vietnamese, "%s", "text/plain; charset=windows-1252", 1)))
	for view := range a {
		if !slices.Equal(a[view], b[view]) {
			t.Errorf("view %d of a Vietnamese letter changes with the label", view)
		}
	}
}

// FuzzPlain: whatever is in a letter that looks Vietnamese, reading it ends, in order.
func FuzzPlain(f *testing.F) {
	f.Add("From: =?utf-8?q?=E1?= <a@b>\r\nX: \xff\r\n", "xem http:// va https://a.b/c?d=1&amp;e tai day")
	f.Fuzz(func(t *testing.T, header, body string) {
		raw := []byte(header + "\r\nkinh gui cac dong chi de nghi bao cao truoc ngay mai " + body)
		for view, features := range exampleOf(raw) {
			if !slices.IsSorted(features) || len(slices.Compact(slices.Clone(features))) != len(features) {
				t.Fatalf("view %d is out of order", view)
			}
		}
	})
}
