package sig

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The examples of RFC 6376 section 3.4.5.
func TestCanonicalExamples(t *testing.T) {
	m := Open([]byte("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"))
	for _, c := range []struct {
		canon      Canon
		head, body string
	}{
		{Canon{true, true}, "a:X\r\nb:Y Z\r\n", " C\r\nD E\r\n"},
		{Canon{false, false}, "A: X\r\nB : Y\t\r\n\tZ  \r\n", " C \r\nD \t E\r\n"},
		{Canon{true, false}, "a:X\r\nb:Y Z\r\n", " C \r\nD \t E\r\n"},
	} {
		var head []byte
		for _, f := range m.Fields {
			head = append(c.canon.AppendHeader(head, f), crlf...)
		}
		if string(head) != c.head {
			t.Errorf("%+v: header %q, want %q", c.canon, head, c.head)
		}
		if sum, _ := m.HashBody(c.canon, All); sum != sha256.Sum256([]byte(c.body)) {
			t.Errorf("%+v: body is not %q", c.canon, c.body)
		}
	}
}

func TestEmptyBodies(t *testing.T) {
	for raw, want := range map[string][2]string{ // relaxed, simple
		"A: b\r\n\r\n":             {"", "\r\n"},
		"A: b\r\n":                 {"", "\r\n"},
		"A: b":                     {"", "\r\n"},
		"A: b\r\n\r\n\r\n\r\n":     {"", "\r\n"},
		"A: b\r\n\r\n \t\r\n\r\n":  {"", " \t\r\n"},
		"A: b\r\n\r\nx":            {"x\r\n", "x\r\n"},
		"A: b\r\n\r\n\r\nx \t":     {"\r\nx\r\n", "\r\nx \t\r\n"},
		"\r\nbody":                 {"body\r\n", "body\r\n"},
		"A: b\r\n\r\na \t b\r\n\t": {"a b\r\n", "a \t b\r\n\t\r\n"},
	} {
		for i, relaxed := range []bool{true, false} {
			if sum, _ := Open([]byte(raw)).HashBody(Canon{RelaxedBody: relaxed}, All); sum != sha256.Sum256([]byte(want[i])) {
				t.Errorf("%q: body is not %q", raw, want[i])
			}
		}
	}
}

func TestBodyLength(t *testing.T) {
	m := Open([]byte("A: b\r\n\r\nab \t c\r\n" + strings.Repeat("d", 5000) + "\r\n"))
	whole := "ab c\r\n" + strings.Repeat("d", 5000) + "\r\n"
	for _, n := range []int64{0, 1, 4, 6, 300, 5000, int64(len(whole))} {
		if sum, enough := m.HashBody(Canon{RelaxedBody: true}, n); !enough || sum != sha256.Sum256([]byte(whole[:n])) {
			t.Errorf("the first %d octets: %v", n, enough)
		}
	}
	if _, enough := m.HashBody(Canon{RelaxedBody: true}, int64(len(whole)+1)); enough {
		t.Error("a body is longer than it is")
	}
}

// plain is the relaxed body as RFC 6376 says it, line by line.
func plain(body []byte) []byte {
	var out [][]byte
	for line := range bytes.SplitSeq(body, crlf) {
		line = bytes.TrimRight(line, " \t")
		var b []byte
		for i, c := range line {
			if c == '\t' {
				c = ' '
			}
			if c == ' ' && i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
				continue
			}
			b = append(b, c)
		}
		out = append(out, b)
	}
	for len(out) > 0 && len(out[len(out)-1]) == 0 {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return nil
	}
	return append(bytes.Join(out, crlf), crlf...)
}

func relaxedIs(t *testing.T, body []byte) {
	t.Helper()
	m := &Message{Body: body, hashes: make(map[bodyKey]hashed)}
	if sum, _ := m.HashBody(Canon{RelaxedBody: true}, All); sum != sha256.Sum256(plain(body)) {
		t.Fatalf("relaxed form of %q is not %q", body, plain(body))
	}
}

// The one pass and the reading line by line make the same of any body, wherever its
// white space lies.
func TestRelaxedBody(t *testing.T) {
	pieces := []string{" ", "  ", "\t", "\r\n", " \r\n", "a", "b c", "!", "\x80 \x80", strings.Repeat("x", 90), strings.Repeat("y", 1500), "word "}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		var b []byte
		for range r.IntN(25) {
			b = append(b, pieces[r.IntN(len(pieces))]...)
		}
		relaxedIs(t, b)
	}
}

