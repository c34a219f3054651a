// Package text reads a message as its reader sees it: HTML laid out as lines, what is not
// shown apart from what is, and beside it the forms in which words are compared, which
// no spelling trick changes. It is pure: one bounded pass over a parsed message.
package text

import (
	"strings"
	"unicode/utf8"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// Limit is how much of each view is kept, in octets. Text.Cut says that there was more.
const Limit = 256 << 10

// Read returns the text of a parsed message; nil for nil.
func Read(root *msg.Part) *msg.Text {
	if root == nil {
		return nil
	}
	r := &reader{}
	for _, f := range root.Fields("Subject") {
		r.subject.add(strings.Map(oneLine, mimetree.DecodeWords(f.Value)), ' ')
	}
	root.Walk(r.part)
	return r.text()
}

// oneLine keeps the subject apart from the body in Folded.
func oneLine(r rune) rune {
	if r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029 {
		return ' '
	}
	return r
}

type reader struct {
	subject, body, hidden view
	images                int
	cut                   bool
}

// view is a text that grows up to Limit.
type view struct {
	parts strings.Builder
	cut   bool
}

// add appends a text, after a separator where there is one already.
func (v *view) add(s string, separator byte) {
	if s == "" {
		return
	}
	if v.parts.Len() > 0 {
		v.parts.WriteByte(separator)
	}
	if room := max(Limit-v.parts.Len(), 0); len(s) > room {
		for room > 0 && !utf8.RuneStart(s[room]) {
			room--
		}
		s, v.cut = s[:room], true
	}
	v.parts.WriteString(s)
}

func (v *view) string() string { return strings.ToValidUTF8(v.parts.String(), "\uFFFD") }

func (r *reader) part(p *msg.Part) {
	switch {
	case !p.IsText():
	case IsHTML(p):
		page := readPage(p.Text, Limit)
		r.images += page.images
		r.cut = r.cut || page.cut
		r.body.add(string(page.shown), '\n')
		r.hidden.add(string(page.hidden), '\n')
	default:
		r.body.add(p.Text, '\n')
	}
}

// IsHTML tells whether a mail program shows the text part as a page, as it is declared or
// because it looks like one.
func IsHTML(p *msg.Part) bool {
	return p.MediaType == "text/html" || p.MediaType == "text/xhtml" || looksHTML(p.Text)
}

func (r *reader) text() *msg.Text {
	t := &msg.Text{
		Subject: r.subject.string(), Body: r.body.string(), Hidden: r.hidden.string(), Images: r.images,
		Cut: r.cut || r.subject.cut || r.body.cut || r.hidden.cut,
	}
	f := newFolder(len(t.Subject) + len(t.Body))
	f.write(t.Subject)
	f.end()
	f.line()
	f.write(t.Body)
	f.end()
	t.Folded, t.Bare = string(f.folded), string(f.bare)
	t.Unseen, t.Turned, t.Mixed = f.unseen, f.turns, f.example
	return t
}

// line ends the subject: one line feed, whatever the subject ended in.
func (f *folder) line() {
	if len(f.folded) > 0 {
		f.white(newline)
		return
	}
	f.folded, f.bare = append(f.folded, '\n'), append(f.bare, '\n')
	f.last = newline
}
