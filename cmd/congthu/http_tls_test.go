package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/testca"
)

// secured is the API's listener with a certificate on disk.
type secured struct {
	addr string
	ca   *testca.CA
	cert *renewed
	now  time.Time
}

func writePair(t *testing.T, cert, key string, pair tls.Certificate) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(&b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func secure(t *testing.T, change func(*http.Server)) *secured {
	t.Helper()
	dir := t.TempDir()
	s := &secured{ca: testca.New(t), now: time.Now()}
	log := slog.New(slog.DiscardHandler)
	s.cert = &renewed{cert: filepath.Join(dir, "c"), key: filepath.Join(dir, "k"), log: log, now: func() time.Time { return s.now }}
	writePair(t, s.cert.cert, s.cert.key, s.ca.IssueIP(t, net.IPv4(127, 0, 0, 1)))
	if err := s.cert.load(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	srv := remoteServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }), s.cert.get, log)
	if change != nil {
		change(srv)
	}
	go func() { _ = srv.ServeTLS(&few{Listener: l, by: map[netip.Addr]int{}}, "", "") }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

func (s *secured) dial(t *testing.T, c *tls.Config) (*tls.Conn, error) {
	t.Helper()
	c.RootCAs = s.ca.Pool()
	conn, err := tls.Dial("tcp", s.addr, c)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// TLS 1.2 at least, and HTTP/1.1 whatever the client offers.
func TestRemoteVersions(t *testing.T) {
	s := secure(t, nil)
	if _, err := s.dial(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conn, err := s.dial(t, &tls.Config{MinVersion: v, MaxVersion: v, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil || conn.ConnectionState().NegotiatedProtocol == "h2" {
			t.Fatalf("%x: %v", v, err)
		}
	}
}

// A renewed certificate is shown without a restart; one that cannot be read is not, and
// the old one stays.
func TestCertificateIsReadAgain(t *testing.T) {
	s := secure(t, nil)
	serial := func() string {
		conn, err := s.dial(t, &tls.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	renew := func(do func()) {
		do()
		s.now = s.now.Add(certificateLook)
		for _, name := range []string{s.cert.cert, s.cert.key} {
			if err := os.Chtimes(name, s.now, s.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	renew(func() {
		if err := os.WriteFile(s.cert.cert, []byte("half a certif"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if got := serial(); got != first {
		t.Errorf("a broken certificate: %s", got)
	}
	renew(func() { writePair(t, s.cert.cert, s.cert.key, s.ca.IssueIP(t, net.IPv4(127, 0, 0, 1))) })
	if got := serial(); got == first {
		t.Error("the old certificate is still shown")
	}
}

// Who opens many connections is closed out, and others are not; who closes makes room.
func TestRemoteConnectionsAreFew(t *testing.T) {
	f := &few{by: map[netip.Addr]int{}}
	one := netip.MustParseAddr("192.0.2.1")
	for i := range remotePerSource {
		if !f.enter(one) {
			t.Fatalf("the %d. is refused", i)
		}
	}
	if f.enter(one) {
		t.Error("one too many of an address")
	}
	f.leave(one)
	if !f.enter(one) {
		t.Error("no room was made")
	}
	n := remotePerSource
	for a := netip.MustParseAddr("198.51.100.1"); f.enter(a); a = a.Next() {
		n++
	}
	if n != remoteConnections {
		t.Errorf("%d of all", n)
	}
	for len(f.by) > 0 {
		for a := range f.by {
			f.leave(a)
		}
	}
	if f.all != 0 {
		t.Errorf("%d are left", f.all)
	}
}

func TestRemoteConnectionsAreClosedAtOnce(t *testing.T) {
	s := secure(t, nil)
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range remotePerSource {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	time.Sleep(100 * time.Millisecond) // until they are accepted
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	conns = append(conns, c)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("one too many: %v", err)
	}
}

// Who sends a header octet by octet, or nothing, is gone in time; one too long is refused.
func TestSlowAndLongHeaders(t *testing.T) {
	s := secure(t, func(srv *http.Server) {
		if srv.ReadHeaderTimeout != remoteHeaderTime || srv.ReadTimeout != remoteTime || srv.WriteTimeout != remoteTime || srv.IdleTimeout == 0 || srv.MaxHeaderBytes != remoteHeader {
			t.Errorf("%+v", srv)
		}
		srv.ReadHeaderTimeout, srv.ReadTimeout = 300*time.Millisecond, 300*time.Millisecond
	})
	began := time.Now()
	silent, err := net.Dial("tcp", s.addr) // no handshake
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	conn, err := s.dial(t, &tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, b := range []byte("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaa") {
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	for _, c := range []net.Conn{silent, conn} {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if text, err := io.ReadAll(c); err != nil && strings.Contains(err.Error(), "timeout") || strings.HasPrefix(string(text), "HTTP/1.1 200") {
			t.Errorf("after %v: %q %v", time.Since(began), text, err)
		}
	}
	long, err := s.dial(t, &tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = fmt.Fprintf(long, "GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("a", 64<<10))
	}() // the server may hang up on it
	if r, err := http.ReadResponse(bufio.NewReader(long), nil); err == nil && r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d", r.StatusCode)
	}
}
