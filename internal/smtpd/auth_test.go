package smtpd

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

const theSecret = "correct horse battery"

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// gate knows one account.
func gate(_ context.Context, _ netip.Addr, name, password string) (msg.Identity, msg.Reply) {
	if name == "lan" && password == theSecret {
		return msg.Identity{Proof: msg.ByPassword, Account: "lan", Agency: "so-y-te", Senders: []string{"a.test"}}, msg.Reply{}
	}
	return msg.Identity{}, replyAuthFailed
}

func withAuth(t testing.TB) tweak {
	secure := withTLS(t)
	return func(o *Options, l *Listener) {
		secure(o, l)
		o.Authenticate, l.Auth = gate, true
	}
}

// inside connects and is inside TLS.
func (r *rig) inside() *client {
	r.t.Helper()
	c := r.hello()
	c.secure()
	c.cmd("EHLO tls.test", "250")
	return c
}

func TestAuthDialogue(t *testing.T) {
	good := "AUTH PLAIN " + b64("\x00lan\x00"+theSecret)
	for name, steps := range map[string][]string{
		"plain":                {good, "235 2.7.0"},
		"lower case":           {strings.Replace(good, "AUTH PLAIN", "auth plain", 1), "235"},
		"own identity":         {"AUTH PLAIN " + b64("lan\x00lan\x00"+theSecret), "235"},
		"another's identity":   {"AUTH PLAIN " + b64("root\x00lan\x00"+theSecret), "535 5.7.8"},
		"plain in two":         {"AUTH PLAIN", "334 \r\n", b64("\x00lan\x00" + theSecret), "235"},
		"login":                {"AUTH LOGIN", "334 " + b64("Username:"), b64("lan"), "334 " + b64("Password:"), b64(theSecret), "235"},
		"login, name at once":  {"AUTH LOGIN " + b64("lan"), "334 " + b64("Password:"), b64(theSecret), "235"},
		"login, wrong":         {"AUTH LOGIN " + b64("lan"), "334", b64("no"), "535 5.7.8"},
		"login, empty name":    {"AUTH LOGIN =", "334", b64("no"), "535"},
		"cancelled":            {"AUTH LOGIN", "334", "*", "501 5.7.0", good, "235"},
		"cancelled plain":      {"AUTH PLAIN", "334", "*", "501 5.7.0"},
		"bad base64":           {"AUTH PLAIN !!!", "501 5.5.2"},
		"base64 with a tail":   {"AUTH PLAIN " + b64("\x00lan\x00"+theSecret) + "=", "501 5.5.2"},
		"bad base64 later":     {"AUTH LOGIN", "334", "a b", "501 5.5.2", good, "235"},
		"control later":        {"AUTH LOGIN", "334", "a\tb", "501 5.5.2"},
		"not three parts":      {"AUTH PLAIN " + b64("lan"), "501 5.5.2"},
		"empty response":       {"AUTH PLAIN =", "501 5.5.2"},
		"nothing":              {"AUTH", "501 5.5.4"},
		"unknown mechanism":    {"AUTH CRAM-MD5", "504 5.5.4"},
		"two initials":         {good + " x", "501"},
		"twice":                {good, "235", good, "503 5.5.1"},
		"inside a message":     {"MAIL FROM:<a@a.test>", "250", good, "503 5.5.1"},
		"after EHLO again":     {good, "235", "EHLO x", "250", good, "503"},
		"after HELO":           {"HELO x", "250", good, "503 5.5.1"},
		"wrong, then right":    {"AUTH PLAIN " + b64("\x00lan\x00no"), "535", "AUTH PLAIN " + b64("\x00x\x00"+theSecret), "535", good, "235"},
		"submitter":            {good, "235", "MAIL FROM:<a@a.test> AUTH=e+3Dmc2@a.test", "250"},
		"submitter unknown":    {"MAIL FROM:<a@a.test> AUTH=<>", "250"},
		"submitter, bad xtext": {"MAIL FROM:<a@a.test> AUTH=a+3", "501"},
		"submitter twice":      {"MAIL FROM:<a@a.test> AUTH=<> AUTH=<>", "501"},
		"a long response":      {"AUTH PLAIN", "334", b64("\x00lan\x00" + strings.Repeat("x", 9000)), "535"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, withAuth(t))
			c := r.inside()
			for i := 0; i < len(steps); i += 2 {
				c.cmd(steps[i], steps[i+1])
			}
			if log := r.log.String(); strings.Contains(log, b64(theSecret)) || strings.Contains(log, theSecret) || strings.Contains(log, b64("\x00lan\x00"+theSecret)) {
				t.Errorf("the log has the password:\n%s", log)
			}
		})
	}
}

