package mimetree

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	oldcharset "congthu/internal/charset"
	"congthu/internal/msg"
)

// decodeText sets the part's text in UTF-8, NFC. Octets that cannot be decoded are
// kept, for a reader that knows the old Vietnamese encodings.
func decodeText(p *msg.Part) {
	charset := textCharset(p)
	text, ok := toUTF8(charset, p.Decoded)
	p.Text = text
	if other, trick := charsetTrick(charset, p); trick {
		note(p, CharsetTrick, charset)
		p.Text = other
	}
	switch {
	case ok:
	case charset == "" || isKnown(charset):
		note(p, CharsetInvalid, charset)
	default:
		note(p, CharsetUnknown, charset)
	}
}

// charsetTrick tells a text that spells one thing in its charset and another as the
// plain octets that it is, and returns the reading that the octets do not show.
func charsetTrick(charset string, p *msg.Part) (other string, yes bool) {
	charset = strings.ToLower(strings.Trim(charset, " \t\"'"))
	wide := bytes.HasPrefix(p.Decoded, []byte("\xfe\xff")) || bytes.HasPrefix(p.Decoded, []byte("\xff\xfe"))
	switch {
	case isUTF7Name(charset):
		return p.Text, true
	case strings.HasPrefix(charset, "utf-16"):
		return p.Text, len(p.Decoded) > 1 && bytes.IndexByte(p.Decoded, 0) < 0
	case wide:
		text, _ := toUTF8("utf-16", p.Decoded)
		return text, true
	}
	return "", false
}

// textCharset is the declared charset, or what an HTML text says about itself.
func textCharset(p *msg.Part) string {
	if c := p.Params["charset"]; c != "" || p.MediaType != "text/html" {
		return c
	}
	if m := metaCharset.FindSubmatch(p.Decoded[:min(len(p.Decoded), 1024)]); m != nil {
		return string(m[1])
	}
	return ""
}

var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?([a-z0-9_-]{1,40})`)

// toUTF8 decodes octets; not ok means that they were kept as they are. Without a
// charset, or under one that promises ASCII, text that is UTF-8 is taken for it.
func toUTF8(charset string, b []byte) (string, bool) {
	charset = strings.ToLower(strings.Trim(charset, " \t\"'"))
	if isUTF8Name(charset) {
		b = bytes.TrimPrefix(b, []byte("\ufeff"))
		if !utf8.Valid(b) {
			return string(b), false
		}
		return nfc(string(b)), true
	}
	if isUTF7Name(charset) {
		return nfc(decodeUTF7(string(b))), true
	}
	if text, ok := oldcharset.Decode(charset, b); ok {
		return text, true
	}
	enc := lookupCharset(charset)
	if enc == nil {
		return string(b), false // even plain ASCII: in UTF-7 it says something else
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return string(b), false
	}
	return nfc(string(out)), true // windows-1258 writes tone marks apart
}

// nfc composes letters and tone marks. Asking the tables costs more than decoding, and
// ordinary Vietnamese text needs none of it.
func nfc(s string) string {
	if plainlyNFC(s) {
		return s
	}
	return norm.NFC.String(s)
}

// plainlyNFC knows, by the first octets of each letter, ranges in which nothing ever
// changes: below U+0300, the Latin letters from U+1E00 on, punctuation from U+2010 on.
func plainlyNFC(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < 0x80:
		case c >= 0xc2 && c <= 0xcb:
			i++
		case c == 0xe1 && i+2 < len(s) && s[i+1] >= 0xb8 && s[i+1] <= 0xbb:
			i += 2
		case c == 0xe2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2] >= 0x90:
			i += 2
		default:
			return false
		}
	}
	return true
}

// isUTF8Name tells whether the name stands for UTF-8 or for its subset.
func isUTF8Name(charset string) bool {
	switch charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968":
		return true
	}
	return false
}

// isKnown tells whether there is a way to read the charset.
func isKnown(charset string) bool {
	if isUTF8Name(charset) || isUTF7Name(charset) { // nearly all are
		return true
	}
	_, old := oldcharset.Decode(charset, nil)
	return old || lookupCharset(charset) != nil
}

// lookupCharset returns nil for a name nobody knows. UTF-16 looks for a byte order
// mark, which the web's list does not.
func lookupCharset(charset string) encoding.Encoding {
	charset = strings.ToLower(charset)
	if charset == "utf-16" {
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	}
	if enc, err := htmlindex.Get(charset); err == nil && enc != encoding.Replacement {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(charset); err == nil && enc != encoding.Replacement {
		return enc // nil for one that is registered and has no tables
	}
	return nil
}
