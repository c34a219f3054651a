package link

import (
	"errors"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"congthu/internal/htmltoken"
	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// maxLinks bounds how many links of one message are looked at, maxText the text of a part
// that is kept to read around them, maxPage a web page under a foreign name.
const (
	maxLinks = 2000
	maxText  = 1 << 20
	maxPage  = 4 << 20
)

// anchor is a link as it stands in a message.
type anchor struct {
	kind     string // a, form, text, refresh, base, src, found
	href     string
	text     string // what the reader sees
	from, to int    // where it stands in the text of the part; to 0: nowhere
}

// look looks at a part if it is text, or a web page by another name.
func (r *report) look(p *msg.Part) {
	r.page = !p.IsText()
	switch {
	case p.MediaType == "text/html":
		r.html(p.Text)
	case p.IsText():
		r.plain(p.Text)
	case isPage(p):
		r.html(strings.ToValidUTF8(string(p.Decoded[:min(len(p.Decoded), maxPage)]), "\ufffd"))
	}
}

// isPage tells whether a part that is not called one will open in a browser.
func isPage(p *msg.Part) bool {
	if p.MediaType == "application/xhtml+xml" {
		return true
	}
	for _, name := range mimetree.Filenames(p) {
		switch strings.ToLower(path.Ext(name)) {
		case ".html", ".htm", ".xhtml", ".xht", ".shtml", ".mht", ".mhtml":
			return true
		}
	}
	return false
}

func (r *report) html(text string) {
	w := walk(text)
	r.text = w.all.String()
	r.own = append(r.own, r.text)
	for _, a := range w.out {
		r.anchor(a)
	}
	if w.password != "" {
		r.add(PasswordField, w.password)
	}
	if !w.whole {
		r.add(TooMany, "")
	}
}

func (r *report) plain(text string) {
	r.text = text
	r.own = append(r.own, r.text)
	for _, a := range inText(text) {
		r.anchor(a)
	}
}

// inText finds the links of plain text.
func inText(text string) []anchor {
	var out []anchor
	for i := 0; len(out) <= maxLinks; {
		next := strings.Index(text[i:], "://")
		if next < 0 {
			break
		}
		slashes := i + next
		i = slashes + len("://")
		from, to := scheme(text, slashes), i+urlLength(text[i:])
		if from < 0 || utf8.RuneCountInString(text[i:to]) < shortURL {
			continue
		}
		out = append(out, anchor{kind: "text", href: strings.TrimRight(text[from:to], ".,;:!?'\"*"), from: from, to: to})
		i = to
	}
	return out
}

// shortURL is what a link has at least behind its slashes, in characters.
const shortURL = 3

// scheme is where http or https before the slashes begins, as a word of its own; -1 it is
// another.
func scheme(text string, slashes int) int {
	for _, s := range []string{"https", "http"} {
		at := slashes - len(s)
		if at >= 0 && strings.EqualFold(text[at:slashes], s) && (at == 0 || !wordOctet(text[at-1])) {
			return at
		}
	}
	return -1
}

func wordOctet(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
}

// urlLength is how far a link goes that stands in text.
func urlLength(text string) int {
	if n := strings.IndexAny(text, " \t\n\f\r<>\"')]"); n >= 0 {
		return n
	}
	return len(text)
}

// walker gathers links from a stream of tags. It never builds a tree.
type walker struct {
	out      []anchor
	open     bool
	cur      anchor
	text     strings.Builder // of the link that is open
	all      strings.Builder // of the part
	silent   string          // the element whose text nobody reads
	password string          // the field that asks for one
	whole    bool            // false when a tag was too long to be read: what follows was not looked at
}

func walk(text string) *walker {
	w := &walker{whole: true}
	w.all.Grow(min(len(text)*2/3, maxText))
	z := htmltoken.New(text)
	defer z.Close()
	z.SetMaxBuf(1 << 20)
	for len(w.out) < maxLinks+1 {
		switch z.Next() {
		case html.ErrorToken:
			w.close()
			w.whole = !errors.Is(z.Err(), html.ErrBufferExceeded)
			return w
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z)
		case html.EndTagToken:
			w.end(z)
		case html.TextToken:
			w.words(z.Text())
		}
	}
	return w
}

