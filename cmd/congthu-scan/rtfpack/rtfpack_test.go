package rtfpack_test

import (
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/rtfpack"
)

func packed(kind, body string) []byte {
	return []byte(strings.Repeat("\x00", 8) + kind + "\x00\x00\x00\x00" + body)
}

func TestUnpack(t *testing.T) {
	for _, c := range []struct {
		what string
		in   []byte
		want string
		ok   bool
	}{
		{"not packed", packed("MELA", "{\\rtf1}"), "{\\rtf1}", true},
		// six octets of the dictionary, one literal, the end at place 207+7=214
		{"packed", packed("LZFu", "\x05\x00\x04}\x0d\x60"), "{\\rtf1}", true},
		{"cut", packed("LZFu", "\x05\x00\x04}"), "{\\rtf1}", false},
		{"cut in a copy", packed("LZFu", "\x01\x00"), "", false},
		{"another kind", packed("XXXX", "a"), string(packed("XXXX", "a")), false},
		{"too short", []byte("LZFu"), "", false},
	} {
		if out, ok := rtfpack.Unpack(c.in); string(out) != c.want || ok != c.ok {
			t.Errorf("%s: %q %v, want %q %v", c.what, out, ok, c.want, c.ok)
		}
	}
}

// It grows at most nine times, as it says.
func FuzzUnpack(f *testing.F) {
	f.Add(packed("LZFu", "\x05\x00\x04}\x0d\x60"))
	f.Add(packed("LZFu", strings.Repeat("\xff"+strings.Repeat("\x00\x0f", 8), 10)))
	f.Add(packed("MELA", "x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if out, _ := rtfpack.Unpack(data); len(out) > 9*len(data) {
			t.Errorf("%d octets out of %d", len(out), len(data))
		}
	})
}
