package header

import (
	"strings"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// messageID looks at the field (RFC 5322 section 3.6.4): whether it is there, is one
// "<left@right>", and whether its right side is a house that did not write.
func (i *inspector) messageID(r *report, m *msg.Message, from []mimetree.Address) {
	value := strings.TrimSpace(r.root.Get("Message-ID"))
	if value == "" {
		r.add(MessageIDMissing, "")
		return
	}
	host, ok := idHost(value)
	if !ok {
		r.add(MessageIDMalformed, value)
		return
	}
	if m.Session.Outbound || len(from) == 0 || !i.official(host) || lookalike.Related(host, from[0].Domain) || i.official(lookalike.ASCII(from[0].Domain)) {
		return
	}
	r.add(MessageIDForeign, value+", From "+from[0].Spec())
}

// idHost is the right side of a Message-ID.
func idHost(value string) (string, bool) {
	inner, ok := strings.CutPrefix(value, "<")
	if !ok {
		return "", false
	}
	if inner, ok = strings.CutSuffix(inner, ">"); !ok || strings.ContainsAny(inner, "<> \t") {
		return "", false
	}
	at := strings.LastIndexByte(inner, '@')
	if at <= 0 || at == len(inner)-1 {
		return "", false
	}
	return strings.ToLower(inner[at+1:]), true
}

// official tells whether a domain is ours or the government's.
func (i *inspector) official(domain string) bool {
	return lookalike.Within(domain, lookalike.Government) || i.local(domain)
}