// words takes text that the reader sees. Tags divide words only for the neighbourhood.
func (w *walker) words(b []byte) {
	if w.silent != "" {
		return
	}
	if w.open {
		w.text.Write(b)
	}
	if w.all.Len() < maxText {
		w.all.Write(b)
		w.all.WriteByte(' ')
	}
}

func (w *walker) end(z *htmltoken.Tokenizer) {
	switch name, _ := z.TagName(); string(name) {
	case "a":
		w.close()
	case w.silent:
		w.silent = ""
	}
}

// start looks at the elements that lead somewhere; the attributes of others are not read.
func (w *walker) start(z *htmltoken.Tokenizer) {
	name, more := z.TagName()
	switch tag := string(name); tag {
	case "style", "script":
		w.silent = tag
	case "a", "area", "form", "base", "iframe", "frame", "embed", "object", "meta", "input":
		w.element(tag, attributes(z, more))
	}
}

// attributes are those of a tag; browsers take the first of a name.
func attributes(z *htmltoken.Tokenizer, more bool) map[string]string {
	attr := map[string]string{}
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		if _, dup := attr[string(k)]; !dup {
			attr[string(k)] = string(v)
		}
	}
	return attr
}

func (w *walker) element(tag string, attr map[string]string) {
	switch tag {
	case "a", "area":
		w.close()
		href := attr["href"]
		if href == "" {
			href = attr["xlink:href"]
		}
		w.cur, w.open = anchor{kind: "a", href: href, from: w.all.Len()}, true
	case "form":
		w.put("form", attr["action"])
	case "base":
		w.put("base", attr["href"])
	case "iframe", "frame", "embed":
		w.put("src", attr["src"])
	case "object":
		w.put("src", attr["data"])
	case "meta":
		if strings.EqualFold(attr["http-equiv"], "refresh") {
			w.put("refresh", refresh(attr["content"]))
		}
	case "input":
		if secret(attr) {
			w.password = strings.TrimSpace(attr["type"] + " " + attr["name"])
		}
	}
}

func (w *walker) put(kind, href string) {
	if href != "" {
		w.out = append(w.out, anchor{kind: kind, href: href, from: w.all.Len(), to: w.all.Len() + 1})
	}
}

// refresh is where a page goes by itself: "5; URL='https://a.test/'".
func refresh(content string) string {
	i := strings.Index(strings.ToLower(content), "url=")
	if i < 0 || i+len("url=") > len(content) { // a letter whose small form is longer
		return ""
	}
	return strings.Trim(content[i+len("url="):], `'" `)
}

// secret tells whether a field asks for a password, whatever its type pretends.
func secret(attr map[string]string) bool {
	if strings.EqualFold(strings.TrimSpace(attr["type"]), "password") {
		return true
	}
	if t := strings.ToLower(strings.TrimSpace(attr["type"])); t != "" && t != "text" && t != "email" {
		return false
	}
	asks := lookalike.Fold(attr["name"] + " " + attr["placeholder"] + " " + attr["id"])
	return slices.ContainsFunc([]string{"passw", "pwd", "mat khau", "matkhau", "mat_khau"}, func(w string) bool { return strings.Contains(asks, w) })
}

func (w *walker) close() {
	if !w.open {
		return
	}
	w.cur.text = strings.Join(strings.Fields(w.text.String()), " ")
	w.text.Reset()
	w.open = false
	if w.cur.href != "" {
		w.cur.to = max(w.all.Len(), 1)
		w.out = append(w.out, w.cur)
	}
}

// Hosts are the hosts that the links of a message lead to, each once, for whoever asks
// about them elsewhere.
func Hosts(m *msg.Message) []string {
	seen := map[string]bool{}
	var out []string
	m.Root.Walk(func(p *msg.Part) {
		for _, a := range linksOf(p) {
			t, absolute := parse(a.href)
			if absolute && t.host != "" && !seen[t.host] && len(out) < maxNamed {
				seen[t.host] = true
				out = append(out, t.host)
			}
		}
	})
	return out
}

func linksOf(p *msg.Part) []anchor {
	switch {
	case p.MediaType == "text/html":
		return walk(p.Text).out
	case p.IsText():
		return inText(p.Text)
	}
	return nil
}
