package auth

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// maxAuthors bounds the domains judged: beyond it From is not a list of authors.
const maxAuthors = 8

// authorship is who a reader may take for the author of the message.
type authorship struct {
	domains []string // at least one
	clear   bool     // every reader sees the same, single domain
}

// atDomain finds what some reader may take for the domain of an address.
var atDomain = regexp.MustCompile(`@\s*([^\s@<>()\[\],;:"\\]+)`)

// authors reads the one From field (RFC 5322 section 3.6.2). Where its syntax is
// broken, every domain written in it counts: which of them is shown depends on
// the reader's program.
func authors(from []msg.Field) (authorship, error) {
	if len(from) != 1 {
		return authorship{}, errors.New("message has no single From field")
	}
	list, doubts := mimetree.Addresses(from[0].Value)
	a := authorship{clear: true}
	for _, addr := range list {
		a.add(addr.Domain)
	}
	for _, d := range doubts {
		if d.Code != mimetree.AddressSyntax {
			a.clear = false // group, route, encoded address: no author writes these
		}
	}
	if len(doubts) > 0 {
		for _, m := range atDomain.FindAllStringSubmatch(from[0].Value, -1) {
			a.add(m[1])
		}
	}
	a.clear = a.clear && len(a.domains) == 1
	switch {
	case len(a.domains) == 0:
		return authorship{}, errors.New("no address in From")
	case len(a.domains) > maxAuthors:
		return authorship{}, errors.New("too many domains in From")
	}
	return a, nil
}

func (a *authorship) add(domain string) {
	domain = strings.ToLower(strings.TrimRight(domain, "."))
	switch {
	case domain == "":
		a.clear = false
	case !slices.Contains(a.domains, domain):
		a.domains = append(a.domains, domain)
	}
}
