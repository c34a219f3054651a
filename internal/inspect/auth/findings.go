package auth

import (
	"strings"

	"congthu/internal/lang"
	"congthu/internal/mailauth/arc"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/mailauth/spf"
	"congthu/internal/msg"
)

const maxEvidence = 200

// findings turns the results into symbols.
func findings(e Evidence) []msg.Finding {
	sender, author := e.Sender, e.Author
	if sender.Status == spf.None && len(e.Signatures) == 0 && author.Status == dmarc.None && e.Chain.Status == arc.None {
		return []msg.Finding{{Symbol: AuthNone, Evidence: lang.Safe(author.Domain, maxEvidence)}}
	}
	var out []msg.Finding
	add := func(symbol string, evidence ...string) {
		if symbol != "" {
			out = append(out, msg.Finding{Symbol: symbol, Evidence: lang.Safe(strings.Join(evidence, " "), maxEvidence)})
		}
	}
	add(ofSPF(sender.Status), sender.Property+"="+sender.Value, sender.Reason)
	if e.Helo.Status == spf.Fail {
		add(SPFHeloFail, e.Helo.Property+"="+e.Helo.Value, e.Helo.Reason)
	}
	symbol, about := ofDKIM(e.Signatures)
	add(symbol, about)
	add(ofARC(e.Chain), e.Chain.Reason)
	symbol, about = e.ofDMARC()
	add(symbol, author.Domain, about)
	return out
}

func ofSPF(status string) string {
	switch status {
	case spf.Pass:
		return SPFPass
	case spf.Fail:
		return SPFFail
	case spf.SoftFail:
		return SPFSoftFail
	case spf.TempError:
		return SPFTempError
	case spf.PermError:
		return SPFPermError
	}
	return "" // none and neutral say nothing
}

// ofDKIM sums up the signatures. One that verifies is enough (RFC 6376 section
// 6.1: a failed one is as if it were not there); one that could not be checked
// leaves the answer open.
func ofDKIM(sigs []dkim.Signature) (symbol, evidence string) {
	for _, want := range []struct{ status, symbol string }{{dkim.Pass, DKIMPass}, {dkim.TempError, DKIMTempError}} {
		for _, s := range sigs {
			if s.Status == want.status {
				return want.symbol, about(s)
			}
		}
	}
	if len(sigs) > 0 {
		return DKIMFail, about(sigs[0])
	}
	return "", ""
}

func ofARC(c arc.Result) string {
	switch c.Status {
	case arc.Pass:
		return ARCPass
	case arc.Fail:
		return ARCFail
	}
	return ""
}

func about(s dkim.Signature) string {
	return strings.TrimSpace("d=" + s.Domain + " " + s.Result().Reason)
}

// ofDMARC chooses the symbol: by the administrator's list where it speaks, else by
// the owner's policy.
func (e Evidence) ofDMARC() (symbol, about string) {
	about = e.authorResult().Reason
	if e.Override == nil {
		return e.ofOwner(), about
	}
	about += ": " + e.Override.Reason
	switch {
	case e.Author.Status == dmarc.TempError:
		return DMARCUnknown, about
	case e.Override.Policy == dmarc.PolicyNone:
		return DMARCOverridden, about
	}
	return failed(e.Override.Policy), about
}

// ofOwner chooses the symbol by what the owner of the domain asks for.
func (e Evidence) ofOwner() string {
	r := e.Author
	switch r.Status {
	case dmarc.Pass:
		return DMARCPass
	case dmarc.None:
		return DMARCNone
	case dmarc.PermError:
		return DMARCPermError
	case dmarc.TempError:
		return e.open()
	}
	return failed(r.Applied())
}

// open chooses the symbol of an open question. Under a policy that asks for nothing it
// is none: whatever the answer, nothing would follow from it. Where From names several
// domains the sender may have made one of them unreachable to hide another, so there
// the question stays grave.
func (e Evidence) open() string {
	switch {
	case e.Author.Applied() == dmarc.PolicyReject, e.Unclear:
		return DMARCTempError
	case e.Author.Applied() == dmarc.PolicyNone:
		return ""
	}
	return DMARCUnknown
}

func failed(policy string) string {
	switch policy {
	case dmarc.PolicyReject:
		return DMARCReject
	case dmarc.PolicyQuarantine:
		return DMARCQuarantine
	}
	return DMARCFailNone
}
