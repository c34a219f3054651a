package smtpd

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
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
		for range 200 {
			if _, err := c.conn.Write([]byte("N")); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	begin := time.Now()
	c.want("421 4.4.2")
	if took := time.Since(begin); took > time.Second {
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
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("waited %v", took)
	}
}

func TestHooks(t *testing.T) {
	var asked []string
	var mail msg.Reply
	r := start(t, func(o *Options, _ *Listener) {
		o.CheckMail = func(context.Context, *msg.Session, msg.Path) msg.Reply { return mail }
		o.CheckRcpt = func(_ context.Context, who *msg.Session, env msg.Envelope, to msg.Path) msg.Reply {
			asked = append(asked, who.Helo+" "+env.From.Raw+" "+to.Key())
			switch to.Local {
			case "no":
				return msg.Reply{Code: 550, Detail: "1.1", Text: "unknown\r\nhere\x00\u202e"}
			case "mistake":
				return msg.Reply{Code: 250, Text: "means nothing"}
			case "bye":
				return msg.Reply{Code: 421, Detail: "7.0", Text: "go"}
			}
			return msg.Reply{}
		}
	})
	c := r.hello()
	mail = msg.Reply{Code: 452, Detail: "3.1", Text: "Disk is full"}
	c.cmd("MAIL FROM:<a@attack.test>", "452 4.3.1 Disk is full")
	c.cmd("RCPT TO:<b@gov.test>", "503")
	mail = msg.Reply{}
	c.cmd("MAIL FROM:<a@attack.test>", "250")
	if got := c.cmd("RCPT TO:<no@gov.test>", "550"); got != "550-5.1.1 unknown\r\n550 5.1.1 here??\r\n" {
		t.Errorf("reply %q", got)
	}
	c.cmd("RCPT TO:<mistake@gov.test>", "451 4.3.0")
	c.cmd("RCPT TO:<Yes@gov.test>", "250")
	c.cmd("RCPT TO:<bye@gov.test>", "421 4.7.0 go")
	c.closed()
	if got := strings.Join(asked, ", "); !strings.Contains(got, "client.test a@attack.test yes@gov.test") || len(asked) != 4 {
		t.Errorf("asked %q", got)
	}
}

func TestHookPanicIs421(t *testing.T) {
	r := start(t, func(o *Options, _ *Listener) {
		o.CheckMail = func(context.Context, *msg.Session, msg.Path) msg.Reply { panic("boom\n") }
	})
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test>", "421 4.3.0")
	c.closed()
	r.dial() // the server lives
}

func TestHandlerAnswers(t *testing.T) {
	for name, one := range map[string]struct {
		reply msg.Reply
		want  string
	}{
		"zero":         {msg.Reply{}, "451 4.3.0"},
		"continue":     {msg.Reply{Code: 354, Text: "x"}, "451 4.3.0"},
		"greeting":     {msg.Reply{Code: 220, Text: "x"}, "451 4.3.0"},
		"no such code": {msg.Reply{Code: 999, Text: "x"}, "451 4.3.0"},
		"refused":      {msg.Reply{Code: 550, Detail: "7.1", Text: "spam"}, "550 5.7.1 spam\r\n"},
		"bad detail":   {msg.Reply{Code: 550, Detail: "7.1 x\r\n250", Text: "spam"}, "550 5.0.0 spam\r\n"},
		"no detail":    {msg.Reply{Code: 250, Text: "ok"}, "250 2.0.0 ok\r\n"},
		"two lines":    {msg.Reply{Code: 451, Detail: "7.1", Text: "a\nb"}, "451-4.7.1 a\r\n451 4.7.1 b\r\n"},
		"injection":    {msg.Reply{Code: 250, Detail: "0.0", Text: "ok\r\n550 no\tô"}, "250-2.0.0 ok\r\n250 2.0.0 550 no??\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.inbox.reply = func(context.Context, *msg.Message) msg.Reply { return one.reply }
			c := r.ready()
			if got := c.cmd("Subject: x\r\n\r\nx\r\n.", one.want[:3]); !strings.HasPrefix(got, one.want) {
				t.Errorf("reply %q, want %q", got, one.want)
			}
			c.cmd("DATA", "503") // the transaction is over
		})
	}
}

func TestHandler421EndsTheSession(t *testing.T) {
	r := start(t)
	r.inbox.reply = func(context.Context, *msg.Message) msg.Reply { return msg.Reply{Code: 421, Detail: "3.2"} }
	c := r.ready()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "421 4.3.2")
	c.closed()
}

func TestHandlerPanic(t *testing.T) {
	r := start(t)
	r.inbox.reply = func(context.Context, *msg.Message) msg.Reply { panic("secret text") }
	c := r.ready()
	if got := c.cmd("Subject: x\r\n\r\nx\r\n.", "451 4.3.0"); strings.Contains(got, "secret") {
		t.Errorf("reply %q", got)
	}
	if !strings.Contains(r.log.String(), "secret text") || r.events.count("handler_panic") != 1 {
		t.Error("the panic was not logged and counted")
	}
	c.cmd("NOOP", "250")
}

