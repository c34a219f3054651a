package htmltoken

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html"
)

// rawData reads the content of an element whose content is no tags. False: there is none.
func (z *Tokenizer) rawData() bool {
	tag := z.raw
	z.raw = ""
	to := z.endOfRaw(tag)
	if to < 0 {
		z.out()
		to = z.pos
	}
	z.pos, z.data.to = to, to
	if to == z.start {
		z.err = nil // there is nothing to say yet
		return false
	}
	z.rawText, z.noNUL = tag != "textarea" && tag != "title", true
	return true
}

// endOfRaw returns where the end tag begins; -1: nowhere.
func (z *Tokenizer) endOfRaw(tag string) int {
	if tag == "plaintext" {
		return -1
	}
	for at := z.pos; ; at++ {
		n := bytes.Index(z.buf[min(at, z.end):z.end], []byte("</"))
		if n < 0 {
			return z.script(tag, -1)
		}
		at += n
		if behind := at + 2 + len(tag); behind < z.end && equalFold(z.buf[at+2:behind], []byte(tag)) && kinds[z.buf[behind]]&endsName != 0 {
			return z.script(tag, at)
		}
	}
}

// script gives a script with a comment in it to the other tokenizer: there an end tag may
// be none.
func (z *Tokenizer) script(tag string, to int) int {
	known := z.buf[z.pos:z.end]
	if to >= 0 {
		known = z.buf[z.pos:to]
	}
	if tag != "script" || !bytes.Contains(known, []byte("<!--")) {
		return to
	}
	other := html.NewTokenizer(io.MultiReader(strings.NewReader("<script>"), &pieces{z.buf[z.pos:z.end]}))
	other.Next() // the tag
	other.Next()
	if n := len(other.Raw()); z.pos+n < z.end {
		return z.pos + n
	}
	return -1
}

// pieces reads a page a little at a time: most scripts are short.
type pieces struct{ left []byte }

const piece = 512

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), piece)], p.left)
	p.left = p.left[n:]
	return n, nil
}

var (
	nul         = []byte{0}
	replacement = []byte("\ufffd")
)

// Text is the text of a text, comment or doctype token, character references resolved. It
// is there once, and until the next call.
func (z *Tokenizer) Text() []byte {
	switch z.kind {
	case html.TextToken, html.CommentToken, html.DoctypeToken:
	default:
		return nil
	}
	s := newlines(z.buf[z.data.from:z.data.to])
	z.data = span{z.pos, z.pos}
	if z.noNUL || z.kind == html.CommentToken {
		s = withoutNUL(s)
	}
	if !z.rawText && bytes.IndexByte(s, '&') >= 0 {
		return []byte(html.UnescapeString(string(s)))
	}
	return s
}

func withoutNUL(s []byte) []byte {
	if bytes.IndexByte(s, 0) < 0 {
		return s
	}
	return bytes.ReplaceAll(s, nul, replacement)
}

// newlines makes CR LF and CR a LF, in place.
func newlines(s []byte) []byte {
	to := bytes.IndexByte(s, '\r')
	if to < 0 {
		return s
	}
	for i := to; i < len(s); i++ {
		c := s[i]
		if c == '\r' {
			if c = '\n'; i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		}
		s[to] = c
		to++
	}
	return s[:to]
}

// TagName is the name of a tag in small letters, and whether it has attributes. It is
// there once.
func (z *Tokenizer) TagName() (name []byte, hasAttr bool) {
	switch z.kind {
	case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
	default:
		return nil, false
	}
	if z.data.from >= z.data.to {
		return nil, false
	}
	s := lower(withoutNUL(z.buf[z.data.from:z.data.to]))
	z.data = span{z.pos, z.pos}
	return s, z.given < len(z.attrs)
}

// TagAttr is the next attribute, the key in small letters, the value with its character
// references resolved, and whether there are more.
func (z *Tokenizer) TagAttr() (key, val []byte, more bool) {
	if z.given >= len(z.attrs) || z.kind != html.StartTagToken && z.kind != html.SelfClosingTagToken {
		return nil, nil, false
	}
	a := &z.attrs[z.given]
	z.given++
	key = lower(withoutNUL(z.buf[a.key.from:a.key.to]))
	val = z.buf[a.value.from:a.value.to]
	if bytes.IndexByte(val, '&') >= 0 {
		val = z.references.in(z.buf[a.raw.from:a.raw.to])
	} else {
		val = newlines(withoutNUL(val))
	}
	return key, val, z.given < len(z.attrs)
}

// references resolves those of attributes, which end otherwise than those of text, by the
// other tokenizer: it is fed with tags of one attribute, one after the other.
type references struct {
	other *html.Tokenizer
	feed  pieces
}

// in returns the value of an attribute; raw is what stands behind its key.
func (r *references) in(raw []byte) []byte {
	if r.other == nil {
		r.other = html.NewTokenizer(&r.feed)
	}
	r.feed.left = append(append([]byte("<a b"), raw...), '>')
	if r.other.Next() != html.StartTagToken {
		return nil
	}
	r.other.TagName()
	_, val, _ := r.other.TagAttr()
	return val
}
