package text

import (
	"bytes"
	"errors"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"congthu/internal/charset"
	"congthu/internal/htmltoken"
)

// page is HTML as a reader meets it. It is read in one pass without a tree. Where it is
// not certain that a reader is not shown a text, it is taken as shown.
type page struct {
	shown, hidden []byte
	images        int
	cut           bool // there was more than was read
	limit         int
	nested        int // pages inside pages
	stack         []element
	root          look
	sheet         sheet
	styles        map[string]declarations // of tags, by their text
	font          charset.Name            // what a font of the time before Unicode, if one is named, is in
}

type element struct {
	name  atom.Atom
	other string // the name where there is no atom for it
	look  look
}

const (
	maxStack  = 512     // elements that are remembered as open; in deeper ones all is shown
	maxNested = 3       // how often a page inside a page is read
	maxTag    = 1 << 20 // octets of one tag; what follows a longer one is not read
)

// readPage reads until more than limit octets of shown or hidden text were found.
func readPage(text string, limit int) *page {
	p := &page{limit: limit, root: look{color: black, ground: white}, shown: make([]byte, 0, min(len(text)*3/4, limit)+64)}
	p.read(text)
	return p
}

func (p *page) read(text string) {
	z := htmltoken.New(text)
	defer z.Close()
	z.SetMaxBuf(maxTag)
	for len(p.shown) <= p.limit && len(p.hidden) <= p.limit {
		switch z.Next() {
		case html.ErrorToken:
			p.write(z.Raw()) // a tag that never ends
			p.cut = p.cut || errors.Is(z.Err(), html.ErrBufferExceeded)
			return
		case html.TextToken:
			p.text(z.Text())
		case html.StartTagToken:
			p.open(z, false)
		case html.SelfClosingTagToken:
			p.open(z, true)
		case html.EndTagToken:
			name, _ := z.TagName()
			p.shut(name)
		case html.CommentToken:
			p.comment(z.Text())
		}
	}
}

// comment reads what one mail program shows of a comment: Outlook, whose pages for it
// alone stand in "<!--[if mso]> … <![endif]-->".
func (p *page) comment(text []byte) {
	if !bytes.HasPrefix(text, []byte("[if ")) || p.nested >= maxNested {
		return
	}
	condition, content, ok := bytes.Cut(text, []byte("]>"))
	if !ok || !bytes.Contains(condition, []byte("mso")) || bytes.Contains(condition, []byte("!")) {
		return
	}
	content, _, _ = bytes.Cut(content, []byte("<![endif]"))
	p.inner(content)
}

// inner reads a page inside the page, which leaves no element of its own open.
func (p *page) inner(text []byte) {
	depth := len(p.stack)
	p.nested++
	p.read(string(text))
	p.nested--
	p.stack = p.stack[:min(depth, len(p.stack))]
}

func (p *page) text(s []byte) {
	switch p.top() {
	case atom.Script, atom.Title:
	case atom.Style:
		p.fonts(s)
		p.sheet.read(s)
	case atom.Noscript, atom.Iframe, atom.Noembed, atom.Noframes:
		if p.nested < maxNested && bytes.IndexByte(s, '<') >= 0 {
			p.inner(s) // mail programs run no scripts and open no frames: this is what they show
			return
		}
		p.write(s)
	default:
		p.write(s)
	}
}

// write adds text to what is shown or to what is not. The source's line feeds are spaces.
func (p *page) write(s []byte) {
	out := &p.shown
	if l := p.around(atom.A); l.conceals() {
		out = &p.hidden
	}
	b := *out
	for len(s) > 0 {
		n := 0
		for n < len(s) && s[n] > ' ' {
			n++
		}
		b = append(b, s[:n]...)
		if n == len(s) {
			break
		}
		c := s[n]
		if c == '\n' || c == '\r' || c == '\t' || c == '\f' {
			c = ' '
		}
		if c != ' ' || len(b) == 0 || b[len(b)-1] != ' ' {
			b = append(b, c)
		}
		s = s[n+1:]
	}
	*out = b
}

func (p *page) top() atom.Atom {
	if len(p.stack) == 0 {
		return 0
	}
	return p.stack[len(p.stack)-1].name
}

// around is the look that an element of that name gets from those around it. What stands
// in a table but in none of its cells is shown before the table.
func (p *page) around(name atom.Atom) look {
	i := len(p.stack) - 1
	if i >= 0 && isTablePart(p.stack[i].name) && !isTablePart(name) && !isCell(name) {
		for i >= 0 && p.stack[i].name != atom.Table {
			i--
		}
		i--
	}
	if i < 0 {
		return p.root
	}
	return p.stack[i].look
}

func isTablePart(a atom.Atom) bool {
	return a == atom.Table || a == atom.Tbody || a == atom.Thead || a == atom.Tfoot || a == atom.Tr
}

