package document

import (
	"bytes"
	"strings"

	"congthu/cmd/congthu-scan/sniff"
)

// odfScript looks at a member of the folders that hold the macros of an OpenDocument
// file: modules in XML, scripts in other languages.
func (r *reader) odfScript() {
	r.found(sniff.Macro, r.Name)
	r.basic(unescape(string(plain(r.Data))))
}

// odfManifest tells encrypted members (OpenDocument part 2, 4.8).
func (r *reader) odfManifest() {
	if bytes.Contains(plain(r.Data), []byte("encryption-data")) {
		r.found(sniff.Encrypted, r.Name)
	}
}

// odfPart looks at the content of an OpenDocument file: events that call macros, what
// is fetched from elsewhere, where it leads to, links between programs, packaged objects.
func (r *reader) odfPart(text []byte) {
	if bytes.Contains(text, []byte("vnd.sun.star.script:")) && bytes.Contains(text, []byte("event-listener")) {
		r.found(Autorun, "event")
	}
	if bytes.Contains(text, []byte("dde-source")) {
		for _, e := range elements(text, "dde-source") {
			if s := e.attribute("dde-application"); program(s) {
				r.found(DDE, s+" "+e.attribute("dde-topic"))
			}
		}
	}
	if bytes.Contains(text, []byte("xlink:href")) {
		for _, e := range elements(text, "a") {
			r.linkAs("odf", e.attribute("href"), e.text)
		}
	}
	if !bytes.Contains(text, []byte("draw:object")) && !bytes.Contains(text, []byte("text:section-source")) {
		return
	}
	for _, e := range elements(text, "object", "object-ole", "section-source", "plugin") {
		if target := e.attribute("href"); remote(strings.TrimPrefix(target, "./")) {
			r.found(External, e.name+" "+target)
		}
	}
}
