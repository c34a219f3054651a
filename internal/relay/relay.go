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
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"congthu/internal/msg"
)

// Resolver is what finding a next hop needs of the DNS.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

// Options are the parts of a client; zero values have defaults.
type Options struct {
	Hostname string   // said in EHLO; an MX of this name is ourselves
	Resolver Resolver // DANE if it is a SecureResolver
	Policies Policies // MTA-STS; nil: not looked for
	TLS      TLSPolicy
	Rule     func(domain string) Rule // nil: the zero Rule for every domain

	Heard func(nextHop string, to msg.Path, r msg.Reply) // of replies to RCPT; nil: nobody listens

	ConnectTimeout time.Duration // 10 s
	ReplyTimeout   time.Duration // 60 s; for each reply but the last
	WriteTimeout   time.Duration // 3 min; for each block of the message (RFC 5321 section 4.5.3.2.5)
	FinalTimeout   time.Duration // 10 min; for the reply to the final dot (RFC 5321 section 4.5.3.2.6)

	MaxIdle  int           // idle connections kept for each next hop: PerHop
	PerHop   int           // connections to one next hop at a time: 32
	IdleTime time.Duration // how long an idle connection is kept: 20 s

	Log  *slog.Logger
	Port string // for MX hosts: "25"
}

// Client delivers. It is safe for concurrent use.
type Client struct {
	o     Options
	ready time.Duration // until the next hop must wait for the message; 0: as long as it takes
	pool  *pool
}

