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
		if strings.Contains(addr.Name, "<") {
			a.shown(addr.Name) // a name that is written like an address
		}
	}
	a.shown(comments(from[0].Value))
	for _, d := range doubts {
		if d.Code != mimetree.AddressSyntax {
			a.clear = false // group, route, encoded address: no author writes these
		}
	}
	if len(doubts) > 0 {
		a.shown(from[0].Value)
		a.shown(mimetree.DecodeWords(from[0].Value))
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

// shown adds every domain that stands in a text.
func (a *authorship) shown(text string) {
	for _, m := range atDomain.FindAllStringSubmatch(text, maxAuthors+1) {
		a.add(m[1])
	}
}

// comments are the comments of a field (RFC 5322 section 3.2.2). They say nothing, and
// nobody writes an address into one but to be read by a program that overlooks the
// parenthesis.
func comments(s string) string {
	var out strings.Builder
	quoted, depth := false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
			out.WriteByte(' ')
		case c == ')':
			depth = max(depth-1, 0)
		case depth > 0:
			out.WriteByte(c)
		}
	}
	return out.String()
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
