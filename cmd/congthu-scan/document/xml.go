package document

import (
	"bytes"
	"encoding/binary"
	"html"
	"strings"
	"unicode/utf16"

	"congthu/cmd/congthu-scan/sniff"
)

// xml reads a file in XML: documents of Office in one file, the exchange format of
// Vietnamese agencies (edXML), anything that carries files in Base64.
func (r *reader) xml() {
	text := plain(r.Data)
	r.oneFile(text)
	r.carriedInXML(text)
}

// oneFile looks for what a part of an Office file is looked at for, in one file.
func (r *reader) oneFile(text []byte) {
	r.officeText(text)
	lower := bytes.ToLower(text[:min(len(text), 1<<20)])
	if bytes.Contains(lower, []byte(".macroenabled.")) || bytes.Contains(lower, []byte("vnd.ms-office.vbaproject")) || bytes.Contains(lower, []byte(`macrospresent="yes"`)) {
		r.found(sniff.Macro, "content type")
	}
	if bytes.Contains(text, []byte("<Relationship")) || bytes.Contains(text, []byte(":Relationship")) {
		r.relationshipsOf(text)
	}
	if bytes.Contains(text, []byte("SupBook")) {
		for _, e := range elements(text, "Path") {
			if service, topic, ok := strings.Cut(e.text, "|"); ok && program(service) {
				r.found(DDE, service+" "+topic)
			}
		}
	}
	if bytes.Contains(text, []byte("|'")) {
		r.formulas()
	}
}

// carriedInXML decodes what the elements carry, each under the name that stands nearest
// before it. edXML names its files in one place and carries them in another, in the
// same order.
func (r *reader) carriedInXML(text []byte) {
	named := elements(text, "part", "binData", "FileName", "fileName", "Attachment", "AttachmentName")
	var listed []string
	for _, e := range named {
		if e.name == "AttachmentName" && e.text != "" {
			listed = append(listed, strings.TrimSpace(e.text))
		}
	}
	n := 0
	r.decodeRuns(text, func(at int) string {
		if n++; n <= len(listed) {
			return listed[n-1]
		}
		name := ""
		for _, e := range named {
			if e.at > at {
				break
			}
			name = e.attribute("name")
			if e.name == "FileName" || e.name == "fileName" {
				name = strings.TrimSpace(e.text)
			}
		}
		return name[strings.LastIndexAny(name, `\/`)+1:]
	})
}

// plain is text in one octet a character as far as it is ASCII, from UTF-8 or UTF-16
// with or without a mark.
func plain(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("<\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")), bytes.HasPrefix(data, []byte("\x00<")):
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return []byte(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"))
}

// unescape reads the five entities of XML and character references; others stay as
// they are: nothing that a document defines is expanded.
func unescape(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return html.UnescapeString(s)
}

// entities tells a document type that defines entities or fetches them from elsewhere.
func (r *reader) entities(text []byte) {
	head := text[:min(len(text), 64<<10)]
	at := bytes.Index(head, []byte("<!ENTITY"))
	if at < 0 {
		return
	}
	line, _, _ := bytes.Cut(head[at:], []byte(">"))
	r.found(Entities, string(line))
}
