package dns

import (
	"net"
	"time"

	mdns "github.com/miekg/dns"
)

const maxChain = 16 // CNAME records followed in one answer

// answer is what a reply says about its question.
type answer struct {
	records []mdns.RR // of the type asked, at the end of the CNAME chain
	err     error     // nil, or a not-found *net.DNSError
	ttl     time.Duration
	size    int  // octets on the wire, for the cache
	secure  bool // validated by DNSSEC, as a server that we may believe says
}

// readAnswer follows the chain of CNAME records as returned (RFC 1034 section
// 4.3.2) and takes the records at its end.
func readAnswer(m *mdns.Msg, q question) (answer, error) {
	name, ttl, err := followChain(m.Answer, q)
	if err != nil {
		return answer{}, err
	}
	a := answer{size: m.Len(), secure: m.AuthenticatedData}
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Rrtype == q.qtype && h.Class == mdns.ClassINET && mdns.CanonicalName(h.Name) == name {
			a.records = append(a.records, rr)
			ttl = min(ttl, h.Ttl)
		}
	}
	switch {
	case len(a.records) > 0 && m.Rcode == mdns.RcodeSuccess:
		a.ttl = seconds(ttl)
	case m.Rcode == mdns.RcodeNameError:
		a = answer{err: errNoName(q.name), ttl: negativeTTL(m, ttl), size: a.size, secure: a.secure}
	default:
		a = answer{err: errNoRecord(q.name), ttl: negativeTTL(m, ttl), size: a.size, secure: a.secure}
	}
	return a, nil
}

func followChain(rrs []mdns.RR, q question) (name string, ttl uint32, err error) {
	name, ttl = q.name, ^uint32(0)
	for range maxChain {
		c := cnameOf(rrs, name)
		if c == nil || q.qtype == mdns.TypeCNAME {
			return name, ttl, nil
		}
		name, ttl = mdns.CanonicalName(c.Target), min(ttl, c.Hdr.Ttl)
	}
	return "", 0, errTemporary(q.name, "", "CNAME chain is a loop or too long")
}

func cnameOf(rrs []mdns.RR, name string) *mdns.CNAME {
	for _, rr := range rrs {
		if c, ok := rr.(*mdns.CNAME); ok && c.Hdr.Class == mdns.ClassINET && mdns.CanonicalName(c.Hdr.Name) == name {
			return c
		}
	}
	return nil
}

// negativeTTL is how long an absence may be believed (RFC 2308 section 5): no
// SOA, no belief.
func negativeTTL(m *mdns.Msg, chain uint32) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*mdns.SOA); ok {
			return seconds(min(chain, soa.Hdr.Ttl, soa.Minttl))
		}
	}
	return 0
}

// seconds reads a TTL; one with the top bit set is zero (RFC 2181 section 8).
func seconds(ttl uint32) time.Duration {
	if ttl > 1<<31-1 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

func addresses(rrs []mdns.RR) []net.IPAddr {
	var out []net.IPAddr
	for _, rr := range rrs {
		switch rr := rr.(type) {
		case *mdns.A:
			out = append(out, net.IPAddr{IP: rr.A})
		case *mdns.AAAA:
			out = append(out, net.IPAddr{IP: rr.AAAA})
		}
	}
	return out
}
