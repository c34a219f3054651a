package mimetree

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/internal/msg"
)

// nested makes depth multiparts inside each other, each with its own boundary.
func nested(depth int) []byte {
	var b bytes.Buffer
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("\r\nhello\r\n")
	return b.Bytes()
}

func countParts(root *msg.Part) (n int) {
	root.Walk(func(*msg.Part) { n++ })
	return n
}

func hasCode(root *msg.Part, code string) bool {
	found := false
	root.Walk(func(p *msg.Part) {
		found = found || slices.ContainsFunc(p.Ambiguities, func(a msg.Ambiguity) bool { return a.Code == code })
	})
	return found
}

// timed fails when f takes more processor time than any linear reading could. It does
// not look at the clock on the wall, which a busy machine lets run on.
func timed(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	start := processorTime(t)
	f()
	if took := processorTime(t) - start; took > limit {
		t.Errorf("took %v, limit %v", took, limit)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}

func TestTenThousandDeepStopsAtTheLimit(t *testing.T) {
	raw := nested(10000)
	var root *msg.Part
	timed(t, 200*time.Millisecond, func() { root = Parse(raw, DefaultLimits()) })
	if n := countParts(root); n != 30 || !hasCode(root, LimitDepth) {
		t.Errorf("%d parts, codes %q", n, codes(root))
	}
}

func TestDepthLimitIsExact(t *testing.T) {
	for depth, want := range map[int]bool{3: false, 4: true} { // depth multiparts and a leaf
		root := Parse(nested(depth), Limits{Depth: 4, Parts: 100, HeaderSize: 1000, HeaderFields: 10})
		if hasCode(root, LimitDepth) != want {
			t.Errorf("%d multiparts: limit hit %v, want %v", depth, !want, want)
		}
	}
}

func TestNestedMessagesStopAtTheLimit(t *testing.T) {
	plain := []byte(strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 10000))
	timed(t, 200*time.Millisecond, func() {
		if root := Parse(plain, DefaultLimits()); countParts(root) != 30 || !hasCode(root, LimitDepth) {
			t.Errorf("%d parts, codes %q", countParts(root), codes(root))
		}
	})
	encoded := crlf("Subject: a", "", "hello")
	for range 35 {
		encoded = slices.Concat([]byte("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"),
			bytes.ReplaceAll(encoded, []byte("="), []byte("=3D")))
	}
	if root := Parse(encoded, DefaultLimits()); countParts(root) != 30 || !hasCode(root, LimitDepth) {
		t.Errorf("encoded: %d parts, codes %q", countParts(root), codes(root))
	}
}

// Twenty messages inside each other that must each be copied to be decoded.
func TestDecodedContainersAreBounded(t *testing.T) {
	raw := []byte(strings.Repeat("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", 20) +
		"Subject: a\r\n\r\n" + strings.Repeat("x", 2<<20))
	root := Parse(raw, DefaultLimits())
	if !hasCode(root, LimitDecoded) {
		t.Errorf("codes %q", codes(root))
	}
	held := 0
	root.Walk(func(p *msg.Part) { held += len(p.Decoded) })
	if held > 5*len(raw) {
		t.Errorf("%d octets held for a message of %d", held, len(raw))
	}
}

func TestPartsLimitIsExact(t *testing.T) {
	for parts, want := range map[int]bool{9: false, 10: true} {
		raw := "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + strings.Repeat("--a\r\n\r\nx\r\n", parts) + "--a--\r\n"
		root := Parse([]byte(raw), Limits{Depth: 4, Parts: 10, HeaderSize: 1000, HeaderFields: 10})
		if hasCode(root, LimitParts) != want || countParts(root) > 10 {
			t.Errorf("%d parts: %d read, limit hit %v", parts, countParts(root), !want)
		}
		checkTree(t, []byte(raw), root)
	}
}

func TestPartsLimitCountsUU(t *testing.T) {
	raw := "Subject: a\r\n\r\n" + strings.Repeat("begin 644 a\r\n#86)C\r\nend\r\n", 50)
	root := Parse([]byte(raw), Limits{Depth: 4, Parts: 10, HeaderSize: 1000, HeaderFields: 10})
	if countParts(root) > 10 || !hasCode(root, LimitParts) {
		t.Errorf("%d parts, codes %q", countParts(root), codes(root))
	}
}

