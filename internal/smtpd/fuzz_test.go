package smtpd

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/msg"
)

type counter struct{ n atomic.Int64 }

func (c *counter) Handle(_ context.Context, m *msg.Message) msg.Reply {
	if bytes.IndexByte(m.Raw, 0) >= 0 || bytes.Count(m.Raw, []byte("\r\n")) != bytes.Count(m.Raw, []byte("\n")) ||
		bytes.Count(m.Raw, []byte("\r\n")) != bytes.Count(m.Raw, []byte("\r")) || len(m.Envelope.To) == 0 {
		panic("a message that breaks the rules of the house")
	}
	c.n.Add(1)
	return msg.Reply{Code: 250, Detail: "0.0", Text: "ok"}
}

// drive runs one session over a pipe and returns all it said.
func drive(t *testing.T, in []byte, cfg Listener, prepare ...func(*session)) (out string, handled int64) {
	t.Helper()
	h := &counter{}
	failed := atomic.Bool{}
	srv := New(Options{
		Hostname: "gw.gov.test", Handler: h, NewID: func() string { return "id" },
		Limits: Limits{MessageSize: 2000, BodyLine: 200, CommandWait: 2 * time.Second},
		Event: func(e string) {
			if e == evPanic || e == evHandlerPanic {
				failed.Store(true)
			}
		},
	})
	ours, theirs := net.Pipe()
	on := &listening{cfg: cfg}
	s := newSession(srv, theirs, on, addrPort(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}), len(cfg.PROXY) > 0)
	for _, f := range prepare {
		f(s)
	}
	srv.census.enter(10)
	if s.counted {
		srv.census.claim(s.claimed, 10)
	}
	srv.register(s)
	done := make(chan struct{})
	go func() { s.run(context.Background()); srv.unregister(s); close(done) }()
	said := make(chan []byte)
	go func() { b, _ := io.ReadAll(ours); said <- b }()
	_, _ = ours.Write(in)
	// A pipe has no half close: a session that still waits for more sees the server
	// stopping, which never runs what is unfinished either.
	_ = srv.Shutdown(context.Background())
	_ = ours.Close()
	<-done
	out = string(<-said)
	if failed.Load() {
		t.Fatalf("a panic came of %q", in)
	}
	if srv.census.total != 0 || len(srv.census.byClient) != 0 || srv.memory.used.Load() != 0 {
		t.Fatalf("something is still counted after %q", in)
	}
	return out, h.n.Load()
}

func FuzzSession(f *testing.F) {
	const one = "MAIL FROM:<a@attack.test>\r\nRCPT TO:<b@gov.test>\r\nDATA\r\nSubject: x\r\n\r\n..x\r\n.\r\n"
	f.Add([]byte("EHLO x\r\n"+one+one+"QUIT\r\n"), uint8(0))
	f.Add([]byte("EHLO x\r\n"+one[:60]+"X\n.\r\n"+one), uint8(0))
	f.Add([]byte("HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<\"a b\"@gov.test>\r\nDATA\r\n.\r\nRSET\r\n"), uint8(0))
	f.Add([]byte("XCLIENT ADDR=192.0.2.1 HELO=x\r\n"+one), uint8(1))
	f.Add([]byte("PROXY TCP4 192.0.2.9 192.0.2.1 4711 25\r\n"), uint8(2))
	f.Add([]byte("EHLO x\r\nBDAT 5 LAST\r\n"+one), uint8(0))
	f.Add([]byte("EHLO x\r\nSTARTTLS\r\n"+one), uint8(0))
	f.Add([]byte("EHLO x\r\nMAIL FROM:<ữ@b.test> SMTPUTF8 SIZE=5 BODY=8BITMIME\r\n"), uint8(0))
	f.Fuzz(func(t *testing.T, in []byte, mode uint8) {
		cfg := Listener{}
		switch mode % 3 {
		case 1:
			cfg.XCLIENT = prefixes("127.0.0.0/8")
		case 2:
			cfg.PROXY = prefixes("127.0.0.0/8")
		}
		if mode%3 != 2 {
			in = append([]byte("EHLO x\r\n"), in...)
		}
		out, handled := drive(t, in, cfg)
		if ends := countEnds(in); handled > ends {
			t.Fatalf("%d messages of %d ends: %q", handled, ends, in)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
			if out != "" && (len(line) < 4 || len(line) > 510 || strings.ContainsFunc(line, notPrintable)) {
				t.Fatalf("said %q after %q", line, in)
			}
		}
	})
}

// countEnds counts every place where CRLF.CRLF stands.
func countEnds(in []byte) (n int64) {
	for i := range in {
		if bytes.HasPrefix(in[i:], []byte("\r\n.\r\n")) {
			n++
		}
	}
	return n
}

// FuzzCommand gives one command line to every state a session can be in.
func FuzzCommand(f *testing.F) {
	for _, line := range []string{
		"EHLO x", "HELO x", "MAIL FROM:<a@b.test> SIZE=1 BODY=7BIT", "RCPT TO:<a@b.test>", "RSET", "NOOP", "QUIT", "VRFY a", "EXPN a", "HELP",
		"XCLIENT ADDR=192.0.2.1", "AUTH PLAIN", "BDAT 1 LAST", "GET / HTTP/1.1", "MAIL FROM:<\"a>b\"@c.test> SMTPUTF8", "", " ", "\xff",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n\x00") || len(line) > 2000 {
			return
		}
		srv := New(Options{Hostname: "gw.gov.test", Handler: &counter{}, NewID: func() string { return "id" }})
		_, theirs := net.Pipe()
		on := &listening{cfg: Listener{XCLIENT: prefixes("127.0.0.0/8")}}
		s := newSession(srv, theirs, on, addrPort(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}), false)
		for state := range 3 {
			s.resetAll()
			if state > 0 {
				s.hello("x", true)
			}
			if state > 1 {
				s.tx = &transaction{env: msg.Envelope{From: msg.Path{Raw: "a@b", Local: "a", Domain: "b"}}}
			}
			if word, _, _ := strings.Cut(line, " "); strings.EqualFold(word, "DATA") {
				continue // it reads on
			}
			a := s.dispatch(context.Background(), line)
			if wire := string(appendReply(nil, a.Reply)); !wireReply.MatchString(wire) {
				t.Fatalf("%q in state %d: %q", line, state, wire)
			}
			if s.tx != nil {
				checkPath(t, s.tx.env.From, s.tx.env.From.Raw, s.tx.env.SMTPUTF8)
			}
			if s.who.Helo != "" && !validHelo(s.who.Helo) {
				t.Fatalf("HELO %q", s.who.Helo)
			}
		}
	})
}
