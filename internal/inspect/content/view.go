package content

import (
	"strings"

	"congthu/internal/msg"
	"congthu/internal/text"
)

// form is how a text is written when it is compared.
type form uint8

const (
	asShown  form = iota // letters large and small, see text.Clean
	asFolded             // see text.Fold
	asBare               // and without marks
)

// view is one place to look in, in the forms that rules compare with. The forms are made
// when a rule first asks.
type view struct {
	raw          string // as decoded
	folded, bare string
	split        bool // folded and bare are there
	clean        string
	marked       spanner // of folded, word by word the same as bare
	searched     bool
	phrases      seen    // found in bare, as parts are
	parts        []bool  // by number; nil: none
	partsSeen    []int32 // each once
}

// views is what a reader of the message sees.
type views struct {
	*msg.Text
	places map[string]*view
	root   *msg.Part
	cut    bool
}

// places are the values of a rule's where, besides "header:Name".
func places() []string {
	return []string{"subject", "body", "from", "to", "filename", "html", "hidden", "links"}
}

// isLong tells the places whose length is the sender's choice.
func isLong(place string) bool {
	return place == "body" || place == "html" || place == "hidden" || place == "links"
}

func look(m *msg.Message) *views {
	subject, body, _ := strings.Cut(m.Text.Folded, "\n")
	bareSubject, bareBody, _ := strings.Cut(m.Text.Bare, "\n")
	return &views{Text: m.Text, root: m.Root, cut: m.Text.Cut, places: map[string]*view{
		"subject": {raw: m.Text.Subject, folded: subject, bare: bareSubject, split: true},
		"body":    {raw: m.Text.Body, folded: body, bare: bareBody, split: true},
		"hidden":  {raw: m.Text.Hidden},
	}}
}

// at returns the view of a place; it is empty when the message has no such field.
func (v *views) at(place string) *view {
	if w, ok := v.places[place]; ok {
		return w
	}
	b := &strings.Builder{}
	add := func(s string) {
		if room := text.Limit - b.Len(); len(s) > room {
			s, v.cut = s[:max(room, 0)], true
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	switch place {
	case "filename":
		v.root.Walk(func(p *msg.Part) {
			if p.Filename != "" {
				add(p.Filename)
			}
		})
	case "html":
		v.root.Walk(func(p *msg.Part) {
			if p.IsText() && text.IsHTML(p) {
				add(p.Text)
			}
		})
	case "links":
		for _, address := range links(v.root) {
			add(address)
		}
	default:
		name, _ := strings.CutPrefix(place, "header:")
		for _, f := range v.root.Fields(name) {
			add(text.HeaderIn(f.Value, v.Charset))
		}
	}
	w := &view{raw: strings.ToValidUTF8(strings.TrimSuffix(b.String(), "\n"), "\uFFFD")}
	v.places[place] = w
	return w
}

func (v *view) fold() {
	if !v.split {
		v.folded, v.bare = text.Fold(v.raw)
		v.split = true
	}
}

// in returns the text in that form.
func (v *view) in(f form) string {
	switch f {
	case asFolded:
		v.fold()
		return v.folded
	case asBare:
		v.fold()
		return v.bare
	}
	if v.clean == "" {
		v.clean = text.Clean(v.raw)
	}
	return v.clean
}

// search looks once for all phrases and parts of the set.
func (v *view) search(s *Set) {
	if v.searched {
		return
	}
	v.fold()
	v.searched = true
	s.phrases.find(v.bare, func(n, at int32) { v.phrases.add(n, at, s.exact[n], len(s.phrases.forms)) })
	s.parts.Find(v.bare, func(n int32) (enough bool) {
		if v.parts == nil {
			v.parts = make([]bool, s.parts.Len())
		}
		if !v.parts[n] {
			v.parts[n] = true
			v.partsSeen = append(v.partsSeen, n)
		}
		return false
	})
}

// part tells whether one of the parts stands in the text, which was searched.
func (v *view) part(any []int32) bool {
	for _, n := range any {
		if v.parts != nil && v.parts[n] {
			return true
		}
	}
	return false
}

// has tells whether the phrase stands in the text; in its folded form if that is given.
func (v *view) has(phrase int32, folded []string) bool {
	if len(folded) == 0 {
		return v.phrases.has(phrase)
	}
	v.marked.text = v.folded
	return v.phrases.any(phrase, func(i int32) bool {
		words := v.marked.upTo(int(i) + len(folded))
		if int(i)+len(folded) > len(words) {
			return false
		}
		for k, w := range folded {
			if s := words[int(i)+k]; v.folded[s.from:s.to] != w {
				return false
			}
		}
		return true
	})
}