func TestAuthOnlyInsideTLS(t *testing.T) {
	r := start(t, withAuth(t))
	c := r.hello()
	if got := c.cmd("EHLO plain.test", "250"); strings.Contains(got, "AUTH") {
		t.Errorf("offered in clear: %q", got)
	}
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "538 5.7.11")
	c.cmd(b64(theSecret), "500") // some clients go on all the same
	c.cmd("MAIL FROM:<a@a.test> AUTH=<>", "555")
	c.secure()
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "503") // EHLO first
	if got := c.cmd("EHLO tls.test", "250"); !strings.Contains(got, "AUTH PLAIN LOGIN\r\n") {
		t.Errorf("not offered: %q", got)
	}
	if log := r.log.String(); strings.Contains(log, b64(theSecret)) || strings.Contains(log, b64("\x00lan\x00"+theSecret)) {
		t.Errorf("the log has the password:\n%s", log)
	}
}

func TestAuthNotOfferedElsewhere(t *testing.T) {
	r := start(t, withAuth(t), func(_ *Options, l *Listener) { l.Auth = false })
	c := r.inside()
	if got := c.cmd("EHLO x", "250"); strings.Contains(got, "AUTH") {
		t.Errorf("offered: %q", got)
	}
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "502 5.5.1")
}

func TestThirdFailureEndsTheSession(t *testing.T) {
	r := start(t, withAuth(t))
	c := r.inside()
	wrong := "AUTH PLAIN " + b64("\x00lan\x00no")
	c.cmd(wrong, "535")
	c.cmd(wrong, "535")
	c.cmd(wrong, "421 4.7.0")
	c.closed()
	if n := r.events.count(evAuthFailed); n != 3 {
		t.Errorf("%d failures counted", n)
	}
}

func TestAuthLineTooLong(t *testing.T) {
	r := start(t, withAuth(t))
	c := r.inside()
	c.cmd("AUTH PLAIN", "334")
	c.send(strings.Repeat("A", maxAuthLine+1))
	c.want("500 5.5.6")
	c.closed()
}

func TestSilenceInsideAuth(t *testing.T) {
	r := start(t, withAuth(t), limits(func(l *Limits) { l.CommandWait = 300 * time.Millisecond }))
	c := r.inside()
	c.cmd("AUTH LOGIN", "334")
	c.send(b64("lan")) // and no CRLF
	c.want("421 4.4.2")
	c.closed()
}

func TestShutdownInsideAuth(t *testing.T) {
	r := start(t, withAuth(t))
	c := r.inside()
	c.cmd("AUTH LOGIN", "334")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := r.srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	c.want("421 4.3.2")
}

func TestTroubleInsideAuthIsTemporary(t *testing.T) {
	r := start(t, withAuth(t), func(o *Options, _ *Listener) {
		o.Authenticate = func(context.Context, netip.Addr, string, string) (msg.Identity, msg.Reply) { panic("boom") }
	})
	c := r.inside()
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "421 4.3.0")
	c.closed()
	if log := r.log.String(); strings.Contains(log, theSecret) || strings.Contains(log, b64("\x00lan\x00"+theSecret)) {
		t.Errorf("the log has the password:\n%s", log)
	}
}

func TestIdentityOfAuthLastsTheSession(t *testing.T) {
	r := start(t, withAuth(t))
	c := r.inside()
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "235")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	c.cmd("RSET", "250")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	for _, m := range r.inbox.all() {
		if who := m.Session.Identity; !m.Session.Outbound || who.Account != "lan" || who.Agency != "so-y-te" || who.Proof != msg.ByPassword {
			t.Errorf("session %+v", m.Session)
		}
	}
	if !strings.Contains(r.log.String(), "agency=so-y-te account=lan") {
		t.Errorf("the log does not name the account:\n%s", r.log.String())
	}
}

func TestXCLIENTForgetsAuth(t *testing.T) {
	r := start(t, withAuth(t), func(_ *Options, l *Listener) { l.XCLIENT = prefixes("127.0.0.0/8") })
	c := r.inside()
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "235")
	c.cmd("XCLIENT ADDR=192.0.2.9 HELO=x", "220")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	if m := r.inbox.one(t); m.Session.Outbound || m.Session.Identity.Named() {
		t.Errorf("session %+v", m.Session)
	}
}

func TestRequired(t *testing.T) {
	r := start(t, withAuth(t), func(_ *Options, l *Listener) { l.RequireTLS, l.RequireAuth = true, true })
	c := r.hello()
	c.cmd("MAIL FROM:<a@a.test>", "530 5.7.0")
	c.secure()
	c.cmd("EHLO x", "250")
	c.cmd("MAIL FROM:<a@a.test>", "530 5.7.0")
	c.cmd("AUTH PLAIN "+b64("\x00lan\x00"+theSecret), "235")
	c.cmd("MAIL FROM:<a@a.test>", "250")
}

// implicit connects to a listener that begins with TLS.
func (r *rig) implicit(before string, cfg *tls.Config) *client {
	r.t.Helper()
	c := r.dialFrom("")
	if before != "" {
		c.send(before)
	}
	conn := tls.Client(c.conn, cfg)
	if err := conn.Handshake(); err != nil {
		r.t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	c.want("220")
	return c
}

func TestImplicitTLS(t *testing.T) {
	for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
		r := start(t, withAuth(t), func(o *Options, l *Listener) { l.ImplicitTLS, o.GreetDelay = true, delay })
		c := r.implicit("", &tls.Config{InsecureSkipVerify: true})
		if got := c.cmd("EHLO x", "250"); strings.Contains(got, "STARTTLS") || !strings.Contains(got, "AUTH PLAIN LOGIN") {
			t.Errorf("offers %q", got)
		}
		c.cmd("STARTTLS", "503")
		c.begin()
		c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
		if m := r.inbox.one(t); !strings.HasPrefix(m.Session.TLS, "TLS1.3") {
			t.Errorf("session %+v", m.Session)
		}
	}
}

func TestImplicitTLSRefusesClear(t *testing.T) {
	r := start(t, withTLS(t), func(_ *Options, l *Listener) { l.ImplicitTLS = true })
	c := r.dialFrom("")
	c.send("EHLO x\r\nQUIT\r\n")
	if got := c.rest(); strings.Contains(got, "220") || strings.Contains(got, "250") {
		t.Errorf("said %q in clear", got)
	}
}

