package token

import (
	"slices"
	"strings"
)

// Role is what a caller of the API may do.
type Role string

// The roles. Administrator is the province's: everything, everywhere. A reviewer sees and
// acts on the mail of its own domains only. An auditor reads everything and changes nothing.
const (
	Administrator Role = "admin"
	Reviewer      Role = "reviewer"
	Auditor       Role = "auditor"
)

// What may be done at all. On whose mail is another question: see Sees.
const (
	Read    = "read"    // look at mail, of those domains that the caller sees
	Oversee = "oversee" // look at what is of all: rules, keys, accounts, reports
	Review  = "review"  // release, delete, learn
	Manage  = "manage"  // change rules, keys, accounts, queue, tokens
)

// Roles lists them.
func Roles() []Role { return []Role{Administrator, Reviewer, Auditor} }

// Who is a caller of the API. The zero value may do nothing.
type Who struct {
	Name    string   `json:"name"`
	Person  string   `json:"person,omitempty"` // of a token: whose it is
	Token   string   `json:"token,omitempty"`  // its id
	Role    Role     `json:"role"`
	Domains []string `json:"domains,omitempty"` // of a reviewer; "*.x" is what lies under x
	Via     string   `json:"via"`               // "socket" or the address of the client
}

// May tells whether the caller may do such a thing at all.
func (w Who) May(act string) bool {
	switch w.Role {
	case Administrator:
		return true
	case Auditor:
		return act == Read || act == Oversee
	case Reviewer:
		return act == Read || act == Review
	}
	return false
}

// Everywhere tells whether the caller's rights hold for all mail.
func (w Who) Everywhere() bool { return w.Role == Administrator || w.Role == Auditor }

// Sees tells whether mail of the domain is the caller's to see. A reviewer without domains sees none.
func (w Who) Sees(domain string) bool {
	return w.Everywhere() || w.Role == Reviewer && slices.ContainsFunc(w.Domains, func(pattern string) bool { return Covers(pattern, domain) })
}

// Covers tells whether a pattern of a token is met by a domain: the same name, or below the
// x of "*.x". Case does not matter, nor a dot at the end.
func Covers(pattern, domain string) bool {
	pattern, domain = tidy(pattern), tidy(domain)
	if under, ok := strings.CutPrefix(pattern, "*."); ok {
		return under != "" && strings.HasSuffix(domain, "."+under)
	}
	return pattern != "" && pattern == domain
}

func tidy(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }
