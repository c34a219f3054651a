package content

import (
	"slices"
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
	words        []span // of bare
	marked       []span // of folded, word by word the same
	phrases      hits   // found in bare; nil: not looked yet
	parts        map[int32]bool
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
	return []string{"subject", "body", "from", "to", "filename", "html", "hidden"}
}

// isLong tells the places whose length is the sender's choice.
func isLong(place string) bool { return place == "body" || place == "html" || place == "hidden" }

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
	default:
		name, _ := strings.CutPrefix(place, "header:")
		for _, f := range v.root.Fields(name) {
			add(text.Header(f.Value))
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
	if v.phrases != nil {
		return
	}
	v.fold()
	v.words = spans(v.bare)
	v.phrases = hits{}
	v.parts = map[int32]bool{}
	s.phrases.find(v.bare, v.words, func(n, at int32) {
		if list := v.phrases[n]; s.exact[n] || len(list) == 0 {
			v.phrases[n] = append(list, at)
		}
	})
	s.parts.find(v.bare, func(n int32) { v.parts[n] = true })
}

// has tells whether the phrase stands in the text; in its folded form if that is given.
func (v *view) has(phrase int32, folded []string) bool {
	at := v.phrases[phrase]
	if len(folded) == 0 || len(at) == 0 {
		return len(at) > 0
	}
	if v.marked == nil {
		v.marked = spans(v.folded)
	}
	return slices.ContainsFunc(at, func(i int32) bool {
		if int(i)+len(folded) > len(v.marked) {
			return false
		}
		for k, w := range folded {
			if s := v.marked[int(i)+k]; v.folded[s.from:s.to] != w {
				return false
			}
		}
		return true
	})
}
