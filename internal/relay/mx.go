package relay

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"congthu/internal/msg"
)

// maxHosts bounds how many hosts of a domain are tried in one delivery.
const maxHosts = 10

// toDomain tries the domain's hosts in order until one has answered the message
// (RFC 5321 section 5.1). Only what is certainly not sent goes to the next host.
func (c *Client) toDomain(ctx context.Context, t *task, domain string) []msg.Reply {
	s, r := c.site(ctx, domain)
	if r.Code != 0 {
		return all(t.To, r)
	}
	var replies []msg.Reply
	for _, host := range s.hosts {
		replies = c.toHost(ctx, t, s, host)
		if slices.ContainsFunc(replies, func(r msg.Reply) bool { return !unreached(r) }) {
			break // answered, if only for some: asking another host could send twice
		}
	}
	return replies
}

func (c *Client) toHost(ctx context.Context, t *task, s site, host string) []msg.Reply {
	n, r := c.needs(ctx, s, host, t.rule.TLS)
	if r.Code != 0 {
		c.o.Log.Warn("relay: not sent for want of security", "host", host, "id", t.ID, "reason", r.Text)
		return all(t.To, r)
	}
	return c.toHop(ctx, t, hop{addr: net.JoinHostPort(host, c.o.Port), name: host, need: n})
}

// unreached tells whether this is our own "not sent".
func unreached(r msg.Reply) bool { return r.Own }

// site finds where a domain's mail goes, best first, and its MTA-STS policy.
func (c *Client) site(ctx context.Context, domain string) (site, msg.Reply) {
	if domain == "" || c.o.Resolver == nil {
		return site{}, msg.Reply{Code: 550, Detail: "1.2", Text: "no domain to deliver to"}
	}
	s := site{domain: domain}
	mxs, secure, err := c.lookupMX(ctx, domain)
	s.secure = secure
	var r msg.Reply
	switch {
	case notFound(err) || (err == nil && len(mxs) == 0):
		s.hosts, r = c.implicitMX(ctx, domain)
	case err != nil:
		r = msg.Reply{Code: 451, Detail: "4.3", Text: "the recipient's domain could not be looked up"}
	case len(mxs) == 1 && strings.Trim(mxs[0].Host, ".") == "":
		r = msg.Reply{Code: 556, Detail: "1.10", Text: "the recipient's domain accepts no mail (null MX)"} // RFC 7505
	default:
		s.hosts, r = c.ranked(mxs)
	}
	if r.Code == 0 && c.o.Policies != nil {
		s.policy = c.o.Policies.Find(ctx, domain)
	}
	return s, r
}

func (c *Client) lookupMX(ctx context.Context, domain string) ([]*net.MX, bool, error) {
	if dns, ok := c.o.Resolver.(SecureResolver); ok {
		return dns.SecureMX(ctx, domain)
	}
	mxs, err := c.o.Resolver.LookupMX(ctx, domain)
	return mxs, false, err
}

// ranked sorts hosts by preference and leaves out ourselves and everything behind us
// (RFC 5321 section 5.1).
func (c *Client) ranked(mxs []*net.MX) ([]string, msg.Reply) {
	mxs = slices.Clone(mxs)
	slices.SortStableFunc(mxs, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	ours := 1 << 17
	for _, mx := range mxs {
		if strings.EqualFold(strings.TrimSuffix(mx.Host, "."), c.o.Hostname) {
			ours = min(ours, int(mx.Pref))
		}
	}
	var hosts []string
	for _, mx := range mxs {
		if h := strings.TrimSuffix(mx.Host, "."); h != "" && int(mx.Pref) < ours && len(hosts) < maxHosts {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		return nil, msg.Reply{Code: 554, Detail: "4.6", Text: "mail for the domain loops back to this host"}
	}
	return hosts, msg.Reply{}
}

// implicitMX: a domain without MX records is its own host, if it has an address.
func (c *Client) implicitMX(ctx context.Context, domain string) ([]string, msg.Reply) {
	addrs, err := c.o.Resolver.LookupIPAddr(ctx, domain)
	switch {
	case notFound(err) || (err == nil && len(addrs) == 0):
		return nil, msg.Reply{Code: 550, Detail: "1.2", Text: "the recipient's domain does not exist"}
	case err != nil:
		return nil, msg.Reply{Code: 451, Detail: "4.3", Text: "the recipient's domain could not be looked up", Own: true}
	}
	return []string{domain}, msg.Reply{}
}

func notFound(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}
