package header

import (
	"strings"
)

// once are the fields that RFC 5322 section 3.6 allows once.
var once = []string{
	"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject",
}

func (r *report) duplicates() {
	for _, name := range once {
		if len(r.root.Fields(name)) > 1 {
			r.add(Duplicate, name)
		}
	}
}

// rawOctets reports 8-bit octets in a header without SMTPUTF8 (RFC 6532), by the names
// of the fields.
func (r *report) rawOctets(smtputf8 bool) {
	if smtputf8 {
		return
	}
	var names []string
	for _, f := range r.root.Header {
		if strings.ContainsFunc(f.Value, func(c rune) bool { return c >= 0x80 }) {
			names = append(names, f.Name)
		}
	}
	if len(names) > 0 {
		r.add(Raw8Bit, strings.Join(names[:min(len(names), 20)], ", "))
	}
}
