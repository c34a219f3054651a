package dns

import (
	"context"
	"encoding/hex"
	"net"
	"strconv"

	"congthu/internal/dane"

	mdns "github.com/miekg/dns"
)

// The lookups here also tell whether the answer is secure: validated by a server that may
// be believed about it (the AD bit, RFC 4035 section 3.2.3; Options.TrustAD). An answer
// that is not secure is as good as any other, but no reason to trust a certificate.

// SecureMX is LookupMX.
func (r *Resolver) SecureMX(ctx context.Context, name string) ([]*net.MX, bool, error) {
	a, err := r.look(ctx, name, mdns.TypeMX)
	if err != nil {
		return nil, a.secure, err
	}
	return exchangers(a.records), a.secure, nil
}

// SecureIPAddr is LookupIPAddr; the absence of one family must be validated too, or
// somebody could have left it out.
func (r *Resolver) SecureIPAddr(ctx context.Context, host string) ([]net.IPAddr, bool, error) {
	ips, err := r.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, false, err
	}
	for _, qtype := range []uint16{mdns.TypeA, mdns.TypeAAAA} { // from the cache, mostly
		a, err := r.look(ctx, host, qtype)
		if !a.secure || err != nil && !notFound(err) {
			return ips, false, nil
		}
	}
	return ips, true, nil
}

// LookupTLSA returns the TLSA records of a TCP service (RFC 6698 section 3). Records
// that cannot be read are left out.
func (r *Resolver) LookupTLSA(ctx context.Context, port int, host string) ([]dane.Record, bool, error) {
	a, err := r.look(ctx, "_"+strconv.Itoa(port)+"._tcp."+host, mdns.TypeTLSA)
	if err != nil {
		return nil, a.secure, err
	}
	var out []dane.Record
	for _, rr := range a.records {
		if t, ok := rr.(*mdns.TLSA); ok {
			if data, err := hex.DecodeString(t.Certificate); err == nil {
				out = append(out, dane.Record{Usage: t.Usage, Selector: t.Selector, Matching: t.MatchingType, Data: data})
			}
		}
	}
	return out, a.secure, nil
}
