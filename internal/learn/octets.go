package learn

import (
	"bytes"
	"strings"
)

// octetLimit is how many octets the views of octets read.
const octetLimit = 3000

// headerLimit bounds how many lines of the header are looked at for what to leave out.
const headerLimit = 400

// octets reads the letter as it came. How its lines end is the transport's.
func (e *emitter) octets(raw []byte) {
	g := grams{e: e, view: Octets}
	for len(raw) > 0 && g.n < octetLimit {
		var l []byte
		l, raw = line(raw)
		g.line(l)
	}
}

// frame reads the letter as its author's program wrote it: without the fields that others
// add, and without those whose values are of one moment and one correspondence.
func (e *emitter) frame(raw []byte) {
	g := grams{e: e, view: Frame}
	skip := false
	for n := 0; len(raw) > 0 && n < headerLimit; n++ {
		var l []byte
		l, raw = line(raw)
		if len(l) == 0 {
			break
		}
		if l[0] != ' ' && l[0] != '\t' {
			name, _, _ := bytes.Cut(l[:min(len(l), 80)], []byte(":"))
			skip = passing(strings.ToLower(string(name)))
		}
		if !skip {
			g.line(l)
		}
	}
	for len(raw) > 0 && g.n < octetLimit {
		var l []byte
		l, raw = line(raw)
		g.line(l)
	}
}

// passing tells whether a field's value is of this letter only.
func passing(name string) bool {
	switch name {
	case "date", "message-id", "references", "in-reply-to", "to", "cc":
		return true
	}
	return added(name)
}

// line cuts the first line off, without its end.
func line(raw []byte) (l, rest []byte) {
	l, rest, _ = bytes.Cut(raw, []byte("\n"))
	return bytes.TrimSuffix(l, []byte("\r")), rest
}

// grams counts runs of four octets.
type grams struct {
	e    *emitter
	view View
	gram uint32
	n    int
}

func (g *grams) line(l []byte) {
	for _, b := range l[:min(len(l), octetLimit)] {
		g.octet(b)
	}
	g.octet('\n')
}

func (g *grams) octet(b byte) {
	if g.n++; g.n > octetLimit {
		return
	}
	g.gram = g.gram<<8 | uint32(b)
	if g.n >= 4 {
		g.e.sets[g.view].add(mix(g.gram))
	}
}
