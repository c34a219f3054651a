package auth

import (
	"slices"

	"congthu/internal/mailauth/arc"
	"congthu/internal/mailauth/dmarc"
)

// vouched applies what trusted handlers have seen of the message before they changed it
// (RFC 8617 section 7.2) to one that fails DMARC. The administrator's own entry for the
// domain comes first.
func (o Options) vouched(e Evidence) Evidence {
	if e.Override != nil || e.Unclear || e.Author.Status != dmarc.Fail && e.Author.Status != dmarc.TempError {
		return e
	}
	sealer, ok := o.believed(e.Chain, e.Author.Domain)
	switch {
	case ok:
		e.Override = &Override{
			Domain: e.Author.Domain, Signer: sealer, Policy: dmarc.PolicyNone,
			Reason: "DMARC passed at " + sealer + ", a trusted ARC sealer",
		}
	case e.Chain.Status == arc.TempError && o.newest(e.Chain) && e.Author.Status == dmarc.Fail && e.Author.Applied() == dmarc.PolicyReject:
		// It might have been let pass: the sender is to come back, as when a key is missing.
		e.Author.Status, e.Author.Reason = dmarc.TempError, "ARC chain could not be checked: "+e.Chain.Reason
	}
	return e
}

// believed finds the oldest handler among the trusted ones that stand in one row up to
// the newest. What it saw must have been a DMARC pass for the author that the reader
// sees: the handlers before it may have written what they liked.
func (o Options) believed(c arc.Result, author string) (sealer string, ok bool) {
	if c.Status != arc.Pass || !c.FromSigned {
		return "", false
	}
	var oldest *arc.Seal
	for _, s := range slices.Backward(c.Seals) {
		if !slices.Contains(o.Sealers, s.Domain) {
			break
		}
		oldest = &s
	}
	if oldest == nil || oldest.DMARC != dmarc.Pass || oldest.From != author {
		return "", false
	}
	return oldest.Domain, true
}

// newest tells whether the newest seal claims to be of a trusted handler.
func (o Options) newest(c arc.Result) bool {
	n := len(c.Seals)
	return n > 0 && slices.Contains(o.Sealers, c.Seals[n-1].Domain)
}
