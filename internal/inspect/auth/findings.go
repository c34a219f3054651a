package auth

import (
	"strings"

	"congthu/internal/lang"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/mailauth/spf"
	"congthu/internal/msg"
)

const maxEvidence = 200

// findings turns the three results into symbols.
func findings(sender msg.AuthResult, keys dkim.Report, author dmarc.Result) []msg.Finding {
	if sender.Status == spf.None && len(keys.Signatures) == 0 && author.Status == dmarc.None {
		return []msg.Finding{{Symbol: AuthNone, Evidence: lang.Safe(author.Domain, maxEvidence)}}
	}
	var out []msg.Finding
	add := func(symbol string, evidence ...string) {
		if symbol != "" {
			out = append(out, msg.Finding{Symbol: symbol, Evidence: lang.Safe(strings.Join(evidence, " "), maxEvidence)})
		}
	}
	add(ofSPF(sender.Status), sender.Property+"="+sender.Value, sender.Reason)
	symbol, about := ofDKIM(keys.Signatures)
	add(symbol, about)
	add(ofDMARC(author), author.Domain, author.AuthResult().Reason)
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

func about(s dkim.Signature) string {
	return strings.TrimSpace("d=" + s.Domain + " " + s.Result().Reason)
}

// ofDMARC chooses the symbol. An open question under a policy that asks for
// nothing is none: whatever the answer, nothing would follow from it.
func ofDMARC(r dmarc.Result) string {
	switch r.Status {
	case dmarc.Pass:
		return DMARCPass
	case dmarc.None:
		return DMARCNone
	case dmarc.PermError:
		return DMARCPermError
	case dmarc.TempError:
		if r.Applied() == dmarc.PolicyNone {
			return ""
		}
		return DMARCTempError
	}
	switch r.Applied() {
	case dmarc.PolicyReject:
		return DMARCReject
	case dmarc.PolicyQuarantine:
		return DMARCQuarantine
	}
	return DMARCFailNone
}
