// Package text reads a message as its reader sees it: HTML laid out as lines, what is not
// shown apart from what is, and beside it the forms in which words are compared, which
// no spelling trick changes. It is pure: one bounded pass over a parsed message.
package text

import (
	"strings"
	"unicode/utf8"

	"congthu/internal/charset"
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
	root.Walk(r.part)
	for _, f := range root.Fields("Subject") {
		r.subject.add(strings.Map(oneLine, headerText(f.Value, r.charset)), ' ')
	}
	return r.text()
}

// Header is the text of an unstructured field or a phrase: encoded words decoded, and
// what says nothing or something else of its charset read as it was meant.
func Header(value string) string { return headerText(value, "") }

// HeaderIn is Header in a letter that was found to be in a charset (msg.Text.Charset): a
// name of two words is too short to tell by itself.
func HeaderIn(value, expected string) string { return headerText(value, charset.Name(expected)) }

func headerText(value string, expected charset.Name) string {
	s, _ := charset.Repair(mimetree.DecodeWords(value), expected)
	return s
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
	charset               charset.Name
}

// view is a text that grows up to Limit. Most have one part, which is not copied.
type view struct {
	one   string
	parts strings.Builder
	cut   bool
}

// add appends a text, after a separator where there is one already.
func (v *view) add(s string, separator byte) {
	switch {
	case s == "":
		return
	case v.one == "" && v.parts.Len() == 0 && len(s) <= Limit:
		v.one = s
		return
	case v.one != "":
		v.parts.WriteString(v.one)
		v.one = ""
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

func (v *view) string() string {
	if v.one != "" {
		return v.one
	}
	return v.parts.String()
}

func (r *reader) part(p *msg.Part) {
	switch {
	case !p.IsText():
	case IsHTML(p):
		page := readPage(p.Text, Limit)
		r.images += page.images
		r.cut = r.cut || page.cut
		shown, name := r.repair(p, string(page.shown), page.font)
		r.body.add(shown, '\n')
		if len(page.hidden) > 0 {
			hidden, _ := charset.Repair(string(page.hidden), name)
			r.hidden.add(hidden, '\n')
		}
	default:
		shown, _ := r.repair(p, p.Text, "")
		r.body.add(shown, '\n')
	}
}

// repair reads text in the charset that it turns out to be in, and keeps that in mind for
// the header.
func (r *reader) repair(p *msg.Part, s string, expected charset.Name) (string, charset.Name) {
	if declared := charset.Named(p.Params["charset"]); declared == charset.VIQR {
		expected = declared
	}
	s, name := charset.Repair(s, expected)
	if name != "" {
		r.charset = name
	}
	return s, name
}

// IsHTML tells whether a mail program shows the text part as a page, as it is declared or
// because it looks like one.
func IsHTML(p *msg.Part) bool {
	return p.MediaType == "text/html" || p.MediaType == "text/xhtml" || looksHTML(p.Text)
}

func (r *reader) text() *msg.Text {
	t := &msg.Text{
		Subject: r.subject.string(), Body: r.body.string(), Hidden: r.hidden.string(), Images: r.images,
		Charset: string(r.charset), Cut: r.cut || r.subject.cut || r.body.cut || r.hidden.cut,
	}
	f := fold(len(t.Subject)+len(t.Body), func(f *folder) {
		f.write(t.Subject)
		f.end()
		f.line()
		f.write(t.Body)
	})
	t.Folded, t.Bare = string(f.folded), string(f.bare)
	t.Unseen, t.Turned, t.Mixed, t.Swapped = f.unseen, f.turns, f.example, f.swaps
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
