package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"congthu/internal/msg"
	"congthu/internal/text"
)

// view is one place to look in, in the forms that rules compare with. The forms are
// made when a rule first asks.
type view struct {
	raw          string // as decoded
	folded, bare string // see text.Fold
	split        bool   // folded and bare are there
	clean        string // see text.Clean
	lower        string // of clean
	words        string // of folded, see tokens
	bones        string // words of bare
}

// texts is what a reader of the message sees.
type texts struct {
	*msg.Text
	views map[string]*view
	root  *msg.Part
	cut   bool
}

// places are the values of a rule's where, besides "header:Name".
func places() []string {
	return []string{"subject", "body", "from", "to", "filename", "html", "hidden"}
}

func gather(m *msg.Message) *texts {
	t := &texts{Text: m.Text, root: m.Root, views: map[string]*view{}, cut: m.Text.Cut}
	subject, body, _ := strings.Cut(m.Text.Folded, "\n")
	bareSubject, bareBody, _ := strings.Cut(m.Text.Bare, "\n")
	t.views["subject"] = &view{raw: m.Text.Subject, folded: subject, bare: bareSubject, split: true}
	t.views["body"] = &view{raw: m.Text.Body, folded: body, bare: bareBody, split: true}
	t.views["hidden"] = &view{raw: m.Text.Hidden}
	return t
}

// at returns the view of a place; it is empty when the message has no such field.
func (t *texts) at(place string) *view {
	if v, ok := t.views[place]; ok {
		return v
	}
	b := &strings.Builder{}
	add := func(s string) {
		if room := text.Limit - b.Len(); len(s) > room {
			s, t.cut = s[:max(room, 0)], true
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	switch place {
	case "filename":
		t.root.Walk(func(p *msg.Part) {
			if p.Filename != "" {
				add(p.Filename)
			}
		})
	case "html":
		t.root.Walk(func(p *msg.Part) {
			if p.IsText() && text.IsHTML(p) {
				add(p.Text)
			}
		})
	default:
		name, _ := strings.CutPrefix(place, "header:")
		for _, f := range t.root.Fields(name) {
			add(text.Header(f.Value))
		}
	}
	v := &view{raw: strings.ToValidUTF8(strings.TrimSuffix(b.String(), "\n"), "\uFFFD")}
	t.views[place] = v
	return v
}

func (v *view) fold() {
	if !v.split {
		v.folded, v.bare = text.Fold(v.raw)
		v.split = true
	}
}

func (v *view) cleaned() string {
	if v.clean == "" {
		v.clean = text.Clean(v.raw)
	}
	return v.clean
}

func (v *view) lowered() string {
	if v.lower == "" {
		v.lower = strings.ToLower(v.cleaned())
	}
	return v.lower
}

func (v *view) tokens(bare bool) string {
	v.fold()
	if bare {
		if v.bones == "" {
			v.bones = tokens(v.bare)
		}
		return v.bones
	}
	if v.words == "" {
		v.words = tokens(v.folded)
	}
	return v.words
}

// tokens joins the words of folded text by one space each, with a space at both ends, so
// that " word " is found as a substring only where it is whole.
func tokens(s string) string {
	b := make([]byte, 0, len(s)+2)
	b = append(b, ' ')
	for i := 0; i < len(s); {
		r, w := rune(s[i]), 1
		if r >= 0x80 {
			r, w = utf8.DecodeRuneInString(s[i:])
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '%' || r >= 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)) {
			b = append(b, s[i:i+w]...)
		} else if b[len(b)-1] != ' ' {
			b = append(b, ' ')
		}
		i += w
	}
	if b[len(b)-1] != ' ' {
		b = append(b, ' ')
	}
	return string(b)
}
