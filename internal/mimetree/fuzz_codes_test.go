package mimetree

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"congthu/internal/msg"
)

// Each target reads its input twice: as a hostile text that is decoded, which must end
// within its bounds, and as content that is encoded and must come back.

// carriedAll decodes every file in a text and holds the bounds of all of them.
func carriedAll(t *testing.T, src []byte) []*msg.Part {
	t.Helper()
	found := findCarried(&msg.Part{Decoded: src, Encoding: "7bit", End: int64(len(src))})
	for _, p := range found {
		if p.Start < 0 || p.BodyStart < p.Start || p.End < p.BodyStart || p.End > int64(len(src)) {
			t.Fatalf("file at %d, %d, %d of %d", p.Start, p.BodyStart, p.End, len(src))
		}
		if len(p.Decoded) == 0 {
			t.Fatal("a file of nothing")
		}
	}
	return found
}

func FuzzUU(f *testing.F) {
	f.Add([]byte("begin 644 a\r\n#86)C\r\n`\r\nend\r\n"))
	f.Add([]byte("begin 644 a\nM\n#86\nbegin 600 b\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		total := 0
		for _, p := range carriedAll(t, src) {
			total += len(p.Decoded)
		}
		if data, next := decodeUU(src, 0); next < 0 || next > len(src) || len(data) > 2*len(src) || total > 12*len(src)+8192 {
			t.Fatalf("%d octets and %d in files up to %d of %d", len(data), total, next, len(src))
		}
		text := "begin 644 a\r\n" + strings.Join(uuLines(string(src)), "\r\n") + "\r\n`\r\nend\r\n"
		if got := decodeWholeUU([]byte(text)); !bytes.Equal(got, src) {
			t.Fatalf("%q came back as %q", src, got)
		}
	})
}

func FuzzYEnc(f *testing.F) {
	f.Add([]byte("=ybegin line=128 size=3 name=a\r\n\x8b\x8c\x8d\r\n=yend size=3\r\n"))
	f.Add([]byte("=ybegin part=1 name=\n=ypart begin=1\n==}=\n=ybegin x\n=y"))
	f.Fuzz(func(t *testing.T, src []byte) {
		total := 0
		for _, p := range carriedAll(t, src) {
			if p.Encoding == "x-yenc" {
				total += len(p.Decoded)
			}
		}
		if total > len(src) {
			t.Fatalf("%d octets out of %d", total, len(src))
		}
		if len(src) == 0 {
			return
		}
		text := "=ybegin line=128 size=1 name=a b.exe\r\n" + yencOf(string(src)) + "\r\n=yend size=1\r\n"
		p, next := cutYEnc([]byte(text), 0, 0)
		if p == nil || !bytes.Equal(p.Decoded, src) || p.Filename != "a b.exe" || next != len(text) {
			t.Fatalf("%q came back as %+v, next %d of %d", src, p, next, len(text))
		}
	})
}

func FuzzBinHex(f *testing.F) {
	f.Add([]byte(binHexMark + " 4.0)\r\n\r\n" + binHexOf("a.exe", "content")))
	f.Add([]byte(binHexMark + "\r\n:*NJq*NJq*NJq:"))
	f.Add([]byte(binHexMark + "\n" + binHexMark + "\n:"))
	f.Fuzz(func(t *testing.T, src []byte) {
		total := 0
		for _, p := range carriedAll(t, src) {
			total += len(p.Decoded)
		}
		if total > 4*len(src)+2*binHexRoom(len(src)) {
			t.Fatalf("%d octets out of %d", total, len(src))
		}
		if len(src) == 0 || len(src) >= 1<<16 {
			return
		}
		text := binHexMark + " 4.0)\r\n\r\n" + binHexOf("a.exe", string(src))
		p, next := cutBinHex([]byte(text), 0, binHexRoom(len(text)))
		if p == nil || !bytes.Equal(p.Decoded, src) || p.Filename != "a.exe" || next != len(text) {
			t.Fatalf("%q came back as %+v, next %d of %d", src, p, next, len(text))
		}
	})
}

func FuzzUTF7(f *testing.F) {
	for _, s := range []string{"+ADw-script+AD4-", "+", "+-", "+A", "a+2D3YPQ-b", "Hi Mom +Jjo--!", "+++", "T\xe9t +AG"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := decodeUTF7(s)
		if utf8.ValidString(s) && !utf8.ValidString(out) {
			t.Fatalf("%q became %q", s, out)
		}
		if len(out) > 3*len(s)+3 {
			t.Fatalf("%d octets became %d", len(s), len(out))
		}
		if !strings.Contains(s, "+") && out != s {
			t.Fatalf("%q became %q with nothing shifted", s, out)
		}
		plain := strings.Map(func(r rune) rune {
			if r == utf8.RuneError || r > 0xFFFF {
				return -1
			}
			return r
		}, s)
		if plain != "" && decodeUTF7(utf7Of(plain)) != plain {
			t.Fatalf("%q came back as %q", plain, decodeUTF7(utf7Of(plain)))
		}
	})
}

func FuzzSpellings(f *testing.F) {
	for _, s := range []string{"a.exe", "a.exe.. ", "=?x?q?a=2Eexe?=", "a\x00.txt", "a%2eexe", "a.exe:b", "\u202eexe.a", "ａ．ｅｘｅ", "bi\xean.exe", "a.exe (x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := addSpellings(nil, s)
		if len(out) > maxNames {
			t.Fatalf("%d spellings", len(out))
		}
		for i, name := range out {
			if name == "" || slices.Contains(out[:i], name) {
				t.Fatalf("%q: %q is nothing new", s, name)
			}
			if strings.ContainsAny(name, "\x00\r\n\u202e\u200b") || strings.TrimRight(name, ". ") != name {
				t.Fatalf("%q: %q shows what cannot be seen", s, name)
			}
		}
		raw := crlf("Content-Disposition: attachment; filename=\""+s+"\"", "Content-Type: a/b; name=\""+s+"\"", "", "x")
		if names := Filenames(Parse(raw, DefaultLimits())); len(names) > maxNames+2*maxCandidates {
			t.Fatalf("%d names", len(names))
		}
	})
}