func isCell(a atom.Atom) bool { return a == atom.Td || a == atom.Th || a == atom.Caption }

func (p *page) open(z *htmltoken.Tokenizer, closed bool) {
	word, more := z.TagName()
	name := atom.Lookup(word)
	other := ""
	if name == 0 {
		other = string(word)
	}
	p.space(name)
	p.close(name)
	if name == atom.Img || name == atom.Image {
		p.images++
	}
	t := tag{name: name}
	for n := 0; more && n < maxAttributes; n++ {
		var key, val []byte
		key, val, more = z.TagAttr()
		t.attribute(p, key, val)
	}
	if closed || isVoid(name) || len(p.stack) >= maxStack {
		return
	}
	p.stack = append(p.stack, element{name, other, t.look(p)})
	if name == atom.Body {
		p.root.ground = p.stack[len(p.stack)-1].look.ground
	}
}

// close ends the elements that the start of another one ends (HTML, section 13.2.6.4).
func (p *page) close(name atom.Atom) {
	if name == atom.A || name == atom.Button || name == atom.Nobr {
		p.closeUpTo(func(a atom.Atom) bool { return a == name }, func(a atom.Atom) bool { return isTablePart(a) || isCell(a) })
		return
	}
	if isInline(name) {
		return
	}
	switch name {
	case atom.Li:
		p.closeUpTo(func(a atom.Atom) bool { return a == atom.Li }, func(a atom.Atom) bool { return a == atom.Ul || a == atom.Ol || isCell(a) })
	case atom.Dd, atom.Dt:
		p.closeUpTo(func(a atom.Atom) bool { return a == atom.Dd || a == atom.Dt }, func(a atom.Atom) bool { return a == atom.Dl || isCell(a) })
	case atom.Td, atom.Th:
		p.closeUpTo(isCell, isTablePart)
	case atom.Tr:
		p.closeUpTo(func(a atom.Atom) bool { return a == atom.Tr }, func(a atom.Atom) bool { return a == atom.Table })
	case atom.Tbody, atom.Thead, atom.Tfoot:
		p.closeUpTo(func(a atom.Atom) bool { return a == atom.Tbody || a == atom.Thead || a == atom.Tfoot }, func(a atom.Atom) bool { return a == atom.Table })
	case atom.Option:
		p.closeUpTo(func(a atom.Atom) bool { return a == atom.Option }, func(a atom.Atom) bool { return a == atom.Select })
	}
	p.closeUpTo(isParagraph, func(a atom.Atom) bool { return !isInline(a) && !isParagraph(a) })
}

func isParagraph(a atom.Atom) bool {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// closeUpTo closes the innermost element that is wanted, unless one that stops comes
// before it.
func (p *page) closeUpTo(wanted, stops func(atom.Atom) bool) {
	for i := len(p.stack) - 1; i >= 0; i-- {
		switch a := p.stack[i].name; {
		case wanted(a):
			p.stack = p.stack[:i]
			return
		case stops(a):
			return
		}
	}
}

// shut closes the innermost open element of that name. An end tag without a start is
// passed over, as browsers do.
func (p *page) shut(word []byte) {
	name := atom.Lookup(word)
	p.space(name)
	for i := len(p.stack) - 1; i >= 0; i-- {
		if e := &p.stack[i]; e.name == name && (name != 0 || e.other == string(word)) {
			p.stack = p.stack[:i]
			return
		}
	}
}

// space ends the word at elements that begin on a line or in a cell of their own.
func (p *page) space(name atom.Atom) {
	if isInline(name) {
		return
	}
	for _, out := range []*[]byte{&p.shown, &p.hidden} {
		if n := len(*out); n > 0 && (*out)[n-1] != '\n' {
			*out = append(*out, '\n')
		}
	}
}

// isInline tells elements that do not end a line. An unknown one (o:p) does not.
func isInline(a atom.Atom) bool {
	switch a {
	case 0, atom.A, atom.Abbr, atom.Acronym, atom.B, atom.Bdi, atom.Bdo, atom.Big, atom.Cite, atom.Code, atom.Del, atom.Dfn, atom.Em, atom.Font,
		atom.I, atom.Img, atom.Image, atom.Ins, atom.Kbd, atom.Label, atom.Mark, atom.Nobr, atom.Q, atom.S, atom.Samp, atom.Script, atom.Small,
		atom.Span, atom.Strike, atom.Strong, atom.Style, atom.Sub, atom.Sup, atom.Time, atom.Tt, atom.U, atom.Var, atom.Wbr:
		return true
	}
	return false
}

func isVoid(a atom.Atom) bool {
	switch a {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Image, atom.Input, atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// looksHTML tells whether a mail program might show the text as a page although it is
// declared as another.
func looksHTML(s string) bool {
	head := strings.ToLower(strings.TrimSpace(s[:min(len(s), 512)]))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html") || strings.HasPrefix(head, "<body")
}
