package link

import (
	"errors"
	"strings"

	"golang.org/x/net/html"
)

// maxLinks bounds how many links of one message are looked at.
const maxLinks = 2000

// anchor is a link as it stands in a message.
type anchor struct {
	kind string // a, form, text, refresh, base, src
	href string
	text string // what the reader sees
}

// anchorsOf streams through HTML and gathers links. It never builds a tree. whole is
// false when a tag was too long to be read: what follows it was not looked at.
func anchorsOf(text string) (links []anchor, whole bool) {
	w := &walker{}
	z := html.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(1 << 20)
	for len(w.out) < maxLinks+1 {
		switch z.Next() {
		case html.ErrorToken:
			w.close()
			return w.out, !errors.Is(z.Err(), html.ErrBufferExceeded)
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z.Token())
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "a" {
				w.close()
			}
		case html.TextToken:
			if w.open {
				w.text.WriteString(string(z.Text()))
			}
		}
	}
	return w.out, true
}

type walker struct {
	out  []anchor
	open bool
	cur  anchor
	text strings.Builder
}

func (w *walker) start(t html.Token) {
	attr := map[string]string{}
	for _, a := range t.Attr {
		if _, dup := attr[a.Key]; !dup { // browsers take the first
			attr[a.Key] = a.Val
		}
	}
	switch t.Data {
	case "a", "area":
		w.close()
		href := attr["href"]
		if href == "" {
			href = attr["xlink:href"]
		}
		w.cur, w.open = anchor{kind: "a", href: href}, true
	case "form":
		w.out = append(w.out, anchor{kind: "form", href: attr["action"]})
	case "base":
		w.out = append(w.out, anchor{kind: "base", href: attr["href"]})
	case "iframe", "frame", "embed":
		w.out = append(w.out, anchor{kind: "src", href: attr["src"]})
	case "meta":
		if strings.EqualFold(attr["http-equiv"], "refresh") {
			if _, url, ok := strings.Cut(strings.ToLower(attr["content"]), "url="); ok {
				w.out = append(w.out, anchor{kind: "refresh", href: strings.Trim(url, `'" `)})
			}
		}
	}
}

func (w *walker) close() {
	if !w.open {
		return
	}
	w.cur.text = strings.Join(strings.Fields(w.text.String()), " ")
	w.text.Reset()
	w.open = false
	if w.cur.href != "" {
		w.out = append(w.out, w.cur)
	}
}
