package relay

import (
	"bufio"
	"context"
	"crypto/tls"
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
	tls       bool
	used      bool  // a transaction was completed on it before
	broken    error // not nil: of no more use
	idleSince time.Time
}

// connect opens a connection and says EHLO. On failure the reply says why; it is
// certain that nothing was sent.
func (c *Client) connect(ctx context.Context, h hop) (*conn, msg.Reply) {
	n, err := c.dial(ctx, h.addr)
	if err != nil {
		c.o.Log.Info("relay: cannot connect", "hop", h.addr, "error", err)
		return nil, notSent("cannot connect to the next hop")
	}
	k := &conn{o: &c.o, hop: h}
	k.attach(n)
	stop := k.watch(ctx)
	defer stop()
	if r := k.hello(ctx, c.mode(h)); r.Code != 0 {
		k.close()
		return nil, r
	}
	return k, msg.Reply{}
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

func (c *Client) mode(h hop) TLSMode {
	for _, key := range []string{h.addr, h.name} {
		if m, ok := c.o.TLS.PerHop[key]; ok {
			return m
		}
	}
	return c.o.TLS.Default
}

func (k *conn) attach(n net.Conn) {
	k.net, k.r = n, bufio.NewReaderSize(n, maxReplyLine)
}

// unwelcome is what a greeting other than 220 means for the letter. A 5xx there is
// about the host, or about us, not about the letter: it must not be returned for it.
func unwelcome(greeting msg.Reply) msg.Reply {
	if greeting.Temporary() {
		return greeting
	}
	return notSent("the next hop greets with " + greeting.String())
}

// hello takes the greeting and says EHLO, with STARTTLS as the mode wants it. Code 0
// means that the connection is ready.
func (k *conn) hello(ctx context.Context, mode TLSMode) msg.Reply {
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
	if _, offered := k.ext["STARTTLS"]; mode != TLSNone && offered {
		return k.startTLS(ctx, mode)
	}
	if mode == TLSRequire || mode == TLSVerify {
		return notSent("the next hop does not offer TLS, and it is required")
	}
	return msg.Reply{}
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
		return r
	}
	k.ext = map[string]string{}
	for _, l := range lines[1:] {
		word, params, _ := strings.Cut(l, " ")
		k.ext[strings.ToUpper(word)] = params
	}
	return msg.Reply{}
}

// startTLS upgrades and says EHLO again. A handshake that fails ends the connection:
// going on in the clear on the same connection is never done.
func (k *conn) startTLS(ctx context.Context, mode TLSMode) msg.Reply {
	r, _, err := k.command("STARTTLS")
	switch {
	case err != nil:
		return notSent("no answer to STARTTLS")
	case !r.Positive() && mode == TLSOpportunistic:
		return msg.Reply{}
	case !r.Positive():
		return notSent("the next hop refused TLS, and it is required")
	case k.r.Buffered() > 0: // octets that nobody may have sent before TLS
		return notSent("the next hop spoke before TLS")
	}
	t := tls.Client(k.net, k.tlsConfig(mode))
	_ = t.SetDeadline(time.Now().Add(k.o.ReplyTimeout))
	if err := t.HandshakeContext(ctx); err != nil {
		return notSent("TLS with the next hop failed")
	}
	_ = t.SetDeadline(time.Time{})
	k.attach(t)
	k.tls = true
	return k.ehlo()
}

func (k *conn) tlsConfig(mode TLSMode) *tls.Config {
	c := &tls.Config{}
	if k.o.TLS.Config != nil {
		c = k.o.TLS.Config.Clone()
	}
	c.ServerName = k.hop.name
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.InsecureSkipVerify = mode != TLSVerify // RFC 7435: unauthenticated encryption beats none
	return c
}

// watch makes the end of ctx end whatever the connection waits for. stop undoes it.
func (k *conn) watch(ctx context.Context) (stop func()) {
	n := k.net
	end := context.AfterFunc(ctx, func() { _ = n.Close() })
	return func() { end() }
}

func (k *conn) write(b []byte, wait time.Duration) error {
	if k.broken != nil {
		return k.broken
	}
	_ = k.net.SetWriteDeadline(time.Now().Add(wait))
	if _, err := k.net.Write(b); err != nil {
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
