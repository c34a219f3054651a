package header

import (
	"regexp"
	"slices"
	"strings"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/text"
)

// author reports on From: whether there is exactly one, and whether what it shows is
// what it is.
func (i *inspector) author(r *report, m *msg.Message) {
	fields := r.root.Fields("From")
	var list []mimetree.Address
	for _, f := range fields[:min(len(fields), maxFrom)] {
		list = append(list, inCharset(mailboxes(f.Value), m.Text)...)
		r.ambiguous(f.Value)
	}
	switch {
	case len(list) == 0:
		r.add(FromMissing, r.root.Get("From"))
	case len(fields) > 1 || len(list) > 1:
		r.add(FromMany, specs(list))
	}
	for _, a := range list[:min(len(list), maxFrom)] {
		nameIsAddress(r, a)
		i.nameBrand(r, a)
		i.nameAgency(r, a)
		i.freemail(r, a)
		i.localFromOutside(r, m, a)
		i.resembling(r, a)
	}
	replyTo(r, list)
	i.replyFree(r, list)
	otherSenders(r, m, list)
	i.messageID(r, m, list)
	r.recipients(m, list)
}

// inCharset reads the names in the charset of the letter, which a short name does not show
// by itself.
func inCharset(list []mimetree.Address, t *msg.Text) []mimetree.Address {
	if t != nil && t.Charset != "" {
		for n := range list {
			list[n].Name = text.HeaderIn(list[n].Name, t.Charset)
		}
	}
	return list
}

// ambiguous reports a From that readers understand in different ways: a group, a route,
// an address in encoded words. Common slips of syntax are none.
func (r *report) ambiguous(value string) {
	_, doubts := mimetree.Addresses(value)
	for _, d := range doubts {
		if d.Code != mimetree.AddressSyntax {
			r.add(FromAmbiguous, d.Code+": "+value)
			return
		}
	}
}

// maxFrom bounds how many authors are looked at; the second one is fatal already.
const maxFrom = 10

// mailboxes are the entries that have a domain: an unquoted comma in a name makes a
// fragment that is no author.
func mailboxes(value string) []mimetree.Address {
	list, _ := mimetree.Addresses(value)
	return slices.DeleteFunc(list, func(a mimetree.Address) bool { return a.Domain == "" })
}

func specs(list []mimetree.Address) string {
	var out []string
	for _, a := range list[:min(len(list), maxFrom)] {
		out = append(out, a.Spec())
	}
	return strings.Join(out, ", ")
}

// anAddress finds what a reader takes for an address.
var anAddress = regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+`)

// nameIsAddress reports a display name that shows another address: many programs show
// nothing but the name.
func nameIsAddress(r *report, a mimetree.Address) {
	for _, shown := range anAddress.FindAllString(lookalike.Compatible(a.Name), maxFrom) {
		if !strings.EqualFold(shown, a.Spec()) {
			r.add(NameIsAddress, shown+" <"+a.Spec()+">")
			return
		}
	}
}

// nameBrand reports a display name with a brand's name in it, from a domain that is not
// the brand's.
func (i *inspector) nameBrand(r *report, a mimetree.Address) {
	name := newPhrase(a.Name)
	for _, b := range i.brands {
		if name.has(b.words) && !b.owns(lookalike.ASCII(a.Domain)) {
			r.add(NameBrand, b.name+": "+a.Name+" <"+a.Spec()+">")
		}
	}
}

// localFromOutside reports our own domain in From when the client may not relay outward
// and nothing proves the domain.
func (i *inspector) localFromOutside(r *report, m *msg.Message, a mimetree.Address) {
	if m.Session.Outbound || !i.local(strings.TrimRight(a.Domain, ".")) {
		return
	}
	if !slices.ContainsFunc(m.Auth, func(res msg.AuthResult) bool { return i.proves(res, a.Domain) }) {
		r.add(LocalFromOutside, a.Spec())
	}
}

// proves tells whether the result is a DMARC pass for the domain, or a DKIM pass of the
// domain itself or of a domain of ours above it.
func (i *inspector) proves(res msg.AuthResult, domain string) bool {
	if res.Status != "pass" {
		return false
	}
	switch value := strings.ToLower(res.Value); res.Method {
	case "dmarc":
		return value == domain
	case "dkim":
		return res.Property == "header.d" && (value == domain || lookalike.Within(domain, value) && i.local(value))
	}
	return false
}

// replyTo reports answers that go to another domain than the author's. A list asks for
// answers to itself, and it is among the recipients.
func replyTo(r *report, from []mimetree.Address) {
	for _, f := range r.root.Fields("Reply-To") {
		for _, to := range mailboxes(f.Value) {
			ours := func(a mimetree.Address) bool { return lookalike.Related(a.Domain, to.Domain) }
			if len(from) > 0 && !slices.ContainsFunc(from[:min(len(from), maxFrom)], ours) && !r.addressed(to) {
				r.add(ReplyToDiffers, from[0].Spec()+" -> "+to.Spec())
				return
			}
		}
	}
}

// addressed tells whether a mailbox stands in To or Cc, or is the list's that brought the
// message.
func (r *report) addressed(to mimetree.Address) bool {
	same := func(a mimetree.Address) bool { return strings.EqualFold(a.Spec(), to.Spec()) }
	if slices.ContainsFunc(mailboxes(r.root.Get("To")), same) || slices.ContainsFunc(mailboxes(r.root.Get("Cc")), same) {
		return true
	}
	list := strings.ToLower(r.root.Get("List-Id") + r.root.Get("List-Post"))
	return strings.Contains(list, strings.ToLower(to.Local)) && strings.Contains(list, to.Domain) && to.Local != ""
}
