package relay_test

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// rawHop is a next hop that answers each verb as it is told, and keeps every word. It can
// do what no server should.
type rawHop struct {
	ext []string                              // EHLO keywords; nil: PIPELINING, 8BITMIME, SMTPUTF8, SIZE 0
	on  map[string]func(c *rawConn) (ok bool) // by verb, "connect" and "." (the message); false ends the connection

	mu       sync.Mutex
	lines    [][]string // of each connection
	messages []string
}

type rawConn struct {
	net.Conn
	r    *bufio.Reader
	n    int    // number of the connection, from 0
	line string // what the client said last
	said string // and what we said
}

func (c *rawConn) say(text string) bool {
	c.said = text
	_, err := c.Write([]byte(text))
	return err == nil
}

// reset ends the connection with RST.
func (c *rawConn) reset() bool {
	_ = c.Conn.(*net.TCPConn).SetLinger(0) // a TCP connection by rawHop.start
	return false
}

// hang says nothing until the client has gone.
func (c *rawConn) hang() bool {
	_, _ = c.r.ReadByte()
	return false
}

// drip says text slower than anybody waits.
func (c *rawConn) drip(text string) bool {
	for i := range len(text) {
		if !c.say(text[i : i+1]) {
			return false
		}
		time.Sleep(200 * time.Millisecond)
	}
	return false
}

func says(text string) func(*rawConn) bool {
	return func(c *rawConn) bool { return c.say(text + "\r\n") }
}

// firstTime does one thing the first time and then another.
func firstTime(first, then func(*rawConn) bool) func(*rawConn) bool {
	var once sync.Once
	return func(c *rawConn) (ok bool) {
		do := then
		once.Do(func() { do = first })
		return do(c)
	}
}

func (h *rawHop) start(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.lines = append(h.lines, nil)
			h.mu.Unlock()
			t.Cleanup(func() { _ = conn.Close() })
			go h.serve(&rawConn{Conn: conn, r: bufio.NewReader(conn), n: n})
		}
	}()
	return l.Addr().String()
}

func (h *rawHop) serve(c *rawConn) {
	defer c.Close()
	for ok := h.answer(c, "connect"); ok; {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		c.line = strings.TrimRight(line, "\r\n")
		h.mu.Lock()
		h.lines[c.n] = append(h.lines[c.n], c.line)
		h.mu.Unlock()
		verb, _, _ := strings.Cut(c.line, " ")
		ok = h.answer(c, verb)
	}
}

func (h *rawHop) answer(c *rawConn, verb string) bool {
	do := h.on[verb]
	if do == nil {
		do = h.usual(verb)
	}
	if !do(c) {
		return false
	}
	if verb != "DATA" || !strings.HasPrefix(c.said, "354") {
		return true
	}
	m, ok := receive(c)
	h.mu.Lock()
	h.messages = append(h.messages, m)
	h.mu.Unlock()
	return ok && h.answer(c, ".")
}

func (h *rawHop) usual(verb string) func(*rawConn) bool {
	switch verb {
	case "connect":
		return says("220 raw.test")
	case "EHLO":
		ext := h.ext
		if ext == nil {
			ext = []string{"PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 0"}
		}
		return says("250-raw.test\r\n250-" + strings.Join(ext, "\r\n250-") + "\r\n250 HELP")
	case "DATA":
		return says("354 go")
	case "QUIT":
		return func(*rawConn) bool { return false }
	}
	return says("250 ok")
}

// receive reads a message to its final dot, stuffed as it comes.
func receive(c *rawConn) (string, bool) {
	var b bytes.Buffer
	for {
		line, err := c.r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == ".\r\n" {
			return b.String(), err == nil
		}
	}
}

func (h *rawHop) heard() [][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([][]string, len(h.lines))
	for i, l := range h.lines {
		out[i] = append([]string(nil), l...)
	}
	return out
}

func (h *rawHop) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.messages...)
}
