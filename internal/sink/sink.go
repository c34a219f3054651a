// Package sink is a small SMTP server that keeps what it is given: the stand-in for
// the next hop in the demonstration and in tests. By a script it also misbehaves:
// refuses, stalls, drops the connection or offers less than it should.
//
// It is lenient on purpose and knows no limits: never put it on a network.
package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// Delivery is one message as it arrived.
type Delivery struct {
	Helo string
	TLS  bool
	From string   // between the angle brackets
	Args string   // the parameters of MAIL
	To   []string // between the angle brackets, of the accepted RCPTs
	Data []byte   // after dot-unstuffing, octet for octet

	Unsure bool // its acknowledgement is late by the script, or never comes
}

// Options are the sink's settings. The zero Options is a willing server without TLS.
type Options struct {
	OnDelivery func(Delivery) // called before the final reply is sent
	Forget     bool           // Deliveries are not kept: OnDelivery has them
	Script     *Script
	TLS        *tls.Config // offers STARTTLS when set
	Hostname   string      // default sink.test
}

// Sink is a server; use New.
type Sink struct {
	opt Options

	mu         sync.Mutex
	deliveries []Delivery
	sessions   int
	conns      map[net.Conn]bool
}

// New returns a Sink that is not yet serving.
func New(o Options) *Sink {
	if o.Hostname == "" {
		o.Hostname = "sink.test"
	}
	return &Sink{opt: o, conns: map[net.Conn]bool{}}
}

// Serve accepts sessions until the context ends or the listener closes; both end all
// sessions. It returns nil then.
func (s *Sink) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer s.hangUp()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		s.track(conn, true)
		wg.Go(func() {
			defer s.track(conn, false)
			newSession(s, conn).run(ctx)
		})
	}
}

// Deliveries returns what has arrived so far.
func (s *Sink) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery(nil), s.deliveries...)
}

// Sessions returns how many connections there have been.
func (s *Sink) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// keep records a delivery before it is acknowledged.
func (s *Sink) keep(d Delivery) {
	s.mu.Lock()
	if !s.opt.Forget {
		s.deliveries = append(s.deliveries, d)
	}
	s.mu.Unlock()
	if s.opt.OnDelivery != nil {
		s.opt.OnDelivery(d)
	}
}

func (s *Sink) track(c net.Conn, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if open {
		s.sessions++
		s.conns[c] = true
		return
	}
	delete(s.conns, c)
	_ = c.Close()
}

func (s *Sink) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}