func FuzzRelaxedBody(f *testing.F) {
	f.Add([]byte("a \t b  \r\n\r\n c\r\n"))
	f.Add([]byte(strings.Repeat("word and word\t", 40)))
	f.Fuzz(func(t *testing.T, body []byte) {
		body = bytes.ReplaceAll(body, []byte("\r"), nil)
		relaxedIs(t, bytes.ReplaceAll(body, []byte("\n"), crlf))
	})
}

func TestOpen(t *testing.T) {
	m := Open([]byte("From: a\r\nTo:\r\n\tb\r\nno colon\r\n from again\r\nFROM : c\r\n\r\nbody\r\n"))
	var names []string
	for _, f := range m.Fields {
		names = append(names, f.Name+"|"+f.Value())
	}
	if got, want := strings.Join(names, ";"), "from| a;to|\r\n\tb;no colon\r\n from again|;from| c"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if string(m.Body) != "body\r\n" || m.Count("from") != 2 {
		t.Errorf("body %q, %d From", m.Body, m.Count("from"))
	}
	if m := Open(nil); len(m.Fields) != 0 || len(m.Body) != 0 {
		t.Errorf("%+v", m)
	}
	if m := Open([]byte(" folded first\r\nA: b")); len(m.Fields) != 2 || m.Fields[1].Value() != " b" {
		t.Errorf("%+v", m.Fields)
	}
}

func TestPick(t *testing.T) {
	m := Open([]byte("A: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\n\r\n"))
	var got []string
	for _, f := range m.Pick([]string{"a", "x", "a", "b", "a", "c", "c"}) {
		got = append(got, strings.TrimSpace(f.Value()))
	}
	if !slices.Equal(got, []string{"3", "1", "2", "4"}) {
		t.Error(got)
	}
}

func TestTags(t *testing.T) {
	tags, err := ParseTags(" a = 1 ; b=\r\n x y ;c=p=q; d=;")
	if err != nil || tags.Get("a") != "1" || tags.Word("b") != "xy" || tags.Get("c") != "p=q" || !tags.Has("d") || tags.Has("e") || tags.Gaps {
		t.Errorf("%+v, %v", tags, err)
	}
	if got := tags.Without("b"); got != " a = 1 ; b=;c=p=q; d=;" {
		t.Errorf("%q", got)
	}
	if got := tags.Without("z"); got != tags.text {
		t.Errorf("%q", got)
	}
	if gaps, err := ParseTags("a=1;; b=2"); err != nil || !gaps.Gaps || gaps.Get("b") != "2" {
		t.Errorf("%+v, %v", gaps, err)
	}
	many := ""
	for i := range maxTags + 1 {
		many += fmt.Sprintf("t%d=1;", i)
	}
	for _, bad := range []string{many, "a", "a=1; b", "=1", "a=1; a=2", "_=1", "a-b=1", "a b=1", "1a=2"} {
		if _, err := ParseTags(bad); err == nil {
			t.Errorf("%q is taken for a list", bad)
		}
	}
}

// What is taken out of a list is exactly one value, and the list reads the same
// without it.
func FuzzTags(f *testing.F) {
	f.Add("v=1; a=rsa-sha256; b= x\r\n y; bh=z")
	f.Add("b=;b=;;")
	f.Fuzz(func(t *testing.T, text string) {
		tags, err := ParseTags(text)
		if err != nil {
			return
		}
		again, err := ParseTags(tags.Without("b"))
		if err != nil || again.Get("b") != "" || again.Has("b") != tags.Has("b") || again.Get("bh") != tags.Get("bh") || len(again.list) != len(tags.list) {
			t.Fatalf("%q without b= is %q: %v", text, tags.Without("b"), err)
		}
	})
}

// A key is one that can verify, or a Problem says why not.
func FuzzKey(f *testing.F) {
	f.Add("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=; t=y:s")
	f.Add("k=rsa; h=sha1:sha256; s=*; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALgS")
	f.Add("p=" + strings.Repeat("A", 3000))
	f.Fuzz(func(t *testing.T, txt string) {
		k, err := ParseKey(txt)
		if (err == nil) != (k != nil && k.Public != nil) {
			t.Fatalf("%q: %+v, %v", txt, k, err)
		}
		if err == nil && k.Verify("rsa-sha256", make([]byte, 32), make([]byte, 256)) == nil {
			t.Fatalf("%q takes zeros for a signature", txt)
		}
	})
}