// A proxy may send its header and the first octets of TLS in one segment.
func TestImplicitTLSBehindAProxy(t *testing.T) {
	r := start(t, withTLS(t), func(_ *Options, l *Listener) {
		l.ImplicitTLS, l.PROXY = true, prefixes("127.0.0.0/8")
	})
	c := r.dialFrom("")
	glued := &gluedConn{Conn: c.conn, first: "PROXY TCP4 192.0.2.9 127.0.0.1 4711 465\r\n"}
	conn := tls.Client(glued, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	c.want("220")
	c.cmd("EHLO x", "250")
	c.begin()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
	if m := r.inbox.one(t); m.Session.Remote.String() != "192.0.2.9:4711" || m.Session.TLS == "" {
		t.Errorf("session %+v", m.Session)
	}
}

// gluedConn writes something before the first octets, in the same write.
type gluedConn struct {
	net.Conn
	first string
}

func (g *gluedConn) Write(p []byte) (int, error) {
	if g.first == "" {
		return g.Conn.Write(p)
	}
	n, err := g.Conn.Write(append([]byte(g.first), p...))
	n -= len(g.first)
	g.first = ""
	return max(n, 0), err
}

func TestClientCertificate(t *testing.T) {
	theirs := testTLS(t).Certificates
	leaf, err := x509.ParseCertificate(theirs[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	identify := func(_ netip.Addr, chain []*x509.Certificate) msg.Identity {
		if len(chain) > 0 && chain[0].Equal(leaf) {
			return msg.Identity{Proof: msg.ByCertificate, Agency: "so-y-te"}
		}
		return msg.Identity{}
	}
	for _, implicit := range []bool{false, true} {
		r := start(t, withTLS(t), func(o *Options, l *Listener) {
			o.TLS.ClientAuth, o.Identify, l.ImplicitTLS, l.RequireAuth = tls.RequestClientCert, identify, implicit, true
			l.XCLIENT = prefixes("127.0.0.0/8")
		})
		mine := &tls.Config{InsecureSkipVerify: true, Certificates: theirs}
		var c *client
		if implicit {
			c = r.implicit("", mine)
		} else {
			c = r.hello()
			c.cmd("MAIL FROM:<a@a.test>", "530 5.7.0")
			c.cmd("STARTTLS", "220")
			conn := tls.Client(c.conn, mine)
			c.conn, c.r = conn, bufio.NewReader(conn)
		}
		c.cmd("EHLO x", "250")
		c.begin()
		c.cmd("Subject: x\r\n\r\nx\r\n.", "250")
		if m := r.inbox.one(t); !m.Session.Outbound || m.Session.Identity.Agency != "so-y-te" {
			t.Errorf("session %+v", m.Session)
		}
		c.cmd("XCLIENT ADDR=192.0.2.1 HELO=x", "220")
		c.cmd("MAIL FROM:<a@a.test>", "530 5.7.0") // the certificate was the front's
	}
}

// FuzzAuth speaks AUTH to a session that is inside TLS. Only the right password may
// open it, and nothing said may break a reply.
func FuzzAuth(f *testing.F) {
	f.Add("PLAIN " + b64("\x00lan\x00"+theSecret))
	f.Add("LOGIN\r\n" + b64("lan") + "\r\n" + b64("no"))
	f.Add("LOGIN " + b64("lan") + "\r\n*")
	f.Add("PLAIN =\r\nMAIL FROM:<a@b.test>")
	f.Add("PLAIN\r\n" + b64("\x00\x00"))
	f.Fuzz(func(t *testing.T, said string) {
		opened := false
		out, _ := drive(t, []byte("EHLO x\r\nAUTH "+said+"\r\n"), Listener{Auth: true}, func(s *session) {
			s.who.TLS = "TLS1.3 of a test"
			s.srv.opt.Authenticate = func(ctx context.Context, a netip.Addr, name, password string) (msg.Identity, msg.Reply) {
				id, r := gate(ctx, a, name, password)
				opened = opened || r == msg.Reply{}
				return id, r
			}
		})
		if strings.Contains(out, "235 2.7.0") != opened {
			t.Fatalf("said %q after %q", out, said)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
			if out != "" && (len(line) < 4 || len(line) > 510 || strings.ContainsFunc(line, notPrintable)) {
				t.Fatalf("said %q after %q", line, said)
			}
		}
	})
}