// New returns a client.
func New(o Options) *Client {
	orDuration(&o.ConnectTimeout, 10*time.Second)
	orDuration(&o.ReplyTimeout, time.Minute)
	orDuration(&o.WriteTimeout, 3*time.Minute)
	orDuration(&o.FinalTimeout, 10*time.Minute)
	orDuration(&o.IdleTime, 20*time.Second)
	orInt(&o.PerHop, 32)
	orInt(&o.MaxIdle, o.PerHop)
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

// Rule is what the route of a recipient's domain says about delivery.
type Rule struct {
	TLS      TLSMode // "": that of TLSPolicy.Default
	XForward bool    // the next hop is told about the client, if it offers XFORWARD
	Learn    bool    // replies to RCPT are told to Options.Heard
}

// task is a copy and what its delivery keeps to.
type task struct {
	*msg.Transfer
	rule Rule
	late context.Context // once the next hop waits for the message; before that, the deadline is in ctx
}

// Deliver sends one copy and returns one reply for each recipient, in their order.
// Code 0 means that nothing is known: the next hop went silent after the final dot.
// Everything else is certain: 2xx taken, 4xx not taken and worth another try, 5xx
// refused.
func (c *Client) Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply {
	fit, refusal := checked(t)
	if refusal.Code != 0 {
		return all(t.To, refusal)
	}
	t = fit
	early := ctx
	if c.ready > 0 {
		var cancel context.CancelFunc
		early, cancel = context.WithTimeout(ctx, c.ready)
		defer cancel()
	}
	if t.NextHop == "mx" {
		return apart(t, domainOf, func(part *msg.Transfer, domain string) []msg.Reply {
			return c.toDomain(early, &task{part, c.rule(domain), ctx}, domain)
		})
	}
	rule := func(p msg.Path) Rule { return c.rule(p.Domain) }
	return apart(t, rule, func(part *msg.Transfer, r Rule) []msg.Reply {
		return c.toHop(early, &task{part, r, ctx}, fixedHop(t.NextHop, r))
	})
}

// CutThrough returns a client over the same connections for a sender who waits: a next
// hop that does not say 354 within ready has not got the message, and one that is silent
// for final after it may have.
func (c *Client) CutThrough(ready, final time.Duration) *Client {
	d := *c
	d.ready = ready
	d.o.WriteTimeout = min(d.o.WriteTimeout, ready)
	d.o.FinalTimeout = min(d.o.FinalTimeout, final)
	return &d
}

// rule returns what is asked of the way to a domain.
func (c *Client) rule(domain string) Rule {
	var r Rule
	if c.o.Rule != nil {
		r = c.o.Rule(domain)
	}
	if r.TLS == "" {
		r.TLS = c.o.TLS.Default
	}
	return r
}

func domainOf(p msg.Path) string { return p.Domain }

// apart sends to recipients that differ in key by transactions of their own, side by
// side, and puts the replies together.
func apart[K comparable](t *msg.Transfer, key func(msg.Path) K, send func(*msg.Transfer, K) []msg.Reply) []msg.Reply {
	first := key(t.To[0])
	if !slices.ContainsFunc(t.To[1:], func(p msg.Path) bool { return key(p) != first }) {
		return send(t, first)
	}
	groups := map[K][]int{}
	for i, p := range t.To {
		groups[key(p)] = append(groups[key(p)], i)
	}
	out := make([]msg.Reply, len(t.To))
	var wg sync.WaitGroup
	for k, at := range groups {
		part := *t
		part.To = nil
		for _, i := range at {
			part.To = append(part.To, t.To[i])
		}
		wg.Go(func() {
			for j, r := range send(&part, k) {
				out[at[j]] = r
			}
		})
	}
	wg.Wait()
	return out
}

// hop is one place to connect to, and how. name is what a certificate must be for.
type hop struct {
	addr, name string
	need       need
}

// fixedHop is the next hop that a route names.
func fixedHop(addr string, r Rule) hop {
	return hop{addr: addr, name: hostOf(addr), need: need{mode: r.TLS}}
}

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// toHop sends to one next hop.
func (c *Client) toHop(ctx context.Context, t *task, h hop) (replies []msg.Reply) {
	r := c.over(ctx, h, func(conn *conn) (stale bool) {
		replies, stale = c.converse(ctx, conn, t)
		return stale
	})
	if r.Code != 0 {
		return all(t.To, r)
	}
	return replies
}

// over talks over a pooled connection, or a new one. A pooled connection may have died
// while it lay idle; if it fails before it has answered anything (stale), a new one is
// tried, once. A reply with a code says why there was no talk.
func (c *Client) over(ctx context.Context, h hop, talk func(*conn) (stale bool)) msg.Reply {
	if err := c.pool.enter(ctx, h.addr); err != nil {
		return notSent("next hop is busy")
	}
	defer c.pool.leave(h.addr)
	if conn := c.pool.take(h); conn != nil && !talk(conn) {
		return msg.Reply{}
	}
	conn, r := c.connect(ctx, h)
	if conn != nil {
		talk(conn)
	}
	return r
}

// converse runs one transaction and gives the connection back if it is still good.
// stale tells that it was dead before the next hop had answered anything.
func (c *Client) converse(ctx context.Context, conn *conn, t *task) (replies []msg.Reply, stale bool) {
	conn.o = &c.o
	stop := conn.watch(ctx)
	replies, open, stale := conn.offer(t)
	ended := !stop()
	switch {
	case open && ended:
		replies = untaken(replies, notSent("the next hop is slow"))
	case open && conn.r.Buffered() > 0: // an answer to a message that it has not got
		conn.broken = errReply
		replies = untaken(replies, notSent("the next hop is out of step"))
	case open:
		stop = conn.watch(t.late)
		conn.send(t.Transfer, replies)
		ended = !stop()
	}
	if conn.broken != nil && !stale {
		c.o.Log.Info("relay: connection lost", "hop", conn.hop.addr, "id", t.ID, "error", conn.broken)
	}
	c.putBack(conn, ended)
	return replies, stale
}

// putBack gives a connection back for later, unless it is of no more use.
func (c *Client) putBack(conn *conn, ended bool) {
	if conn.broken != nil || ended || conn.r.Buffered() > 0 { // more answers than questions
		conn.close()
		return
	}
	c.pool.give(conn)
}

// untaken gives r to the recipients that were taken so far.
func untaken(replies []msg.Reply, r msg.Reply) []msg.Reply {
	for i := range replies {
		if replies[i].Positive() {
			replies[i] = r
		}
	}
	return replies
}

// all gives every recipient the same reply.
func all(to []msg.Path, r msg.Reply) []msg.Reply { return slices.Repeat([]msg.Reply{r}, len(to)) }

// notSent is certain: the next hop cannot have taken the message.
func notSent(why string) msg.Reply {
	return msg.Reply{Code: 451, Detail: "4.1", Text: "not sent: " + why, Own: true}
}
