// Package spf checks whether a client may send in the name of the envelope
// sender's domain (RFC 7208). Evaluation is done by blitiri.com.ar/go/spf; this
// package chooses the identity, hands in DNS, and makes sure that a lookup which
// did not come to an end is "temperror": any other word would make a slow name
// server look like a decision of the domain's owner.
package spf

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"

	blitiri "blitiri.com.ar/go/spf"
)

// Resolver is the part of DNS that SPF needs; *dns.Resolver and *net.Resolver
// have it.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
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
// set; Reason says what decided.
func Check(ctx context.Context, r Resolver, ip netip.Addr, helo string, from msg.Path) msg.AuthResult {
	id := identify(helo, from)
	res := msg.AuthResult{Method: "spf", Property: id.property, Value: id.value}
	switch {
	case !ip.IsValid():
		res.Status, res.Reason = None, "no client address"
	case !checkable(id.domain):
		res.Status, res.Reason = None, "not a domain that can have a record"
	default:
		res.Status, res.Reason = evaluate(ctx, r, ip, helo, id)
	}
	return res
}

type identity struct {
	property, value, sender, domain string
}

func identify(helo string, from msg.Path) identity {
	helo = strings.TrimSuffix(helo, ".")
	if from.Domain == "" {
		return identity{"smtp.helo", helo, "postmaster@" + helo, helo}
	}
	// The library takes what follows the first @ for the domain, so an @ in a
	// quoted local part would choose another domain than the one delivered for.
	local := strings.ReplaceAll(from.Local, "@", "=")
	if local == "" {
		local = "postmaster" // RFC 7208 section 4.3
	}
	return identity{"smtp.mailfrom", from.Raw, local + "@" + from.Domain, from.Domain}
}

// checkable tells a multi-label domain name from address literals, single
// labels and names that DNS cannot hold (RFC 7208 section 4.3).
func checkable(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || len(domain) > 253 || strings.ContainsAny(domain, "[]:@ ") {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 {
			return false
		}
	}
	return true
}

func evaluate(ctx context.Context, r Resolver, ip netip.Addr, helo string, id identity) (status, reason string) {
	if ctx.Err() != nil {
		return TempError, "time-out"
	}
	h := &honest{r: r}
	res, err := blitiri.CheckHostWithSender(ip.Unmap().AsSlice(), helo, id.sender,
		blitiri.WithContext(ctx), blitiri.WithResolver(h))
	if h.bad != "" && res == blitiri.PermError {
		return PermError, "record has a malformed term " + strconv.Quote(lang.Safe(h.bad, 100))
	}
	return string(res), explain(res, err)
}

// explain puts what decided into a few words.
func explain(res blitiri.Result, err error) string {
	var de *net.DNSError
	switch {
	case err == nil && res == blitiri.Neutral:
		return "no mechanism matched"
	case err == nil:
		return ""
	case errors.As(err, &de):
		return "lookup of " + lang.Safe(de.Name, 100) + ": " + de.Err
	}
	return lang.Safe(err.Error(), 200)
}

// honest hands DNS to the library so that every failed lookup is one of two
// things: there is nothing, or it is not known whether there is. A record that
// breaks the grammar anywhere is handed on as one that cannot be evaluated.
type honest struct {
	r   Resolver
	bad string // the malformed term
}

func (h *honest) LookupTXT(ctx context.Context, name string) ([]string, error) {
	txts, err := h.r.LookupTXT(ctx, name)
	out := make([]string, len(txts))
	for i, txt := range txts {
		out[i] = txt
		if !isRecord(txt) {
			continue
		}
		if bad := malformed(txt); bad != "" {
			h.bad, out[i] = bad, "v=spf1 malformed"
		}
	}
	return out, sure(name, err)
}

func (h *honest) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	mx, err := h.r.LookupMX(ctx, name)
	return mx, sure(name, err)
}

func (h *honest) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	ips, err := h.r.LookupIPAddr(ctx, host)
	return ips, sure(host, err)
}

func (h *honest) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	names, err := h.r.LookupAddr(ctx, addr)
	return names, sure(addr, err)
}

// sure returns nil, a not-found or a temporary error, as the plain *net.DNSError
// that the library looks for.
func sure(name string, err error) error {
	var de *net.DNSError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &de):
		return &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
	case de.IsNotFound || de.IsTemporary:
		return de
	}
	unsure := *de
	unsure.IsTemporary = true
	return &unsure
}
