package dns

import (
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Example.TEST", "example.test."},
		{"example.test.", "example.test."},
		{"_dmarc.example.test", "_dmarc.example.test."},
		{"thư.test", "xn--th-e0a.test."},
		{"THƯ.test", "xn--th-e0a.test."},
		{"xn--th-e0a.test", "xn--th-e0a.test."},
		{"a@b.test", `a\@b.test.`},
		{"", ""},
		{".", ""},
		{"a..test", ""},
		{".test", ""},
		{`a\.b.test`, ""},
		{`a\046b.test`, ""},
		{"a b.test", ""},
		{"a\x00.test", ""},
		{"a\x7f.test", ""},
		{"\xff.test", ""},
		{strings.Repeat("a", 63) + ".test", strings.Repeat("a", 63) + ".test."},
		{strings.Repeat("a", 64) + ".test", ""},
		{strings.Repeat("a.", 130) + "test", ""},
	} {
		got, ok := canonical(c.in)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("canonical(%q) = %q, %v, want %q", c.in, got, ok, c.want)
		}
	}
}

func TestReverse(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.25":        "25.2.0.192.in-addr.arpa.",
		"::ffff:192.0.2.25": "25.2.0.192.in-addr.arpa.",
		"2001:db8::1":       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
		"example.test":      "",
		"":                  "",
	} {
		if got, ok := reverse(in); got != want || ok != (want != "") {
			t.Errorf("reverse(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`plain; text`: `plain; text`,
		`a\"b\\c`:     `a"b\c`,
		`\200\001`:    "\xc8\x01",
		`\20`:         `20`,
		`end\`:        `end\`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever name mail brings, what is asked is a name that can be put on the wire
// and is its own canonical form's wire form.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"example.test", "a@b.test", `a\.b`, "thư.test", "..", "*.x", "a'b(c)\"d.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := canonical(name)
		if !ok {
			return
		}
		wire, err := packQuery(question{got, 16}, 1, true)
		if err != nil {
			t.Fatalf("canonical(%q) = %q cannot be asked: %v", name, got, err)
		}
		wire[2] |= 0x80 // make it a reply: it must be recognised as one to this question
		if _, err := parseReply(wire, question{got, 16}, 1); err != nil {
			t.Fatalf("reply about %q is not recognised: %v", got, err)
		}
	})
}
