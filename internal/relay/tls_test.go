package relay_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/dns/fake"
	"congthu/internal/mtasts"
	"congthu/internal/relay"
	"congthu/internal/sink"
	"congthu/internal/testca"
)

// wire is a listener that keeps every octet that clients have sent, as it was on the wire.
type wire struct {
	net.Listener
	mu    sync.Mutex
	heard [][]byte // by connection
}

type tapped struct {
	net.Conn
	w *wire
	n int
}

func (w *wire) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, nil)
	return &tapped{c, w, len(w.heard) - 1}, nil
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.heard[c.n] = append(c.w.heard[c.n], b[:n]...)
	return n, err
}

// inClear tells whether a word was said that belongs to a letter.
func (w *wire) inClear() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.heard {
		if bytes.Contains(h, []byte("MAIL")) || bytes.Contains(h, []byte("RCPT")) || bytes.Contains(h, []byte("secret")) {
			return true
		}
	}
	return false
}

// secureHop starts a next hop that offers STARTTLS, unless config is nil.
func secureHop(t testing.TB, config *tls.Config, script string) (*sink.Sink, *wire) {
	t.Helper()
	sc, err := sink.ParseScript(script)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s := sink.New(sink.Options{Script: sc, TLS: config})
	go func() { _ = s.Serve(ctx, w) }() // ends with ctx
	return s, w
}

// tlsClient is a client with one rule for all and a log that can be read.
func tlsClient(t *testing.T, o relay.Options, mode relay.TLSMode) (*relay.Client, *logText) {
	log := &logText{}
	o.Hostname, o.Log = "gw.test", slog.New(slog.NewTextHandler(log, nil))
	if o.Rule == nil {
		o.Rule = func(string) relay.Rule { return relay.Rule{TLS: mode} }
	}
	o.ConnectTimeout, o.ReplyTimeout, o.FinalTimeout = 30*time.Second, 30*time.Second, 30*time.Second
	c := relay.New(o)
	t.Cleanup(func() { _ = c.Close() })
	return c, log
}

type logText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

// A route that asks for TLS gets TLS, or the letter waits and not a word of it is said.
func TestNothingInTheClearWhereTLSIsRequired(t *testing.T) {
	ca, stranger := testca.New(t), testca.New(t)
	good := ca.Server(t, "127.0.0.1")
	good.Certificates[0] = ipCertificate(t, ca)
	old := &tls.Config{Certificates: good.Certificates, MaxVersion: tls.VersionTLS11} //nolint:gosec // too old on purpose
	for name, c := range map[string]struct {
		mode   relay.TLSMode
		server *tls.Config
		script string
		want   string // "": delivered
	}{
		"require, any certificate":    {relay.TLSRequire, stranger.Server(t, "other.test"), "", ""},
		"require, not offered":        {relay.TLSRequire, nil, "", "does not offer TLS"},
		"require, stripped":           {relay.TLSRequire, good, "no STARTTLS", "does not offer TLS"},
		"require, refused":            {relay.TLSRequire, good, "starttls 454 4.7.0 not now", "refused TLS"},
		"require, refused for good":   {relay.TLSRequire, good, "starttls 502 5.5.1 never heard of it", "refused TLS"},
		"require, closing":            {relay.TLSRequire, good, "starttls 421 4.3.2 closing", "closing"},
		"require, hung up":            {relay.TLSRequire, good, "starttls drop", "no answer to STARTTLS"},
		"require, TLS 1.1":            {relay.TLSRequire, old, "", "failed"},
		"verify, good":                {relay.TLSVerify, good, "", ""},
		"verify, not offered":         {relay.TLSVerify, nil, "", "does not offer TLS"},
		"verify, another name":        {relay.TLSVerify, ca.Server(t, "other.test"), "", "another name"},
		"verify, unknown authority":   {relay.TLSVerify, &tls.Config{Certificates: []tls.Certificate{ipCertificate(t, stranger)}}, "", "known authority"},
		"verify, refused":             {relay.TLSVerify, good, "starttls 454 4.7.0 not now", "refused TLS"},
		"none is none, though it may": {relay.TLSNone, good, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w := secureHop(t, c.server, c.script)
			client, _ := tlsClient(t, relay.Options{TLS: relay.TLSPolicy{Roots: ca.Pool()}}, c.mode)
			got := client.Deliver(t.Context(), transfer(w.Addr().String(), "Subject: secret\r\n\r\nsecret\r\n", "b@to.test"))[0]
			if c.want == "" {
				if got.Code != 250 || len(s.Deliveries()) != 1 || s.Deliveries()[0].TLS != (c.mode != relay.TLSNone) {
					t.Errorf("%v, %+v", got, s.Deliveries())
				}
				return
			}
			if !fits(got, 4) || !strings.Contains(got.Text, c.want) {
				t.Errorf("%v, want %q in it", got, c.want)
			}
			if w.inClear() || len(s.Deliveries()) != 0 {
				t.Errorf("said in the clear: %q", w.heard)
			}
		})
	}
}

