package labelled_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/labelled"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOpenReadsEveryKindOfIndex(t *testing.T) {
	d := t.TempDir()
	a, b := write(t, filepath.Join(d, "data/easy/1"), "x"), write(t, filepath.Join(d, "data/hard/2"), "x")
	elsewhere := t.TempDir()
	c := write(t, filepath.Join(elsewhere, "far/3"), "x")
	want := fmt.Sprint([]labelled.Item{{a, false, "easy", "1"}, {b, true, "hard", "2"}, {c, true, "far", "5"}})
	for name, text := range map[string]string{
		"tab":  "data/easy/1\tham\ndata/hard/2\tspam\tmore\t7\r\n\n# a note\nfar/3\tSpam\n",
		"trec": "ham data/easy/1\nspam data/hard/2\n\n# a note\nSPAM far/3",
		"abs":  a + "\tham\n" + b + "\tspam\n\n\n" + c + "\tspam\n",
		"bom":  "\ufeffdata/easy/1\tham\r\n./data/hard/2\tspam\r\n\r\n\r\nfar/3\tspam\r\n",
	} {
		index := write(t, filepath.Join(d, name), text)
		got, err := labelled.Open(index, elsewhere)
		for i := range got {
			got[i].At = strings.TrimPrefix(got[i].At, index+":")
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

// Blanks in a path are part of it, in both forms of index, at its ends too in the first.
func TestPathsWithBlanks(t *testing.T) {
	d := t.TempDir()
	a, b := write(t, filepath.Join(d, "thư tốt/a b.eml"), "x"), write(t, filepath.Join(d, "thư rác/c  d"), "x")
	for name, text := range map[string]string{
		"tab":  "thư tốt/a b.eml\tham\nthư rác/c  d\tspam\n",
		"trec": "ham thư tốt/a b.eml\r\nspam   thư rác/c  d\r\n",
	} {
		got, err := labelled.Open(write(t, filepath.Join(d, name), text))
		if err != nil || len(got) != 2 || got[0].Path != a || got[1].Path != b || got[0].Group != "thư tốt" || !got[1].Spam {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestOpenReadsDirectories(t *testing.T) {
	d := t.TempDir()
	write(t, filepath.Join(d, "ham/a"), "")
	write(t, filepath.Join(d, "spam/x/b"), "")
	got, err := labelled.Open(d)
	if err != nil || len(got) != 2 || got[0].Spam || !got[1].Spam {
		t.Errorf("%v %v", got, err)
	}
	if _, err := labelled.Open(t.TempDir()); err == nil {
		t.Error("a directory without letters is read")
	}
}

func TestOpenNamesTheLine(t *testing.T) {
	for _, bad := range []string{"a\tham\nb\tmaybe\n", "a\tham\nspam\n", "a\tham\n\tspam\n"} {
		_, err := labelled.Open(write(t, filepath.Join(t.TempDir(), "i"), bad))
		if err == nil || !strings.Contains(err.Error(), "i:2:") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestLetters(t *testing.T) {
	line := "From a@b.example Thu Aug 22 12:36:23 2002\n"
	for in, want := range map[string][]string{
		"":                               {""},
		"A: b\n\nFrom here on\n":         {"A: b\n\nFrom here on\n"},
		line + "A: 1\n\nx\n\nFrom us.\n": {"A: 1\n\nx\n\nFrom us.\n"},
		line + "A: 1\n\nx\n\n" + line + "B: 2\n\ny\n": {"A: 1\n\nx\n\n", "B: 2\n\ny\n"},
		line + line + "B: 2\n":                        {line + "B: 2\n"},
	} {
		var got []string
		for _, l := range labelled.Letters([]byte(in)) {
			got = append(got, string(l))
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWire(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a\nb\r\n": "a\r\nb\r\n", "From x\nA: b\n": "A: b\r\n", "From x": "", "a\rb": "a\rb",
	} {
		if got := string(labelled.Wire([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzLetters(f *testing.F) {
	f.Add([]byte("From a@b.example Thu Aug 22 12:36:23 2002\nA: 1\n\nx\n\nFrom a@b.example Thu Aug 22 12:36:23 2002\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for _, l := range labelled.Letters(b) {
			n += len(l)
		}
		if n > len(b) {
			t.Errorf("%d octets of %d", n, len(b))
		}
	})
}
