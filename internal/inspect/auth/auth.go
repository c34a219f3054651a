// Package auth is the second stage of the path: it asks who stands behind the
// message. SPF runs beside DKIM and ARC, then DMARC judges the author's domain by what
// SPF and DKIM found, and ARC may excuse a failure that a trusted handler has caused.
// Each is reported twice: as an AuthResult in the words of RFC
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
	"congthu/internal/mailauth/arc"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/mailauth/sig"
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
	SPFHeloFail  = "SPF_HELO_FAIL" // the client may not use the name that it greets with

	DKIMPass      = "DKIM_PASS" // at least one signature verifies
	DKIMFail      = "DKIM_FAIL" // there are signatures, and none verifies
	DKIMTempError = "DKIM_TEMPERROR"

	ARCPass = "ARC_PASS" // the chain of handlers holds; it need not be a chain of friends
	ARCFail = "ARC_FAIL"

	DMARCPass       = "DMARC_PASS"
	DMARCReject     = "DMARC_REJECT"     // failed, and the owner asks for rejection
	DMARCQuarantine = "DMARC_QUARANTINE" // failed, and the owner asks for quarantine
	DMARCFailNone   = "DMARC_FAIL_NONE"  // failed, and the owner only watches
	DMARCTempError  = "DMARC_TEMPERROR"  // could not look, and the owner is known to ask for rejection
	DMARCUnknown    = "DMARC_UNKNOWN"    // could not look; the owner is not known to ask for rejection
	DMARCOverridden = "DMARC_OVERRIDDEN" // failed, and the administrator's list lets it pass
	DMARCPermError  = "DMARC_PERMERROR"  // no single author domain can be read from From
	DMARCNone       = "DMARC_NONE"       // the domain has no policy

	AuthNone = "AUTH_NONE" // neither SPF nor DKIM nor DMARC says anything
)

// Symbols lists every symbol that this inspector may report.
func Symbols() []string {
	return []string{
		SPFPass, SPFFail, SPFSoftFail, SPFTempError, SPFPermError, SPFHeloFail,
		DKIMPass, DKIMFail, DKIMTempError, ARCPass, ARCFail,
		DMARCPass, DMARCReject, DMARCQuarantine, DMARCFailNone, DMARCTempError, DMARCUnknown, DMARCOverridden, DMARCPermError, DMARCNone,
		AuthNone,
	}
}

// Limits is what one message may cost in DNS: once for SPF and DKIM, once for ARC, whose
// questions the sender chooses, and once more for DMARC. Were there one purse for both, a
// forger's own costly records could keep us from seeing the policy of the domain that
// he forges. Beyond them everything is a temporary error.
type Limits struct {
	Lookups int           // default 60
	Time    time.Duration // for all of them together; default 20 s
}

// Options are the inspector's settings.
type Options struct {
	Resolver dns.Lookups
	Hostname string // the gateway's name; no check depends on it, the header block is stamped elsewhere
	Limits   Limits

	Memory    *dmarc.Memory // which domains ask for rejection; nil: none is known
	Overrides []Override    // the first that matches a failing message counts
	Sealers   []string      // lower-case domains whose ARC seals are believed
	// Seen is told what was found, for the aggregate reports. It must be quick. nil:
	// nobody reports.
	Seen func(*msg.Message, Evidence)
}

// Evidence is what the inspector has found out about a message, in the words of the
// protocols.
type Evidence struct {
	Sender     msg.AuthResult // of SPF
	Helo       msg.AuthResult // of SPF, for the HELO name beside a MAIL FROM; else the zero value
	Signatures []dkim.Signature
	Chain      arc.Result
	Author     dmarc.Result
	Unclear    bool      // From can be read in several ways
	Override   *Override // the entry that changes what follows; nil: none
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
	from := m.Root.Fields("From")
	e := in.identify(ctx, m, from)
	results := []msg.AuthResult{e.Sender}
	results = append(results, dkim.Report{Signatures: e.Signatures}.Results()...)
	e.Author, e.Unclear = in.judge(ctx, in.budget(), from, results)
	e.Override = in.opt.override(m, e)
	e = in.opt.vouched(e)
	if in.opt.Seen != nil {
		in.opt.Seen(m, e)
	}
	return findings(e), append(results, e.others()...), nil
}

// others are the results that DMARC does not read, and its own.
func (e Evidence) others() []msg.AuthResult {
	var out []msg.AuthResult
	if e.Helo.Status != "" && e.Helo.Status != spf.None {
		out = append(out, e.Helo)
	}
	if e.Chain.Status != arc.None {
		out = append(out, e.Chain.AuthResult())
	}
	return append(out, e.authorResult())
}

// authorResult is the DMARC result with what the administrator's list changes.
func (e Evidence) authorResult() msg.AuthResult {
	r := e.Author.AuthResult()
	if e.Override != nil {
		r.Reason += "; local policy " + e.Override.Policy
	}
	return r
}

func (in inspector) budget() *dns.Budget {
	return dns.NewBudget(in.opt.Resolver, in.opt.Limits.Lookups, in.opt.Limits.Time)
}

// identify runs SPF beside DKIM and ARC: all mostly wait for name servers. The signatures
// of the author's domains are looked at first.
func (in inspector) identify(ctx context.Context, m *msg.Message, from []msg.Field) Evidence {
	var e Evidence
	r, ip := in.budget(), m.Session.Remote.Addr()
	var wait sync.WaitGroup
	wait.Go(func() {
		e.Sender = spf.Check(ctx, r, ip, m.Session.Helo, m.Envelope.From)
		if e.Sender.Property != "smtp.helo" {
			e.Helo = spf.CheckHelo(ctx, r, ip, m.Session.Helo)
		}
	})
	who, _ := authors(from)
	signed := sig.Open(m.Raw)
	e.Signatures = dkim.Verify(ctx, r, signed, who.domains...).Signatures
	e.Chain = arc.Verify(ctx, in.budget(), signed)
	wait.Wait()
	return e
}

// judge runs DMARC for the author's domain. A From in which readers may see
// several domains cannot pass (RFC 9989 section 5.3.1): each is judged and the
// worst stands, so that a second author is no way around the first one's policy.
func (in inspector) judge(ctx context.Context, r dmarc.Resolver, from []msg.Field, results []msg.AuthResult) (worst dmarc.Result, unclear bool) {
	who, err := authors(from)
	if err != nil {
		return dmarc.Result{Status: dmarc.PermError, Reason: err.Error()}, true
	}
	for i, d := range who.domains {
		if res := in.evaluate(ctx, r, d, results); i == 0 || severity(res) > severity(worst) {
			worst = res
		}
	}
	if who.clear || worst.Status == dmarc.Fail || worst.Status == dmarc.TempError {
		return worst, !who.clear
	}
	return dmarc.Result{Status: dmarc.PermError, Domain: worst.Domain, Reason: "From can be read in several ways"}, true
}

// evaluate judges one domain. A policy that could not be looked up but is remembered
// counts as if it had been: it can only make the sender come back.
func (in inspector) evaluate(ctx context.Context, r dmarc.Resolver, domain string, results []msg.AuthResult) dmarc.Result {
	look := dmarc.Evaluate
	if in.opt.Seen != nil {
		look = dmarc.EvaluateBoth
	}
	res := look(ctx, r, domain, results)
	in.opt.Memory.Note(res)
	if res.Status == dmarc.TempError && res.Policy == "" && in.opt.Memory.Rejects(res.Domain) {
		res.Policy = dmarc.PolicyReject
		res.Reason += "; the policy is remembered"
	}
	return res
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
