package e2e

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// heard keeps every octet that the next hop was sent, of transactions that came to no end
// as well: what must not leave must not leave half either.
type heard struct {
	net.Listener
	mu sync.Mutex
	b  bytes.Buffer
}

// maxHeard bounds what is kept.
const maxHeard = 64 << 20

// listens tells whether the case asks for it; the sink's other tricks want the bare
// connection.
func (c *Case) listens() bool {
	return slices.ContainsFunc(c.Want, func(line string) bool { return strings.HasPrefix(line, "nowhere ") })
}

// Accept wraps the connection.
func (h *heard) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &heardConn{c, h}, nil
}

type heardConn struct {
	net.Conn
	by *heard
}

// Read notes what is read.
func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.by.mu.Lock()
	defer c.by.mu.Unlock()
	if c.by.b.Len() < maxHeard {
		c.by.b.Write(p[:n])
	}
	return n, err
}

// nowhere looks for words in everything that the next hop was sent, as it went over the
// wire and decoded, part by part; with ", " between them there are several.
func (g *Gateway) nowhere(rest string) error {
	g.heard.mu.Lock()
	wire := bytes.Clone(g.heard.b.Bytes())
	g.heard.mu.Unlock()
	for word := range strings.SplitSeq(rest, ", ") {
		if i := bytes.Index(wire, []byte(word)); i >= 0 {
			return fmt.Errorf("the next hop was sent …%q…", wire[max(0, i-80):min(len(wire), i+80)])
		}
		for n, d := range g.Sink.Deliveries() {
			root := mimetree.Parse(d.Data, mimetree.DefaultLimits())
			found := strings.Contains(mimetree.DecodeWords(root.Get("Subject")), word)
			root.Walk(func(p *msg.Part) { found = found || bytes.Contains(p.Decoded, []byte(word)) })
			if found {
				return fmt.Errorf("delivery %d says it, decoded", n+1)
			}
		}
	}
	return nil
}
