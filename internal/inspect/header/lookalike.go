package header

import (
	"slices"
	"strings"
	"unicode"

	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
)

// brand is a Brand made ready for comparing.
type brand struct {
	name      string
	words     [][]string // each a run of words
	domains   []string   // A-labels
	skeletons []string   // of the domains
}

func newBrand(b Brand) brand {
	out := brand{name: b.Name}
	for _, w := range append([]string{b.Name}, b.Words...) {
		if p := newPhrase(w); len(p) > 0 {
			out.words = append(out.words, p)
		}
	}
	for _, d := range b.Domains {
		out.domains = append(out.domains, lookalike.ASCII(d))
		out.skeletons = append(out.skeletons, lookalike.Skeleton(lookalike.Unicode(d)))
	}
	return out
}

// owns tells whether a domain, in A-labels, is the brand's.
func (b *brand) owns(domain string) bool {
	return slices.ContainsFunc(b.domains, func(d string) bool { return lookalike.Within(domain, d) })
}

// phrase is a text as words of skeletons.
type phrase []string

func newPhrase(s string) phrase {
	return strings.FieldsFunc(lookalike.Skeleton(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// gluedLength is from which length on a name is also found written apart or inside a
// word: "V i e t B a n k", "VietBank24h". Short names would be found everywhere.
const gluedLength = 7

// has tells whether one of the runs of words stands in the phrase.
func (p phrase) has(runs [][]string) bool {
	glued := strings.Join(p, "")
	for _, run := range runs {
		for i := 0; i+len(run) <= len(p); i++ {
			if slices.Equal(p[i:i+len(run)], run) {
				return true
			}
		}
		if one := strings.Join(run, ""); len(one) >= gluedLength && strings.Contains(glued, one) {
			return true
		}
	}
	return false
}

// resembling reports a domain that is not ours or a brand's and reads like one, one that
// reads like the government's zone, and any label that mixes scripts, which no registry
// sells for an honest reason.
func (i *inspector) resembling(r *report, a mimetree.Address) {
	domain, shown := lookalike.ASCII(a.Domain), lookalike.Unicode(a.Domain)
	if i.local(domain) || slices.ContainsFunc(i.own, func(p lookalike.Domain) bool { return lookalike.Within(domain, p.Name) }) {
		return // ours, or below ours and mailed from elsewhere
	}
	bare := lookalike.Skeleton(shown)
	if n := slices.IndexFunc(i.own, func(p lookalike.Domain) bool { return p.Mimics(bare) }); n >= 0 {
		r.add(DomainLookalike, shown+" ~ "+i.own[n].Name)
		return // even within a zone of honest names: nobody else is called like us
	}
	if i.known(domain) {
		return
	}
	like, gov := i.resembles(domain, shown), lookalike.Gov(domain, lookalike.Fold(shown))
	if like == "" && gov == "" && !i.isFree(a.Domain) {
		like = mimicsOwnName(a.Name, shown)
	}
	if like == "" && gov == "" && slices.ContainsFunc(strings.Split(shown, "."), lookalike.MixesScripts) {
		r.add(DomainLookalike, shown)
	}
	if like != "" {
		r.add(DomainLookalike, shown+" ~ "+like)
	}
	if gov != "" {
		r.add(GovLookalike, shown+" ~ "+gov)
	}
}

// resembles returns the protected domain that this foreign one reads like, or "".
func (i *inspector) resembles(domain, shown string) string {
	for _, reading := range lookalike.Readings(shown) {
		if reading != domain && i.local(reading) {
			return reading
		}
	}
	if !lookalike.Within(domain, lookalike.Government) { // there the registry looks who asks for a name
		plain := lookalike.Fold(shown)
		for _, p := range i.own {
			if p.Reads(plain) {
				return p.Name
			}
		}
	}
	whole := lookalike.Skeleton(shown)
	for _, b := range i.brands {
		for n, s := range b.skeletons {
			if lookalike.Within(whole, s) {
				return b.domains[n]
			}
		}
	}
	return ""
}

// known tells whether the domain is a brand's or an agency's.
func (i *inspector) known(domain string) bool {
	owns := func(b brand) bool { return b.owns(domain) }
	return slices.ContainsFunc(i.brands, owns) || slices.ContainsFunc(i.agencies, owns)
}

// mimicsOwnName returns what the domain pretends to spell of the sender's own name: "Mẫu
// Machinery" at mau-rnachinery.com. No firm buys its own name with a letter wrong.
func mimicsOwnName(name, shown string) string {
	plain := glued(lookalike.Fold(name))
	meant := glued(lookalike.Skeleton(name))
	for _, part := range strings.FieldsFunc(lookalike.Fold(shown), func(r rune) bool { return r == '.' || r == '-' }) {
		s := lookalike.Skeleton(part)
		if len(part) >= mimicking && s != part && strings.Contains(meant, s) && !strings.Contains(plain, part) {
			return name
		}
	}
	return ""
}

// mimicking is the shortest part of a domain that is taken for a word of the name.
const mimicking = 4

func glued(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
