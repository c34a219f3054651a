package content

import (
	"context"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// maxText is how much of each view is looked at, in octets. Beyond it the message is
// marked with TextLimit.
const maxText = 256 << 10

// view is one place to look in, in the forms that rules compare with. The forms are
// made when a rule first asks.
type view struct {
	raw        string // as decoded
	clean      string // see clean
	lower      string
	folded     string
	words      string // tokens of lower
	foldedWord string // tokens of folded
	folder     folder
}

// texts is what a reader of the message sees.
type texts struct {
	views     map[string]*view
	header    *msg.Part
	images    int
	zeroWidth int
	cut       bool
	folder    folder
}

// places are the values of a rule's where, besides "header:Name".
func places() []string {
	return []string{"subject", "body", "from", "to", "filename", "html", "hidden"}
}

// gather reads the message once.
func gather(ctx context.Context, m *msg.Message, f folder) (*texts, error) {
	t := &texts{header: m.Root, views: map[string]*view{}, folder: f}
	g := &gatherer{parts: map[string]*strings.Builder{}}
	for _, p := range places() {
		g.parts[p] = &strings.Builder{}
	}
	for _, name := range []string{"subject", "from", "to"} {
		for _, f := range m.Root.Fields(name) {
			g.add(name, mimetree.DecodeWords(f.Value))
		}
	}
	var err error
	m.Root.Walk(func(p *msg.Part) {
		if err = ctx.Err(); err == nil {
			g.part(p)
		}
	})
	if err != nil {
		return nil, err
	}
	t.images = g.images
	for name, b := range g.parts {
		t.views[name] = t.view(b.String())
	}
	return t, nil
}

func (t *texts) view(raw string) *view {
	if len(raw) > maxText {
		raw, t.cut = raw[:maxText], true
	}
	v := &view{raw: strings.ToValidUTF8(raw, "\uFFFD"), folder: t.folder}
	var n int
	v.clean, n = clean(v.raw)
	t.zeroWidth += n
	return v
}

type gatherer struct {
	parts  map[string]*strings.Builder
	images int
}

// add appends to a view, one octet over the limit at most, which is how the cut shows.
func (g *gatherer) add(place, s string) {
	b := g.parts[place]
	if room := maxText + 1 - b.Len(); len(s) > room {
		s = s[:max(room, 0)]
	}
	b.WriteString(s)
	b.WriteByte('\n')
}

func (g *gatherer) part(p *msg.Part) {
	if p.Filename != "" {
		g.add("filename", p.Filename)
	}
	switch {
	case !p.IsText():
	case p.MediaType == "text/html", p.MediaType == "text/xhtml", looksHTML(p.Text):
		g.add("html", p.Text)
		page := readPage(p.Text, maxText)
		g.images += page.images
		g.add("body", page.shown.String())
		g.add("hidden", page.hidden.String())
	default:
		g.add("body", p.Text)
	}
}

// looksHTML tells whether a mail program might show the text as a page although it is
// declared as another.
func looksHTML(s string) bool {
	head := strings.ToLower(strings.TrimSpace(s[:min(len(s), 512)]))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html") || strings.HasPrefix(head, "<body")
}

// at returns the view of a place, or nil when the message has no such field.
func (t *texts) at(place string) *view {
	if v, ok := t.views[place]; ok {
		return v
	}
	name, _ := strings.CutPrefix(place, "header:")
	var all []string
	for _, f := range t.header.Fields(name) {
		all = append(all, mimetree.DecodeWords(f.Value))
	}
	v := t.view(strings.Join(all, "\n"))
	t.views[place] = v
	return v
}

func (v *view) lowered() string {
	if v.lower == "" {
		v.lower = strings.ToLower(v.clean)
	}
	return v.lower
}

func (v *view) bones() string {
	if v.folded == "" {
		v.folded = v.folder.fold(v.lowered())
	}
	return v.folded
}

func (v *view) tokens(folded bool) string {
	if folded {
		if v.foldedWord == "" {
			v.foldedWord = tokens(v.bones())
		}
		return v.foldedWord
	}
	if v.words == "" {
		v.words = tokens(v.lowered())
	}
	return v.words
}
