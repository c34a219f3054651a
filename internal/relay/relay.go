// Package relay hands messages to the next hop: an SMTP client with pooled
// connections, TLS policy and a deadline on every read and write. The same client
// cuts through inside a sender's DATA and delivers for the queue.
//
// The client is our own because the difference between "refused", "not sent" and
// "nothing known" decides whether a letter is returned, tried again, or tried again
// at the risk of a copy: a reply lost before the final dot is certain, one lost after
// it is not.
package relay

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"congthu/internal/msg"
)

// TLSMode says how much TLS a next hop needs.
type TLSMode string

// The modes. Opportunistic (RFC 7435) uses STARTTLS where it is offered and does not
// look at the certificate; Require refuses to send without TLS; Verify also wants a
// certificate for the host's name.
const (
	TLSNone          TLSMode = "none"
	TLSOpportunistic TLSMode = "opportunistic"
	TLSRequire       TLSMode = "require"
	TLSVerify        TLSMode = "verify"
)

// TLSPolicy is a default and what single next hops (host:port, or a host's name)
// need instead.
type TLSPolicy struct {
	Default TLSMode
	PerHop  map[string]TLSMode
	Config  *tls.Config // roots and the like; may be nil
}

// Resolver is what finding a next hop needs of the DNS.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

// Options are the parts of a client; zero values have defaults.
type Options struct {
	Hostname string // said in EHLO; an MX of this name is ourselves
	Resolver Resolver
	TLS      TLSPolicy

	ConnectTimeout time.Duration // 10 s
	ReplyTimeout   time.Duration // 60 s; for each reply but the last
	WriteTimeout   time.Duration // 60 s; for each block of the message
	FinalTimeout   time.Duration // 10 min; for the reply to the final dot (RFC 5321 section 4.5.3.2.6)

	MaxIdle  int           // idle connections kept for each next hop: 8
	PerHop   int           // connections to one next hop at a time: 32
	IdleTime time.Duration // how long an idle connection is kept: 20 s

	Log  *slog.Logger
	Port string // for MX hosts: "25"
}

// Client delivers. It is safe for concurrent use.
type Client struct {
	o    Options
	pool *pool
}

// New returns a client.
func New(o Options) *Client {
	orDuration(&o.ConnectTimeout, 10*time.Second)
	orDuration(&o.ReplyTimeout, time.Minute)
	orDuration(&o.WriteTimeout, time.Minute)
	orDuration(&o.FinalTimeout, 10*time.Minute)
	orDuration(&o.IdleTime, 20*time.Second)
	orInt(&o.MaxIdle, 8)
	orInt(&o.PerHop, 32)
	if o.TLS.Default == "" {
		o.TLS.Default = TLSOpportunistic
	}
	if o.Port == "" {
		o.Port = "25"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{o: o, pool: newPool(o.MaxIdle, o.PerHop, o.IdleTime)}
}

func orDuration(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

func orInt(n *int, def int) {
	if *n <= 0 {
		*n = def
	}
}

// Close closes idle connections; those in use are closed as they come back.
func (c *Client) Close() error {
	c.pool.close()
	return nil
}

// Deliver sends one copy and returns one reply for each recipient, in their order.
// Code 0 means that nothing is known: the next hop went silent after the final dot.
// Everything else is certain: 2xx taken, 4xx not taken and worth another try, 5xx
// refused.
func (c *Client) Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply {
	if r := sendable(t); r.Code != 0 {
		return all(t, r)
	}
	if t.NextHop == "mx" {
		return c.byDomain(ctx, t)
	}
	return c.toHop(ctx, t, hop{addr: t.NextHop, name: hostOf(t.NextHop)})
}

// hop is one place to connect to. name is what a certificate must be for.
type hop struct{ addr, name string }

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// toHop sends over a pooled connection, or a new one. A pooled connection may have
// died while it lay idle; if it fails before it has answered anything, a new one is
// tried, once.
func (c *Client) toHop(ctx context.Context, t *msg.Transfer, h hop) []msg.Reply {
	if err := c.pool.enter(ctx, h.addr); err != nil {
		return all(t, notSent("next hop is busy"))
	}
	defer c.pool.leave(h.addr)
	if conn := c.pool.take(h.addr); conn != nil {
		replies, stale := c.converse(ctx, conn, t)
		if !stale {
			return replies
		}
	}
	conn, r := c.connect(ctx, h)
	if conn == nil {
		return all(t, r)
	}
	replies, _ := c.converse(ctx, conn, t)
	return replies
}

// converse runs one transaction and gives the connection back if it is still good.
// stale tells that it was dead before the next hop had answered anything.
func (c *Client) converse(ctx context.Context, conn *conn, t *msg.Transfer) (replies []msg.Reply, stale bool) {
	stop := conn.watch(ctx)
	replies, stale = conn.transact(t)
	stop()
	if conn.broken != nil || ctx.Err() != nil {
		conn.close()
		if conn.broken != nil && !stale {
			c.o.Log.Info("relay: connection lost", "hop", conn.hop.addr, "id", t.ID, "error", conn.broken)
		}
		return replies, stale
	}
	c.pool.give(conn)
	return replies, false
}

// all gives every recipient the same reply.
func all(t *msg.Transfer, r msg.Reply) []msg.Reply {
	out := make([]msg.Reply, len(t.To))
	for i := range out {
		out[i] = r
	}
	return out
}

// notSent is certain: the next hop cannot have taken the message.
func notSent(why string) msg.Reply {
	return msg.Reply{Code: 451, Detail: "4.1", Text: "not sent: " + why}
}
