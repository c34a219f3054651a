package learn

import (
	"strings"

	"congthu/internal/msg"
	"congthu/internal/viet"
)

// Vietnamese is written in half a dozen character sets, with its marks or without, and
// each program wraps it in parts and transfer encodings of its own. The octets of such a
// letter tell how it was written and not what it says, and who hides from a filter need
// only write in another way. So a Vietnamese letter is read in one form, whatever it came
// in: its header without what a character set changes, its text folded and without marks.
// The same words by the same sender are then the same example, nearly always.

// Whether a letter is Vietnamese.
const (
	vietSample = 120 // words that are looked at
	vietLeast  = 8   // fewer tell nothing
	vietShare  = 0.6 // of them are syllables; of English, a third
)

// vietnamese tells it by the words without marks, which are the same in every spelling.
func vietnamese(t *msg.Text) bool {
	if t == nil {
		return false
	}
	words, valid := 0, 0
	s := t.Bare
	for words < vietSample && s != "" {
		n := 0
		for n < len(s) && inSyllable(s[n]) {
			n++
		}
		if w := s[:n]; n > 1 && w[0] > '9' {
			words++
			if n <= longestSyllable && viet.ValidBare(w) {
				valid++
			}
		}
		s = s[min(n+1, len(s)):]
	}
	return words >= vietLeast && float64(valid) >= vietShare*float64(words)
}

const longestSyllable = 7 // "nghieng"

// plain reads a Vietnamese letter.
func (e *emitter) plain(l Letter) {
	subject, _, _ := strings.Cut(l.Text.Bare, "\n")
	said := once(l.Text.Bare, wordLimit)
	var whole, own strings.Builder
	if l.Root != nil {
		plainHeader(l.Root, &whole, &own)
	}
	body := head(said, octetLimit)
	e.grams(Octets, whole.String()+body)
	e.grams(Frame, own.String()+body)
	e.chars(head(said, charLimit))
	e.wordsOf("n:", said)
	e.wordsOf("s:", head(subject, subjectLimit))
	if l.Root != nil {
		e.plainShape(l, subject)
	}
}

// once gives the lines of a text, each once and without addresses of pages: a letter in
// plain text and in HTML says everything twice, and shows where its links lead in one
// of them only. What the links say is read with the shape.
func once(s string, limit int) string {
	var b strings.Builder
	seen := map[string]bool{}
	for b.Len() < limit && s != "" {
		line, rest, _ := strings.Cut(s, "\n")
		s = rest
		line = strings.TrimSpace(withoutLinks(head(line, limit)))
		if line == "" || seen[line] {
			continue
		}
		seen[line] = true
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return head(b.String(), limit)
}

// withoutLinks takes out what runs from blank to blank around "://".
func withoutLinks(s string) string {
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			return s
		}
		from, to := strings.LastIndexByte(s[:i], ' ')+1, len(s)
		if n := strings.IndexByte(s[i:], ' '); n >= 0 {
			to = i + n + 1
		}
		s = s[:from] + s[to:]
	}
}

// grams reads a text as the views of octets read a letter.
func (e *emitter) grams(v View, s string) {
	g := grams{e: e, view: v}
	for i := range len(s) {
		g.octet(s[i])
	}
}

// plainHeader writes the fields that a character set does not change: all, and those that
// are of the author's program.
func plainHeader(root *msg.Part, whole, own *strings.Builder) {
	for _, f := range root.Header[:min(len(root.Header), headerLimit)] {
		name := strings.ToLower(f.Name)
		if encoded(name) {
			continue
		}
		line := f.Name + ": " + plainValue(name, f.Value) + "\n"
		if whole.Len() < octetLimit {
			whole.WriteString(line)
		}
		if own.Len() < octetLimit && !passing(name) {
			own.WriteString(line)
		}
	}
}

// encoded tells the fields that say in which form the letter comes. The subject is read
// with the text.
func encoded(name string) bool {
	return name == "subject" || name == "mime-version" || strings.HasPrefix(name, "content-")
}

// plainValue leaves names out, and what is in a character set.
func plainValue(name, v string) string {
	switch name {
	case "from", "to", "cc", "reply-to", "sender":
		v = v[strings.LastIndexByte(v, '<')+1:]
	}
	if strings.Contains(v, "=?") || strings.ContainsFunc(v, func(r rune) bool { return r >= 0x80 }) {
		return ""
	}
	return v
}

// plainShape is shape, as far as it is the same in every form of a letter.
func (e *emitter) plainShape(l Letter, subject string) {
	last := ""
	for _, f := range l.Root.Header[:min(len(l.Root.Header), 200)] {
		name := strings.ToLower(f.Name)
		if added(name) || encoded(name) {
			continue
		}
		e.fact("field ", f.Name)
		e.fact("fields ", last+" "+f.Name)
		last = f.Name
		if name == "from" || name == "to" {
			e.address(name, plainValue(name, f.Value))
			continue
		}
		e.field(name, f.Value)
	}
	e.pairs(l.Root)
	for _, s := range []string{"!", "?", "%", "...", "[", "$", "*"} {
		if strings.Contains(subject, s) {
			e.fact("subject with ", s)
		}
		if strings.Contains(l.Text.Bare, s) {
			e.fact("text with ", s)
		}
	}
	if l.Text.Hidden != "" {
		e.fact("", "hides text")
	}
	e.plainParts(l.Root)
}

// plainParts reads the kinds of files and where the links lead, each once: a letter often
// says the same in plain text and in HTML.
func (e *emitter) plainParts(root *msg.Part) {
	n := 0
	links := map[string]bool{}
	root.Walk(func(p *msg.Part) {
		if n++; n > partLimit {
			return
		}
		if i := strings.LastIndexByte(p.Filename, '.'); i >= 0 {
			e.fact("file ", strings.ToLower(head(p.Filename[i:], 8)))
		}
		if p.IsText() {
			collect(links, head(p.Text, markupLimit))
		}
	})
	for u := range links {
		e.link(u)
	}
	e.fact("links ", size(len(links)))
}

// collect finds addresses of pages as plain text and HTML write them.
func collect(links map[string]bool, s string) {
	for len(links) < linkLimit {
		i := strings.Index(s, "://")
		if i < 0 {
			return
		}
		s = s[i+3:]
		u := strings.TrimRight(s[:end(s)], ".,;:!?")
		links[strings.ReplaceAll(u, "&amp;", "&")] = true
	}
}