// FuzzRFC2231 divides a name into sections in a foreign order.
func FuzzRFC2231(f *testing.F) {
	f.Add("báo cáo.exe", 3, true, "")
	f.Add("a\"b\\.exe", 1, false, "; filename*1=x; filename*3*=y; filename*=z'z'%")
	f.Fuzz(func(t *testing.T, name string, size int, backwards bool, more string) {
		v := parseValue("attachment" + more)
		for _, values := range v.all {
			if len(values) == 0 || len(values) > maxCandidates {
				t.Fatalf("%d values in %q", len(values), more)
			}
		}
		if size < 1 || len(name) == 0 || len(name) > 4096 || !utf8.ValidString(name) {
			return
		}
		var sections []string
		for i := 0; i*size < len(name) && i < maxNames; i++ {
			end := min(len(name), (i+1)*size)
			if i == maxNames-1 {
				end = len(name)
			}
			charset := map[bool]string{true: "utf-8''"}[i == 0]
			sections = append(sections, fmt.Sprintf("; filename*%d*=%s%s", i, charset, percentOf(name[i*size:end])))
		}
		if backwards {
			slices.Reverse(sections)
		}
		got := parseValue("attachment" + strings.Join(sections, "")).all["filename"]
		if want := nfc(strings.TrimPrefix(name, "\ufeff")); want != "" && (len(got) == 0 || got[0] != want) {
			t.Fatalf("%q came back as %q", want, got)
		}
	})
}

func percentOf(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// FuzzParams holds the reader of parameters against the standard library's: what that
// one takes out of a value without complaint must be among the candidates.
func FuzzParams(f *testing.F) {
	for _, s := range []string{`a/b; x=y; z="q\"r"`, "a/b; x*=utf-8''%41", "a/b; x*0=a; x*1=b", "a/b (c); x=(d)y", "a/b;;x=y", `a/b; x=" y "`, "form-data ; x = y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := parseValue(unfold([]byte(s)))
		for name, values := range v.all {
			if name != strings.ToLower(name) || len(values) > maxCandidates {
				t.Fatalf("%q: %d values", name, len(values))
			}
		}
		head, params, err := mime.ParseMediaType(s)
		if err != nil || !isASCII(s) || strings.Contains(s, `\`) {
			return // others keep some backslashes and drop some
		}
		if v.head != head {
			t.Fatalf("%q: the head is %q, others read %q", s, v.head, head)
		}
		for name, value := range params {
			if !slices.Contains(v.all[name], value) && value != "" && !slices.ContainsFunc(v.notes, conflicting) {
				t.Fatalf("%q: %s is %q, others read %q", s, name, v.all[name], value)
			}
		}
	})
}

func conflicting(a msg.Ambiguity) bool { return Conflict(a.Code) || a.Code == ParamSyntax }

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// FuzzWords encodes a text as others do and reads it back.
func FuzzWords(f *testing.F) {
	f.Add("Báo cáo tháng 11", "utf-8", true)
	f.Add("=?utf-8?q?x?=", "utf-8", false)
	f.Fuzz(func(t *testing.T, s, charset string, b bool) {
		DecodeWords("=?" + charset + "?q?" + s + "?=")
		DecodeWords("=?" + charset + "?b?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?=")
		if !utf8.ValidString(s) {
			return
		}
		encoder := mime.QEncoding
		if b {
			encoder = mime.BEncoding
		}
		encoded := encoder.Encode("utf-8", s)
		if encoded == s {
			return // nothing in it needs a word
		}
		if got := DecodeWords(encoded); got != nfc(strings.TrimPrefix(s, "\ufeff")) {
			t.Fatalf("%q came back as %q from %q", s, got, encoded)
		}
	})
}

// FuzzUnion holds the bounds of all readings together, and that their time is linear:
// the limit is a hundred times what a busy machine takes.
func FuzzUnion(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=x; boundary=y\r\n\r\n--x\r\n\r\na\r\n--y\r\n\r\nb\r\n--x--\r\nc"), uint16(50))
	f.Add([]byte("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: x\r\n\r\nQQ==QUJD!\r\n"), uint16(200))
	f.Add([]byte("Content-Type: message/rfc822\r\n\r\n\r\nbegin 644 a\r\n#86)C\r\n"), uint16(9))
	f.Fuzz(func(t *testing.T, one []byte, times uint16) {
		raw := bytes.Repeat(one, 1+int(times)%500)
		if len(raw) > 64<<10 {
			raw = raw[:64<<10]
		}
		var root *msg.Part
		start := processorTime(t)
		root = Parse(raw, DefaultLimits())
		if took := processorTime(t) - start; took.Seconds() > 1.5 {
			t.Fatalf("%d octets took %v", len(raw), took)
		}
		held, seen := 0, map[string]bool{}
		for _, p := range root.Others {
			held += len(p.Decoded)
			key := strings.Join(Filenames(p), "\x00") + "\x00" + string(p.Decoded)
			if seen[key] {
				t.Fatalf("%s twice", p.Path)
			}
			seen[key] = true
		}
		if len(root.Others) > maxOthers || held > readingsShare*len(raw)+1<<20 {
			t.Fatalf("%d others with %d octets for %d", len(root.Others), held, len(raw))
		}
		checkTree(t, raw, root)
	})
}
