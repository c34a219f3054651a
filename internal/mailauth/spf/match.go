package spf

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"

	"congthu/internal/lang"
)

// matches evaluates one mechanism (RFC 7208 section 5).
func (e *evaluation) matches(ctx context.Context, m mechanism, domain string) (bool, error) {
	switch m.kind {
	case "all":
		return true, nil
	case "ip4", "ip6":
		return m.net.Contains(e.ip), nil
	}
	if err := e.term(); err != nil {
		return false, err
	}
	to := e.target(ctx, m.spec, domain)
	switch m.kind {
	case "include":
		return e.include(ctx, to)
	case "a":
		ips, err := e.addresses(ctx, e.family(), to)
		return e.within(ips, m), e.orVoid(len(ips), err)
	case "mx":
		return e.exchangers(ctx, to, m)
	case "exists":
		ips, err := e.addresses(ctx, "ip4", to) // whatever the client speaks
		return len(ips) > 0, e.orVoid(len(ips), err)
	}
	return e.reverse(ctx, to)
}

// include matches when the other domain says pass (the table of section 5.2).
func (e *evaluation) include(ctx context.Context, to string) (bool, error) {
	switch end := e.checkHost(ctx, to); end.status {
	case Pass:
		return true, nil
	case Fail, SoftFail, Neutral:
		return false, nil
	case TempError:
		return false, &stop{TempError, end.reason}
	default:
		return false, permanent("include of " + lang.Safe(to, 100) + ": " + end.reason)
	}
}

func (e *evaluation) exchangers(ctx context.Context, to string, m mechanism) (bool, error) {
	if !wellFormed(to) {
		return false, e.void()
	}
	mx, err := e.r.LookupMX(ctx, to)
	if err := e.orVoid(len(mx), sure(to, err)); err != nil {
		return false, err
	}
	for i, x := range mx {
		if i == maxNames {
			return false, permanent("more than 10 MX names at " + lang.Safe(to, 100))
		}
		ips, err := e.addresses(ctx, e.family(), trimDot(x.Host))
		if err != nil {
			return false, err
		}
		if e.within(ips, m) {
			return true, nil
		}
	}
	return false, nil
}

// reverse is the ptr mechanism (section 5.5): trouble in the reverse zone is no match.
func (e *evaluation) reverse(ctx context.Context, to string) (bool, error) {
	names := e.confirmed(ctx)
	return slices.ContainsFunc(names, func(n string) bool { return belongs(n, to) }), nil
}

// confirmed are the names in the reverse zone that lead back to the client. They
// are looked up once in a check; those after the tenth are ignored.
func (e *evaluation) confirmed(ctx context.Context) []string {
	if e.named {
		return e.names
	}
	e.named = true
	names, err := e.r.LookupAddr(ctx, e.ip.String())
	if err != nil {
		return nil
	}
	for _, n := range names[:min(len(names), maxNames)] {
		n = trimDot(n)
		if ips, err := e.addresses(ctx, e.family(), n); err == nil && slices.Contains(ips, e.ip) {
			e.names = append(e.names, n)
		}
	}
	return e.names
}

// clientName is the p macro: the domain itself if it is a name of the client, else
// a name below it, else any (section 7.3).
func (e *evaluation) clientName(ctx context.Context, domain string) string {
	names := e.confirmed(ctx)
	if len(names) == 0 {
		return "unknown"
	}
	best := names[0]
	for _, n := range names {
		if strings.EqualFold(n, domain) {
			return n
		}
		if belongs(n, domain) && !belongs(best, domain) {
			best = n
		}
	}
	return best
}

func (e *evaluation) family() string {
	if e.ip.Is4() {
		return "ip4"
	}
	return "ip6"
}

// addresses looks up one family; none is no error.
func (e *evaluation) addresses(ctx context.Context, family, host string) ([]netip.Addr, error) {
	if !wellFormed(host) {
		return nil, nil
	}
	ips, err := e.r.LookupNetIP(ctx, family, host)
	for i, ip := range ips {
		ips[i] = ip.Unmap()
	}
	return ips, sure(host, err)
}

func (e *evaluation) within(ips []netip.Addr, m mechanism) bool {
	bits := m.bits6
	if e.ip.Is4() {
		bits = m.bits4
	}
	return slices.ContainsFunc(ips, func(ip netip.Addr) bool {
		return ip.BitLen() == e.ip.BitLen() && netip.PrefixFrom(ip, bits).Contains(e.ip)
	})
}

// orVoid counts a lookup that has found nothing.
func (e *evaluation) orVoid(found int, err error) error {
	if err == nil && found == 0 {
		return e.void()
	}
	return err
}

// sure makes of a lookup's error one of two things: there is nothing, which is no
// error, or it is not known whether there is.
func sure(name string, err error) error {
	if err == nil || notFound(err) {
		return nil
	}
	return couldNot(name, err)
}

func couldNot(name string, err error) error {
	why := err.Error()
	var de *net.DNSError
	if errors.As(err, &de) {
		why = de.Err
	}
	return &stop{TempError, "lookup of " + lang.Safe(name, 100) + ": " + lang.Safe(why, 100)}
}

func notFound(err error) bool {
	var de *net.DNSError
	return errors.As(err, &de) && de.IsNotFound
}