// ipCertificate is for 127.0.0.1, which is the next hop's name where it is an address.
func ipCertificate(t *testing.T, ca *testca.CA) tls.Certificate {
	t.Helper()
	return ca.IssueIP(t, net.IPv4(127, 0, 0, 1))
}

// Opportunistic TLS falls back, but never on the connection on which TLS was begun.
func TestOpportunistic(t *testing.T) {
	ca := testca.New(t)
	old := ca.Server(t, "x.test")
	old.MaxVersion = tls.VersionTLS11
	for name, c := range map[string]struct {
		server   *tls.Config
		script   string
		tls      bool
		sessions int
	}{
		"offered":           {ca.Server(t, "whoever.test"), "", true, 1},
		"not offered":       {nil, "", false, 1},
		"refused":           {ca.Server(t, "x.test"), "starttls 454 4.7.0 not now", false, 1},
		"handshake fails":   {old, "", false, 2},
		"hangs up":          {ca.Server(t, "x.test"), "starttls drop", false, 2},
		"greets with a 421": {ca.Server(t, "x.test"), "connect 421 4.3.2 busy x1", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w := secureHop(t, c.server, c.script)
			client, log := tlsClient(t, relay.Options{}, "")
			got := client.Deliver(t.Context(), transfer(w.Addr().String(), "Subject: x\r\n\r\ny\r\n", "b@to.test"))[0]
			if strings.HasPrefix(c.script, "connect") {
				if got.Code != 421 || len(s.Deliveries()) != 0 {
					t.Errorf("%v", got)
				}
				return
			}
			if got.Code != 250 || len(s.Deliveries()) != 1 || s.Deliveries()[0].TLS != c.tls || s.Sessions() != c.sessions {
				t.Fatalf("%v, %d sessions, %+v", got, s.Sessions(), s.Deliveries())
			}
			if log.has("TLS failed") != (c.sessions == 2) {
				t.Errorf("the log: %s", log.b.String())
			}
			if c.sessions == 2 && bytes.Contains(w.heard[0], []byte("MAIL")) {
				t.Errorf("went on in the clear: %q", w.heard[0])
			}
		})
	}
}

// A connection that ends in the middle of TLS, without the alert that says so, is as
// certain or uncertain as one without TLS.
func TestTheEndOfTLS(t *testing.T) {
	for script, c := range map[string]struct{ code, kept int }{
		"ehlo drop": {4, 0}, "mail drop": {4, 0}, "rcpt drop": {4, 0}, "data drop": {4, 0}, "end drop": {0, 0}, "end keep-drop": {0, 1},
	} {
		s, w := secureHop(t, testca.New(t).Server(t, "x.test"), script)
		client, _ := tlsClient(t, relay.Options{}, relay.TLSRequire)
		got := client.Deliver(t.Context(), transfer(w.Addr().String(), letter, "b@to.test"))[0]
		if !fits(got, c.code) || len(s.Deliveries()) != c.kept || w.inClear() {
			t.Errorf("%s: %v, %d kept", script, got, len(s.Deliveries()))
		}
	}
}

