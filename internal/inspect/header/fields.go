package header

import (
	"strings"
	"time"

	"congthu/internal/mimetree"
)

// presence reports fields that a message of a person has.
func (r *report) presence() {
	if r.root.Get("Message-ID") == "" {
		r.add(MessageIDMissing, "")
	}
	if strings.TrimSpace(mimetree.DecodeWords(r.root.Get("Subject"))) == "" {
		r.add(SubjectEmpty, "")
	}
	if r.root.Get("To") == "" && r.root.Get("Cc") == "" && r.root.Get("Bcc") == "" {
		r.add(ToMissing, "")
	}
}

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

// layouts are the forms of RFC 5322 sections 3.3 and 4.3 without the day of the week.
var layouts = []string{
	"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04 MST",
	"2 Jan 06 15:04:05 -0700", "2 Jan 06 15:04:05 MST", "2 Jan 2006 15:04:05",
}

// parseDate reads a Date field tolerantly.
func parseDate(s string) (time.Time, bool) {
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[:i] // the zone's name, as a comment
	}
	if _, rest, ok := strings.Cut(s, ","); ok {
		s = rest
	}
	s = strings.Join(strings.Fields(s), " ")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
