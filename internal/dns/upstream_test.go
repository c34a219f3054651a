package dns

import (
	"fmt"
	"net"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// The AD bit is believed from this host, or where the settings say so; nowhere else.
func TestSecureIsWhatATrustedServerSays(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:53": true, "[::1]:53": true, "[::ffff:127.0.0.53]:53": true, "192.0.2.53:53": false} {
		if got := newUpstreams([]string{addr}, false)[0].trusted; got != want {
			t.Errorf("%s: trusted %v", addr, got)
		}
		if !newUpstreams([]string{addr}, true)[0].trusted {
			t.Errorf("%s: not trusted although the settings say so", addr)
		}
	}
	for _, bit := range []bool{false, true} {
		for _, trusted := range []bool{false, true} {
			asked := make(chan bool, 8)
			s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
				asked <- q.AuthenticatedData
				m := records(t, q, `a.test. 60 IN TXT "x"`)
				m.AuthenticatedData = bit
				return m
			})
			r := resolver(t, Options{Servers: []string{s.addr}})
			r.servers[0].trusted = trusted
			for range 2 { // from the wire, and from memory
				a, err := r.resolve(t.Context(), question{"a.test.", mdns.TypeTXT})
				if err != nil || a.secure != (bit && trusted) {
					t.Errorf("bit %v, trusted %v: secure %v, %v", bit, trusted, a.secure, err)
				}
			}
			if !<-asked {
				t.Error("the question does not ask for the AD bit")
			}
		}
	}
}

// An absence can be secure as well: DANE must tell "there is no TLSA record" from
// "somebody says so" (RFC 6698 section 4.1).
func TestSecureAbsence(t *testing.T) {
	s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
		m := rcode(q, mdns.RcodeNameError)
		m.AuthenticatedData = true
		return m
	})
	a, err := resolver(t, Options{Servers: []string{s.addr}}).resolve(t.Context(), question{"a.test.", mdns.TypeTXT})
	if kind(t, err) != "no such name" || !a.secure {
		t.Errorf("%v, secure %v", err, a.secure)
	}
}

// A server that is down costs its time-out once, not for every question.
func TestTheServerThatAnsweredIsAskedFirst(t *testing.T) {
	silent := serve(t, func(*mdns.Msg, bool) *mdns.Msg { return nil })
	good := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg { return records(t, q) })
	r := resolver(t, Options{Servers: []string{silent.addr, good.addr}, Timeout: 200 * time.Millisecond})
	for i := range 20 {
		_, err := lookupTXT(t, r, fmt.Sprintf("n%d.test", i))
		if k := kind(t, err); k != "none" {
			t.Fatal(k)
		}
	}
	if n := silent.udp.Load(); n != 1 {
		t.Errorf("the silent server was asked %d times, want once", n)
	}
}

// Sockets are used again, by one question at a time, and are given up after a while.
func TestSocketsAreUsedAgain(t *testing.T) {
	udp, _ := listen(t)
	ports := make(chan int, 1000)
	go func() {
		buf := make([]byte, 1500)
		for {
			n, peer, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(mdns.Msg)
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			ports <- peer.(*net.UDPAddr).Port
			wire, _ := records(t, q).Pack()
			_, _ = udp.WriteTo(wire, peer)
		}
	}()
	r := resolver(t, Options{Servers: []string{udp.LocalAddr().String()}})
	uses := map[int]int{}
	const asked = 4 * maxUses
	for i := range asked {
		_, err := lookupTXT(t, r, fmt.Sprintf("n%d.test", i))
		if k := kind(t, err); k != "none" {
			t.Fatal(k)
		}
		uses[<-ports]++
	}
	if len(uses) > asked/maxUses+4 {
		t.Errorf("%d sockets for %d questions", len(uses), asked)
	}
	if len(uses) < 2 {
		t.Errorf("one socket for all %d questions: its port can be guessed", asked)
	}
}

// A reply that nobody needs is not worth its memory.
func TestReplyOverTCPIsBounded(t *testing.T) {
	for n, want := range map[int]string{100: "ok", 140: "temporary"} {
		s := serve(t, func(q *mdns.Msg, tcp bool) *mdns.Msg {
			m := records(t, q)
			if !tcp {
				m.Truncated = true
				return m
			}
			for range n {
				m.Answer = append(m.Answer, &mdns.TXT{Hdr: mdns.RR_Header{Name: "a.test.", Rrtype: mdns.TypeTXT, Class: mdns.ClassINET, Ttl: 60}, Txt: []string{fmt.Sprintf("%0240d", 0)}})
			}
			m.Compress = true
			return m
		})
		_, err := lookupTXT(t, resolver(t, Options{Servers: []string{s.addr}}), "a.test")
		if k := kind(t, err); k != want {
			t.Errorf("%d records: %s (%v), want %s", n, k, err, want)
		}
	}
}

// BenchmarkQuestion is one question to a server on this host, not from memory.
func BenchmarkQuestion(b *testing.B) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer udp.Close()
	go func() {
		buf := make([]byte, 1500)
		for {
			n, peer, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			buf[2] |= 0x80 // a reply with nothing in it
			buf[3] |= 0x80
			_, _ = udp.WriteTo(buf[:n], peer)
		}
	}()
	r, err := New(Options{Servers: []string{udp.LocalAddr().String()}, CacheSize: -1})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, _ = r.LookupTXT(b.Context(), "a.test")
	}
}
