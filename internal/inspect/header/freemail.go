package header

import (
	"strings"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
)

// freemail reports an agency's name before the @ of a mailbox that anybody may have: such
// mailboxes were used against ministries.
func (i *inspector) freemail(r *report, a mimetree.Address) {
	if !i.isFree(a.Domain) {
		return
	}
	r.add(Freemail, a.Domain)
	local := lookalike.Fold(a.Local)
	words := strings.FieldsFunc(local, func(c rune) bool { return c == '.' || c == '-' || c == '_' || c == '+' })
	for _, w := range i.agencyWords {
		for _, part := range words {
			if part == w || len(w) >= gluedAbbreviation && (strings.HasPrefix(part, w) || strings.HasSuffix(strings.TrimRight(part, "0123456789"), w)) {
				r.add(FreemailAgency, a.Spec())
				return
			}
		}
	}
}

// gluedAbbreviation is from which length on an abbreviation is also found at the beginning
// or the end of a longer word: "vanphongubndtinh".
const gluedAbbreviation = 4

func (i *inspector) isFree(domain string) bool { return i.free[lookalike.ASCII(domain)] }

// replyFree reports an author who claims an agency and whose answers go to a mailbox that
// anybody may have.
func (i *inspector) replyFree(r *report, from []mimetree.Address) {
	if len(from) == 0 || !i.official(lookalike.ASCII(from[0].Domain)) && !i.ofAgency(lookalike.ASCII(from[0].Domain)) {
		return
	}
	for _, to := range mailboxes(r.root.Get("Reply-To")) {
		if i.isFree(to.Domain) {
			r.add(ReplyToFreemail, from[0].Spec()+" -> "+to.Spec())
			return
		}
	}
}

func (i *inspector) ofAgency(domain string) bool {
	for n := range i.agencies {
		if i.agencies[n].owns(domain) {
			return true
		}
	}
	return false
}
