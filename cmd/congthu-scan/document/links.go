package document

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf16"

	"golang.org/x/net/html"
)

// Link is where a document leads to when somebody clicks.
type Link struct {
	URL  string // untrusted
	Text string // what its reader sees in its place; "" where that is not known
	How  string // the kind of document, in the words of scanproto.Link
}

const (
	mostLinks   = 5000 // of one document
	longestLink = 2000 // octets: the host stands before
	longestText = 200
)

// link notes where a document leads to.
func (r *reader) link(how, target string) { r.linkAs(how, target, "") }

func (r *reader) linkAs(how, target, text string) {
	target = strings.TrimSpace(target)
	if target == "" {
		return
	}
	if len(r.result.Links) >= mostLinks {
		r.result.MoreLinks = true
		return
	}
	r.result.Links = append(r.result.Links, Link{URL: printable(target, longestLink), Text: printable(text, longestText), How: how})
}

// printable drops what no browser reads in an address and nobody sees in a text.
func printable(s string, longest int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7F {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return s
}

// URLs finds the addresses of pages in a text, as programs do that make links of them.
func URLs(text []byte) []string {
	var out []string
	for len(out) < mostLinks {
		at := indexHTTP(text)
		if at < 0 {
			break
		}
		end := at
		for end < len(text) && end-at < longestLink && !urlEnds(text[end]) {
			end++
		}
		if url := strings.TrimRight(string(text[at:end]), `.,;:!?)]}'`); web(url) && !vocabulary(url) && strings.Contains(url, "://") {
			out = append(out, url)
		}
		text = text[max(end, at+4):]
	}
	return out
}

// urlEnds tells what no address goes beyond.
func urlEnds(c byte) bool {
	return c <= ' ' || c == '"' || c == '<' || c == '>' || c == '`' || c == '{' || c == '}' || c == '|' || c == '\\' || c == '^' || c == 0x7F
}

// indexHTTP finds the next "http", in whatever case.
func indexHTTP(text []byte) int {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte("://"))
		if i < 0 {
			return -1
		}
		i += from
		for _, scheme := range []string{"https", "http"} {
			if begin := i - len(scheme); begin >= 0 && strings.EqualFold(string(text[begin:i]), scheme) {
				return begin
			}
		}
		from = i + 3
	}
}

// vocabulary tells the addresses that programs write into files as names of formats.
func vocabulary(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(strings.ToLower(rest), "/")
	switch host {
	case "www.w3.org", "schemas.microsoft.com", "schemas.openxmlformats.org", "schemas.xmlsoap.org", "purl.org", "purl.oclc.org", "ns.adobe.com", "openoffice.org", "docs.oasis-open.org", "sheetjs.openxmlformats.org":
		return true
	}
	return false
}

// urlsIn notes the addresses in octets of any format, in one octet a character or two.
func (r *reader) urlsIn(how string, data []byte) {
	for _, url := range URLs(data) {
		r.link(how, url)
	}
	for _, url := range wideURLs(data) {
		r.link(how, url)
	}
}

// wideURLs finds addresses in UTF-16 with the low octet first.
func wideURLs(data []byte) []string {
	var out []string
	mark := []byte(":\x00/\x00/\x00")
	for len(out) < mostLinks {
		at := bytes.Index(data, mark)
		if at < 0 {
			break
		}
		begin := at
		for begin >= 2 && at-begin < 2*len("https") && data[begin-1] == 0 && letter(data[begin-2]|0x20) {
			begin -= 2
		}
		var units []uint16
		for i := begin; i+1 < len(data) && len(units) < longestLink; i += 2 {
			u := uint16(data[i]) | uint16(data[i+1])<<8
			if u < 0x80 && urlEnds(byte(u)) {
				break
			}
			units = append(units, u)
		}
		out = append(out, URLs([]byte(string(utf16.Decode(units))))...)
		data = data[at+len(mark):]
	}
	return out
}

// pageLinks notes the links of a page with what stands in their place, as a browser
// reads them: a stream of tags, never a tree.
func (r *reader) pageLinks(how string, text []byte) {
	z := html.NewTokenizer(bytes.NewReader(text))
	z.SetMaxBuf(1 << 20)
	var open string
	var shown strings.Builder
	flush := func() {
		if open != "" {
			r.linkAs(how, open, strings.Join(strings.Fields(shown.String()), " "))
		}
		open = ""
		shown.Reset()
	}
	for {
		switch z.Next() {
		case html.ErrorToken:
			if flush(); errors.Is(z.Err(), html.ErrBufferExceeded) {
				r.result.MoreLinks = true
			}
			return
		case html.TextToken:
			if open != "" && shown.Len() < longestText {
				shown.Write(z.Text())
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "a" {
				flush()
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if tag.Data == "a" || tag.Data == "area" {
				flush()
				open = attributeOf(tag, "href", "xlink:href")
				continue
			}
			r.link(how, leadsTo(tag))
		}
	}
}

// leadsTo is where a tag other than an anchor leads its reader or the browser to.
func leadsTo(tag html.Token) string {
	switch tag.Data {
	case "form":
		return attributeOf(tag, "action")
	case "button", "input":
		return attributeOf(tag, "formaction")
	case "iframe", "frame", "embed":
		return attributeOf(tag, "src")
	case "base":
		return attributeOf(tag, "href")
	case "meta":
		if strings.EqualFold(attributeOf(tag, "http-equiv"), "refresh") {
			content := attributeOf(tag, "content")
			if at := strings.Index(strings.ToLower(content), "url="); at >= 0 {
				return strings.Trim(content[at+len("url="):], `'" `)
			}
		}
	}
	return ""
}

func attributeOf(tag html.Token, names ...string) string {
	for _, a := range tag.Attr {
		for _, n := range names {
			if a.Key == n {
				return a.Val
			}
		}
	}
	return ""
}

// fieldLink is where a field HYPERLINK leads to (ECMA-376 part 1, 17.16.5.25).
func fieldLink(instruction string) string {
	words := strings.Fields(instruction)
	if len(words) < 2 || !strings.EqualFold(words[0], "HYPERLINK") || strings.HasPrefix(words[1], `\`) {
		return ""
	}
	return strings.Trim(words[1], `"”“`)
}

// formulaLinks notes the addresses that the cells of a sheet call HYPERLINK with.
func (r *reader) formulaLinks(text []byte) {
	if !bytes.Contains(text, []byte("HYPERLINK(")) {
		return
	}
	for _, e := range elements(text, "f") {
		for rest := e.text; ; {
			_, after, ok := strings.Cut(rest, `HYPERLINK("`)
			if !ok {
				break
			}
			target, behind, _ := strings.Cut(after, `"`)
			r.link("office", target)
			rest = behind
		}
	}
}
