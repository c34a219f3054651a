// Package known tells whether the author of a letter is somebody that the house has to do
// with: our people wrote to him, he wrote clean letters for a while, or a reviewer has said
// that his letters are wanted.
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
	Allowed       = "ALLOWED_SENDER"
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string { return []string{Correspondent, NewSender, Allowed} }

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

// Memory is what the inspector is told of people.
type Memory struct {
	Past   func(address, domain string) Past
	Shared func(domain string) bool // anybody may have a mailbox there: they have nothing to do with each other
	// Allowed tells whether reviewers let letters of an address through to all of these
	// recipients, and who and when; "": they do not. nil: nobody does.
	Allowed func(address string, to []msg.Path) (by string)
}

type inspector struct {
	Memory
	credit Credit
}

// New returns the inspector "known".
func New(m Memory, c Credit) msg.Inspector { return &inspector{m, c} }

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
	return append(i.allowed(m), i.acquainted(address, domain)), nil, nil
}

// acquainted is what is remembered of a proven author.
func (i *inspector) acquainted(address, domain string) msg.Finding {
	percent, why := i.worth(i.Past(address, domain), domain)
	if percent <= 0 {
		return msg.Finding{Symbol: NewSender, Evidence: lang.Safe(address, 200)}
	}
	return msg.Finding{Symbol: Correspondent, Evidence: lang.Safe(address, 200) + " (" + why + ")", Percent: percent}
}

// allowed is what reviewers have said of an author. It is about the letter as a whole, as
// all that is found: a letter to one for whom it was not said has none of it.
func (i *inspector) allowed(m *msg.Message) []msg.Finding {
	sender, ok := Sender(m)
	if !ok || i.Allowed == nil {
		return nil
	}
	by := i.Allowed(sender, m.Envelope.To)
	if by == "" {
		return nil
	}
	return []msg.Finding{{Symbol: Allowed, Evidence: lang.Safe(sender+" ("+by+")", 300)}}
}

func (i *inspector) worth(p Past, domain string) (percent int, why string) {
	give := func(has bool, n int, text string) {
		if has && n > percent {
			percent, why = n, text
		}
	}
	give(p.Written, i.credit.Written, "written to")
	give(p.Heard >= i.credit.MinHeard && p.Since >= i.credit.MinSince, i.credit.Heard, "heard from")
	give(p.WrittenDomain && !i.Shared(domain), i.credit.Domain, "domain written to")
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

// Sender is the address that Author returns, where DMARC has nothing against it: a domain
// that asks for strict alignment does not stand behind what only its organisation signs,
// and what could not be looked up proves nothing (RFC 9989).
func Sender(m *msg.Message) (address string, ok bool) {
	for _, a := range m.Auth {
		if a.Method == "dmarc" && a.Status != "pass" && a.Status != "none" {
			return "", false
		}
	}
	address, _, ok = Author(m)
	return address, ok
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
