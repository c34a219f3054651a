package scan

import (
	"errors"
	"strings"

	"congthu/cmd/congthu-scan/document"
	"congthu/cmd/congthu-scan/picture"
	"congthu/internal/scanproto"
)

// The symbols about links, which others judge.
const (
	MoreLinks = "ATTACH_LINKS_MANY" // there are more than are looked at
	Unread    = document.Unread
)

// link notes where something leads to, once for each part. Filling a file with links must
// not hide one among them: of one host a few are enough, and when there are too many all
// the same, that is said.
func (l *look) link(name string, link scanproto.Link) {
	const ofHost, octets = 20, 200 << 10
	l.mu.Lock()
	key, host := "link\x00"+l.part+"\x00"+link.How+"\x00"+link.URL, "host\x00"+hostOf(link.URL)
	l.hosts[host]++
	again := l.seen[key] || l.hosts[host] > ofHost
	l.seen[key] = true
	const most = 200
	link.Part, link.Path = l.part, short(l.path(name), most)
	l.linkOctets += len(link.URL) + len(link.Text) + len(link.Path)
	full := len(l.links) >= scanproto.MaxLinks || l.linkOctets > octets
	if !again && !full {
		l.links = append(l.links, link)
	}
	l.mu.Unlock()
	if !again && full {
		l.found(MoreLinks, "")
	}
}

// hostOf is what stands between the scheme and the path.
func hostOf(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	if end := strings.IndexAny(url, `/\?#`); end >= 0 {
		url = url[:end]
	}
	return strings.ToLower(url[strings.LastIndexByte(url, '@')+1:])
}

// linksOf takes the links of a document.
func (l *look) linksOf(r document.Result) {
	for _, k := range r.Links {
		l.link("", scanproto.Link{URL: k.URL, Text: k.Text, How: k.How})
	}
	if r.MoreLinks {
		l.found(MoreLinks, "")
	}
}

// picture reads the codes in a picture. One that is broken shows nothing to anybody, or to
// some: it is said, like one that is too large.
func (l *look) picture(name string, data []byte) {
	if picture.Is(data) && l.ctx.Err() == nil {
		texts, err := l.pictures.Codes(data)
		l.codes(name, texts, err)
	}
}

// pixels is picture for what PDF keeps of one.
func (l *look) pixels(o document.Object) {
	if o.Picture.Pixels == nil {
		l.picture(o.Name, o.Data)
		return
	}
	if l.ctx.Err() == nil {
		texts, err := l.pictures.Raw(*o.Picture)
		l.codes(o.Name, texts, err)
	}
}

func (l *look) codes(name string, texts []string, err error) {
	switch {
	case errors.Is(err, picture.ErrLarge):
		l.found(Unread, whatOf(name)+"pixels")
	case err != nil:
		l.found(Unread, whatOf(name)+"not decoded")
	}
	for _, t := range texts {
		for _, url := range codeLinks(t) {
			l.link(name, scanproto.Link{URL: url, How: scanproto.QR})
		}
	}
}

func whatOf(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

// codeLinks are the addresses in the text of a code: the text itself, where a telephone
// opens it at once, else those within, as in a visiting card.
func codeLinks(text string) []string {
	text = strings.TrimSpace(text)
	scheme, _, _ := strings.Cut(text, ":")
	inside := document.URLs([]byte(text))
	switch {
	case strings.ContainsAny(text, " \r\n\t"):
		return inside
	case strings.HasPrefix(strings.ToLower(text), "www."):
		return []string{"http://" + clip(text)}
	case scheme == text, len(inside) == 0 && !opens(scheme):
		return inside
	}
	return []string{clip(text)}
}

// opens tells the schemes besides those of the web at which a telephone does something.
func opens(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "javascript", "data", "intent", "market", "itms-services", "file":
		return true
	}
	return false
}

func clip(s string) string { return s[:min(len(s), scanproto.MaxLinkText-10)] }
