package dns

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"

	mdns "github.com/miekg/dns"
)

func (r *Resolver) lookup(ctx context.Context, name string, qtype uint16) ([]mdns.RR, error) {
	a, err := r.look(ctx, name, qtype)
	return a.records, err
}

func (r *Resolver) look(ctx context.Context, name string, qtype uint16) (answer, error) {
	canon, ok := canonical(name)
	if !ok {
		return answer{}, errNoName(name) // such a name cannot be registered
	}
	return r.resolve(ctx, question{canon, qtype})
}

// LookupTXT returns the TXT records of a name, the strings of each joined
// (RFC 7208 section 3.3, RFC 6376 section 3.6.2.2).
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	rrs, err := r.lookup(ctx, name, mdns.TypeTXT)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(rrs))
	for _, rr := range rrs {
		if txt, ok := rr.(*mdns.TXT); ok {
			out = append(out, unescape(strings.Join(txt.Txt, "")))
		}
	}
	return out, nil
}

// LookupMX returns the mail exchangers of a name, the preferred first. A null MX
// (RFC 7505) is returned as the host ".".
func (r *Resolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	mxs, _, err := r.SecureMX(ctx, name)
	return mxs, err
}

func exchangers(rrs []mdns.RR) []*net.MX {
	out := make([]*net.MX, 0, len(rrs))
	for _, rr := range rrs {
		if mx, ok := rr.(*mdns.MX); ok {
			out = append(out, &net.MX{Host: mx.Mx, Pref: mx.Preference})
		}
	}
	slices.SortStableFunc(out, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	return out
}

// LookupIPAddr returns the IPv4 and then the IPv6 addresses of a host. When one
// family could not be looked up the answer is an error even if the other has
// addresses: SPF must not say "not listed" for want of half the list.
func (r *Resolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []net.IPAddr{{IP: ip.WithZone("").AsSlice(), Zone: ip.Zone()}}, nil
	}
	type half struct {
		rrs []mdns.RR
		err error
	}
	six := make(chan half, 1)
	go func() {
		rrs, err := r.lookup(ctx, host, mdns.TypeAAAA)
		six <- half{rrs, err}
	}()
	rrs4, err4 := r.lookup(ctx, host, mdns.TypeA)
	h6 := <-six
	for _, err := range []error{err4, h6.err} {
		if err != nil && !notFound(err) {
			return nil, err
		}
	}
	if out := append(addresses(rrs4), addresses(h6.rrs)...); len(out) > 0 {
		return out, nil
	}
	if err4 == nil {
		err4 = errNoRecord(host)
	}
	return nil, err4
}

// LookupNetIP returns the addresses of a host in one family: network is "ip4" or
// "ip6". It asks one question where LookupIPAddr asks two.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	qtype := mdns.TypeA
	if network == "ip6" {
		qtype = mdns.TypeAAAA
	}
	rrs, err := r.lookup(ctx, host, qtype)
	if err != nil {
		return nil, err
	}
	out := make([]netip.Addr, 0, len(rrs))
	for _, a := range addresses(rrs) {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			out = append(out, ip.Unmap())
		}
	}
	return out, nil
}

// LookupAddr returns the names that the reverse zone gives an IP address. They
// are the claim of whoever holds the address: check them forwards.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	name, ok := reverse(addr)
	if !ok {
		return nil, errNoName(addr)
	}
	rrs, err := r.lookup(ctx, name, mdns.TypePTR)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(rrs))
	for _, rr := range rrs {
		if ptr, ok := rr.(*mdns.PTR); ok {
			out = append(out, ptr.Ptr)
		}
	}
	return out, nil
}

func notFound(err error) bool { return NotFound(err) }

// NotFound tells "there is none" from "could not look".
func NotFound(err error) bool {
	var de *net.DNSError
	return errors.As(err, &de) && de.IsNotFound
}
