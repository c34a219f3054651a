package document

import (
	"bytes"
	"encoding/binary"
	"html"
	"strings"
	"unicode/utf16"
)

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
