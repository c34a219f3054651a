package dmarc

import (
	"errors"
	"net/url"
	"strings"
)

// The policies of RFC 9989 section 4.7.
const (
	PolicyNone       = "none"
	PolicyQuarantine = "quarantine"
	PolicyReject     = "reject"
)

// Record is a DMARC policy record (RFC 9989 section 4.7).
type Record struct {
	Policy    string // p; "none" when the tag is absent
	Subdomain string // sp; "" when absent
	Missing   string // np, for names that do not exist; "" when absent
	StrictSPF bool   // aspf=s
	StrictKey bool   // adkim=s
	PSD       string // y, n or u
	Testing   bool   // t=y
	Reports   bool   // rua holds at least one usable URI
	RUA       string // as written; see Destinations

	// BadPolicy: p, sp or np has a value that is none of the three, and there is
	// no one to report it to; the record takes part in finding the organisational
	// domain, but no policy is to be applied (section 4.10.1).
	BadPolicy bool
}

// Why a text is not a policy record.
var (
	errVersion = errors.New("does not begin with v=DMARC1")
	errTwice   = errors.New("names a tag twice")
)

// versioned tells whether a TXT record claims to be a policy record: the version
// is the first tag and its value is written in exactly this way.
func versioned(txt string) bool {
	first, _, _ := strings.Cut(txt, ";")
	name, value, ok := strings.Cut(first, "=")
	return ok && strings.EqualFold(strings.TrimRight(name, " \t"), "v") && strings.Trim(value, " \t") == "DMARC1"
}

// Parse reads a policy record. Unknown tags are ignored and a value that is not
// understood counts as not given, except for the policies (see BadPolicy). A tag
// given twice makes the tag list invalid (RFC 6376 section 3.2), hence the record.
func Parse(txt string) (Record, error) {
	if !versioned(txt) {
		return Record{}, errVersion
	}
	tags := make(map[string]string)
	for pair := range strings.SplitSeq(txt, ";") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.ToLower(strings.Trim(name, " \t"))
		if !ok || name == "" {
			continue
		}
		if _, twice := tags[name]; twice {
			return Record{}, errTwice
		}
		tags[name] = strings.Trim(value, " \t")
	}
	return interpret(tags), nil
}

func interpret(tags map[string]string) Record {
	r := Record{
		StrictSPF: strings.EqualFold(tags["aspf"], "s"),
		StrictKey: strings.EqualFold(tags["adkim"], "s"),
		Testing:   strings.EqualFold(tags["t"], "y"),
		PSD:       "u",
		Reports:   anyURI(tags["rua"]),
		RUA:       tags["rua"],
	}
	if v := strings.ToLower(tags["psd"]); v == "y" || v == "n" {
		r.PSD = v
	}
	bad := false
	r.Policy = policy(tags, "p", &bad)
	r.Subdomain = policy(tags, "sp", &bad)
	r.Missing = policy(tags, "np", &bad)
	if bad { // section 4.10.1: p=none for the owner who listens, else nothing
		r.Policy, r.Subdomain, r.Missing, r.BadPolicy = PolicyNone, "", "", !r.Reports
	}
	if r.Policy == "" {
		r.Policy = PolicyNone // section 4.7, tag p
	}
	return r
}

func policy(tags map[string]string, name string, bad *bool) string {
	v, given := tags[name]
	switch v = strings.ToLower(v); v {
	case PolicyNone, PolicyQuarantine, PolicyReject:
		return v
	}
	*bad = *bad || given
	return ""
}

func anyURI(list string) bool {
	for s := range strings.SplitSeq(list, ",") {
		if u, err := url.Parse(strings.TrimSpace(s)); err == nil && u.Scheme != "" && (u.Opaque != "" || u.Host != "") {
			return true
		}
	}
	return false
}
