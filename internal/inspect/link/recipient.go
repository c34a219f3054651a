package link

import (
	"encoding/base64"
	"net/url"
	"strings"

	"congthu/internal/lookalike"
	"congthu/internal/msg"
)

// A page that steals passwords is told whose it is to ask for, so that the form is filled
// in already: "…/owa/?u=van-thu@so.gov.vn", as it stands or in Base64.

// maxRecipients is how many recipients are looked for: a lure is sent one by one.
const maxRecipients = 4

// written gives the recipients as links carry them, lower case.
func written(to []msg.Path) []string {
	var out []string
	for _, p := range to[:min(len(to), maxRecipients)] {
		if p.Local == "" || p.Domain == "" {
			continue
		}
		address := p.Local + "@" + p.Domain
		// What follows the address decides its last characters in Base64; those are left off.
		code := base64.RawURLEncoding.EncodeToString([]byte(address))
		out = append(out, strings.ToLower(address), strings.ToLower(code[:len(code)-2]))
	}
	return out
}

// namesRecipient reports a link to somebody else's host that carries a recipient's address.
func (r *report) namesRecipient(t target) {
	if len(r.recipients) == 0 || len(t.raw) > maxCarrier || r.in.o.Local(t.host) || lookalike.Within(t.host, lookalike.Government) {
		return
	}
	raw := t.raw
	if plain, err := url.PathUnescape(raw); err == nil {
		raw = plain
	}
	raw = strings.ToLower(raw)
	for _, who := range r.recipients {
		if strings.Contains(raw, who) {
			r.add(Recipient, t.raw)
			return
		}
	}
}

// maxCarrier is the longest link that is searched, in octets.
const maxCarrier = 2000
