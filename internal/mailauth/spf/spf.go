// Package spf checks whether a client may send in the name of the envelope
// sender's domain, or of the name it greets with (RFC 7208). A lookup that did not
// come to an end is "temperror" and nothing else: any other word would make a slow
// name server look like a decision of the domain's owner.
//
// A record is parsed whole before any of it is evaluated, so that a mistake behind
// the term that matches is found all the same (section 4.6). What one check may
// cost is bounded by the limits of section 4.6.4; they also end every loop.
package spf

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// Resolver is the part of DNS that SPF needs; *dns.Resolver and *net.Resolver
// have it. Every error that is not a *net.DNSError with IsNotFound means that it is
// not known what is there.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// The results of RFC 7208 section 2.6, as RFC 8601 spells them.
const (
	None      = "none"      // no record, or nothing that could have one
	Neutral   = "neutral"   // the owner says nothing about this client
	Pass      = "pass"      // the client may use the domain
	Fail      = "fail"      // it may not
	SoftFail  = "softfail"  // it probably may not
	TempError = "temperror" // could not look; a later attempt may
	PermError = "permerror" // the record cannot be understood
)

// Check evaluates the MAIL FROM identity, or the HELO identity for the null
// sender (RFC 7208 section 2.4). Method, Status, Property and Value are always
// set; Reason says what decided, and what the domain's owner says about a "fail".
func Check(ctx context.Context, r Resolver, ip netip.Addr, helo string, from msg.Path) msg.AuthResult {
	if from.Domain == "" {
		return CheckHelo(ctx, r, ip, helo)
	}
	id := identity{"smtp.mailfrom", from.Raw, from.Local, from.Domain, trimDot(helo)}
	if id.local == "" {
		id.local = postmaster
	}
	return id.check(ctx, r, ip)
}

// CheckHelo evaluates the HELO identity (RFC 7208 section 2.3).
func CheckHelo(ctx context.Context, r Resolver, ip netip.Addr, helo string) msg.AuthResult {
	helo = trimDot(helo)
	return identity{"smtp.helo", helo, postmaster, helo, helo}.check(ctx, r, ip)
}

// postmaster stands in for a missing local part (RFC 7208 section 4.3).
const postmaster = "postmaster"

type identity struct {
	property, value     string
	local, domain, helo string
}

func (id identity) check(ctx context.Context, r Resolver, ip netip.Addr) msg.AuthResult {
	res := msg.AuthResult{Method: "spf", Property: id.property, Value: id.value}
	switch {
	case !ip.IsValid():
		res.Status, res.Reason = None, "no client address"
	case !checkable(id.domain):
		res.Status, res.Reason = None, "not a domain that can have a record"
	default:
		end, owner := id.evaluate(ctx, r, ip)
		res.Status, res.Reason = end.status, end.reason
		if owner != "" {
			res.Reason += "; the domain says: " + lang.Safe(owner, maxExplanation)
		}
	}
	return res
}

// evaluate returns how the check ends and what the owner has to say about it.
func (id identity) evaluate(ctx context.Context, r Resolver, ip netip.Addr) (outcome, string) {
	if ctx.Err() != nil {
		return outcome{status: TempError, reason: "time-out"}, ""
	}
	e := &evaluation{r: r, ip: ip.Unmap().WithZone(""), id: id}
	end := e.checkHost(ctx, id.domain)
	return end, e.explanation(ctx, end)
}

// checkable tells a multi-label domain name from address literals, single
// labels and names that DNS cannot hold (RFC 7208 section 4.3).
func checkable(domain string) bool {
	return !strings.ContainsAny(domain, "[]:@ ") && wellFormed(domain)
}

// wellFormed tells whether DNS can hold a name of more than one label. What a record
// names may hold any octets.
func wellFormed(domain string) bool {
	if len(domain) > maxDomain || !strings.Contains(domain, ".") {
		return false
	}
	for l := range strings.SplitSeq(domain, ".") {
		if l == "" || len(l) > 63 {
			return false
		}
	}
	return true
}

func trimDot(s string) string { return strings.TrimSuffix(s, ".") }
