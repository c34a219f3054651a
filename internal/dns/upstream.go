package dns

import (
	"context"
	"net"
	"net/netip"
	"time"

	mdns "github.com/miekg/dns"
)

// A socket costs more than a question, so it is used again: by one question at a
// time, and not for long, because its port is half of what a forger must guess (RFC
// 5452 section 9.2).
const (
	maxIdle = 16 // sockets kept a server
	maxUses = 32 // questions over one socket
	maxRest = 5 * time.Second
)

// upstream is one recursive name server with the sockets that wait for a question.
type upstream struct {
	addr    string
	trusted bool // its AD bit is believed
	idle    chan *socket
}

type socket struct {
	net.Conn
	uses   int
	rested time.Time
}

// newUpstreams: what a server on this host says nobody on the way can have changed.
func newUpstreams(addrs []string, trustAD bool) []*upstream {
	out := make([]*upstream, len(addrs))
	for i, a := range addrs {
		ap, err := netip.ParseAddrPort(a)
		out[i] = &upstream{addr: a, trusted: trustAD || err == nil && ap.Addr().Unmap().IsLoopback(), idle: make(chan *socket, maxIdle)}
	}
	return out
}

func (s *upstream) overUDP(ctx context.Context, wire []byte, q question, id uint16) (*mdns.Msg, error) {
	c, err := s.socket(ctx)
	if err != nil {
		return nil, err
	}
	stop := expire(ctx, c)
	m, err := exchangeUDP(c, wire, q, id)
	if !stop() || err != nil {
		_ = c.Close() // its deadline has passed, or a late answer may still come
		return m, err
	}
	s.rest(c)
	return m, nil
}

// socket takes one that waits, or opens one.
func (s *upstream) socket(ctx context.Context) (*socket, error) {
	for {
		select {
		case c := <-s.idle:
			if time.Since(c.rested) < maxRest {
				return c, nil
			}
			_ = c.Close()
		default:
			c, err := new(net.Dialer).DialContext(ctx, "udp", s.addr)
			if err != nil {
				return nil, err
			}
			return &socket{Conn: c}, nil
		}
	}
}

func (s *upstream) rest(c *socket) {
	c.uses++
	c.rested = time.Now()
	if c.uses < maxUses {
		select {
		case s.idle <- c:
			return
		default:
		}
	}
	_ = c.Close()
}
