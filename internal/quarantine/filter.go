package quarantine

import (
	"slices"
	"strings"
	"time"
)

// Filter says which messages are listed. The zero value is all of them. Words are
// compared without case; Text, Recipient and Sender are parts of what they are sought in.
type Filter struct {
	Text      string    `json:"text,omitempty"` // in id, sender, recipients, subject or reason; without marks it finds marked letters too
	Agency    string    `json:"agency,omitempty"`
	Recipient string    `json:"recipient,omitempty"`
	Sender    string    `json:"sender,omitempty"`
	Symbol    string    `json:"symbol,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Class     Class     `json:"class,omitempty"`
	Since     time.Time `json:"since,omitzero"`    // held at or after
	Until     time.Time `json:"until,omitzero"`    // held at or before
	Deleted   bool      `json:"deleted,omitempty"` // what was deleted and can still be had back, instead of what is held
	Limit     int       `json:"limit,omitempty"`   // of the list, newest first; 0 is 100
	Offset    int       `json:"offset,omitempty"`
	After     string    `json:"after,omitempty"` // Page.Next of the page before
}

// Page is one page of a list, the newest first.
type Page struct {
	Items []Item `json:"items"`
	Total int    `json:"total"`          // how many there are without Limit, Offset and After
	Next  string `json:"next,omitempty"` // the After of the next page; "": this is the last
}

// sought is a filter made ready to be compared.
type sought struct {
	Filter
	within *Within
	since  int64
	until  int64 // 0: no end
	now    time.Time
	text   string
	known  map[string]bool // domains, and whether the scope has them
}

func (w *Within) seek(f Filter) *sought {
	s := &sought{Filter: f, within: w, now: w.q.surely(), text: fold(strings.TrimSpace(f.Text)), known: map[string]bool{}}
	s.within = w.remembering(s.known)
	if s.Limit <= 0 {
		s.Limit = 100
	}
	s.Offset = max(s.Offset, 0)
	if !f.Since.IsZero() {
		s.since = f.Since.UnixMilli()
	}
	if !f.Until.IsZero() {
		s.until = f.Until.UnixMilli()
	}
	s.Sender, s.Recipient, s.Class = strings.ToLower(f.Sender), strings.ToLower(f.Recipient), Class(strings.ToLower(string(f.Class)))
	return s
}

// remembering is the same scope, which is asked about each domain once.
func (w *Within) remembering(known map[string]bool) *Within {
	if w.scope == nil {
		return w
	}
	c := *w
	c.scope = func(domain string) bool {
		in, asked := known[domain]
		if !asked {
			in = w.scope(domain)
			known[domain] = in
		}
		return in
	}
	return &c
}

// fits tells whether a message is in the list. What it is asked about recipients is
// answered by those alone who are within the scope.
func (s *sought) fits(e *entry) bool {
	if e.held < s.since || s.until != 0 && e.held > s.until || !e.live(s.now) || s.Class != "" && e.class != s.Class || s.Reason != "" && !strings.EqualFold(e.reason, s.Reason) ||
		s.Symbol != "" && !e.has(s.Symbol) || !strings.Contains(e.sender, s.Sender) {
		return false
	}
	return slices.ContainsFunc(e.rcpts, func(r rcpt) bool { return s.sees(e, r) && strings.Contains(r.key, s.Recipient) }) && s.ofAgency(e) && s.says(e)
}

func (s *sought) sees(e *entry, r rcpt) bool {
	return s.within.q.state(r, s.Deleted) && s.within.sees(e.senderDomain, e.outbound, r)
}

func (s *sought) ofAgency(e *entry) bool {
	if s.Agency == "" || strings.EqualFold(e.agency, s.Agency) || e.outbound && s.within.q.o.OfAgency(s.Agency, e.senderDomain) {
		return true
	}
	return slices.ContainsFunc(e.rcpts, func(r rcpt) bool { return s.sees(e, r) && s.within.q.o.OfAgency(s.Agency, r.domain) })
}

func (s *sought) says(e *entry) bool {
	return s.text == "" || strings.Contains(e.text, s.text) || slices.ContainsFunc(e.rcpts, func(r rcpt) bool { return s.sees(e, r) && strings.Contains(r.key, s.text) })
}

// place is where a message stands in the list: what comes after it has a greater one.
func (e *entry) place() cursor { return cursor{e.held, e.id} }
