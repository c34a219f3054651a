package spf

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"congthu/internal/lang"
)

// What one check may cost (RFC 7208 section 4.6.4). Every include and redirect
// counts as a term, so the first also bounds the recursion.
const (
	maxTerms = 10 // mechanisms and modifiers that ask DNS
	maxVoids = 2  // of these, those that find nothing
	maxNames = 10 // MX names, and PTR names, whose addresses are looked up
)

// evaluation is one check: what is checked and what it has cost.
type evaluation struct {
	r     Resolver
	ip    netip.Addr
	id    identity
	terms int
	voids int
	names []string // of the client, confirmed; nil until looked up
	named bool
}

// outcome is how a check of one domain ended.
type outcome struct {
	status, reason string
	exp, domain    string // the explanation's domain-spec, and the domain that has it
}

// stop ends an evaluation: the error of a lookup, a record or a limit.
type stop struct{ status, reason string }

func (s *stop) Error() string { return s.status + ": " + s.reason }

func permanent(reason string) error { return &stop{PermError, reason} }

func ended(err error) outcome {
	var s *stop
	if errors.As(err, &s) {
		return outcome{status: s.status, reason: s.reason}
	}
	return outcome{status: TempError, reason: lang.Safe(err.Error(), 200)}
}

// checkHost is the function of RFC 7208 section 4 for one domain. It calls itself
// for redirect and include, each of which costs a term.
func (e *evaluation) checkHost(ctx context.Context, domain string) outcome {
	if !wellFormed(domain) {
		return outcome{status: None, reason: "not a domain that can have a record"}
	}
	rec, none, err := e.fetch(ctx, domain)
	if err != nil {
		return ended(err)
	}
	if none {
		return outcome{status: None, reason: "no DNS record"}
	}
	for _, m := range rec.mechanisms {
		ok, err := e.matches(ctx, m, domain)
		if err != nil {
			return ended(err)
		}
		if ok {
			return outcome{status: m.result, reason: "matched " + lang.Safe(m.text, 100), exp: rec.exp, domain: domain}
		}
	}
	if rec.redirect == "" {
		return outcome{status: Neutral, reason: "no mechanism matched"}
	}
	return e.redirect(ctx, rec.redirect, domain)
}

// fetch reads the one record of a domain (RFC 7208 sections 4.4 and 4.5).
func (e *evaluation) fetch(ctx context.Context, domain string) (rec record, none bool, err error) {
	txts, err := e.r.LookupTXT(ctx, domain)
	if err != nil && !notFound(err) {
		return rec, false, couldNot(domain, err)
	}
	found := ""
	for _, txt := range txts {
		switch {
		case !isRecord(txt):
		case found != "":
			return rec, false, permanent("multiple DNS records")
		default:
			found = txt
		}
	}
	if found == "" {
		return rec, true, nil
	}
	rec, bad := parse(found)
	if bad != "" {
		return rec, false, permanent("record of " + lang.Safe(domain, 100) + " has a malformed term " + strconv.Quote(lang.Safe(bad, 100)))
	}
	return rec, false, nil
}

// redirect takes the other domain's answer for ours; that it has none is a mistake
// of who wrote the record (RFC 7208 section 6.1).
func (e *evaluation) redirect(ctx context.Context, spec, domain string) outcome {
	if err := e.term(); err != nil {
		return ended(err)
	}
	to := e.target(ctx, spec, domain)
	end := e.checkHost(ctx, to)
	if end.status == None {
		return outcome{status: PermError, reason: "redirect to " + lang.Safe(to, 100) + ": " + end.reason}
	}
	return end
}

// term counts a term that asks DNS.
func (e *evaluation) term() error {
	if e.terms++; e.terms > maxTerms {
		return permanent("lookup limit of " + strconv.Itoa(maxTerms) + " reached")
	}
	return nil
}

// void counts a term that found nothing.
func (e *evaluation) void() error {
	if e.voids++; e.voids > maxVoids {
		return permanent("void lookup limit of " + strconv.Itoa(maxVoids) + " reached")
	}
	return nil
}

// belongs tells whether a name is a domain or below it.
func belongs(name, domain string) bool {
	name, domain = strings.ToLower(name), strings.ToLower(domain)
	return name == domain || strings.HasSuffix(name, "."+domain)
}
