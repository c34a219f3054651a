package relay

import (
	"context"
	"net"
	"strconv"

	"congthu/internal/dane"
	"congthu/internal/msg"
	"congthu/internal/mtasts"
)

// SecureResolver tells which answers DNSSEC vouches for.
type SecureResolver interface {
	SecureMX(ctx context.Context, name string) ([]*net.MX, bool, error)
	SecureIPAddr(ctx context.Context, host string) ([]net.IPAddr, bool, error)
	LookupTLSA(ctx context.Context, port int, host string) ([]dane.Record, bool, error)
}

// Policies tells what a domain's MTA-STS policy is.
type Policies interface {
	Find(ctx context.Context, domain string) mtasts.Policy
}

// site is where a domain's mail goes and what the domain says about it.
type site struct {
	domain string
	hosts  []string // best first
	secure bool     // DNSSEC vouches for hosts
	policy mtasts.Policy
}

// needs says what a connection to one host of a domain must have: what DANE says, else
// what an enforced MTA-STS policy says (RFC 8461 section 2), else what the route says. A
// reply with a code means that this host must not be sent to.
func (c *Client) needs(ctx context.Context, s site, host string, route TLSMode) (need, msg.Reply) {
	if n, r := c.daneNeeds(ctx, s, host, route); n.mode != "" || r.Code != 0 {
		return n, r
	}
	switch allowed := s.policy.Allows(host); {
	case s.policy.Mode == mtasts.Enforce && !allowed:
		return need{}, notSecure("7.10", "the domain's MTA-STS policy does not name its mail server "+host)
	case s.policy.Mode == mtasts.Enforce:
		return need{mode: TLSVerify}, msg.Reply{}
	case s.policy.Mode == mtasts.Testing && !allowed:
		c.o.Log.Info("relay: MTA-STS, on trial: the policy does not name this mail server", "domain", s.domain, "host", host)
	}
	return need{mode: route, trial: s.policy.Mode == mtasts.Testing}, msg.Reply{}
}

// daneNeeds is what the TLSA records of a host ask for (RFC 7672 section 2.2). They say
// something only if DNSSEC vouches for the way to them: for the choice of the host and
// for its address. Records that are of no use still say that the host speaks TLS.
func (c *Client) daneNeeds(ctx context.Context, s site, host string, route TLSMode) (need, msg.Reply) {
	dns, ok := c.o.Resolver.(SecureResolver)
	port, err := strconv.Atoi(c.o.Port)
	if !ok || !s.secure || err != nil {
		return need{}, msg.Reply{}
	}
	if _, secure, err := dns.SecureIPAddr(ctx, host); err != nil || !secure {
		return need{}, msg.Reply{} // without an address the connection fails by itself
	}
	records, secure, err := dns.LookupTLSA(ctx, port, host)
	switch {
	case notFound(err) || err == nil && !secure:
		return need{}, msg.Reply{}
	case err != nil: // a middleman may be hiding them (section 2.1.1)
		return need{}, notSecure("7.5", "the TLSA records of "+host+" could not be looked up")
	}
	if records = dane.Usable(records); len(records) == 0 {
		return need{mode: stricter(route, TLSRequire)}, msg.Reply{}
	}
	return need{mode: tlsDANE, tlsa: dane.Set(records), domain: s.domain}, msg.Reply{}
}

// stricter returns route, or least when route asks for less.
func stricter(route, least TLSMode) TLSMode {
	if route == TLSVerify {
		return route
	}
	return least
}
