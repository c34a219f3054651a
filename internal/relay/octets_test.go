package relay

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
)

// plainStuff is stuff in the plainest words.
func plainStuff(content string) string {
	lines := strings.SplitAfter(content, "\r\n")
	var b strings.Builder
	for _, l := range lines {
		if strings.HasPrefix(l, ".") {
			b.WriteByte('.')
		}
		b.WriteString(l)
	}
	if !strings.HasSuffix(content, "\r\n") && content != "" {
		b.WriteString("\r\n")
	}
	return b.String() + ".\r\n"
}

// plainClean is survey in the plainest words.
func plainClean(content string) bool {
	return !strings.ContainsAny(strings.ReplaceAll(content, "\r\n", ""), "\r\n\x00")
}

// cut divides content at random places into blocks.
func cut(rng *rand.Rand, content string) [][]byte {
	var out [][]byte
	for len(content) > 0 {
		n := rng.Intn(len(content) + 1)
		out = append(out, []byte(content[:n]))
		content = content[n:]
	}
	return out
}

// pieces make contents in which everything that matters here is common.
var pieces = []string{"\r\n", ".", "..", "\r\n.", "a", "\r", "\n", "\x00", "\xe1", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ".\r\n"}

func compareOctets(t *testing.T, rng *rand.Rand, content string) {
	t.Helper()
	blocks := cut(rng, content)
	clean, eightBit := survey(blocks)
	if want := plainClean(content); clean != want {
		t.Fatalf("clean %q as %q: %v, want %v", content, blocks, clean, want)
	}
	if got, want := eightBit, strings.ContainsFunc(content, func(r rune) bool { return r >= 0x80 }); clean && got != want {
		t.Fatalf("8 bit %q: %v", content, got)
	}
	if !plainClean(content) {
		return
	}
	var b bytes.Buffer
	if err := stuff(&b, blocks); err != nil || b.String() != plainStuff(content) {
		t.Fatalf("stuff %q as %q: %q, want %q", content, blocks, b.String(), plainStuff(content))
	}
	for _, find := range []func([]byte) int{dotLineByDots, dotLineByLines, dotFinder([]byte(content))} {
		want := strings.Index(content, "\r\n.")
		if want >= 0 {
			want += 2
		}
		if got := find([]byte(content)); got != want {
			t.Fatalf("%q: a dot begins a line at %d, want %d", content, got, want)
		}
	}
}

// TestOctetsAgainstPlainWords holds the fast loops against slow ones that can be read
// at a glance.
func TestOctetsAgainstPlainWords(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for range 30_000 {
		var b strings.Builder
		for range rng.Intn(12) {
			b.WriteString(pieces[rng.Intn(len(pieces))])
		}
		compareOctets(t, rng, b.String())
	}
}

func FuzzOctets(f *testing.F) {
	f.Add("a\r\n.b\r\n..\r\n", int64(1))
	f.Add(".\r", int64(2))
	f.Add("a\x00\r\n", int64(3))
	f.Fuzz(func(t *testing.T, content string, seed int64) {
		compareOctets(t, rand.New(rand.NewSource(seed)), content)
	})
}

// BenchmarkOctets is what the relay does to a megabyte of a letter before it writes it.
func BenchmarkOctets(b *testing.B) {
	for name, line := range map[string]string{"base64": strings.Repeat("x", 76) + "\r\n", "dots": ".\r\n", "text": strings.Repeat("word. ", 12) + "\r\n"} {
		b.Run(name, func(b *testing.B) {
			content := [][]byte{[]byte(strings.Repeat(line, 1<<20/len(line)))}
			b.SetBytes(1 << 20)
			for b.Loop() {
				if clean, eightBit := survey(content); !clean || eightBit {
					b.Fatal("not clean")
				}
				_ = stuff(discard{}, content)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
