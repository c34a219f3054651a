package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"congthu/internal/msg"
	"congthu/internal/relay"
)

// peer is an independent SMTP server that keeps what it gets.
type peer struct {
	mu   sync.Mutex
	got  []delivery
	rcpt func(to string) error
	conn int
}

type delivery struct {
	from string
	to   []string
	data []byte
	opts smtp.MailOptions
}

type session struct {
	p *peer
	d delivery
}

func (p *peer) NewSession(*smtp.Conn) (smtp.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn++
	return &session{p: p}, nil
}
func (s *session) Reset()        { s.d = delivery{} }
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.d.from, s.d.opts = from, *o
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.p.rcpt != nil {
		if err := s.p.rcpt(to); err != nil {
			return err
		}
	}
	s.d.to = append(s.d.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var err error
	s.d.data, err = io.ReadAll(r)
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.got = append(s.p.got, s.d)
	return err
}

func (p *peer) deliveries() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

func (p *peer) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn
}

func serve(t *testing.T, p *peer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(p)
	srv.EnableSMTPUTF8 = true
	srv.MaxLineLength = 1 << 20
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

func path(addr string) msg.Path {
	local, domain, _ := strings.Cut(addr, "@")
	return msg.Path{Raw: addr, Local: local, Domain: domain}
}

func transfer(hop string, content string, to ...string) *msg.Transfer {
	x := &msg.Transfer{ID: "T", NextHop: hop, From: path("a@from.test"), Content: [][]byte{[]byte("Received: x\r\n"), []byte(content)}}
	for _, r := range to {
		x.To = append(x.To, path(r))
	}
	return x
}

// newClient waits long: what it is told comes, if on a busy machine late.
func newClient(t *testing.T) *relay.Client { return waiting(t, 30*time.Second) }

// hasty is for next hops that say nothing.
func hasty(t *testing.T) *relay.Client { return waiting(t, 1500*time.Millisecond) }

func waiting(t *testing.T, wait time.Duration) *relay.Client {
	c := relay.New(relay.Options{Hostname: "gw.test", ConnectTimeout: 30 * time.Second, ReplyTimeout: wait, WriteTimeout: wait, FinalTimeout: wait})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestDeliverKeepsOctets(t *testing.T) {
	p := &peer{}
	addr := serve(t, p)
	c := newClient(t)
	for _, body := range []string{
		"Subject: a\r\n\r\nhello\r\n",
		"Subject: a\r\n\r\n.\r\n..\r\n.x\r\nend\r\n",
		"Subject: công văn\r\n\r\nTiếng Việt 8 bit\r\n",
		"Subject: long\r\n\r\n" + strings.Repeat("x", 10_000) + "\r\n",
		"Subject: big\r\n\r\n" + strings.Repeat(".line\r\n", 100_000),
	} {
		before := len(p.deliveries())
		rs := c.Deliver(t.Context(), transfer(addr, body, "b@to.test"))
		if len(rs) != 1 || rs[0].Code != 250 {
			t.Fatalf("replies %v", rs)
		}
		if got, want := string(p.deliveries()[before].data), "Received: x\r\n"+body; got != want {
			t.Errorf("got %d octets, want %d: %.80q", len(got), len(want), got)
		}
	}
	if p.connections() != 1 {
		t.Errorf("%d connections for five messages in a row: the pool is not used", p.connections())
	}
	if p.deliveries()[2].opts.Body != smtp.Body8BitMIME || p.deliveries()[0].opts.Body == smtp.Body8BitMIME {
		t.Errorf("BODY is %q and %q", p.deliveries()[0].opts.Body, p.deliveries()[2].opts.Body)
	}
}

func TestMissingFinalLineEndIsAdded(t *testing.T) {
	p := &peer{}
	c := newClient(t)
	rs := c.Deliver(t.Context(), transfer(serve(t, p), "A: b\r\n\r\nend", "b@to.test"))
	if rs[0].Code != 250 || !bytes.HasSuffix(p.deliveries()[0].data, []byte("end\r\n")) {
		t.Errorf("%v %+v", rs, p.deliveries())
	}
}

func TestPartialRefusal(t *testing.T) {
	p := &peer{rcpt: func(to string) error {
		switch {
		case strings.HasPrefix(to, "no"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody"}
		case strings.HasPrefix(to, "later"):
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "busy"}
		}
		return nil
	}}
	addr := serve(t, p)
	c := newClient(t)
	rs := c.Deliver(t.Context(), transfer(addr, "A: b\r\n\r\nx\r\n", "ok@to.test", "no@to.test", "later@to.test", "ok2@to.test"))
	for i, want := range []int{250, 550, 450, 250} {
		if rs[i].Code != want {
			t.Errorf("recipient %d: %v, want %d", i, rs[i], want)
		}
	}
	if rs[1].Status() != "5.1.1" || rs[2].Status() != "4.2.1" {
		t.Errorf("status %s %s", rs[1].Status(), rs[2].Status())
	}
	if len(p.deliveries()) != 1 || len(p.deliveries()[0].to) != 2 {
		t.Errorf("got %+v", p.deliveries())
	}
	if rs := c.Deliver(t.Context(), transfer(addr, "A: b\r\n\r\nx\r\n", "no@to.test")); rs[0].Code != 550 || len(p.deliveries()) != 1 {
		t.Errorf("all refused: %v, %d deliveries", rs, len(p.deliveries()))
	}
}

func TestManyRecipients(t *testing.T) {
	p := &peer{}
	addr := serve(t, p)
	var to []string
	for i := range 1000 {
		to = append(to, strings.Repeat("r", 1+i%50)+"@to.test")
	}
	rs := newClient(t).Deliver(t.Context(), transfer(addr, "A: b\r\n\r\nx\r\n", to...))
	for i, r := range rs {
		if r.Code != 250 {
			t.Fatalf("recipient %d: %v", i, r)
		}
	}
	if len(p.deliveries()) != 1 || len(p.deliveries()[0].to) != 1000 {
		t.Errorf("%d deliveries", len(p.deliveries()))
	}
}

func TestNothingDangerousIsSent(t *testing.T) {
	p := &peer{}
	addr := serve(t, p)
	c := newClient(t)
	clean := "A: b\r\n\r\nx\r\n"
	for name, x := range map[string]*msg.Transfer{
		"bare LF":          transfer(addr, "A: b\r\n\r\nx\n.\r\nMAIL FROM:<e@v.il>\r\n", "b@to.test"),
		"bare CR":          transfer(addr, "A: b\r\n\r\nx\r.\r\n", "b@to.test"),
		"NUL":              transfer(addr, "A: b\r\n\r\nx\x00\r\n", "b@to.test"),
		"CR at the end":    transfer(addr, "A: b\r\n\r\nx\r", "b@to.test"),
		"LF across blocks": {NextHop: addr, From: path("a@b.test"), To: []msg.Path{path("b@to.test")}, Content: [][]byte{[]byte("x"), []byte("\ny\r\n")}},
		"injection":        transfer(addr, clean, "x@evil.test> ORCPT=rfc822;a@to.test"),
		"newline in path":  transfer(addr, clean, "x@to.test\r\nDATA"),
		"open quote":       transfer(addr, clean, `"x@to.test`),
		"nobody":           transfer(addr, clean),
	} {
		for i, r := range c.Deliver(t.Context(), x) {
			if !r.Permanent() {
				t.Errorf("%s: recipient %d: %v", name, i, r)
			}
		}
	}
	if len(p.deliveries()) != 0 || p.connections() != 0 {
		t.Errorf("something was sent: %+v, %d connections", p.deliveries(), p.connections())
	}
	split := &msg.Transfer{NextHop: addr, From: path("a@b.test"), To: []msg.Path{{Raw: `"b c"@to.test`}}, Content: [][]byte{[]byte("A: b\r"), []byte("\n\r\nx\r\n."), []byte("\r"), []byte("\n")}}
	if rs := c.Deliver(t.Context(), split); rs[0].Code != 250 || string(p.deliveries()[0].data) != "A: b\r\n\r\nx\r\n.\r\n" {
		t.Errorf("a line end across blocks: %v %+v", rs, p.deliveries())
	}
}

func TestContextEndsTheWait(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := relay.New(relay.Options{Hostname: "gw.test"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	rs := c.Deliver(ctx, transfer(l.Addr().String(), "A: b\r\n\r\nx\r\n", "b@to.test"))
	if rs[0].Code != 451 || time.Since(start) > 20*time.Second {
		t.Errorf("%v after %v", rs, time.Since(start))
	}
}

type zone struct {
	mx  map[string][]*net.MX
	err error
}

func (z zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if z.err != nil {
		return nil, z.err
	}
	if mx, ok := z.mx[name]; ok {
		return mx, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z zone) LookupIPAddr(_ context.Context, host string) ([]net.IPAddr, error) {
	if strings.HasPrefix(host, "mx") || host == "bare.test" {
		return []net.IPAddr{{IP: net.IPv4(127, 0, 0, 1)}}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func TestMX(t *testing.T) {
	p := &peer{}
	addr := serve(t, p)
	_, port, _ := net.SplitHostPort(addr)
	z := zone{mx: map[string][]*net.MX{
		"good.test": {{Host: "mx2.test.", Pref: 20}, {Host: "dead.test.", Pref: 10}},
		"null.test": {{Host: ".", Pref: 0}},
		"loop.test": {{Host: "GW.test.", Pref: 10}, {Host: "mx9.test.", Pref: 20}},
		"both.test": {{Host: "mx1.test.", Pref: 5}, {Host: "gw.test.", Pref: 10}},
	}}
	c := relay.New(relay.Options{Hostname: "gw.test", Resolver: z, Port: port, ConnectTimeout: time.Second})
	defer c.Close()
	rs := c.Deliver(t.Context(), transfer("mx", "A: b\r\n\r\nx\r\n", "a@good.test", "b@null.test", "c@loop.test", "d@bare.test", "e@none.test", "f@both.test", "g@good.test"))
	for i, want := range []string{"250", "556 5.1.10", "554 5.4.6", "250", "550 5.1.2", "250", "250"} {
		if !strings.HasPrefix(rs[i].String(), want) {
			t.Errorf("recipient %d: %v, want %s", i, rs[i], want)
		}
	}
	if len(p.deliveries()) != 3 {
		t.Errorf("%d deliveries, want one for each of three domains", len(p.deliveries()))
	}
	c2 := relay.New(relay.Options{Hostname: "gw.test", Resolver: zone{err: errors.New("servfail")}})
	if rs := c2.Deliver(t.Context(), transfer("mx", "A: b\r\n\r\nx\r\n", "a@good.test")); rs[0].Code != 451 || rs[0].Status() != "4.4.3" {
		t.Errorf("DNS trouble: %v", rs)
	}
}