func TestHandlerTooLate(t *testing.T) {
	release := make(chan struct{})
	r := start(t, func(o *Options, _ *Listener) { o.HandleTimeout = 50 * time.Millisecond })
	r.inbox.reply = func(ctx context.Context, _ *msg.Message) msg.Reply {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("the handler has no deadline")
		}
		<-release // deaf to its context
		return msg.Reply{Code: 250, Detail: "0.0", Text: "too late"}
	}
	c := r.ready()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "451 4.3.0")
	if r.srv.memory.used.Load() == 0 {
		t.Error("memory that the handler still holds is not counted")
	}
	close(release)
	c.cmd("NOOP", "250")
	if r.events.count("handler_timeout") != 1 || r.events.count("accepted") != 0 {
		t.Error("not counted as late")
	}
}

func TestMemoryIsShared(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.Memory = 100_000 }))
	c := r.ready()
	c.send(stuff(sized(100_001)) + ".\r\n")
	c.want("452 4.3.1")
	c.begin()
	c.cmd("Subject: small\r\n\r\nx\r\n.", "250")
}

// TestSizeIsNotBelieved: declaring a size must not take memory away from others.
func TestSizeIsNotBelieved(t *testing.T) {
	r := start(t)
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test> SIZE=20000000", "250")
	c.cmd("RCPT TO:<b@gov.test>", "250")
	c.cmd("DATA", "354")
	c.send("Subject: x\r\n\r\n")
	eventually(t, "the first octets", func() bool { return r.srv.memory.used.Load() > 0 })
	if used := r.srv.memory.used.Load(); used > int64(blockSize(r.srv.lim)) {
		t.Errorf("%d octets are taken for a claim", used)
	}
	c.send(".\r\n")
	c.want("250")
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

func TestShutdownTellsTheIdleAtOnce(t *testing.T) {
	r := start(t)
	idle, inMail := r.hello(), r.hello()
	inMail.cmd("MAIL FROM:<a@attack.test>", "250")
	begin := time.Now()
	if err := r.srv.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{idle, inMail} {
		c.want("421 4.3.2")
		c.closed()
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	if err := <-r.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.Dial("tcp", r.addr); err == nil {
		t.Error("still accepting")
	}
	if err := r.srv.Serve(context.Background(), nopListener{}, Listener{}); err == nil {
		t.Error("Serve after Shutdown returned no error")
	}
}

type nopListener struct{ net.Listener }

func (nopListener) Close() error { return nil }

func TestShutdownLetsMessagesFinish(t *testing.T) {
	r := start(t)
	handling, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.inbox.reply = func(ctx context.Context, _ *msg.Message) msg.Reply {
		once.Do(func() { close(handling) })
		<-release
		if ctx.Err() != nil {
			return msg.Reply{}
		}
		return msg.Reply{Code: 250, Detail: "0.0", Text: "safe"}
	}
	inHandle, inData := r.ready(), r.ready()
	inHandle.send("Subject: x\r\n\r\nx\r\n.\r\n")
	<-handling
	done := make(chan error)
	go func() { done <- r.srv.Shutdown(context.Background()) }()
	eventually(t, "the closing", r.srv.closing.Load)
	inData.send("Subject: y\r\n\r\ny\r\n.\r\n")
	close(release)
	for _, c := range []*client{inHandle, inData} {
		c.want("250 2.0.0 safe")
		c.want("421 4.3.2")
		c.closed()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownRunsOutOfPatience(t *testing.T) {
	r := start(t)
	cancelled := make(chan struct{})
	r.inbox.reply = func(ctx context.Context, _ *msg.Message) msg.Reply {
		<-ctx.Done()
		close(cancelled)
		return msg.Reply{}
	}
	c := r.ready()
	stuck := r.ready()
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	stuck.send("Subject: never ends\r\n")
	eventually(t, "the handler", func() bool { return len(r.inbox.all()) == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := r.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	<-cancelled
	if _, err := stuck.r.ReadByte(); err == nil {
		t.Error("a connection survived")
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	r, cfg := newServer(t)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	other, _ := net.Listen("tcp", "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.served <- r.srv.Serve(ctx, l, cfg) }()
	go func() { _ = r.srv.Serve(context.Background(), other, cfg) }()
	r.addr = other.Addr().String()
	stays := r.hello()
	r.addr = l.Addr().String()
	goes := r.hello()
	cancel()
	if err := <-r.served; err != nil {
		t.Error(err)
	}
	goes.want("421 4.3.2")
	stays.cmd("NOOP", "250")
	_ = r.srv.Shutdown(context.Background())
	stays.want("421 4.3.2")
}

// failingListener fails a few times before it works, as when descriptors run out.
type failingListener struct {
	net.Listener
	left atomic.Int64
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptErrorsAreWaitedOut(t *testing.T) {
	r, cfg := newServer(t)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	failing := &failingListener{Listener: l}
	failing.left.Store(3)
	r.addr = l.Addr().String()
	go func() { r.served <- r.srv.Serve(context.Background(), failing, cfg) }()
	r.dial()
	if n := r.events.count("accept_failed"); n != 3 {
		t.Errorf("accept_failed counted %d times", n)
	}
	_ = r.srv.Shutdown(context.Background())
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("sessions", func(t *testing.T) {
		r := start(t)
		for i := range 50 {
			c := r.ready()
			switch i % 3 {
			case 0:
				c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
			case 1:
				c.send("x\ny")
			case 2:
				c.send("Subject")
			}
			_ = c.conn.Close()
		}
	})
	eventually(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before+1 })
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
