package relay

import (
	"bufio"
	"context"
	"net"
	"testing"
	"time"
)

// pooled is a connection as the pool gets it back, and the other end of it.
func pooled(t *testing.T, addr string) (*conn, *bufio.Reader) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	_ = theirs.SetReadDeadline(time.Now().Add(30 * time.Second))
	return &conn{hop: hop{addr: addr}, net: ours}, bufio.NewReader(theirs)
}

// endsWell waits for QUIT and the end.
func endsWell(t *testing.T, other *bufio.Reader) {
	t.Helper()
	if line, err := other.ReadString('\n'); err != nil || line != "QUIT\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := other.ReadByte(); err == nil {
		t.Error("not closed")
	}
}

// An idle connection says goodbye when its time is over, and nothing of it stays.
func TestIdleConnectionsEnd(t *testing.T) {
	p := newPool(8, 8, 20*time.Millisecond)
	for range 3 {
		c, other := pooled(t, "h:25")
		p.give(c)
		endsWell(t, other)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) != 0 {
		t.Errorf("%d next hops are remembered for nothing", len(p.idle))
	}
}

func TestMoreThanEnoughIdleConnectionsEnd(t *testing.T) {
	p := newPool(1, 8, time.Minute)
	a, _ := pooled(t, "h:25")
	b, other := pooled(t, "h:25")
	p.give(a)
	go p.give(b)
	endsWell(t, other)
	if p.take(a.hop) != a || p.take(a.hop) != nil {
		t.Error("the pool has not the one that it kept")
	}
	if p.take(hop{addr: "h:25", need: need{mode: TLSRequire}}) != nil {
		t.Error("a connection without TLS for one who needs it")
	}
}

func TestSeatsAreLimited(t *testing.T) {
	p := newPool(8, 2, time.Minute)
	for range 2 {
		if err := p.enter(t.Context(), "h:25"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := p.enter(ctx, "h:25"); err == nil {
		t.Error("a third at a table for two")
	}
	if err := p.enter(t.Context(), "other:25"); err != nil {
		t.Error(err)
	}
	p.leave("h:25")
	if err := p.enter(t.Context(), "h:25"); err != nil {
		t.Error(err)
	}
	for _, addr := range []string{"h:25", "h:25", "other:25"} {
		p.leave(addr)
	}
	if len(p.rooms) != 0 {
		t.Errorf("%d rooms are left", len(p.rooms))
	}
}

func TestPoolEnds(t *testing.T) {
	p := newPool(8, 8, time.Minute)
	a, first := pooled(t, "a:25")
	b, second := pooled(t, "b:25")
	p.give(a)
	go p.close()
	endsWell(t, first)
	go p.give(b) // comes back after the end
	endsWell(t, second)
}