// A connection serves only those who need what it has.
func TestRoutesDoNotShareConnections(t *testing.T) {
	s, w := secureHop(t, testca.New(t).Server(t, "x.test"), "no STARTTLS")
	client, _ := tlsClient(t, relay.Options{Rule: func(domain string) relay.Rule {
		return map[string]relay.Rule{"secret.test": {TLS: relay.TLSRequire}}[domain]
	}}, "")
	addr := w.Addr().String()
	for range 2 {
		got := client.Deliver(t.Context(), transfer(addr, "Subject: x\r\n\r\ny\r\n", "a@open.test", "b@secret.test", "c@open.test"))
		if got[0].Code != 250 || got[1].Code != 451 || got[1].Status() != "4.7.10" || got[2].Code != 250 {
			t.Errorf("%v", got)
		}
	}
	if n := len(s.Deliveries()); n != 2 || len(s.Deliveries()[0].To) != 2 {
		t.Errorf("%d deliveries: %+v", n, s.Deliveries())
	}
}

type policies map[string]mtasts.Policy

func (p policies) Find(_ context.Context, domain string) mtasts.Policy { return p[domain] }

func spki(c tls.Certificate) string {
	cert, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return "3 1 1 " + hex.EncodeToString(sum[:])
}

// What a domain says about its mail servers, by DNSSEC or by MTA-STS, is kept: the letter
// arrives over the TLS that was asked for or waits.
func TestDANEAndMTASTS(t *testing.T) {
	ca := testca.New(t)
	server := ca.Server(t, "mx.a.test")
	right, wrong := spki(server.Certificates[0]), "3 1 1 "+strings.Repeat("00", 32)
	named := policies{"a.test": {Mode: mtasts.Enforce, MX: []string{"mx.a.test"}}}
	unnamed := policies{"a.test": {Mode: mtasts.Enforce, MX: []string{"mx.other.test"}}}
	signed := fake.Secure()
	for name, c := range map[string]struct {
		server   *tls.Config
		script   string
		tlsa     []fake.Record
		unsigned string // a name that DNSSEC says nothing about
		policies policies
		roots    *x509.CertPool
		want     string // "": delivered
		tls      bool
		log      string
	}{
		"DANE: the key is right":                      {server: server, tlsa: []fake.Record{fake.TLSA(right), signed}, tls: true},
		"DANE: the key is wrong":                      {server: server, tlsa: []fake.Record{fake.TLSA(wrong), signed}, want: "not the one in its TLSA records"},
		"DANE: stripped":                              {server: server, script: "no STARTTLS", tlsa: []fake.Record{fake.TLSA(right), signed}, want: "does not offer TLS"},
		"DANE: could not look":                        {server: server, tlsa: []fake.Record{fake.ServFail("TLSA")}, want: "could not be looked up"},
		"DANE: records of no use ask for TLS":         {server: server, tlsa: []fake.Record{fake.TLSA("0 1 1 " + strings.Repeat("00", 32)), signed}, tls: true},
		"DANE: records of no use, no TLS":             {server: nil, tlsa: []fake.Record{fake.TLSA("0 1 1 " + strings.Repeat("00", 32)), signed}, want: "does not offer TLS"},
		"DANE: nobody vouches for the records":        {server: server, tlsa: []fake.Record{fake.TLSA(wrong)}, tls: true},
		"DANE: nobody vouches for the address":        {server: server, tlsa: []fake.Record{fake.TLSA(wrong), signed}, unsigned: "mx.a.test", tls: true},
		"DANE: nobody vouches for the MX":             {server: server, tlsa: []fake.Record{fake.TLSA(wrong), signed}, unsigned: "a.test", tls: true},
		"DANE comes before MTA-STS":                   {server: server, tlsa: []fake.Record{fake.TLSA(right), signed}, policies: unnamed, tls: true},
		"MTA-STS: good":                               {server: server, policies: named, roots: ca.Pool(), tls: true},
		"MTA-STS: unknown authority":                  {server: server, policies: named, want: "known authority"},
		"MTA-STS: another name":                       {server: ca.Server(t, "mx.b.test"), policies: named, roots: ca.Pool(), want: "another name"},
		"MTA-STS: out of date":                        {server: &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "mx.a.test", -time.Hour)}}, policies: named, roots: ca.Pool(), want: "out of date"},
		"MTA-STS: stripped":                           {server: server, script: "no STARTTLS", policies: named, want: "does not offer TLS"},
		"MTA-STS: the server is not named":            {server: server, policies: unnamed, roots: ca.Pool(), want: "does not name its mail server"},
		"MTA-STS on trial: the certificate":           {server: server, policies: onTrial(named), tls: true, log: "the certificate is not valid"},
		"MTA-STS on trial: not offered":               {server: nil, policies: onTrial(named), log: "does not offer TLS"},
		"MTA-STS on trial: not named":                 {server: server, policies: onTrial(unnamed), roots: ca.Pool(), tls: true, log: "does not name"},
		"neither: opportunistic":                      {server: server, tls: true},
		"neither, and no TLS: as the route's default": {server: nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w := secureHop(t, c.server, c.script)
			_, port, _ := net.SplitHostPort(w.Addr().String())
			zone := fake.Zone{"a.test": {fake.MX(10, "mx.a.test"), signed}, "mx.a.test": {fake.A("127.0.0.1"), signed}}
			if zone["_"+port+"._tcp.mx.a.test"] = c.tlsa; c.tlsa == nil {
				delete(zone, "_"+port+"._tcp.mx.a.test")
			}
			if c.unsigned != "" {
				zone[c.unsigned] = zone[c.unsigned][:1]
			}
			o := relay.Options{Resolver: zone, Port: port, Policies: c.policies, TLS: relay.TLSPolicy{Roots: x509.NewCertPool()}}
			if c.roots != nil {
				o.TLS.Roots = c.roots
			}
			client, log := tlsClient(t, o, "")
			got := client.Deliver(t.Context(), transfer("mx", "Subject: secret\r\n\r\nsecret\r\n", "b@a.test"))[0]
			if c.want != "" {
				if !fits(got, 4) || !strings.Contains(got.Text, c.want) || w.inClear() || len(s.Deliveries()) != 0 {
					t.Errorf("%v, want %q in it; in the clear: %v, %d deliveries", got, c.want, w.inClear(), len(s.Deliveries()))
				}
				return
			}
			if got.Code != 250 || len(s.Deliveries()) != 1 || s.Deliveries()[0].TLS != c.tls || !log.has(c.log) {
				t.Errorf("%v, %+v\n%s", got, s.Deliveries(), log.b.String())
			}
		})
	}
}

