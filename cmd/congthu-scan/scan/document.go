package scan

import (
	"fmt"

	"congthu/cmd/congthu-scan/document"
	"congthu/cmd/congthu-scan/sniff"
)

// document reads an object that is a document, and looks at what it carries as at the
// members of an archive. The letter's own text is none: mail programs run nothing in it.
func (l *look) document(it item) {
	f := document.File{Office: it.office, Data: it.data}
	if len(it.names) > 0 {
		f.Name = it.names[0]
	}
	if len(l.trail) > 0 {
		f.Within = l.trail[len(l.trail)-1]
	}
	if it.body {
		return
	}
	d := document.Open(f)
	if d == nil {
		return
	}
	l.into(f.Name)
	l.opened = true
	seen := d.Read(l.budget, l.piece)
	for _, fact := range seen.Facts {
		l.found(fact.Symbol, fact.Evidence)
	}
	for _, r := range seen.Remarks {
		l.remarked(r)
	}
	l.linksOf(seen)
	l.outOf()
}

// piece looks at what a document carries. What is no file of its own is looked at with
// the rules only: its first octets would be mistaken for a type.
func (l *look) piece(o document.Object) {
	switch {
	case o.Picture != nil:
		l.pixels(o)
	case o.Text:
		if l.err == nil {
			l.err = l.ctx.Err()
		}
		if l.err == nil {
			l.yara(o.Data)
		}
	case len(l.trail) > l.budget.Depth:
		l.found(sniff.Unscannable, fmt.Sprintf("unscannable:depth: over %d files inside each other", l.budget.Depth))
	case o.Name == "":
		l.item(item{data: o.Data})
	default:
		l.item(item{names: []string{o.Name}, data: o.Data})
	}
}
