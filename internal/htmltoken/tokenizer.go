// Package htmltoken divides HTML into the tokens that golang.org/x/net/html divides it
// into, to the octet, three times as fast: all of the page is in memory, so nothing is
// copied, and text is searched for the next tag instead of read octet by octet. What is
// rare or intricate (character references, scripts with comments in them) is left to that
// package. The tests hold the two against each other.
package htmltoken

import (
	"bytes"
	"io"
	"sync"

	"golang.org/x/net/html"
)

// Tokenizer reads one page. Its methods are those of html.Tokenizer.
type Tokenizer struct {
	buf  []byte // its own: what was read is changed in place
	most int    // octets of one token; 0: no bound

	kind       html.TokenType
	err        error // after the token at hand
	start, pos int   // the token at hand is buf[start:pos]
	data       span  // its text or name
	end        int   // of what one token may be of
	raw        string
	rawText    bool // the text has no character references
	noNUL      bool // NUL in the text is replaced
	attrs      []attr
	given      int // attributes that were returned
	references references
}

type span struct{ from, to int }

type attr struct {
	key, value span
	raw        span // from behind the key to behind the value, with its quotes
}

// New returns a tokenizer of a page.
func New(page string) *Tokenizer {
	z, _ := idle.Get().(*Tokenizer)
	z.buf = append(z.buf[:0], page...)
	return z
}

// idle keeps tokenizers between pages; the room that one letter needs, the next one needs
// as well.
var idle = sync.Pool{New: func() any { return &Tokenizer{} }}

// mostKept bounds the page whose room is kept, in octets.
const mostKept = 256 << 10

// Close gives the tokenizer's room to the next page. Nothing that it returned may be used
// any more. A page may as well be read without Close.
func (z *Tokenizer) Close() {
	if cap(z.buf) > mostKept || cap(z.attrs) > fewAttrs*fewAttrs {
		return
	}
	*z = Tokenizer{buf: z.buf, attrs: z.attrs[:0], references: z.references}
	idle.Put(z)
}

// SetMaxBuf bounds one token, in octets; 0: no bound.
func (z *Tokenizer) SetMaxBuf(n int) { z.most = n }

// Err is why there are no more tokens: io.EOF, or html.ErrBufferExceeded.
func (z *Tokenizer) Err() error {
	if z.kind != html.ErrorToken {
		return nil
	}
	return z.err
}

// Raw is the token as it stands in the page.
func (z *Tokenizer) Raw() []byte { return z.buf[z.start:z.pos] }

// Next goes on to the next token.
func (z *Tokenizer) Next() html.TokenType {
	z.start, z.data = z.pos, span{z.pos, z.pos}
	if z.err != nil {
		z.kind = html.ErrorToken
		return z.kind
	}
	z.end = len(z.buf)
	if bound := z.start + z.most - 1; z.most > 0 && bound < z.end {
		z.end = bound
	}
	z.rawText, z.noNUL = false, false
	if z.raw != "" && z.rawData() {
		z.kind = html.TextToken
	} else {
		z.kind = z.token()
	}
	return z.kind
}

// out is what there is to say where the octets of a token have run out: at the end of the
// page, or at the bound, of which one octet was read before it was met.
func (z *Tokenizer) out() {
	z.pos, z.err = len(z.buf), io.EOF
	if z.end < len(z.buf) {
		z.pos, z.err = z.end+1, html.ErrBufferExceeded
	}
}

// token reads text up to the next tag, or the tag.
func (z *Tokenizer) token() html.TokenType {
	at := z.pos
	for {
		n := bytes.IndexByte(z.buf[at:z.end], '<')
		if n < 0 || at+n+1 >= z.end {
			return z.rest()
		}
		at += n
		if c := z.buf[at+1]; isLetter(c) || c == '/' || c == '!' || c == '?' {
			break
		}
		at++
	}
	if at > z.start {
		z.pos, z.data.to = at, at
		return html.TextToken
	}
	z.pos = at + 2
	switch z.buf[at+1] {
	case '/':
		return z.endTag()
	case '!':
		return z.declaration()
	case '?':
		return z.bogus(at + 1)
	}
	return z.startTag()
}