func onTrial(ps policies) policies {
	out := policies{}
	for d, p := range ps {
		p.Mode = mtasts.Testing
		out[d] = p
	}
	return out
}

// A host that fails is a reason to try the next one, as it is without TLS.
func TestTheNextHostIsTriedWhereTLSFails(t *testing.T) {
	ca := testca.New(t)
	server := ca.Server(t, "mx2.a.test")
	s, w := secureHop(t, server, "")
	_, port, _ := net.SplitHostPort(w.Addr().String())
	signed := fake.Secure()
	zone := fake.Zone{
		"a.test":                        {fake.MX(10, "mx1.a.test"), fake.MX(20, "mx2.a.test"), signed},
		"mx1.a.test":                    {fake.A("127.0.0.1"), signed},
		"mx2.a.test":                    {fake.A("127.0.0.1"), signed},
		"_" + port + "._tcp.mx1.a.test": {fake.TLSA("3 1 1 " + strings.Repeat("00", 32)), signed},
		"_" + port + "._tcp.mx2.a.test": {fake.TLSA(spki(server.Certificates[0])), signed},
		"b.test":                        {fake.MX(10, "mx1.a.test"), fake.MX(20, "mx2.a.test")},
	}
	named := policies{"b.test": {Mode: mtasts.Enforce, MX: []string{"mx2.a.test"}}}
	client, _ := tlsClient(t, relay.Options{Resolver: zone, Port: port, Policies: named, TLS: relay.TLSPolicy{Roots: ca.Pool()}}, "")
	got := client.Deliver(t.Context(), transfer("mx", "Subject: secret\r\n\r\nsecret\r\n", "a@a.test", "b@b.test"))
	if got[0].Code != 250 || got[1].Code != 250 || len(s.Deliveries()) != 2 || w.inClear() {
		t.Errorf("%v, %d deliveries", got, len(s.Deliveries()))
	}
	for _, d := range s.Deliveries() {
		if !d.TLS {
			t.Errorf("in the clear: %+v", d)
		}
	}
}
