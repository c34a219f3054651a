package header

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// government is the zone in which only agencies get names, after a check by the registry.
const government = "gov.vn"

// govMisspelt are the ways to write "gov" that a hurried eye takes for it. Real
// second-level zones of .vn are none of them.
var govMisspelt = []string{"g0v", "gou", "goy", "qov", "goov", "govv", "ggov", "govn", "ogv", "gvo", "gcv", "gob"}

// govLookalike returns why a domain that lies outside the government's zone is to be read
// as if it lay within, or "". shown is the domain with its letters made plain.
func govLookalike(domain, shown string) string {
	if within(domain, government) {
		return ""
	}
	if within(shown, government) {
		return "." + government // other letters
	}
	labels := strings.Split(shown, ".")
	if n := len(labels); n >= 3 && labels[n-1] == "vn" && slices.Contains(govMisspelt, labels[n-2]) {
		return labels[n-2] + ".vn"
	}
	words := tokens(shown)
	for i, w := range words {
		if w == "govvn" || w == "gov" && i+1 < len(words) && words[i+1] == "vn" {
			return "gov.vn"
		}
	}
	own := registrable(shown)
	if strings.HasSuffix(own, "govvn") || own != "gov" && slices.Contains(strings.Split(own, "-"), "gov") {
		return own
	}
	return ""
}

// tokens are the words of a domain: dots and hyphens are easily taken for each other.
func tokens(domain string) []string {
	return strings.FieldsFunc(domain, func(r rune) bool { return r == '.' || r == '-' })
}

// registrable is the label that somebody chose to register: "a" of x.a.com.vn; "" of a
// public suffix.
func registrable(domain string) string {
	whole, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	label, _, _ := strings.Cut(whole, ".")
	return label
}

// organisation is the domain that somebody registered, or the domain itself where there is
// no such rule.
func organisation(domain string) string {
	if whole, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return whole
	}
	return domain
}

// related tells whether two domains belong to one organisation.
func related(a, b string) bool {
	a, b = ascii(a), ascii(b)
	return within(a, b) || within(b, a) || organisation(a) == organisation(b)
}
