package header

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"congthu/internal/lang"
	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/tomlfile"
)

// freemail reports an agency's name before the @ of a mailbox that anybody may have: such
// mailboxes were used against ministries. A word has its share of the weight: no ministry
// writes from such a mailbox, and some communes have no other.
func (i *inspector) freemail(r *report, a mimetree.Address) {
	if !i.isFree(a.Domain) {
		return
	}
	r.add(Freemail, a.Domain)
	local := lookalike.Fold(a.Local)
	words := strings.FieldsFunc(local, func(c rune) bool { return c == '.' || c == '-' || c == '_' || c == '+' })
	percent := 0
	for _, w := range i.agencyWords {
		if w.percent > percent && slices.ContainsFunc(words, w.in) {
			percent = w.percent
		}
	}
	if percent > 0 {
		r.found = append(r.found, msg.Finding{Symbol: FreemailAgency, Percent: percent, Evidence: shorten(a.Spec())})
	}
}

// agencyWord is an abbreviation with the share of the weight that it is worth.
type agencyWord struct {
	word    string
	percent int
}

// newAgencyWord reads "vpcp" or "ubnd 25"; anything else stands for itself.
func newAgencyWord(line string) agencyWord {
	word, share, _ := strings.Cut(line, " ")
	if n, err := strconv.Atoi(strings.TrimSpace(share)); err == nil && n > 0 && n < 100 {
		return agencyWord{lookalike.Fold(word), n}
	}
	return agencyWord{lookalike.Fold(line), 100}
}

func (w agencyWord) in(part string) bool {
	return part == w.word || len(w.word) >= gluedAbbreviation && (strings.HasPrefix(part, w.word) || strings.HasSuffix(strings.TrimRight(part, "0123456789"), w.word))
}

// LoadAgencyWords reads agency-words.txt: a word of three letters or more in a line, which
// may say after it how much of the weight it is worth, in percent. The error is
// tomlfile.Problems.
func LoadAgencyWords(name string) ([]string, error) {
	return tomlfile.Lines(name, func(line string) bool {
		word, share, given := strings.Cut(line, " ")
		n, err := strconv.Atoi(strings.TrimSpace(share))
		return utf8.RuneCountInString(word) >= 3 && (!given || err == nil && n > 0 && n <= 100)
	},
		lang.T("không phải một từ, hay một từ và số phần trăm", "neither a word nor a word and a percentage"), lang.T("viết một từ ít nhất 3 chữ, như 'vpcp', hoặc thêm số từ 1 đến 100, như 'ubnd 25'", "write a word of three letters or more, as 'vpcp', or with a number from 1 to 100, as 'ubnd 25'"))
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
