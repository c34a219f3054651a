// Package dmarc decides whether the domain that a reader sees in From has stood
// in for the message (RFC 9989): it finds the policy record and the
// organisational domain by walking the DNS tree, and looks for an SPF or DKIM
// pass that is aligned with the author's domain.
//
// A policy is evaluated, never diced for: the sampling of the older text is gone.
// Whatever could not be looked up and could have changed the answer makes it
// "temperror", in which no policy may be applied (section 5.3.6).
package dmarc

import (
	"context"
	"strings"

	"congthu/internal/msg"

	"golang.org/x/net/idna"
)

// Resolver is the part of DNS that DMARC needs. To apply np= a not-found error
// for a name that does not exist must wrap something with NXDomain() bool.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// The results of RFC 8601 section 2.7 (dmarc is registered by RFC 9989).
const (
	None      = "none"      // no policy is published for the domain
	Pass      = "pass"      // an aligned identifier passed
	Fail      = "fail"      // none did
	TempError = "temperror" // could not look
	PermError = "permerror" // there is no author domain to speak of
)

// Result is what DMARC says about one author domain.
type Result struct {
	Status    string
	Policy    string // as declared, for this domain; "" when there is none or it is not known
	Testing   bool   // t=y: the owner wants the policy applied one level milder
	Domain    string // the author's domain, in A-labels
	PolicyAt  string // where the record was found
	OrgDomain string // the organisational domain, when it had to be found
	Reason    string

	// Record is the record that applied; nil when there was none or it says
	// nothing that may be applied.
	Record *Record
	// SPFAligned and KeyAligned tell whether SPF and a DKIM signature passed in
	// alignment. Evaluate stops at the first that did; EvaluateBoth does not.
	SPFAligned, KeyAligned bool
}

// Applied is the policy to apply to a message that fails: the declared one, one
// level milder while the owner is testing (section 4.7, tag t).
func (r Result) Applied() string {
	switch {
	case r.Policy == "" || !r.Testing:
		return r.Policy
	case r.Policy == PolicyReject:
		return PolicyQuarantine
	}
	return PolicyNone
}

// AuthResult is the result in the words of RFC 8601.
func (r Result) AuthResult() msg.AuthResult {
	a := msg.AuthResult{Method: "dmarc", Status: r.Status, Property: "header.from", Value: r.Domain, Reason: r.Reason}
	if r.Policy != "" {
		a.Reason = "p=" + r.Policy
		if r.Testing {
			a.Reason += " t=y"
		}
		if r.Reason != "" {
			a.Reason += "; " + r.Reason
		}
	}
	return a
}

// Evaluate judges the author domain by the results of SPF and DKIM in auth.
func Evaluate(ctx context.Context, r Resolver, fromDomain string, auth []msg.AuthResult) Result {
	return evaluate(ctx, r, fromDomain, auth, false)
}

// EvaluateBoth is Evaluate for a receiver who reports: when the owner wants reports
// it looks at every identifier even though one has passed, because a report says of
// SPF and of DKIM whether they were aligned (RFC 9990 section 3.1.1.9).
func EvaluateBoth(ctx context.Context, r Resolver, fromDomain string, auth []msg.AuthResult) Result {
	return evaluate(ctx, r, fromDomain, auth, true)
}

func evaluate(ctx context.Context, r Resolver, fromDomain string, auth []msg.AuthResult, both bool) Result {
	domain, ok := normal(fromDomain)
	if !ok {
		return Result{Status: PermError, Domain: fromDomain, Reason: "not a domain name"}
	}
	e := &evaluation{
		records: records{ctx: ctx, r: r, seen: make(map[string]found)},
		res:     Result{Domain: domain},
		both:    both,
	}
	e.run(auth)
	return e.res
}

type evaluation struct {
	records
	res    Result
	record *Record
	both   bool // go on after a pass, for the report
}

func (e *evaluation) run(auth []msg.AuthResult) {
	if err := e.discover(); err != nil {
		e.end(TempError, "policy could not be looked up")
		return
	}
	switch {
	case e.record == nil:
		e.end(None, "no policy published")
		return
	case e.record.BadPolicy:
		e.end(None, "policy record of "+e.res.PolicyAt+" has an invalid policy")
		return
	}
	e.res.Testing, e.res.Record = e.record.Testing, e.record
	e.align(auth)
	e.choose()
}

func (e *evaluation) end(status, reason string) { e.res.Status, e.res.Reason = status, reason }

// discover finds the record that applies (section 4.10.1): the domain's own, else
// that of its organisational domain, else that of the public suffix above.
func (e *evaluation) discover() error {
	own := e.at(e.res.Domain)
	if own.err != nil {
		return own.err
	}
	if own.record != nil {
		e.record, e.res.PolicyAt = own.record, e.res.Domain
		return nil
	}
	met, err := e.walk(e.res.Domain)
	if err != nil {
		return err
	}
	e.res.OrgDomain = organisation(e.res.Domain, met)
	for _, f := range met {
		if f.domain == e.res.OrgDomain || f.record.PSD == "y" {
			e.record, e.res.PolicyAt = f.record, f.domain
			return nil
		}
	}
	return nil
}

// choose takes the policy for the author domain out of the record. For a name
// below the record's own that does not exist np= comes first.
func (e *evaluation) choose() {
	rec := e.record
	e.res.Policy = rec.Policy
	if e.res.PolicyAt == e.res.Domain {
		return
	}
	e.res.Policy = rec.ofSubdomain()
	if rec.Missing == "" || rec.Missing == e.res.Policy || e.res.Status != Fail {
		return
	}
	_, err := e.r.LookupTXT(e.ctx, e.res.Domain)
	switch {
	case err == nil:
	case noSuchName(err):
		e.res.Policy = rec.Missing
	case !notFound(err):
		e.res.Policy = ""
		e.end(TempError, "could not tell whether the domain exists")
	}
}

// maxName is more octets than any domain takes in UTF-8.
const maxName = 1024

// normal returns a domain in lower-case A-labels without final dot (section 5.3.1).
func normal(domain string) (string, bool) {
	if len(domain) > maxName {
		return "", false
	}
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if strings.IndexFunc(domain, func(r rune) bool { return r >= 0x80 }) >= 0 {
		a, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return "", false
		}
		domain = a
	}
	if domain == "" || len(domain) > 253 || strings.ContainsAny(domain, " \t\r\n@[]:\\\"") {
		return "", false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
	}
	return domain, true
}
