package lookalike

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Government is the zone in which only agencies get names, after a check by the registry.
const Government = "gov.vn"

// govMisspelt are the ways to write "gov" that a hurried eye takes for it. Real
// second-level zones of .vn are none of them.
var govMisspelt = []string{"g0v", "gou", "goy", "qov", "goov", "govv", "ggov", "govn", "ogv", "gvo", "gcv", "gob"}

// Gov returns why a domain that lies outside the government's zone is to be read
// as if it lay within, or "". shown is the domain with its letters made plain.
func Gov(domain, shown string) string {
	if Within(domain, Government) {
		return ""
	}
	if Within(shown, Government) {
		return "." + Government // other letters
	}
	labels := strings.Split(shown, ".")
	if n := len(labels); n >= 3 && labels[n-1] == "vn" && slices.Contains(govMisspelt, labels[n-2]) {
		return labels[n-2] + ".vn"
	}
	words := Tokens(shown)
	for i, w := range words {
		if w == "govvn" || w == "gov" && i+1 < len(words) && words[i+1] == "vn" {
			return "gov.vn"
		}
	}
	own := Registrable(shown)
	if strings.HasSuffix(own, "govvn") || own != "gov" && slices.Contains(strings.Split(own, "-"), "gov") {
		return own
	}
	return ""
}

// Tokens are the words of a domain: dots and hyphens are easily taken for each other.
func Tokens(domain string) []string {
	return strings.FieldsFunc(domain, func(r rune) bool { return r == '.' || r == '-' })
}

// Registrable is the label that somebody chose to register: "a" of x.a.com.vn; "" of a
// public suffix.
func Registrable(domain string) string {
	whole, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	label, _, _ := strings.Cut(whole, ".")
	return label
}

// Organisation is the domain that somebody registered, or the domain itself where there is
// no such rule.
func Organisation(domain string) string {
	if whole, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return whole
	}
	return domain
}

// Related tells whether two domains belong to one organisation.
func Related(a, b string) bool {
	a, b = ASCII(a), ASCII(b)
	return Within(a, b) || Within(b, a) || Organisation(a) == Organisation(b)
}

// Within tells whether the domain is that one or below it.
func Within(domain, above string) bool {
	n := len(domain) - len(above)
	return domain == above || above != "" && n > 0 && domain[n-1] == '.' && domain[n:] == above
}
