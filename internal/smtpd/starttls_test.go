package smtpd

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"
)

// testTLS makes a certificate that lives as long as the test.
func testTLS(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gw.gov.test"}, DNSNames: []string{"gw.gov.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func withTLS(t testing.TB) tweak {
	config := testTLS(t)
	return func(o *Options, _ *Listener) { o.TLS = config }
}

// secure does the client's half of STARTTLS.
func (c *client) secure() {
	c.t.Helper()
	c.cmd("STARTTLS", "220 2.0.0")
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
}

func TestSTARTTLS(t *testing.T) {
	r := start(t, withTLS(t))
	c := r.dial()
	c.cmd("STARTTLS", "503 5.5.1") // EHLO first
	if got := c.cmd("EHLO plain.test", "250"); !strings.Contains(got, "STARTTLS\r\n") {
		t.Errorf("not offered: %q", got)
	}
	c.cmd("MAIL FROM:<plain@attack.test>", "250")
	c.secure()
	c.cmd("RCPT TO:<b@gov.test>", "503") // all is forgotten: MAIL
	c.cmd("MAIL FROM:<a@attack.test>", "503")
	if got := c.cmd("EHLO tls.test", "250"); strings.Contains(got, "STARTTLS") {
		t.Errorf("offered again: %q", got)
	}
	c.cmd("STARTTLS", "503 5.5.1")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	m := r.inbox.one(t)
	if m.Session.Helo != "tls.test" || m.Session.TLS != "TLS1.3 TLS_AES_128_GCM_SHA256" && m.Session.TLS != "TLS1.3 TLS_CHACHA20_POLY1305_SHA256" {
		t.Errorf("session %+v", m.Session)
	}
	c.cmd("QUIT", "221")
	c.closed()
}

func TestG05STARTTLSInjection(t *testing.T) {
	for _, injected := range []string{"MAIL FROM:<i@x.test>\r\n", "\r\n", "x", "\x16\x03\x01"} {
		r := start(t, withTLS(t))
		c := r.hello()
		c.send("STARTTLS\r\n" + injected)
		got := c.rest() // 554, or nothing after 220 when the octets came a moment later
		if !strings.HasPrefix(got, "554 5.5.1") && !strings.HasPrefix(got, "220 ") || strings.Count(got, "\r\n") > 1 && !strings.Contains(got, "\x15\x03") {
			t.Errorf("%q: replies %q", injected, got)
		}
		if n := r.events.count("tls_injection") + r.events.count("tls_handshake_failed"); n != 1 {
			t.Errorf("%q: counted %d times", injected, n)
		}
		if r.events.count("tls") != 0 {
			t.Error("TLS began")
		}
	}
}

func TestG06STARTTLSLookalikes(t *testing.T) {
	c := start(t, withTLS(t)).hello()
	c.cmd("STARTTLSX", "500")
	c.cmd("STARTTLS foo", "501")
	c.cmd("STARTTLS", "220") // still plain, still possible
}

func TestG07FailedHandshake(t *testing.T) {
	r := start(t, withTLS(t))
	c := r.hello()
	c.cmd("STARTTLS", "220")
	c.send(strings.Repeat("NOOP\r\n", 17))
	if got := c.rest(); strings.Contains(got, "250") {
		t.Errorf("went on in clear: %q", got)
	}
	if r.events.count("tls_handshake_failed") != 1 {
		t.Error("not counted")
	}
}

func TestHandshakeThatNeverComes(t *testing.T) {
	r := start(t, withTLS(t), limits(func(l *Limits) { l.CommandWait = 100 * time.Millisecond }))
	c := r.hello()
	c.cmd("STARTTLS", "220")
	c.closed()
}

func TestTimeoutInsideTLS(t *testing.T) {
	r := start(t, withTLS(t), limits(func(l *Limits) { l.CommandWait = 200 * time.Millisecond }))
	c := r.hello()
	c.secure()
	c.want("421 4.4.2")
	c.closed()
}

func TestBareLineFeedInsideTLS(t *testing.T) {
	r := start(t, withTLS(t))
	c := r.hello()
	c.secure()
	c.cmd("EHLO tls.test", "250")
	c.begin()
	c.send("x\ny\r\n" + strings.Repeat("unread\r\n", 1000))
	c.want("550 5.5.2")
	_, _ = io.Copy(io.Discard, c.r)
	r.inbox.none(t)
}
