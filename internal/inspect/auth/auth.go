// Package auth is the second stage of the path: it asks who stands behind the
// message. SPF and DKIM run side by side, then DMARC judges the author's domain by
// what they found. Each is reported twice: as an AuthResult in the words of RFC
// 8601, for the header and for later stages, and as a symbol for the score.
//
// A name server that does not answer is a finding (…_TEMPERROR) with which the
// policy can defer the message; it is never the absence of a finding.
package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"congthu/internal/dns"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/mailauth/spf"
	"congthu/internal/msg"
)

// The symbols that may be reported.
const (
	SPFPass      = "SPF_PASS"
	SPFFail      = "SPF_FAIL"
	SPFSoftFail  = "SPF_SOFTFAIL"
	SPFTempError = "SPF_TEMPERROR"
	SPFPermError = "SPF_PERMERROR"

	DKIMPass      = "DKIM_PASS" // at least one signature verifies
	DKIMFail      = "DKIM_FAIL" // there are signatures, and none verifies
	DKIMTempError = "DKIM_TEMPERROR"

	DMARCPass       = "DMARC_PASS"
	DMARCReject     = "DMARC_REJECT"     // failed, and the owner asks for rejection
	DMARCQuarantine = "DMARC_QUARANTINE" // failed, and the owner asks for quarantine
	DMARCFailNone   = "DMARC_FAIL_NONE"  // failed, and the owner only watches
	DMARCTempError  = "DMARC_TEMPERROR"  // could not look, and it might have mattered
	DMARCPermError  = "DMARC_PERMERROR"  // no single author domain can be read from From
	DMARCNone       = "DMARC_NONE"       // the domain has no policy

	AuthNone = "AUTH_NONE" // neither SPF nor DKIM nor DMARC says anything
)

// Symbols lists every symbol that this inspector may report.
func Symbols() []string {
	return []string{
		SPFPass, SPFFail, SPFSoftFail, SPFTempError, SPFPermError,
		DKIMPass, DKIMFail, DKIMTempError,
		DMARCPass, DMARCReject, DMARCQuarantine, DMARCFailNone, DMARCTempError, DMARCPermError, DMARCNone,
		AuthNone,
	}
}

// Limits is what one message may cost in DNS. Beyond them everything is a
// temporary error.
type Limits struct {
	Lookups int           // default 60
	Time    time.Duration // for all of them together; default 20 s
}

// Options are the inspector's settings.
type Options struct {
	Resolver dns.Lookups
	Hostname string // the gateway's name; no check depends on it, the header block is stamped elsewhere
	Limits   Limits
}

type inspector struct{ opt Options }

// New makes the inspector.
func New(opt Options) msg.Inspector {
	if opt.Limits.Lookups <= 0 {
		opt.Limits.Lookups = 60
	}
	if opt.Limits.Time <= 0 {
		opt.Limits.Time = 20 * time.Second
	}
	return inspector{opt}
}

// Name is the inspector's name in configuration and logs.
func (inspector) Name() string { return "auth" }

// Inspect authenticates a message from outside. Mail of our own users is vouched
// for by the network it comes from: nothing is reported on it.
func (in inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if m.Session.Outbound {
		return nil, nil, nil
	}
	if m.Root == nil {
		return nil, nil, errors.New("message is not parsed")
	}
	budget := dns.NewBudget(in.opt.Resolver, in.opt.Limits.Lookups, in.opt.Limits.Time)
	sender, keys, err := sideBySide(ctx, budget, m)
	if err != nil {
		return nil, nil, err
	}
	results := append([]msg.AuthResult{sender}, keys.Results()...)
	author := judge(ctx, budget, m.Root.Fields("From"), results)
	results = append(results, author.AuthResult())
	return findings(sender, keys, author), results, nil
}

// sideBySide runs SPF and DKIM at once: both mostly wait for name servers.
func sideBySide(ctx context.Context, r dns.Lookups, m *msg.Message) (msg.AuthResult, dkim.Report, error) {
	var sender msg.AuthResult
	var wait sync.WaitGroup
	wait.Go(func() {
		sender = spf.Check(ctx, r, m.Session.Remote.Addr(), m.Session.Helo, m.Envelope.From)
	})
	keys, err := dkim.Verify(ctx, r, m.Raw)
	wait.Wait()
	return sender, keys, err
}

// judge runs DMARC for the author's domain. A From in which readers may see
// several domains cannot pass (RFC 9989 section 5.3.1): each is judged and the
// worst stands, so that a second author is no way around the first one's policy.
func judge(ctx context.Context, r dmarc.Resolver, from []msg.Field, results []msg.AuthResult) dmarc.Result {
	who, err := authors(from)
	if err != nil {
		return dmarc.Result{Status: dmarc.PermError, Reason: err.Error()}
	}
	var worst dmarc.Result
	for i, d := range who.domains {
		if res := dmarc.Evaluate(ctx, r, d, results); i == 0 || severity(res) > severity(worst) {
			worst = res
		}
	}
	if who.clear || worst.Status == dmarc.Fail || worst.Status == dmarc.TempError {
		return worst
	}
	return dmarc.Result{Status: dmarc.PermError, Domain: worst.Domain, Reason: "From can be read in several ways"}
}

func severity(r dmarc.Result) int {
	switch {
	case r.Status == dmarc.Fail && r.Applied() == dmarc.PolicyReject:
		return 4
	case r.Status == dmarc.TempError:
		return 3
	case r.Status == dmarc.Fail && r.Applied() == dmarc.PolicyQuarantine:
		return 2
	case r.Status == dmarc.Fail:
		return 1
	}
	return 0
}
