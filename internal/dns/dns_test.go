package dns

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/lang"

	mdns "github.com/miekg/dns"
)

// kind names what a lookup came to: "ok", "none", "no such name", "time-out" or
// "temporary". Everything must be one of these.
func kind(t *testing.T, err error) string {
	t.Helper()
	var de *net.DNSError
	var nx interface{ NXDomain() bool }
	switch {
	case err == nil:
		return "ok"
	case !errors.As(err, &de):
		t.Fatalf("error is %T, want *net.DNSError: %v", err, err)
	case de.IsNotFound && de.IsTemporary:
		t.Fatalf("error is both not found and temporary: %v", err)
	case de.IsNotFound && errors.As(err, &nx) && nx.NXDomain():
		return "no such name"
	case de.IsNotFound:
		return "none"
	case de.IsTimeout && de.IsTemporary:
		return "time-out"
	case de.IsTemporary:
		return "temporary"
	}
	t.Fatalf("error says neither not found nor temporary: %#v", err)
	return ""
}

func TestNewServers(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"192.0.2.53", "192.0.2.53:53"},
		{"192.0.2.53:5353", "192.0.2.53:5353"},
		{"2001:db8::53", "[2001:db8::53]:53"},
		{"[2001:db8::53]", "[2001:db8::53]:53"},
		{"[2001:db8::53]:5353", "[2001:db8::53]:5353"},
		{"fe80::1%eth0", "[fe80::1%eth0]:53"},
		{"ns.example.test", ""},
		{"192.0.2.53:0", ""},
		{"192.0.2.53:dns", ""},
		{"", ""},
		{"[]", ""},
	} {
		r, err := New(Options{Servers: []string{c.in}})
		if c.want == "" {
			var se *ServerError
			if !errors.As(err, &se) || !strings.Contains(se.Text().In(lang.VI), "máy chủ DNS") || !strings.Contains(err.Error(), "192.0.2.53") {
				t.Errorf("New(%q): error %v, want a ServerError that says what to write", c.in, err)
			}
			continue
		}
		if err != nil || r.servers[0].addr != c.want {
			t.Errorf("New(%q): %v, %v, want %s", c.in, r, err, c.want)
		}
	}
}

func TestSystemServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("# home\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := systemServers(file); !slices.Equal(got, []string{"192.0.2.1:53", "[2001:db8::1]:53"}) {
		t.Error(got)
	}
	if got := systemServers(filepath.Join(t.TempDir(), "absent")); !slices.Equal(got, []string{"127.0.0.1:53"}) {
		t.Error(got)
	}
	if r, err := New(Options{}); err != nil || len(r.servers) == 0 {
		t.Errorf("New without servers: %v", err)
	}
}

// Every way in which a server can fail to answer is temporary, never "none".
func TestCouldNotLookIsTemporary(t *testing.T) {
	cases := map[string]struct {
		answer func(q *mdns.Msg, tcp bool) *mdns.Msg
		want   string
	}{
		"servfail":   {func(q *mdns.Msg, _ bool) *mdns.Msg { return rcode(q, mdns.RcodeServerFailure) }, "temporary"},
		"refused":    {func(q *mdns.Msg, _ bool) *mdns.Msg { return rcode(q, mdns.RcodeRefused) }, "temporary"},
		"notimp":     {func(q *mdns.Msg, _ bool) *mdns.Msg { return rcode(q, mdns.RcodeNotImplemented) }, "temporary"},
		"formerr":    {func(q *mdns.Msg, _ bool) *mdns.Msg { return rcode(q, mdns.RcodeFormatError) }, "temporary"},
		"silence":    {func(*mdns.Msg, bool) *mdns.Msg { return nil }, "time-out"},
		"nxdomain":   {func(q *mdns.Msg, _ bool) *mdns.Msg { return rcode(q, mdns.RcodeNameError) }, "no such name"},
		"empty":      {func(q *mdns.Msg, _ bool) *mdns.Msg { return records(t, q) }, "none"},
		"other type": {func(q *mdns.Msg, _ bool) *mdns.Msg { return records(t, q, "a.test. 60 IN A 192.0.2.1") }, "none"},
		"other name": {func(q *mdns.Msg, _ bool) *mdns.Msg { return records(t, q, `b.test. 60 IN TXT "x"`) }, "none"},
		"lame": {func(q *mdns.Msg, _ bool) *mdns.Msg {
			m := records(t, q)
			m.RecursionAvailable = false
			return m
		}, "temporary"},
		"truncated over TCP too": {func(q *mdns.Msg, _ bool) *mdns.Msg {
			m := records(t, q)
			m.Truncated = true
			return m
		}, "temporary"},
		"alias loop": {func(q *mdns.Msg, _ bool) *mdns.Msg {
			return records(t, q, "a.test. 60 IN CNAME b.test.", "b.test. 60 IN CNAME a.test.")
		}, "temporary"},
		"alias to nothing": {func(q *mdns.Msg, _ bool) *mdns.Msg {
			m := records(t, q, "a.test. 60 IN CNAME b.test.")
			m.Rcode = mdns.RcodeNameError
			return m
		}, "no such name"},
		"other id": {func(q *mdns.Msg, _ bool) *mdns.Msg {
			m := records(t, q, `a.test. 60 IN TXT "forged"`)
			m.Id++
			return m
		}, "time-out"},
		"other question": {func(q *mdns.Msg, _ bool) *mdns.Msg {
			m := records(t, q, `a.test. 60 IN TXT "forged"`)
			m.Question[0].Name = "b.test."
			return m
		}, "time-out"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.answer)
			r := resolver(t, Options{Servers: []string{s.addr}, Timeout: 100 * time.Millisecond})
			got, err := lookupTXT(t, r, "a.test")
			if k := kind(t, err); k != c.want || got != nil {
				t.Errorf("got %q, %v (%s), want %s", got, err, k, c.want)
			}
		})
	}
}

