package corpus

import (
	"html"
	"regexp"
	"strings"
)

// A body is written as paragraphs with an empty line between them. In it,
//
//	[words](address)   is a link
//	![words](address)  is a picture
//	%% words           is a paragraph that HTML hides and plain text leaves out
//
// plain and page are its two forms.
var markup = regexp.MustCompile(`(!?)\[([^\]]*)\]\(([^)\s]+)\)`)

func paragraphs(s string) []string { return strings.Split(strings.TrimSpace(s), "\n\n") }

// plain is the body as text/plain.
func (f Form) plain(s string) string {
	var out []string
	for _, p := range paragraphs(s) {
		if strings.HasPrefix(p, "%%") {
			continue
		}
		out = append(out, between(p, f.spell, func(picture bool, words, address string) string {
			if picture || words == address {
				return address
			}
			return f.spell(words) + " (" + address + ")"
		}))
	}
	return strings.Join(out, "\n\n") + "\n"
}

// page is the body as text/html.
func (f Form) page(s string) string {
	var b strings.Builder
	b.WriteString("<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=" + f.label() + "\"></head>\n<body>\n")
	if f.font() != "" {
		b.WriteString("<font face=\"" + f.font() + "\">\n")
	}
	for _, p := range paragraphs(s) {
		open := "<p>"
		if hidden, ok := strings.CutPrefix(p, "%%"); ok {
			p, open = hidden, `<p style="display:none">`
		}
		b.WriteString(open + between(p, f.markup, func(picture bool, words, address string) string {
			if picture {
				return `<img src="` + address + `" alt="` + f.markup(words) + `">`
			}
			shown := f.markup(words)
			if words == address {
				shown = html.EscapeString(words)
			}
			return `<a href="` + html.EscapeString(address) + `">` + shown + `</a>`
		}) + "</p>\n")
	}
	if f.font() != "" {
		b.WriteString("</font>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// markup is text in a page.
func (f Form) markup(s string) string {
	out := html.EscapeString(f.spell(s))
	if f == Spans {
		out = everyOther(s, spans)
	}
	if f == Broken {
		out = everyOther(out, broken)
	}
	return strings.ReplaceAll(out, "\n", "<br>\n")
}

// broken puts between letters what a page does not show.
func broken(w string) string {
	between := []string{"<!-- x -->", "<wbr>", "&shy;", "&#8203;"}
	var b strings.Builder
	n := 0
	for _, r := range w {
		if n++; n > 1 {
			b.WriteString(between[n%len(between)])
		}
		b.WriteRune(r)
	}
	return b.String()
}

func spans(w string) string {
	var b strings.Builder
	for _, r := range w {
		b.WriteString("<span>" + string(r) + "</span>")
	}
	return b.String()
}

// between writes the words between links with one function and the links with another.
func between(p string, words func(string) string, link func(picture bool, words, address string) string) string {
	var b strings.Builder
	at := 0
	for _, m := range markup.FindAllStringSubmatchIndex(p, -1) {
		b.WriteString(words(p[at:m[0]]))
		b.WriteString(link(m[2] < m[3], p[m[4]:m[5]], p[m[6]:m[7]]))
		at = m[1]
	}
	b.WriteString(words(p[at:]))
	return b.String()
}
