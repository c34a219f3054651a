package dmarc

import (
	"strings"

	"congthu/internal/msg"
)

// identifier is a domain that SPF or DKIM has spoken for (section 4.4).
type identifier struct {
	method, status, domain string
}

func identifiers(auth []msg.AuthResult) []identifier {
	var out []identifier
	for _, a := range auth {
		var domain string
		switch {
		case a.Method == "spf" && (a.Property == "smtp.mailfrom" || a.Property == "smtp.helo"):
			domain = a.Value[strings.LastIndexByte(a.Value, '@')+1:]
		case a.Method == "dkim" && a.Property == "header.d":
			domain = a.Value
		default:
			continue
		}
		if d, ok := normal(domain); ok {
			out = append(out, identifier{a.Method, a.Status, d})
		}
	}
	return out
}

// align looks for an identifier that passed and belongs to the author's domain.
// One whose check did not come to an end leaves the answer open only if it would
// have been aligned.
func (e *evaluation) align(auth []msg.AuthResult) {
	open, passed := "", ""
	for _, id := range identifiers(auth) {
		if id.status != Pass && id.status != TempError {
			continue
		}
		aligned, err := e.aligned(id)
		switch {
		case err != nil:
			open = "alignment of " + id.domain + " could not be looked up"
		case aligned && id.status == Pass:
			e.note(id)
			if passed == "" {
				passed = "aligned with " + id.method + " " + id.domain
			}
		case aligned:
			open = id.method + " of " + id.domain + " could not be checked"
		}
		if passed != "" && !(e.both && e.record.Reports) {
			break
		}
	}
	switch {
	case passed != "":
		e.end(Pass, passed)
	case open != "":
		e.end(TempError, open)
	default:
		e.end(Fail, "no aligned identifier passed")
	}
}

func (e *evaluation) note(id identifier) {
	if id.method == "spf" {
		e.res.SPFAligned = true
		return
	}
	e.res.KeyAligned = true
}

// aligned compares an identifier with the author's domain (section 4.10.2):
// identical, or, unless the owner is strict, of the same organisation.
func (e *evaluation) aligned(id identifier) (bool, error) {
	strict := e.record.StrictKey
	if id.method == "spf" {
		strict = e.record.StrictSPF
	}
	if id.domain == e.res.Domain {
		return true, nil
	}
	if strict {
		return false, nil
	}
	org, err := e.organisation()
	if err != nil {
		return false, err
	}
	if id.domain != org && !strings.HasSuffix(id.domain, "."+org) {
		return false, nil // its organisation is at or above it, so cannot be ours
	}
	met, err := e.walk(id.domain)
	if err != nil {
		return false, err
	}
	return organisation(id.domain, met) == org, nil
}

// organisation returns the organisational domain of the author's domain.
func (e *evaluation) organisation() (string, error) {
	if e.res.OrgDomain != "" {
		return e.res.OrgDomain, nil
	}
	met, err := e.walk(e.res.Domain)
	if err != nil {
		return "", err
	}
	e.res.OrgDomain = organisation(e.res.Domain, met)
	return e.res.OrgDomain, nil
}
