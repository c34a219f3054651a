package text

import (
	"bytes"

	"golang.org/x/net/html/atom"

	"congthu/internal/charset"
)

// look is what decides whether the text of an element can be seen.
type look struct {
	gone      bool  // by itself or with one around it; nothing inside can come back
	invisible bool  // by visibility, which an element inside may take back
	tiny      bool  // letters without size, which an element inside may enlarge
	color     color // of the letters
	ground    color // behind them
}

func (l look) conceals() bool {
	return l.gone || l.invisible || l.tiny || l.color.near(l.ground)
}

const (
	maxAttributes = 200
	maxClasses    = 20
)

// tag is what the attributes of one tag say that matters here.
type tag struct {
	name    atom.Atom
	id      []byte
	classes [][]byte
	gone    bool
	color   color
	ground  color
	style   declarations
}

// attribute reads one attribute; the key is lower case.
func (t *tag) attribute(p *page, key, val []byte) {
	switch string(key) {
	case "style":
		t.style = p.styleOf(val)
	case "face":
		p.fonts(val)
	case "class":
		if !p.sheet.empty() {
			t.classes = bytes.Fields(val)
			t.classes = t.classes[:min(len(t.classes), maxClasses)]
		}
	case "id":
		t.id = val
	case "hidden":
		t.gone = true
	case "bgcolor":
		t.ground = parseColor(val)
	case "background":
		t.ground = unknown
	case "color":
		if t.name == atom.Font {
			t.color = parseColor(val)
		}
	case "text":
		if t.name == atom.Body {
			t.color = parseColor(val)
		}
	case "alt", "title":
		p.said(val)
	case "value":
		if t.name == atom.Input || t.name == atom.Button {
			p.said(val)
		}
	}
}

// maxStyles is how many styles of tags are remembered: a page repeats a few of them on
// every cell.
const maxStyles = 256

func (p *page) styleOf(val []byte) declarations {
	if d, ok := p.styles[string(val)]; ok {
		return d
	}
	p.fonts(val)
	var d declarations
	d.read(val)
	if p.styles == nil {
		p.styles = map[string]declarations{}
	}
	if len(p.styles) < maxStyles && len(val) <= maxStyle {
		p.styles[string(val)] = d
	}
	return d
}

// said adds the text of an attribute that a reader is shown.
func (p *page) said(val []byte) {
	if len(val) > 0 {
		p.write([]byte{' '})
		p.write(val)
		p.write([]byte{' '})
	}
}

// look works out the look of the element by what is around it, its attributes, the style
// sheet and its own style.
func (t *tag) look(p *page) look {
	l := p.around(t.name)
	l.gone = l.gone || t.gone || t.name == atom.Template
	if t.color != none {
		l.color = t.color
	}
	if t.ground != none {
		l.ground = t.ground
	}
	var d declarations
	p.sheet.collect(&d, t)
	d.add(&t.style)
	d.apply(&l)
	return l
}

// fonts looks for the fonts whose letters are in an old charset: .VnTime, VNI-Times.
func (p *page) fonts(s []byte) {
	switch {
	case p.font != "":
	case bytes.Contains(s, []byte(".Vn")), bytes.Contains(s, []byte(".VN")):
		p.font = charset.TCVN3
	case bytes.Contains(s, []byte("VNI-")):
		p.font = charset.VNI
	}
}
