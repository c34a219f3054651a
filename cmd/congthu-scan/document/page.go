package document

import (
	"bytes"
	"slices"
	"strings"
)

// page reads an attached page or drawing: what makes a file on its reader's machine,
// and the files that it carries for that.
func (r *reader) page() {
	text := plain(r.Data)
	lower := bytes.ToLower(text)
	r.smuggling(lower)
	if bytes.Contains(lower[:min(len(lower), 4096)], []byte("<svg")) {
		r.drawing(lower)
	}
	r.pageLinks("html", text)
	r.script()
	if external := bytes.Contains(lower, []byte("<!entity")); external && !bytes.Contains(lower, []byte("<svg")) {
		r.entities(text)
	}
	r.decodeRuns(text, func(int) string { return "" })
}

// smuggling tells a page that makes a file out of itself: it has the octets or decodes
// them, makes a file of them, and gives it to the reader.
func (r *reader) smuggling(lower []byte) {
	makes := firstOf(lower, "new blob(", "mssaveoropenblob", "mssaveblob", "createobjecturl", "new file(", "blob(")
	gives := firstOf(lower, ".download", "download=", `"download"`, "'download'", ".click(", "mssaveoropenblob", "mssaveblob", "saveas(", "location.href", "location.replace(")
	decodes := firstOf(lower, "atob(", "fromcharcode", "uint8array", "charcodeat", "unescape(", "decodeuricomponent(", "parseint(")
	if makes != "" && gives != "" && decodes != "" {
		r.found(Smuggling, makes+" "+gives+" "+decodes)
		return
	}
	for _, e := range elements(lower, "a", "area", "iframe", "object", "embed") {
		target := e.attribute("href") + e.attribute("src") + e.attribute("data")
		if strings.HasPrefix(target, "data:") && !slices.ContainsFunc([]string{"data:image/", "data:font/", "data:,"}, func(p string) bool { return strings.HasPrefix(target, p) }) {
			r.found(Smuggling, e.name+" "+target[:min(len(target), 60)])
			return
		}
	}
}

func firstOf(text []byte, words ...string) string {
	for _, w := range words {
		if bytes.Contains(text, []byte(w)) {
			return w
		}
	}
	return ""
}

// drawing tells an SVG that does more than draw. Drawing programs write foreignObject
// for labels, and links into the drawing itself.
func (r *reader) drawing(lower []byte) {
	if what := firstOf(lower, "<script", "javascript:", "data:text/html", "<iframe", "<form", "<input", "<embed", "<object"); what != "" {
		r.found(Drawing, what)
		return
	}
	for _, event := range []string{"onload", "onclick", "onbegin", "onmouseover", "onerror", "onactivate", "onfocusin"} {
		at := bytes.Index(lower, []byte(event))
		if at > 0 && blank(lower[at-1]) && bytes.HasPrefix(bytes.TrimLeft(lower[at+len(event):], " \t\r\n"), []byte("=")) {
			r.found(Drawing, event)
			return
		}
	}
	for _, e := range elements(lower, "a", "image", "use", "feimage") {
		if target := e.attribute("href"); remote(target) {
			r.found(Drawing, e.name+" "+target)
			return
		}
	}
}