func TestHeaderLimits(t *testing.T) {
	lim := Limits{Depth: 4, Parts: 10, HeaderSize: 1000, HeaderFields: 10}
	for _, tt := range []struct {
		name string
		raw  string
		hit  bool
	}{
		{"ten fields", strings.Repeat("A: b\r\n", 10), false},
		{"eleven fields", strings.Repeat("A: b\r\n", 11), true},
		{"1000 octets", "A: " + strings.Repeat("b", 995) + "\r\n", false},
		{"1001 octets", "A: " + strings.Repeat("b", 996) + "\r\n", true},
		{"endless fold", "A: b\r\n" + strings.Repeat(" c\r\n", 1000), true},
	} {
		root := Parse([]byte(tt.raw+"\r\nbody"), lim)
		if hasCode(root, LimitHeader) != tt.hit {
			t.Errorf("%s: codes %q", tt.name, codes(root))
		}
		if root.Text != "body" {
			t.Errorf("%s: the body is %q", tt.name, root.Text)
		}
	}
}

func TestAllHeadersTogetherAreBounded(t *testing.T) {
	part := "--a\r\n" + strings.Repeat("A: b\r\n", 10) + "\r\nx\r\n"
	raw := "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + strings.Repeat(part, 50) + "--a--\r\n"
	root := Parse([]byte(raw), Limits{Depth: 4, Parts: 100, HeaderSize: 1000, HeaderFields: 10})
	fields := 0
	root.Walk(func(p *msg.Part) { fields += len(p.Header) })
	if fields > 100 || !hasCode(root, LimitHeader) || countParts(root) != 51 {
		t.Errorf("%d fields in %d parts, codes %q", fields, countParts(root), codes(root))
	}
}

// Inputs that are quadratic for a reader who looks twice. Each takes milliseconds
// when it is linear and minutes when it is not.
func TestLinearTime(t *testing.T) {
	const n = 1 << 18
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	limits := DefaultLimits()
	limits.HeaderSize = 2 * n
	for name, raw := range map[string]string{
		"delimiters":       "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + rep("--a\r\n"),
		"near misses":      "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + rep("--ab\r\n"),
		"close delimiters": "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n" + rep("--a--\r\n"),
		"reopened":         "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n" + rep("--a--\r\nx\r\n--a\r\n"),
		"bad lines":        rep("no colon\r\n"),
		"blank folds":      "A: b\r\n" + rep(" \r\n"),
		"parameters":       "Content-Type: a/b" + rep(";x=y"),
		"sections":         "Content-Type: a/b" + rep(";x*1=y"),
		"semicolons":       "Content-Type: a/b" + rep(";"),
		"comments":         "Content-Type: a/b; " + rep("("),
		"quotes":           "Content-Type: a/b" + rep(`;x="`),
		"content types":    rep("Content-Type: a/b; boundary=x; name=y\r\n"),
		"dispositions":     rep("Content-Disposition: a; filename=y\r\n"),
		"uu begins":        "A: b\r\n\r\n" + rep("begin 644 a\r\n"),
		"uu lines":         "A: b\r\n\r\n" + rep("begin 644 a\r\n#86)C\r\n"),
		"guesses":          "Content-Type: multipart/mixed\r\n\r\n" + rep("--a\r\n"),
		"padding":          "Content-Transfer-Encoding: base64\r\n\r\n" + rep("QQ=="),
		"junk":             "Content-Transfer-Encoding: base64\r\n\r\n" + rep("!"),
		"equals signs":     "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + rep("="),
	} {
		t.Run(name, func(t *testing.T) {
			timed(t, 2*time.Second, func() {
				checkTree(t, []byte(raw), Parse([]byte(raw), limits))
			})
		})
	}
	for _, s := range []string{"=?", "=?x ", "=?u?q?x", "=?u?q?x?=", "=?utf-8?b?QQ==?= ", "=?a?q?x?= =?b?q?y?= "} {
		timed(t, 2*time.Second, func() { DecodeWords(rep(s) + "?=") })
	}
	for _, s := range []string{"<", "(", "[", `"`, "a@b,", "a:", "<a@b", "[,", "(,", "@", `\`, "=?"} {
		timed(t, 2*time.Second, func() { Addresses(rep(s)) })
	}
}

func TestOneNoteOfEachCode(t *testing.T) {
	_, _, amb := ParseHeader([]byte(strings.Repeat("no colon\r\n", 500)))
	if len(amb) != 1 {
		t.Errorf("%d notes", len(amb))
	}
	_, _, amb = ParseHeader([]byte(strings.Repeat("é", 5000)))
	if n := len([]rune(amb[0].Detail)); n > detailRunes+1 {
		t.Errorf("detail of %d runes", n)
	}
}