// rest is text up to where the octets run out.
func (z *Tokenizer) rest() html.TokenType {
	z.out()
	if z.start == z.pos {
		return html.ErrorToken
	}
	z.data.to = z.pos
	return html.TextToken
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// endTag reads what begins with "</".
func (z *Tokenizer) endTag() html.TokenType {
	if z.pos >= z.end {
		return z.rest()
	}
	switch c := z.buf[z.pos]; {
	case c == '>':
		z.pos++
		z.data = span{z.start, z.start}
		return html.CommentToken
	case isLetter(c):
		if !z.tag(false) {
			return html.ErrorToken
		}
		return html.EndTagToken
	}
	return z.bogus(z.pos)
}

// bogus reads what is taken for a comment: from there to the next '>'.
func (z *Tokenizer) bogus(from int) html.TokenType {
	z.data.from = from
	if n := bytes.IndexByte(z.buf[from:z.end], '>'); n >= 0 {
		z.data.to, z.pos = from+n, from+n+1
	} else {
		z.out()
		z.data.to = z.pos
	}
	return html.CommentToken
}

// declaration reads what begins with "<!".
func (z *Tokenizer) declaration() html.TokenType {
	head := z.buf[z.pos:z.end]
	if bytes.HasPrefix(head, []byte("--")) {
		z.comment()
		return html.CommentToken
	}
	const doctype = "DOCTYPE"
	if len(head) < len(doctype) || !bytes.EqualFold(head[:len(doctype)], []byte(doctype)) {
		return z.bogus(z.pos)
	}
	from := z.skipSpace(z.pos + len(doctype))
	z.bogus(min(from, z.end))
	if from >= z.end { // nothing but white space
		z.data.from = z.data.to
	}
	return html.DoctypeToken
}

// comment reads "<!-- … -->", which "--!>" and, at once, ">" end, too.
func (z *Tokenizer) comment() {
	from := z.pos + 2
	z.data = span{from, from}
	for at := from; ; at++ {
		n := bytes.IndexByte(z.buf[min(at, z.end):z.end], '>')
		if n < 0 {
			break
		}
		at += n
		dashes := z.dashes(from, at)
		switch {
		case dashes >= 2, at-dashes == from:
			z.data.to, z.pos = max(from, at-2), at+1
			return
		case z.buf[at-1] == '!' && z.dashes(from, at-1) >= 2:
			z.data.to, z.pos = max(from, at-3), at+1
			return
		}
	}
	z.out()
	z.data.to = z.pos
	for _, end := range []string{"--!", "--", "-"} {
		if bytes.HasSuffix(z.buf[min(from, z.pos):z.pos], []byte(end)) {
			z.data.to -= len(end)
			break
		}
	}
	z.data.to = max(from, z.data.to)
}

// dashes counts those in a row before at.
func (z *Tokenizer) dashes(from, at int) int {
	n := 0
	for at-n > from && z.buf[at-n-1] == '-' {
		n++
	}
	return n
}

// startTag reads what begins with "<" and a letter.
func (z *Tokenizer) startTag() html.TokenType {
	z.pos--
	if !z.tag(true) {
		return html.ErrorToken
	}
	z.raw = rawTag(z.buf[z.data.from:z.data.to])
	n := len(z.attrs)
	if z.buf[z.pos-2] == '/' && (n == 0 || z.pos-2 != z.attrs[n-1].value.to-1) {
		return html.SelfClosingTagToken
	}
	return html.StartTagToken
}

// rawTag returns the name of an element whose content is no tags; "" for others.
func rawTag(name []byte) string {
	if len(name) < len("xmp") || len(name) > len("plaintext") {
		return ""
	}
	switch name[0] | 0x20 {
	case 'i', 'n', 'p', 's', 't', 'x':
	default:
		return ""
	}
	for _, s := range []string{"iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp"} {
		if len(s) == len(name) && equalFold(name, []byte(s)) {
			return s
		}
	}
	return ""
}
