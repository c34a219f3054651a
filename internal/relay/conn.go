package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"congthu/internal/msg"
)

// conn is one connection to a next hop, past EHLO.
type conn struct {
	o         *Options
	hop       hop
	net       net.Conn
	r         *bufio.Reader
	ext       map[string]string // EHLO keywords, upper case, with their parameters
	mode      TLSMode           // what was tried: less than the hop's after a fallback
	tls       bool
	handshake error  // what went wrong with TLS
	used      bool   // a transaction was completed on it before
	broken    error  // not nil: of no more use
	unsent    int    // octets of the write that failed that have not left
	out       []byte // gathered for the next write: commands, or small pieces of the message
	idleSince time.Time
	ending    *time.Timer // of its time in the pool; one for all times
}

// connect opens a connection and says EHLO. On failure the reply says why; it is
// certain that nothing was sent.
//
// Opportunistic security wants the letter delivered (RFC 7435 section 3): where TLS is
// offered but does not work, a new connection without it is the next best. A middleman
// could bring this about, as he could strip the offer; routes that mind say "require".
func (c *Client) connect(ctx context.Context, h hop) (*conn, msg.Reply) {
	k, r := c.open(ctx, h, h.need.mode)
	if k != nil && k.handshake != nil && !h.need.strict() {
		c.o.Log.Warn("relay: TLS failed; trying without, on a new connection", "hop", h.addr, "error", k.handshake)
		k, r = c.open(ctx, h, TLSNone)
	}
	if r.Code != 0 {
		return nil, r
	}
	return k, r
}

// open returns a connection, closed if the reply has a code, or nil if there is none.
func (c *Client) open(ctx context.Context, h hop, mode TLSMode) (*conn, msg.Reply) {
	n, err := c.dial(ctx, h.addr)
	if err != nil {
		c.o.Log.Info("relay: cannot connect", "hop", h.addr, "error", err)
		return nil, notSent("cannot connect to the next hop")
	}
	k := &conn{o: &c.o, hop: h, mode: mode}
	k.attach(n)
	stop := k.watch(ctx)
	defer stop()
	r := k.hello(ctx)
	if r.Code != 0 {
		k.close()
	}
	return k, r
}

// dial connects to an address, or to the addresses of a name in their order.
func (c *Client) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.ConnectTimeout)
	defer cancel()
	var d net.Dialer
	host, port, err := net.SplitHostPort(addr)
	if err != nil || c.o.Resolver == nil || net.ParseIP(host) != nil || host == "localhost" {
		return d.DialContext(ctx, "tcp", addr)
	}
	ips, err := c.o.Resolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		var n net.Conn
		if n, err = d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), port)); err == nil {
			return n, nil
		}
	}
	return nil, err
}

func (k *conn) attach(n net.Conn) {
	k.net, k.r = n, bufio.NewReaderSize(n, maxReplyLine)
}

// unwelcome is what a greeting other than 220, or a refused HELO, means for the letter.
// A 5xx there is about the host, or about us, not about the letter: it must not be
// returned for it.
func unwelcome(greeting msg.Reply) msg.Reply {
	if greeting.Temporary() {
		return greeting
	}
	return notSent("the next hop greets with " + greeting.String())
}

// hello takes the greeting and says EHLO, with STARTTLS as the hop needs it. Code 0
// means that the connection is ready.
func (k *conn) hello(ctx context.Context) msg.Reply {
	greeting, err := k.read(k.o.ReplyTimeout)
	if err != nil {
		return notSent("no greeting from the next hop")
	}
	if greeting.Code != 220 {
		return unwelcome(greeting)
	}
	if r := k.ehlo(); r.Code != 0 {
		return r
	}
	return k.secure(ctx)
}

// ehlo says EHLO, or HELO to a server that does not know it (RFC 5321 section 3.2).
func (k *conn) ehlo() msg.Reply {
	r, lines, err := k.command("EHLO " + k.o.Hostname)
	if err == nil && r.Permanent() {
		r, lines, err = k.command("HELO " + k.o.Hostname)
		lines = lines[:min(1, len(lines))]
	}
	switch {
	case err != nil:
		return notSent("no answer to EHLO")
	case !r.Positive():
		return unwelcome(r)
	}
	k.ext = map[string]string{}
	for _, l := range lines[1:] {
		word, params, _ := strings.Cut(l, " ")
		k.ext[strings.ToUpper(word)] = params
	}
	return msg.Reply{}
}

// watch makes the end of ctx end whatever the connection waits for. stop undoes it and
// tells whether it was in time.
func (k *conn) watch(ctx context.Context) (stop func() bool) {
	n := k.net
	return context.AfterFunc(ctx, func() { _ = n.Close() })
}

func (k *conn) write(b []byte, wait time.Duration) error {
	return k.writeAll(net.Buffers{b}, wait)
}

// writeAll writes buffers one behind the other, under one deadline.
func (k *conn) writeAll(bufs net.Buffers, wait time.Duration) error {
	if k.broken != nil {
		return k.broken
	}
	size := 0
	for _, b := range bufs {
		size += len(b)
	}
	_ = k.net.SetWriteDeadline(time.Now().Add(wait))
	if n, err := bufs.WriteTo(k.net); err != nil {
		k.unsent = size - int(n)
		k.broken = fmt.Errorf("relay: write: %w", err)
	}
	return k.broken
}

func (k *conn) read(wait time.Duration) (msg.Reply, error) {
	r, _, err := k.readLines(wait)
	return r, err
}

// readLines reads one reply. One deadline covers all of its lines.
func (k *conn) readLines(wait time.Duration) (msg.Reply, []string, error) {
	if k.broken != nil {
		return msg.Reply{}, nil, k.broken
	}
	_ = k.net.SetReadDeadline(time.Now().Add(wait))
	r, lines, err := readReply(k.r)
	if err != nil {
		k.broken = fmt.Errorf("relay: read: %w", err)
		return msg.Reply{}, nil, k.broken
	}
	if r.Code == 421 { // the next hop closes the connection (RFC 5321 section 3.8)
		k.broken = errors.New("relay: 421 from the next hop")
		return r, lines, nil
	}
	return r, lines, nil
}

func (k *conn) command(line string) (msg.Reply, []string, error) {
	if err := k.write([]byte(line+"\r\n"), k.o.ReplyTimeout); err != nil {
		return msg.Reply{}, nil, err
	}
	return k.readLines(k.o.ReplyTimeout)
}

func (k *conn) close() { _ = k.net.Close() }

// quit says goodbye without waiting long for an answer.
func (k *conn) quit() {
	_ = k.write([]byte("QUIT\r\n"), time.Second)
	k.close()
}
