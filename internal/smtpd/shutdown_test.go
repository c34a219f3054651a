package smtpd

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/msg"
)

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