func TestNobodyListening(t *testing.T) {
	udp, tcp := listen(t)
	addr := udp.LocalAddr().String()
	_, _ = udp.Close(), tcp.Close()
	r := resolver(t, Options{Servers: []string{addr}, Timeout: 200 * time.Millisecond})
	_, err := lookupTXT(t, r, "a.test")
	if k := kind(t, err); k != "temporary" && k != "time-out" {
		t.Errorf("%v is %s", err, k)
	}
}

// A server that fails is a reason to ask the next one.
func TestNextServer(t *testing.T) {
	broken := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg { return rcode(q, mdns.RcodeServerFailure) })
	silent := serve(t, func(*mdns.Msg, bool) *mdns.Msg { return nil })
	good := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg { return records(t, q, `a.test. 60 IN TXT "yes"`) })
	r := resolver(t, Options{Servers: []string{broken.addr, silent.addr, good.addr}, Timeout: 100 * time.Millisecond})
	got, err := lookupTXT(t, r, "a.test")
	if err != nil || !slices.Equal(got, []string{"yes"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// A server that fails once is asked again.
func TestSecondRound(t *testing.T) {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
		select {
		case <-first:
			return rcode(q, mdns.RcodeServerFailure)
		default:
			return records(t, q, `a.test. 60 IN TXT "yes"`)
		}
	})
	got, err := lookupTXT(t, resolver(t, Options{Servers: []string{s.addr}}), "a.test")
	if err != nil || len(got) != 1 || s.udp.Load() != 2 {
		t.Errorf("%q, %v after %d questions", got, err, s.udp.Load())
	}
}

func TestWithoutEDNS(t *testing.T) {
	s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
		if q.IsEdns0() != nil {
			return rcode(q, mdns.RcodeFormatError)
		}
		return records(t, q, `a.test. 60 IN TXT "old"`)
	})
	got, err := lookupTXT(t, resolver(t, Options{Servers: []string{s.addr}}), "a.test")
	if err != nil || !slices.Equal(got, []string{"old"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// Forgeries that arrive before the answer are left lying.
func TestStraysBeforeTheAnswer(t *testing.T) {
	udp, _ := listen(t)
	go func() {
		buf := make([]byte, 1500)
		n, peer, err := udp.ReadFrom(buf)
		if err != nil {
			return
		}
		q := new(mdns.Msg)
		if q.Unpack(buf[:n]) != nil {
			return
		}
		send := func(change func(*mdns.Msg)) {
			m := records(t, q, `a.test. 60 IN TXT "forged"`)
			change(m)
			wire, _ := m.Pack()
			_, _ = udp.WriteTo(wire, peer)
		}
		_, _ = udp.WriteTo([]byte("not DNS"), peer)
		_, _ = udp.WriteTo(nil, peer)
		send(func(m *mdns.Msg) { m.Id ^= 1 })
		send(func(m *mdns.Msg) { m.Response = false })
		send(func(m *mdns.Msg) { m.Question[0].Name = "b.test." })
		send(func(m *mdns.Msg) { m.Question[0].Qtype = mdns.TypeA })
		send(func(m *mdns.Msg) { m.Question = nil })
		send(func(m *mdns.Msg) { m.Answer = records(t, q, `a.test. 60 IN TXT "true"`).Answer })
	}()
	r := resolver(t, Options{Servers: []string{udp.LocalAddr().String()}})
	got, err := lookupTXT(t, r, "A.TEST.")
	if err != nil || !slices.Equal(got, []string{"true"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestIDsDiffer(t *testing.T) {
	ids := make(chan uint16, 64)
	s := serve(t, func(q *mdns.Msg, _ bool) *mdns.Msg {
		ids <- q.Id
		return records(t, q)
	})
	r := resolver(t, Options{Servers: []string{s.addr}})
	for range 32 {
		_, _ = lookupTXT(t, r, "a.test")
	}
	seen := make(map[uint16]bool)
	for range 32 {
		seen[<-ids] = true
	}
	if len(seen) < 28 {
		t.Errorf("only %d different ids in 32 questions", len(seen))
	}
}

func TestCallerGivesUp(t *testing.T) {
	s := serve(t, func(*mdns.Msg, bool) *mdns.Msg { return nil })
	r := resolver(t, Options{Servers: []string{s.addr}, Timeout: 30 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := r.LookupMX(ctx, "a.test")
	if k := kind(t, err); k != "time-out" || time.Since(begin) > 10*time.Second {
		t.Errorf("%v (%s) after %v", err, k, time.Since(begin))
	}
}
