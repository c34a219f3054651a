package link

import (
	"slices"
	"strings"

	"congthu/internal/lookalike"
	"congthu/internal/needles"
)

// around is how many octets of text before and after a link are its neighbourhood, and
// maxAsked how many links of one message have theirs read.
const (
	around   = 300
	maxAsked = 20
)

// asking reports words that ask for a password, or for whatever opens an account, near a
// link to somebody else; hides says that the link does not show whose.
func (r *report) asking(a anchor, t target, hides bool) {
	if hides && r.hidden == "" {
		r.hidden = t.raw
	}
	if r.asked >= maxAsked || a.to == 0 || r.nobodyAsks() {
		return
	}
	r.asked++
	if !r.in.words.ask(neighbourhood(r.text, a.from, a.to)) {
		return
	}
	r.near = true
	r.add(Credential, t.raw)
	if hides {
		r.add(CredentialBad, t.raw)
	}
}

// maxBare is how many octets of a letter are searched for words that ask, beside its links.
const maxBare = 16 << 10

// disguised reports words that ask and stand in no part's own text as they are read: in an
// old character set, or with their letters spread. Where they stand is not known then, so
// all of a letter with a link to somebody else counts as near it. Where nobodyAsks has read
// it all there is nothing to read again.
func (r *report) disguised() {
	t := r.message
	if !r.foreign || r.near || t == nil || r.asks == 1 || !r.in.words.ask(t.Bare[:min(len(t.Bare), maxBare)]) {
		return
	}
	how := t.Charset
	if how == "" {
		if slices.ContainsFunc(r.own, func(text string) bool { return r.in.words.ask(plain(text[:min(len(text), maxBare)])) }) {
			return // far from any link
		}
		how = "..."
	}
	r.add(Credential, how)
	if r.hidden != "" {
		r.add(CredentialBad, r.hidden)
	}
}

// nobodyAsks tells whether the whole text that is read has no such words, which spares
// reading around each link. A page under a foreign name is no part of that text.
func (r *report) nobodyAsks() bool {
	if r.message == nil || r.message.Cut || r.page {
		return false
	}
	if r.asks == 0 {
		r.asks = 1
		if r.in.words.ask(r.message.Bare) {
			r.asks = 2
		}
	}
	return r.asks == 1
}

// demands are words that speak of what opens an account, and acts what the reader is to
// do with it. One of each near a link makes the demand; either alone is office life.
// They are written without marks, as the text is when it is compared.
var (
	demands = []string{
		"mat khau", "matkhau", "tai khoan", "hop thu", "hom thu", "otp", "ma xac thuc", "dung luong", "thong tin dang nhap", "so the", "cccd", "vneid",
		"password", "account", "mailbox", "credential", "storage", "quota", "webmail", "login details",
	}
	acts = []string{
		"dang nhap", "xac minh", "xac nhan", "xac thuc", "kich hoat", "nang cap", "gia han", "cap nhat", "mo khoa", "khoi phuc", "bi khoa", "tam khoa", "het han",
		"log in", "login", "sign in", "verify", "confirm your", "validate", "activate", "upgrade", "re-activate", "unlock", "suspended", "deactivat", "expire", "update your",
	}
)

// askers are the words of both kinds, sought together.
type askers struct {
	needles.Set
	kinds []uint8 // by number
}

const (
	demand = 1 << iota
	act
	askBoth = demand | act
)

func newAskers() *askers {
	a := &askers{}
	for i, list := range [][]string{demands, acts} {
		for _, w := range list {
			n := a.Add(w)
			if int(n) == len(a.kinds) {
				a.kinds = append(a.kinds, 0)
			}
			a.kinds[n] |= 1 << i
		}
	}
	return a
}

// ask tells whether text asks for what opens an account.
func (a *askers) ask(text string) bool {
	var seen uint8
	a.Find(text, func(n int32) bool { seen |= a.kinds[n]; return seen == askBoth })
	return seen == askBoth
}

// neighbourhood is the text around a place, letters made plain.
func neighbourhood(text string, from, to int) string {
	start, end := max(0, from-around), min(len(text), to+around)
	return plain(text[start:end])
}

func plain(text string) string {
	return strings.Join(strings.Fields(lookalike.Fold(strings.ToValidUTF8(text, " "))), " ")
}
