// Package known tells whether the author of a letter is somebody that the house has to do
// with: our people wrote to him, or he wrote clean letters for a while.
//
// Only an author who is proven (DMARC, or DKIM or SPF of his own domain) has credit or
// earns any: a forged From is nobody's acquaintance. What the credit is worth, and what it
// never makes good, is said in rules/weights.toml.
package known

import (
	"context"
	"errors"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// The symbols.
const (
	Correspondent = "KNOWN_CORRESPONDENT"
	NewSender     = "NEW_SENDER"
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string { return []string{Correspondent, NewSender} }

// Past is what is remembered of an author.
type Past struct {
	Written       bool // our people wrote to the address
	WrittenDomain bool // our people wrote to the domain
	Heard         int  // clean letters of his, counted at most once a day
	Since         time.Duration
}

// Credit is how much of the weight an author has, in percent; 0: none.
type Credit struct {
	Written, Domain, Heard int
	MinHeard               int           // clean letters
	MinSince               time.Duration // between the first and the last of them
}

// Usual is the credit that is given.
func Usual() Credit {
	return Credit{Written: 100, Domain: 50, Heard: 60, MinHeard: 3, MinSince: 7 * 24 * time.Hour}
}

type inspector struct {
	past   func(address, domain string) Past
	shared func(domain string) bool // anybody may have a mailbox there
	credit Credit
}

// New returns the inspector "known". past looks up an address and its domain, shared tells
// of domains whose mailboxes have nothing to do with each other.
func New(past func(address, domain string) Past, shared func(domain string) bool, c Credit) msg.Inspector {
	return &inspector{past, shared, c}
}

// Name implements msg.Inspector.
func (*inspector) Name() string { return "known" }

// Inspect implements msg.Inspector.
func (i *inspector) Inspect(_ context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if m.Session.Outbound {
		return nil, nil, nil
	}
	if m.Root == nil {
		return nil, nil, errors.New("the message was not parsed")
	}
	address, domain, ok := Author(m)
	if !ok {
		return []msg.Finding{{Symbol: NewSender}}, nil, nil
	}
	percent, why := i.worth(i.past(address, domain), domain)
	if percent <= 0 {
		return []msg.Finding{{Symbol: NewSender, Evidence: lang.Safe(address, 200)}}, nil, nil
	}
	return []msg.Finding{{Symbol: Correspondent, Evidence: lang.Safe(address, 200) + " (" + why + ")", Percent: percent}}, nil, nil
}

func (i *inspector) worth(p Past, domain string) (percent int, why string) {
	give := func(has bool, n int, text string) {
		if has && n > percent {
			percent, why = n, text
		}
	}
	give(p.Written, i.credit.Written, "written to")
	give(p.Heard >= i.credit.MinHeard && p.Since >= i.credit.MinSince, i.credit.Heard, "heard from")
	give(p.WrittenDomain && !i.shared(domain), i.credit.Domain, "domain written to")
	return percent, why
}

// Author returns the one mailbox in From, in lower case, and its domain, if it is proven
// that the domain sent the letter.
func Author(m *msg.Message) (address, domain string, ok bool) {
	fields := m.Root.Fields("From")
	if len(fields) != 1 {
		return "", "", false
	}
	list, doubts := mimetree.Addresses(fields[0].Value)
	if len(list) != 1 || len(doubts) > 0 || list[0].Domain == "" || list[0].Local == "" {
		return "", "", false
	}
	domain = lookalike.ASCII(list[0].Domain)
	for _, a := range m.Auth {
		if Proves(a, domain) {
			return strings.ToLower(list[0].Local) + "@" + domain, domain, true
		}
	}
	return "", "", false
}

// Proves tells whether the result shows that the domain, or the organisation that it is
// of, sent the letter.
func Proves(a msg.AuthResult, domain string) bool {
	if a.Status != "pass" {
		return false
	}
	value := strings.ToLower(a.Value[strings.LastIndexByte(a.Value, '@')+1:])
	switch a.Method {
	case "dmarc":
		return value == domain
	case "dkim":
		return a.Property == "header.d" && aligned(value, domain)
	case "spf":
		return a.Property == "smtp.mailfrom" && aligned(value, domain)
	}
	return false
}

// aligned is relaxed alignment (RFC 9989): both are of one organisation. A public suffix
// is nobody's.
func aligned(a, b string) bool {
	return a != "" && lookalike.Registrable(a) != "" && lookalike.Organisation(a) == lookalike.Organisation(b)
}
