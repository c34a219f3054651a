package smtpd

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/msg"
)

// TestDialogues are commands and the replies they must have, on one connection.
func TestDialogues(t *testing.T) {
	const mail, rcpt = "MAIL FROM:<a@attack.test>", "RCPT TO:<b@gov.test>"
	for name, lines := range map[string][][2]string{
		"order": {
			{mail, "503 5.5.1"},
			{"EHLO", "501 5.5.4"},
			{"EHLO a b", "501 5.5.4"},
			{"EHLO a<b>", "501 5.5.4"},
			{"EHLO tên.test", "501 5.5.4"},
			{"ehlo [192.0.2.1]", "250-gw.gov.test\r\n250-PIPELINING\r\n250-SIZE 26214400\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"},
			{rcpt, "503 5.5.1"},
			{"DATA", "503 5.5.1"},
			{mail, "250 2.1.0"},
			{mail, "503 5.5.1"},
			{"DATA", "503 5.5.1"},
		},
		"reset": {
			{"HELO old_printer", "250 gw.gov.test\r\n"},
			{mail, "250"},
			{rcpt, "250"},
			{"RSET x", "501 5.5.4"},
			{"RSET", "250 2.0.0"},
			{rcpt, "503"},
			{mail, "250"},
			{"EHLO again", "250-"},
			{rcpt, "503"},
		},
		"all recipients refused": {
			{"EHLO a", "250"},
			{mail, "250"},
			{"RCPT TO:<a%b@gov.test>", "550"},
			{"DATA", "554 5.5.1"},
			{rcpt, "250"},
			{"DATA x", "501"},
			{"DATA", "354"},
		},
		"small verbs": {
			{"NOOP anything", "250 2.0.0"},
			{"VRFY postmaster", "252 2.1.5"},
			{"EXPN list", "502 5.5.1"},
			{"HELP", "214 2.0.0"},
			{"AUTH PLAIN AGEAYg==", "502 5.5.1"},
			{"STARTTLS", "502 5.5.1"},
			{"XCLIENT NAME=x", "502 5.5.1"},
			{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2", "500 5.5.1"},
			{"QUIT now", "501"},
			{"quit", "221 2.0.0"},
		},
		"unknown": {
			{"", "500 5.5.1"},
			{" MAIL", "500 5.5.1"},
			{"MAILFROM:<a@b>", "500"},
			{"XFORWARD NAME=x", "500"},
			{"NOOP\ta", "501 5.5.2"},
			{"NOOP \x1b]0;x\x07", "501 5.5.2"},
			{"NOOP \x7f", "501 5.5.2"},
		},
		"MAIL parameters": {
			{"EHLO a", "250"},
			{mail + " FOO=bar", "555 5.5.4"},
			{mail + " AUTH=<>", "555 5.5.4"},
			{mail + " SIZE=", "501 5.5.4"},
			{mail + " SIZE=-1", "501 5.5.4"},
			{mail + " SIZE=1 SIZE=1", "501 5.5.4"},
			{mail + " BODY=BINARYMIME", "501 5.5.4"},
			{mail + " SMTPUTF8=1", "501 5.5.4"},
			{"MAIL <a@attack.test>", "501 5.5.2"},
		},
		"MAIL addresses": {
			{"EHLO a", "250"},
			{"MAIL FROM:<thư@attack.test>", "553 5.6.7"},
			{"MAIL FROM:<a@>", "501 5.1.7"},
			{"MAIL FROM:<postmaster>", "501 5.1.7"},
			{"MAIL FROM:<@x.test:a@b.test>", "550 5.7.1"},
			{"MAIL FROM:<a@\xff.test> SMTPUTF8", "501 5.1.7"},
			{"MAIL FROM: <a@[192.0.2.1]>  ", "250"},
		},
		"HELO has no parameters": {
			{"HELO a", "250"},
			{mail + " SIZE=1", "555 5.5.4"},
			{mail, "250"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t).dial()
			for _, l := range lines {
				c.cmd(l[0], l[1])
			}
		})
	}
}

func TestCommandsEndInCRLFOnly(t *testing.T) {
	for _, bad := range []string{
		"NOOP\n", "\n", "NOOP\rNOOP\r\n", "NO\x00OP\r\n", "NOOP\r\r\n", "NOOP\r\nNOOP\n",
		"NOOP\r ", "NO\x00", // refused before the line ends
	} {
		r := start(t)
		c := r.dial()
		c.send(bad + "EHLO after.test\r\n")
		if strings.HasPrefix(bad, "NOOP\r\n") {
			c.want("250")
		}
		c.want("550 5.5.2")
		c.closed()
		if r.events.count("bare_line_ending") != 1 {
			t.Errorf("%q was not counted", bad)
		}
	}
}

func TestPartialLinesAreNeverRun(t *testing.T) {
	ran := atomic.Bool{}
	see := func(o *Options, _ *Listener) {
		o.CheckMail = func(context.Context, *msg.Session, msg.Path) msg.Reply { ran.Store(true); return msg.Reply{} }
		o.Limits.CommandWait = 100 * time.Millisecond
	}
	for _, line := range []string{"MAIL FROM:<victim@bank.test>", "MAIL FROM:<victim@bank.test>\r"} {
		c := start(t, see).hello()
		c.send(line)
		c.halfClose()
		c.closed()

		c = start(t, see).hello()
		c.send(line)
		c.want("421 4.4.2")
		c.closed()
	}
	if ran.Load() {
		t.Error("an unfinished MAIL was run")
	}
}

