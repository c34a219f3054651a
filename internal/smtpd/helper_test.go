package smtpd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/msg"
)

// inbox is a Handler that keeps what it is given.
type inbox struct {
	mu    sync.Mutex
	got   []*msg.Message
	reply func(context.Context, *msg.Message) msg.Reply
}

func (b *inbox) Handle(ctx context.Context, m *msg.Message) msg.Reply {
	b.mu.Lock()
	b.got = append(b.got, m)
	reply := b.reply
	b.mu.Unlock()
	if reply != nil {
		return reply(ctx, m)
	}
	return msg.Reply{Code: 250, Detail: "0.0", Text: "taken as " + m.ID}
}

func (b *inbox) all() []*msg.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*msg.Message(nil), b.got...)
}

// one returns the only message, or fails.
func (b *inbox) one(t *testing.T) *msg.Message {
	t.Helper()
	all := b.all()
	if len(all) != 1 {
		t.Fatalf("%d messages were handed on, want 1", len(all))
	}
	return all[0]
}

func (b *inbox) none(t *testing.T) {
	t.Helper()
	if n := len(b.all()); n != 0 {
		t.Fatalf("%d messages were handed on, want none", n)
	}
}

// eventLog counts events.
type eventLog struct {
	mu sync.Mutex
	n  map[string]int
}

func (e *eventLog) add(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n[name]++
}

func (e *eventLog) count(name string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n[name]
}

// rig is a running server with what it reported.
type rig struct {
	t      *testing.T
	srv    *Server
	addr   string
	inbox  *inbox
	events *eventLog
	log    *syncBuffer
	served chan error
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

type tweak func(*Options, *Listener)

func limits(f func(*Limits)) tweak { return func(o *Options, _ *Listener) { f(&o.Limits) } }

// newServer makes a server that listens to nothing yet.
func newServer(t *testing.T, tweaks ...tweak) (*rig, Listener) {
	t.Helper()
	r := &rig{t: t, inbox: &inbox{}, events: &eventLog{n: map[string]int{}}, log: &syncBuffer{}, served: make(chan error, 1)}
	var ids sync.Mutex
	n := 0
	o := Options{
		Hostname: "gw.gov.test",
		Handler:  r.inbox,
		Event:    r.events.add,
		Log:      slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		NewID: func() string {
			ids.Lock()
			defer ids.Unlock()
			n++
			return fmt.Sprintf("id-%d", n)
		},
	}
	o.Limits.PerClient = 1000
	cfg := Listener{Name: "test"}
	for _, f := range tweaks {
		f(&o, &cfg)
	}
	r.srv = New(o)
	return r, cfg
}

func start(t *testing.T, tweaks ...tweak) *rig {
	t.Helper()
	r, cfg := newServer(t, tweaks...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	go func() { r.served <- r.srv.Serve(context.Background(), l, cfg) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if used := r.srv.memory.used.Load(); used != 0 {
			t.Errorf("%d octets of memory are still counted", used)
		}
		if r.srv.census.total != 0 || len(r.srv.census.byClient) != 0 {
			t.Errorf("connections are still counted: %d, %v", r.srv.census.total, r.srv.census.byClient)
		}
	})
	return r
}

// client is a raw SMTP client that does what it is told.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func (r *rig) dialFrom(ip string) *client {
	r.t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second}
	if ip != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(ip)}
	}
	conn, err := d.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{t: r.t, conn: conn, r: bufio.NewReaderSize(conn, 1<<16)}
}

// dial connects and reads the greeting.
func (r *rig) dial() *client {
	r.t.Helper()
	c := r.dialFrom("")
	c.want("220")
	return c
}

// hello connects and says EHLO.
func (r *rig) hello() *client {
	r.t.Helper()
	c := r.dial()
	c.cmd("EHLO client.test", "250")
	return c
}

// ready connects and goes on to the 354 of DATA.
func (r *rig) ready() *client {
	r.t.Helper()
	c := r.hello()
	c.begin()
	return c
}

func (c *client) begin() {
	c.t.Helper()
	c.cmd("MAIL FROM:<a@attack.test>", "250 2.1.0")
	c.cmd("RCPT TO:<b@gov.test>", "250 2.1.5")
	c.cmd("DATA", "354")
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("send %.40q: %v", s, err)
	}
}

// reply reads one reply, all its lines.
func (c *client) reply() string {
	c.t.Helper()
	var all strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("reading a reply: %v (so far %q)", err, all.String()+line)
		}
		if !strings.HasSuffix(line, "\r\n") || len(line) < 6 || len(line) > 512 {
			c.t.Fatalf("bad reply line %q", line)
		}
		all.WriteString(line)
		if line[3] == ' ' {
			return all.String()
		}
	}
}

func (c *client) want(prefix string) string {
	c.t.Helper()
	got := c.reply()
	if !strings.HasPrefix(got, prefix) {
		c.t.Fatalf("reply %q, want %q", got, prefix)
	}
	return got
}

func (c *client) cmd(line, prefix string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	got := c.reply()
	if !strings.HasPrefix(got, prefix) {
		c.t.Fatalf("%.80q: reply %q, want %q", line, got, prefix)
	}
	return got
}

// closed makes sure that nothing more comes and the server's side has ended.
func (c *client) closed() {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if len(rest) > 0 || err != nil {
		c.t.Fatalf("wanted the end of the connection, got %q, %v", rest, err)
	}
}

// rest reads everything until the end.
func (c *client) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil {
		c.t.Fatalf("reading to the end: %v (%q)", err, b)
	}
	return string(b)
}

// halfClose ends our side, as a client that dies does.
func (c *client) halfClose() { _ = c.conn.(*net.TCPConn).CloseWrite() }

// eventually waits for something that another goroutine brings about.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("waited in vain for: %s", what)
}

func prefixes(s ...string) []netip.Prefix {
	var l []netip.Prefix
	for _, one := range s {
		l = append(l, netip.MustParsePrefix(one))
	}
	return l
}

// byNetwork lets a network relay.
func byNetwork(p string) func(netip.Addr, []*x509.Certificate) msg.Identity {
	return func(a netip.Addr, _ []*x509.Certificate) msg.Identity {
		if netip.MustParsePrefix(p).Contains(a) {
			return msg.Identity{Proof: msg.ByNetwork}
		}
		return msg.Identity{}
	}
}
