package dns

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// listen opens UDP and TCP on one port of the loopback.
func listen(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			t.Cleanup(func() { _ = udp.Close(); _ = tcp.Close() })
			return udp, tcp
		}
		_ = tcp.Close()
	}
	t.Fatal("no port free for both UDP and TCP")
	return nil, nil
}

// server answers with a function and counts the questions.
type server struct {
	addr     string
	udp, tcp atomic.Int64
}

func serve(t *testing.T, answer func(q *mdns.Msg, tcp bool) *mdns.Msg) *server {
	t.Helper()
	udp, tcp := listen(t)
	s := &server{addr: udp.LocalAddr().String()}
	handler := mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
		_, overTCP := w.RemoteAddr().(*net.TCPAddr)
		if overTCP {
			s.tcp.Add(1)
		} else {
			s.udp.Add(1)
		}
		if m := answer(q, overTCP); m != nil {
			_ = w.WriteMsg(m)
		}
	})
	for _, one := range []*mdns.Server{{PacketConn: udp, Handler: handler}, {Listener: tcp, Handler: handler}} {
		started := make(chan struct{})
		one.NotifyStartedFunc = func() { close(started) }
		go func() { _ = one.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = one.Shutdown() })
	}
	return s
}

// records makes an answer out of zone-file lines.
func records(t *testing.T, q *mdns.Msg, lines ...string) *mdns.Msg {
	t.Helper()
	m := new(mdns.Msg)
	m.SetReply(q)
	m.RecursionAvailable = true
	for _, l := range lines {
		rr, err := mdns.NewRR(l)
		if err != nil {
			t.Errorf("%s: %v", l, err)
			continue
		}
		if _, soa := rr.(*mdns.SOA); soa {
			m.Ns = append(m.Ns, rr)
		} else {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

func rcode(q *mdns.Msg, code int) *mdns.Msg {
	m := new(mdns.Msg)
	m.SetRcode(q, code)
	m.RecursionAvailable = true
	return m
}

func resolver(t *testing.T, opt Options) *Resolver {
	t.Helper()
	if opt.Timeout == 0 {
		opt.Timeout = 2 * time.Second
	}
	r, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func lookupTXT(t *testing.T, r *Resolver, name string) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return r.LookupTXT(ctx, name)
}
