package header

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

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
		out.domains = append(out.domains, ascii(d))
		out.skeletons = append(out.skeletons, skeleton(unicodeForm(d)))
	}
	return out
}

// owns tells whether a domain, in A-labels, is the brand's.
func (b *brand) owns(domain string) bool {
	return slices.ContainsFunc(b.domains, func(d string) bool { return within(domain, d) })
}

// phrase is a text as words of skeletons.
type phrase []string

func newPhrase(s string) phrase {
	return strings.FieldsFunc(skeleton(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
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

// lookalike reports a domain that is not ours or a brand's and reads like one, one that
// reads like the government's zone, and any label that mixes scripts, which no registry
// sells for an honest reason.
func (i *inspector) lookalike(r *report, a mimetree.Address) {
	domain, shown := ascii(a.Domain), unicodeForm(a.Domain)
	if i.local(domain) || slices.ContainsFunc(i.own, func(p protected) bool { return within(domain, p.domain) }) {
		return // ours, or below ours and mailed from elsewhere
	}
	bare := skeleton(shown)
	if n := slices.IndexFunc(i.own, func(p protected) bool { return p.mimics(bare) }); n >= 0 {
		r.add(DomainLookalike, shown+" ~ "+i.own[n].domain)
		return // even within a zone of honest names: nobody else is called like us
	}
	if i.known(domain) {
		return
	}
	like, gov := i.resembles(domain, shown), govLookalike(domain, fold(shown))
	if like == "" && gov == "" && slices.ContainsFunc(strings.Split(shown, "."), mixesScripts) {
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
	for _, reading := range readings(shown) {
		if reading != domain && i.local(reading) {
			return reading
		}
	}
	if !within(domain, government) { // there the registry looks who asks for a name
		plain := fold(shown)
		for _, p := range i.own {
			if p.reads(plain) {
				return p.domain
			}
		}
	}
	whole := skeleton(shown)
	for _, b := range i.brands {
		for n, s := range b.skeletons {
			if within(whole, s) {
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

// readings are the plain domains a hurried eye may take this one for. Our own domains
// can only be asked for one by one, so the common swaps are tried.
func readings(shown string) []string {
	plain := fold(shown)
	return []string{
		plain,
		strings.ReplaceAll(plain, "0", "o"),
		strings.ReplaceAll(plain, "1", "l"),
		strings.ReplaceAll(plain, "1", "i"),
		strings.ReplaceAll(plain, "l", "i"),
		strings.ReplaceAll(plain, "i", "l"),
		strings.ReplaceAll(plain, "rn", "m"),
		strings.ReplaceAll(plain, "vv", "w"),
	}
}

// compatible gives full-width and other compatibility letters their plain form.
func compatible(s string) string { return norm.NFKC.String(strings.ToValidUTF8(s, "\ufffd")) }

// fold makes letters plain: lower case, no marks, no look-alikes of other scripts.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(compatible(s))) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r): // tone marks, invisible characters
		default:
			if plain, ok := confusable[r]; ok {
				r = plain
			}
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// skeleton goes on where fold ends: letters and digits that look alike become one. Only
// skeletons may be compared with each other.
func skeleton(s string) string {
	return alike.Replace(fold(s))
}

var alike = strings.NewReplacer("rn", "m", "vv", "w", "0", "o", "1", "l", "i", "l", "|", "l", "!", "l", "3", "e", "4", "a", "5", "s")

// confusable has letters of other scripts, and Latin letters without a decomposition,
// that look like a plain one.
var confusable = map[rune]rune{
	'đ': 'd', 'ð': 'd', 'ɖ': 'd', 'ı': 'i', 'ɩ': 'i', 'ł': 'l', 'ø': 'o', 'ħ': 'h', 'ɑ': 'a', 'ɡ': 'g', 'ŋ': 'n', 'ſ': 's',
	'а': 'a', 'в': 'b', 'ь': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'н': 'h', 'і': 'i', 'ј': 'j', 'к': 'k',
	'ӏ': 'l', 'м': 'm', 'п': 'n', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'г': 'r', 'ѕ': 's', 'т': 't', 'ѵ': 'v', 'ԝ': 'w',
	'х': 'x', 'у': 'y',
	'α': 'a', 'β': 'b', 'ε': 'e', 'γ': 'y', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't',
	'υ': 'u', 'χ': 'x', 'ω': 'w',
	'օ': 'o', 'ո': 'n', 'ս': 'u', 'հ': 'h', 'ց': 'g',
}

// mixesScripts tells whether a label has Latin letters beside Cyrillic, Greek or
// Armenian ones.
func mixesScripts(label string) bool {
	latin, other := false, false
	for _, r := range label {
		latin = latin || unicode.Is(unicode.Latin, r)
		other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
	}
	return latin && other
}

// ascii is the domain in A-labels (RFC 5890), or lower-case when it has no such form.
func ascii(domain string) string {
	domain = strings.TrimRight(strings.ToLower(domain), ".")
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return a
	}
	return domain
}

// unicodeForm is the domain as a mail program shows it.
func unicodeForm(domain string) string {
	u, err := idna.Punycode.ToUnicode(domain)
	if err != nil {
		return domain
	}
	return u
}
