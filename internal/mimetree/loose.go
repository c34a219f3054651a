package mimetree

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/msg"
)

// contents looks for other readings of one leaf: of an encoding that is not written as
// it should be, of files in the body that no header announces.
func (t *tree) contents(p *msg.Part, body []byte) {
	for _, a := range p.Ambiguities {
		switch a.Code {
		case TwoEncodings, UnknownEncoding, EncodingSyntax:
			t.encodings(p, body)
		case Base64Junk, Base64Streams, Base64Truncated:
			t.base64Readings(p, body)
		case QPInvalid:
			t.also(p, "qp", bytes.ReplaceAll(p.Decoded, []byte("="), nil))
		case CharsetTrick:
			t.also(p, "text", []byte(p.Text))
			t.loose(p, []byte(p.Text))
		}
	}
	t.wide(p)
	if isUU(p.Encoding) {
		t.also(p, "raw", body)
		if pos := nextLine(body, 0, "begin "); pos >= 0 {
			other := otherUU(body, lineEnd(body, pos))
			t.also(p, "uu", other.exact)
			t.also(p, "uu", other.claimed)
			t.pool.full = t.pool.full || other.cut
		}
	}
	if p.Encoding != "base64" {
		t.base64Runs(p, p.Decoded)
		if !p.IsText() && len(p.Children) == 0 { // those of a text are its children
			t.carried(p, p.Decoded)
		}
	}
}

// wide reads two octets a letter what says so, by its charset or by its mark: rules for
// texts, and those for pages, are written in letters.
func (t *tree) wide(p *msg.Part) {
	switch charset := strings.ToLower(p.Params["charset"]); {
	case p.IsText() && (strings.HasPrefix(charset, "utf-16") || strings.HasPrefix(charset, "ucs-2")) && p.Text != "":
		t.also(p, "text", []byte(p.Text))
	case bytes.HasPrefix(p.Decoded, []byte("\xfe\xff")), bytes.HasPrefix(p.Decoded, []byte("\xff\xfe")):
		if text, ok := toUTF8("utf-16", p.Decoded); ok {
			t.also(p, "text", []byte(text))
		}
	}
}

// encodings decodes a body in every way: nobody knows which one its encoding means.
func (t *tree) encodings(p *msg.Part, body []byte) {
	var n notes
	t.also(p, "raw", body)
	t.also(p, "base64", decodeBase64(body, &n))
	t.also(p, "qp", decodeQP(body, &n))
	t.also(p, "uu", decodeWholeUU(body))
	t.loose(p, body)
}

// base64Readings reads base64 that is not well-formed as others do: up to the first
// fault; each stream as a file; as one stream, padding skipped; odd lines dropped; in the
// alphabet for URLs (RFC 4648 section 5).
func (t *tree) base64Readings(p *msg.Part, body []byte) {
	var n notes
	t.also(p, "raw", body) // shown as it stands where decoding fails
	if i := bytes.IndexFunc(body, func(r rune) bool { return r > 0x7F || base64Value(byte(r)) == 66 }); i >= 0 {
		t.also(p, "strict", slowBase64(nil, body[:i], &n))
		t.also(p, "lines", decodeBase64(cleanLines(body), &n))
	}
	if bytes.ContainsAny(body, "-_") {
		url := bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
		t.also(p, "url", decodeBase64(url, &n))
	}
	t.also(p, "patient", patientBase64(body, false))
	t.also(p, "patient1", patientBase64(body, true))
	streams := bytes.FieldsFunc(body, func(r rune) bool { return r == '=' })
	if len(streams) < 2 {
		return
	}
	t.also(p, "unpadded", decodeBase64(bytes.ReplaceAll(body, []byte("="), nil), &n))
	for i, s := range streams[:min(len(streams), 100)] {
		t.also(p, "stream"+strconv.Itoa(i+1), slowBase64(nil, s, &n))
	}
}

// patientBase64 skips padding that completes no group. What completes one is the end,
// or a new stream begins behind it.
func patientBase64(body []byte, first bool) []byte {
	var n notes
	var out []byte
	start, held, pads := 0, 0, 0
	for i, c := range body {
		switch v := base64Value(c); {
		case v < 64:
			held, pads = (held+1)%4, 0
		case v == 64 && held >= 2:
			if pads++; held+pads >= 4 {
				out = append(out, slowBase64(nil, bytes.ReplaceAll(body[start:i], []byte("="), nil), &n)...)
				if first {
					return out
				}
				start, held, pads = i+1, 0, 0
			}
		}
	}
	return append(out, slowBase64(nil, bytes.ReplaceAll(body[start:], []byte("="), nil), &n)...)
}

// cleanLines keeps the lines that are base64 from end to end.
func cleanLines(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for pos := 0; pos < len(body); {
		end := lineEnd(body, pos)
		if line := bytes.TrimSpace(body[pos:end]); isBase64Line(line) {
			out = append(append(out, line...), '\n')
		}
		pos = end
	}
	return out
}

// loose looks into octets that no header describes: for files in a text's dress, and
// for base64.
func (t *tree) loose(p *msg.Part, b []byte) {
	t.carried(p, b)
	t.base64Runs(p, b)
}

func (t *tree) carried(p *msg.Part, b []byte) {
	for _, f := range findCarried(&msg.Part{Decoded: b, Encoding: "base64"}) {
		f.Path = p.Path + "~" + f.Encoding
		t.twins(f)
		t.pool.full = t.pool.full || slices.ContainsFunc(f.Ambiguities, func(a msg.Ambiguity) bool { return Limit(a.Code) })
		t.pool.add(f)
	}
}

// twins gathers the other readings of a carried file.
func (t *tree) twins(f *msg.Part) {
	for _, o := range f.Others {
		o.Path = f.Path + "~whole"
		t.pool.add(o)
	}
	f.Others = nil
}

// A run of base64 has so many characters, in lines of so many: less is a word of a
// text, and no file that does anything.
const (
	minRun  = 64
	minLine = 4
)

// base64Runs decodes lines that are nothing but base64 although nobody says so.
func (t *tree) base64Runs(p *msg.Part, b []byte) {
	start, chars := -1, 0
	flush := func(end int) {
		if start >= 0 && chars >= minRun {
			var n notes
			t.also(p, "base64", decodeBase64(b[start:end], &n))
		}
		start, chars = -1, 0
	}
	for pos := 0; pos < len(b); {
		end := lineEnd(b, pos)
		line := bytes.TrimRight(b[pos:end], " \t\r\n")
		switch {
		case len(line) >= minLine && isBase64Line(line):
			if start < 0 {
				start = pos
			}
			chars += len(line)
		case len(line) > 0:
			flush(pos)
		}
		pos = end
	}
	flush(len(b))
}

// isBase64Line tells whether a line is base64 from end to end.
func isBase64Line(line []byte) bool {
	line = bytes.TrimRight(line, "=")
	for _, c := range line {
		if base64Value(c) > 63 {
			return false
		}
	}
	return len(line) > 0
}

// outside looks into what stands around the parts of a multipart. A few lines are what
// every writer of multiparts puts there; more of it is an object of its own.
func (t *tree) outside(p *msg.Part, text []byte) {
	const greeting = 256
	text = bytes.TrimSpace(text)
	t.loose(p, text)
	if len(text) > greeting {
		t.also(p, "outside", text)
	}
	if looksLikeHeader(text) && bytes.Contains(bytes.ToLower(text[:min(len(text), 4096)]), []byte("content-")) {
		t.read(text, reading{lax: true}, p.Path+"~outside")
	}
}