func TestTrickledCommandHasOneDeadline(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.CommandWait = 150 * time.Millisecond }))
	c := r.dial()
	go func() {
		for range 3000 {
			if _, err := c.conn.Write([]byte("N")); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	begin := time.Now()
	c.want("421 4.4.2")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("trickling bought %v", took)
	}
}

func TestCountsEndTheSession(t *testing.T) {
	for name, one := range map[string]struct {
		line, reply string
		n           int
	}{
		"errors":            {"FOO", "500", 10},
		"refused sequence":  {"DATA", "503", 10},
		"idle commands":     {"NOOP", "250", 100},
		"idle resets":       {"RSET", "250", 100},
		"refused recipient": {"RCPT TO:<a%b@gov.test>", "550", 20},
		"refused mail":      {"MAIL FROM:<x@y.test> SIZE=99999999999", "552", 99}, // EHLO was one
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			c := r.dial()
			if one.reply != "250" && name != "errors" {
				c.cmd("EHLO x", "250")
			}
			if name == "refused recipient" {
				c.cmd("MAIL FROM:<a@attack.test>", "250")
			}
			for range one.n {
				c.cmd(one.line, one.reply)
			}
			c.want("421 4.7.0")
			c.closed()
			if r.events.count("limit") != 1 {
				t.Error("limit was not counted")
			}
		})
	}
}

func TestMessagesEarnNewIdleCommands(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.IdleCommands = 5 }))
	c := r.dial()
	for range 10 {
		c.cmd("EHLO x", "250")
		c.cmd("RSET", "250")
		c.begin()
		c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	}
}

func TestSessionLength(t *testing.T) {
	short := limits(func(l *Limits) { l.Session = 150 * time.Millisecond })
	c := start(t, short).dial()
	c.want("421 4.7.0")
	c.closed()

	r := start(t, short)
	c = r.ready() // and in DATA
	c.send("Subject: x\r\n")
	c.want("421 4.7.0")
	c.closed()
	r.inbox.none(t)
}

func TestCrowdedServerWaitsLess(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.Connections, l.CommandWait = 10, 9*time.Second }))
	var all []*client
	for range 9 {
		all = append(all, r.dial())
	}
	begin := time.Now()
	all[8].want("421 4.4.2")
	if took := time.Since(begin); took > 7*time.Second {
		t.Errorf("waited %v", took)
	}
}

// TestPipelining counts the server's writes for a batch of commands.
func TestPipelining(t *testing.T) {
	r, cfg := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	var writes atomic.Int64
	go func() { r.served <- r.srv.Serve(context.Background(), countingListener{l, &writes}, cfg) }()
	defer func() { _ = r.srv.Shutdown(context.Background()) }()
	c := r.hello()
	before := writes.Load()
	c.send("MAIL FROM:<a@attack.test>\r\nRCPT TO:<b@gov.test>\r\nRCPT TO:<c@gov.test>\r\nDATA\r\n")
	for _, want := range []string{"250 2.1.0", "250 2.1.5", "250 2.1.5", "354"} {
		c.want(want)
	}
	c.send("Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<d@attack.test>\r\nRSET\r\nNOOP\r\nQUIT\r\n")
	for _, want := range []string{"250 2.0.0", "250 2.1.0", "250", "250", "221"} {
		c.want(want)
	}
	c.closed()
	_ = c.conn.Close()
	if n := writes.Load() - before; n != 2 {
		t.Errorf("%d writes for two batches", n)
	}
	r.inbox.one(t)
}

type countingListener struct {
	net.Listener
	n *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{c.(*net.TCPConn), l.n}, nil
}

type countingConn struct {
	*net.TCPConn
	n *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.n.Add(1)
	return c.TCPConn.Write(p)
}

// TestEverythingAtOnce: a client that does not wait for 354 gets its replies all
// the same, and its message is read as the message it is.
func TestEverythingAtOnce(t *testing.T) {
	r := start(t)
	c := r.hello()
	one := "MAIL FROM:<a@attack.test>\r\nRCPT TO:<b@gov.test>\r\nDATA\r\nSubject: x\r\n\r\nMAIL FROM:<in@body.test>\r\n.\r\n"
	c.send(strings.Repeat(one, 300))
	for range 300 {
		for _, want := range []string{"250", "250", "354", "250"} {
			c.want(want)
		}
	}
	if n := len(r.inbox.all()); n != 300 {
		t.Errorf("%d messages", n)
	}
}

func TestOutbound(t *testing.T) {
	r := start(t, func(o *Options, _ *Listener) {
		o.Identify = byNetwork("127.0.0.1/32")
	})
	c := r.ready()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	if !r.inbox.one(t).Session.Outbound {
		t.Error("not outbound")
	}
}

func TestLogIsEscaped(t *testing.T) {
	r := start(t)
	c := r.dial()
	c.cmd("FOO \x1b]0;pwn\x07 \xe2\x80\xae", "501")
	c.cmd("QUIT", "221")
	_ = c.conn.Close()
	eventually(t, "the session's line", func() bool { return strings.Contains(r.log.String(), "session ended") })
	if s := r.log.String(); strings.ContainsAny(s, "\x1b\x07\u202e") || !strings.Contains(s, "x1b") {
		t.Errorf("log %q", s)
	}
}

func TestEventsListsAll(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Events() {
		if seen[e] || e == "" {
			t.Errorf("%q twice", e)
		}
		seen[e] = true
	}
	for _, e := range []string{"connect", "refused_connection", "protocol_error", "bare_line_ending", "limit"} {
		if !seen[e] {
			t.Errorf("%q is missing", e)
		}
	}
}
