package text

import (
	"bytes"
	"strings"
)

// property is one of those that can hide a text.
type property uint8

const (
	display property = iota // none
	visibility
	fontSize // too small to be seen
	opacity
	overflow // what does not fit is not shown
	width    // no room
	height
	position // far off the page
	clipped
	properties
)

// effect is what declarations say about a property: nothing, that it does not hide, that it
// does.
type effect uint8

const (
	unsaid effect = iota
	shows
	hides
)

// declarations is the part of a style that matters here.
type declarations struct {
	said      [properties]effect
	color     color
	ground    color
	important uint32 // a bit for each property, then color, ground
}

const (
	colorBit  = properties
	groundBit = properties + 1
)

const (
	maxStyle = 8 << 10 // octets of one style that are read
	farOff   = 500     // pixels
)

// read adds the declarations of "name: value; …".
func (d *declarations) read(style []byte) {
	style = style[:min(len(style), maxStyle)]
	for len(style) > 0 {
		var one []byte
		one, style, _ = bytes.Cut(style, []byte{';'})
		name, val, ok := bytes.Cut(one, []byte{':'})
		if ok {
			d.declare(bytes.TrimSpace(name), bytes.TrimSpace(val))
		}
	}
}

// declare reads one declaration. Names are compared without regard to case.
func (d *declarations) declare(name, val []byte) {
	if len(name) == 0 || len(name) > 20 || len(val) == 0 {
		return
	}
	var one declarations
	bang := bytes.IndexByte(val, '!')
	if bang >= 0 {
		one.important = 1<<(properties+2) - 1
		val = bytes.TrimSpace(val[:bang])
	}
	var buf [20]byte
	lower := buf[:len(name)]
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower) {
	case "color":
		one.color = parseColor(val)
	case "background", "background-color", "background-image":
		one.ground = parseGround(val)
	default:
		one.hiding(string(lower), val)
	}
	d.add(&one)
}

// hiding reads the properties that hide by themselves.
func (d *declarations) hiding(name string, val []byte) {
	set := func(p property, hidden bool) {
		d.said[p] = shows
		if hidden {
			d.said[p] = hides
		}
	}
	v := strings.ToLower(string(val[:min(len(val), 80)]))
	switch name {
	case "display":
		set(display, v == "none")
	case "visibility":
		set(visibility, v == "hidden" || v == "collapse")
	case "font-size", "font":
		if size, ok := sizeOf(v); ok {
			set(fontSize, size <= 1)
		}
	case "opacity":
		set(opacity, number(v) >= 0 && number(v) < 0.05)
	case "overflow", "overflow-x", "overflow-y":
		set(overflow, v == "hidden" || v == "clip")
	case "width", "max-width":
		set(width, number(v) == 0)
	case "height", "max-height":
		set(height, number(v) == 0)
	case "left", "top", "right", "bottom", "text-indent", "margin-left", "margin-top":
		n := number(v)
		set(position, n <= -farOff || n >= 20*farOff)
	case "clip", "clip-path":
		set(clipped, strings.HasPrefix(strings.ReplaceAll(v, " ", ""), "rect(0") || strings.HasPrefix(v, "rect(1px") || strings.HasPrefix(v, "inset(50%") || strings.HasPrefix(v, "inset(100%"))
	case "transform":
		set(clipped, strings.HasPrefix(v, "scale(0)"))
	}
}

// sizeOf reads a font size in pixels, about; not ok when it depends on what is around.
func sizeOf(v string) (float64, bool) {
	i := strings.IndexAny(v, "0123456789.")
	if i < 0 || v == "" {
		return 16, v != "" && v != "inherit" && v != "smaller" && v != "larger" && v != "unset"
	}
	n := number(v[i:])
	unit := strings.TrimLeft(v[i:], "0123456789.")
	relative := strings.HasPrefix(unit, "em") || strings.HasPrefix(unit, "%") || strings.HasPrefix(unit, "ex")
	switch {
	case n == 0:
		return 0, true
	case relative:
		return n, n < 0.05 || strings.HasPrefix(unit, "%") && n < 5
	case strings.HasPrefix(unit, "rem"), strings.HasPrefix(unit, "vw"):
		return n * 16, true
	}
	return n, n > 0
}

// parseGround reads a background. A picture may be of any colour.
func parseGround(val []byte) color {
	if bytes.Contains(val, []byte("url(")) || bytes.Contains(val, []byte("gradient(")) {
		return unknown
	}
	if c := parseColor(val); c != unknown {
		if c == seeThrough {
			return none // what is behind shows
		}
		return c
	}
	for _, word := range bytes.Fields(val[:min(len(val), 200)]) {
		if c := parseColor(word); c&known != 0 {
			return c
		}
	}
	if string(val) == "none" {
		return none
	}
	return unknown
}

// add puts other declarations over these, but for what is important here and not there.
func (d *declarations) add(o *declarations) {
	wins := func(bit property) bool { return d.important&(1<<bit) == 0 || o.important&(1<<bit) != 0 }
	for p, s := range o.said {
		if s != unsaid && wins(property(p)) {
			d.said[p] = s
			d.important = d.important&^(1<<p) | o.important&(1<<p)
		}
	}
	if o.color != none && wins(colorBit) {
		d.color = o.color
		d.important = d.important&^(1<<colorBit) | o.important&(1<<colorBit)
	}
	if o.ground != none && wins(groundBit) {
		d.ground = o.ground
		d.important = d.important&^(1<<groundBit) | o.important&(1<<groundBit)
	}
}

// apply changes the look that came from around the element.
func (d *declarations) apply(l *look) {
	s := &d.said
	noRoom := s[overflow] == hides && (s[width] == hides || s[height] == hides)
	l.gone = l.gone || s[display] == hides || s[opacity] == hides || s[position] == hides || s[clipped] == hides || noRoom
	if s[visibility] != unsaid {
		l.invisible = s[visibility] == hides
	}
	if s[fontSize] != unsaid {
		l.tiny = s[fontSize] == hides
	}
	if d.color != none {
		l.color = d.color
	}
	if d.ground != none {
		l.ground = d.ground
	}
}

// unsure keeps of declarations only what brings a text back to sight: they may or may
// not hold for the element.
func (d *declarations) unsure() {
	for p, s := range d.said {
		if s == hides {
			d.said[p] = unsaid
		}
	}
	if d.color != none || d.ground != none {
		d.color, d.ground = none, unknown
	}
}
