// Package plain shows a message to a reviewer as text and nothing else: its header as it
// came, its parts in a tree, and the words that its reader would see. No markup is obeyed,
// nothing is loaded, and what could mislead an eye or a terminal stands there as \x1b or
// \u202e.
package plain

import (
	"fmt"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/text"
)

// Bounds of what is shown; Cut says that there is more.
const (
	maxHeader = 200   // lines
	maxParts  = 200   // lines of the tree
	maxText   = 2000  // lines
	maxLine   = 2000  // characters
	maxHidden = 20000 // octets of what is not shown in the mail program
)

// View is a message as text. Every line is safe for a terminal.
type View struct {
	Header []string `json:"header"`
	Tree   []string `json:"tree"`
	Text   []string `json:"text"`
	Hidden []string `json:"hidden,omitempty"` // stands in the text and is not shown by a mail program
	Cut    bool     `json:"cut,omitempty"`    // there is more of something
}

// Of shows a message.
func Of(raw []byte) View {
	root := mimetree.Parse(raw, mimetree.DefaultLimits())
	read := text.Read(root)
	v := View{Cut: read.Cut}
	v.Header = v.lines(string(raw[:min(max(root.BodyStart, 0), int64(len(raw)))]), maxHeader)
	v.tree(root, "")
	v.Text = v.lines(read.Body, maxText)
	hidden := read.Hidden
	if len(hidden) > maxHidden {
		hidden, v.Cut = hidden[:maxHidden], true
	}
	v.Hidden = v.lines(strings.TrimSpace(hidden), maxText)
	return v
}

// lines makes a text safe, line by line. Ends of lines are what a reader takes for one:
// CRLF, LF, and a CR that stands alone (which would let a line overwrite itself).
func (v *View) lines(s string, most int) []string {
	out := []string{}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ").Replace(s)
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		if len(out) == most {
			v.Cut = true
			break
		}
		out = append(out, lang.Safe(line, maxLine))
	}
	return out
}

// tree writes a part and what is in it, each a step further in.
func (v *View) tree(p *msg.Part, indent string) {
	if len(v.Tree) == maxParts {
		v.Cut = true
		return
	}
	v.Tree = append(v.Tree, indent+line(p))
	for _, a := range p.Ambiguities {
		if len(v.Tree) < maxParts {
			v.Tree = append(v.Tree, indent+"  ! "+lang.Safe(a.Code+" "+a.Detail, 200))
		}
	}
	for _, c := range p.Children {
		v.tree(c, indent+"  ")
	}
}

// line is a part: its place, type, charset or name, and size.
func line(p *msg.Part) string {
	s := p.Path + " " + p.MediaType
	if cs := p.Params["charset"]; cs != "" {
		s += " " + cs
	}
	for _, name := range mimetree.Filenames(p) {
		s += fmt.Sprintf(" %q", name)
	}
	if !p.IsMultipart() {
		s += fmt.Sprintf(" %d octets", len(p.Decoded))
	}
	return lang.Safe(s, 300)
}
