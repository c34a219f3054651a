package e2e

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// patience bounds every single step of a dialogue.
const patience = 30 * time.Second

// client is an SMTP client that says whatever it is told.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReader(conn)}, nil
}

func (c *client) say(octets []byte) error {
	_ = c.conn.SetDeadline(time.Now().Add(patience)) // a closed connection fails at the write
	_, err := c.conn.Write(octets)
	return err
}

// reply reads one reply, all its lines.
func (c *client) reply() ([]string, error) {
	_ = c.conn.SetDeadline(time.Now().Add(patience)) // a closed connection fails at the read
	var all []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return all, fmt.Errorf("no whole reply (%q so far): %w", strings.Join(append(all, line), " / "), err)
		}
		if !strings.HasSuffix(line, "\r\n") {
			return all, fmt.Errorf("a reply line without CRLF: %q", line)
		}
		all = append(all, strings.TrimSuffix(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			return all, nil
		}
	}
}

// closed waits for the end of the connection and complains about anything before it.
func (c *client) closed() error {
	_ = c.conn.SetDeadline(time.Now().Add(patience)) // as above
	b, err := c.r.ReadByte()
	if err == nil {
		rest, _ := c.r.Peek(c.r.Buffered())
		return fmt.Errorf("instead of an end: %q", append([]byte{b}, rest...))
	}
	if t, ok := err.(net.Error); ok && t.Timeout() { //nolint:errorlint // as net.Conn returns it
		return fmt.Errorf("the connection stays open")
	}
	return nil
}

// alertThenClosed allows one TLS alert record (RFC 8446 section 6) before the end.
func (c *client) alertThenClosed() error {
	const alert, size = 21, 7
	if b, err := c.r.Peek(size); err == nil && b[0] == alert {
		_, _ = c.r.Discard(size) // just seen
	}
	return c.closed()
}

// startTLS does the client's half, with a certificate when it has one.
func (c *client) startTLS(mine ...tls.Certificate) error {
	t := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true, Certificates: mine}) //nolint:gosec // a test certificate
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if err := t.Handshake(); err != nil {
		return err
	}
	c.conn, c.r = t, bufio.NewReader(t)
	return nil
}

// fin ends our direction only.
func (c *client) fin() error {
	if h, ok := c.conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return c.conn.Close()
}

// stuffed is the message as DATA carries it, with the final dot (RFC 5321 section 4.5.2).
func stuffed(raw []byte) []byte {
	out := bytes.ReplaceAll(raw, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(out, []byte(".")) {
		out = append([]byte("."), out...)
	}
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out, "\r\n"...)
	}
	return append(out, ".\r\n"...)
}
