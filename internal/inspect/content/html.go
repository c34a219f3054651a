package content

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// page is HTML as a reader meets it.
type page struct {
	shown, hidden strings.Builder
	images        int
	stack         []element
	limit         int
	nested        int // noscript inside noscript
}

type element struct {
	name   string
	hidden bool // this element or one around it
}

// maxStack bounds the elements that are remembered as open; deeper ones are taken as
// shown, so that depth can hide nothing from the rules.
const maxStack = 512

// readPage streams through HTML; it builds no tree. It stops when more than limit
// octets of shown or hidden text were read.
func readPage(text string, limit int) *page {
	p := &page{limit: limit}
	p.read(text)
	return p
}

func (p *page) read(text string) {
	z := html.NewTokenizer(strings.NewReader(text))
	for p.shown.Len() < p.limit+1 && p.hidden.Len() < p.limit+1 {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			p.text(string(z.Text()))
		case html.StartTagToken:
			p.open(z.Token(), false)
		case html.SelfClosingTagToken:
			p.open(z.Token(), true)
		case html.EndTagToken:
			name, _ := z.TagName()
			p.shut(string(name))
		}
	}
}

// maxNested bounds how often the content of a noscript is read as a page again.
const maxNested = 3

func (p *page) text(s string) {
	switch {
	case p.inside("script"), p.inside("style"), p.inside("title"):
	case p.inside("noscript") && p.nested < maxNested && strings.Contains(s, "<"):
		p.nested++ // mail programs run no scripts, so this is what they show
		p.read(s)
		p.nested--
	case p.isHidden():
		p.hidden.WriteString(s)
	default:
		p.shown.WriteString(s)
	}
}

func (p *page) open(t html.Token, closed bool) {
	p.space(t.Data)
	if t.Data == "img" || t.Data == "image" {
		p.images++
	}
	for _, a := range t.Attr {
		if a.Key == "alt" || a.Key == "title" {
			p.text(" " + a.Val + " ")
		}
	}
	if !closed && !voidElement(t.Data) && len(p.stack) < maxStack {
		p.stack = append(p.stack, element{t.Data, p.isHidden() || hides(t)})
	}
}

// shut closes the innermost open element of that name. An end tag without a start is
// passed over, as browsers do.
func (p *page) shut(name string) {
	p.space(name)
	for i := len(p.stack) - 1; i >= 0; i-- {
		if p.stack[i].name == name {
			p.stack = p.stack[:i]
			return
		}
	}
}

// space ends the word at elements that begin on a line or in a cell of their own.
func (p *page) space(name string) {
	switch name {
	case "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "center", "code", "del", "em", "font", "i", "img", "ins", "kbd", "label",
		"mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr":
		return
	}
	p.shown.WriteByte('\n')
}

func (p *page) isHidden() bool { return len(p.stack) > 0 && p.stack[len(p.stack)-1].hidden }

func (p *page) inside(name string) bool {
	return len(p.stack) > 0 && p.stack[len(p.stack)-1].name == name
}

var hidingStyle = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0*(\.0+)?(px|pt|em|rem|%)?\s*(;|!|$)|opacity\s*:\s*0*(\.0+)?\s*(;|!|$)|mso-hide\s*:\s*all`)

func hides(t html.Token) bool {
	for _, a := range t.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			if hidingStyle.MatchString(a.Val) {
				return true
			}
		}
	}
	return t.Data == "template"
}

func voidElement(name string) bool {
	switch name {
	case "area", "base", "br", "col", "embed", "hr", "img", "image", "input", "link", "meta", "param", "source", "track", "wbr":
		return true
	}
	return false
}
