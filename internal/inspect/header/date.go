package header

import (
	"strings"
	"time"
)

// Beyond these the Date was not written when the message was sent; queues hold mail
// for five days (RFC 5321 section 4.5.4.1), zones are off by hours.
const (
	maxFuture = 24 * time.Hour
	maxAge    = 15 * 24 * time.Hour
)

// date compares Date with the time of receipt.
func (r *report) date(received time.Time) {
	value := r.root.Get("Date")
	if value == "" {
		r.add(DateMissing, "")
		return
	}
	date, ok := parseDate(value)
	switch {
	case !ok:
		r.add(DateInvalid, value)
	case received.IsZero():
	case date.After(received.Add(maxFuture)):
		r.add(DateFuture, value)
	case date.Before(received.Add(-maxAge)):
		r.add(DateOld, value)
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
