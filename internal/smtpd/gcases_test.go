package smtpd

import (
	"context"
	"fmt"
	"math/rand"
	"net"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

// The cases here are attacks at the wire, each as the octets that an attacker
// would send. The names keep the numbers of the threat list (G01 to G24).

const smuggled = "MAIL FROM:<i@attack.test>\r\nRCPT TO:<b@gov.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"

func TestG01to03SmugglingSequencesEndTheSession(t *testing.T) {
	for name, seq := range map[string]string{
		"G01 LF.LF": "\n.\n", "G02 LF.CRLF": "\n.\r\n", "G03 CR.CR": "\r.\r",
		"CRLF.LF": "\r\n.\n", "CRLF.CR": "\r\n.\r", "LF.CR": "\n.\r", "CR.LF": "\r.\n", "CR.CRLF": "\r.\r\n",
		"CRCRLF.CRLF": "\r\r\n.\r\n", "CRLF.CRCRLF": "\r\n.\r\r\n", "CRLF NUL.CRLF": "\r\n\x00.\r\n",
		"CRLF.NUL CRLF": "\r\n.\x00\r\n", "LFLF.CRLF": "\n\n.\r\n", "CR alone": "a\rb", "NUL": "a\x00b",
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			c := r.ready()
			c.send("X" + seq + smuggled + "\r\n.\r\nQUIT\r\n")
			c.want("550 5.5.2")
			c.closed()
			r.inbox.none(t)
			if n := r.events.count("bare_line_ending"); n != 1 {
				t.Errorf("bare_line_ending counted %d times", n)
			}
		})
	}
}

func TestG04DotStuffing(t *testing.T) {
	r := start(t)
	c := r.ready()
	c.send("Subject: dots\r\n\r\n..\r\n...\r\n..a\r\na.\r\n....b\r\n.\r\n")
	c.want("250 2.0.0 taken as id-1")
	want := "Subject: dots\r\n\r\n.\r\n..\r\n.a\r\na.\r\n...b\r\n"
	if got := string(r.inbox.one(t).Raw); got != want {
		t.Errorf("Raw %q, want %q", got, want)
	}
	c.cmd("QUIT", "221 2.0.0")
	c.closed()
}

func TestG08TruncatedBDAT(t *testing.T) {
	r := start(t)
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test>", "250")
	c.cmd("RCPT TO:<b@gov.test>", "250")
	c.send("BDAT 100000 LAST\r\n" + strings.Repeat("x", 50))
	c.halfClose()
	c.want("502 5.5.1")
	c.closed()
	r.inbox.none(t)
}

func TestBDATChunkIsNeverRunAsCommands(t *testing.T) {
	for _, bdat := range []string{"BDAT 4294967296", "BDAT -1", "BDAT 5 LAST junk", "BDAT", "bdat 9"} {
		r := start(t)
		c := r.hello()
		c.send(bdat + "\r\n" + smuggled + "\r\n.\r\n")
		c.want("502 5.5.1")
		c.closed()
		r.inbox.none(t)
	}
}

func TestG09EarlyTalker(t *testing.T) {
	r := start(t, func(o *Options, _ *Listener) { o.GreetDelay = 5 * time.Second })
	c := r.dialFrom("")
	c.send("EHLO client.test\r\n" + smuggled)
	c.want("554 5.5.1")
	c.closed()
	if r.events.count("early_talker") != 1 {
		t.Error("early_talker was not counted")
	}
}

// TestG09WithoutDelay: with no greet delay, what has arrived when the connection is
// taken is still seen.
func TestG09WithoutDelay(t *testing.T) {
	r, cfg := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	c := r.dialFrom("")
	c.send("EHLO client.test\r\n") // nobody has accepted yet
	go func() { r.served <- r.srv.Serve(context.Background(), l, cfg) }()
	c.want("554 5.5.1")
	c.closed()
	_ = c.conn.Close()
	if err := r.srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestGreetDelayLetsThePatientIn(t *testing.T) {
	r := start(t, func(o *Options, _ *Listener) { o.GreetDelay = 30 * time.Millisecond })
	begin := time.Now()
	c := r.dial()
	if took := time.Since(begin); took < 30*time.Millisecond {
		t.Errorf("greeted after %v", took)
	}
	c.cmd("EHLO client.test", "250")
}

func TestG10HTTP(t *testing.T) {
	for _, verb := range []string{"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE", "post", "{", "\"x"} {
		r := start(t)
		c := r.dial()
		c.send(verb + " / HTTP/1.1\r\nHost: gw.gov.test\r\n\r\nEHLO client.test\r\n" + smuggled + "\r\n.\r\n")
		c.want("421 4.7.0")
		c.closed()
		r.inbox.none(t)
	}
}

func TestG18to22Recipients(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.Errors, l.RefusedRecipients = 1000, 1000 }))
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test>", "250")
	for _, one := range []struct{ to, want string }{
		{"<user%ext.test@gov.test>", "550 5.1.1"}, // G18
		{"<ext.test!user@gov.test>", "550 5.1.1"},
		{"<@gov.test:user@ext.test>", "550 5.7.1"}, // G19
		{"<@a.test,@b.test:user@ext.test>", "550 5.7.1"},
		{`<"victim@ext.test"@gov.test>`, "550 5.1.1"}, // G20
		{`<"victim\@ext.test"@gov.test>`, "550 5.1.1"},
		{`<"x@ext.test> ORCPT=rfc822;a"@gov.test>`, "550 5.1.1"},
		{"<user@gov.test@ext.test>", "501 5.1.3"}, // G21
		{"<user@[127.0.0.1]>", "550 5.7.1"},
		{"<user@[IPv6:::1]>", "550 5.7.1"},
		{"<user@127.0.0.1>", "501 5.1.3"},
		{"<user@>", "501 5.1.3"},
		{"<user>", "501 5.1.3"},
		{"<>", "501 5.1.3"},
		{"<user@gov.test.>", "501 5.1.3"},
		{"<user@gov..test>", "501 5.1.3"},
		{"<user@-gov.test>", "501 5.1.3"},
		{"<us\ter@gov.test>", "501 5.5.2"},
		{"<(c)user@gov.test>", "501 5.1.3"},
		{"<thư@gov.test>", "553 5.6.7"},
		{"user@gov.test", "501 5.5.2"},
		{"<user@gov.test", "501 5.5.2"},
		{"<user@gov.test>x", "501 5.5.2"},
		{"<user@gov.test> NOTIFY=NEVER", "555 5.5.4"},
		{"<postmaster>", "250"}, // G22
		{"<PostMaster>", "250"},
		{"<PostMaster@gov.test>", "250"},
		{`<"a b"@gov.test>`, "250"},
		{" <spaced@gov.test> ", "250"},
	} {
		c.cmd("RCPT TO:"+one.to, one.want)
	}
	c.cmd("DATA", "354")
	c.send("Subject: x\r\n\r\n.\r\n")
	c.want("250")
	var raw []string
	for _, p := range r.inbox.one(t).Envelope.To {
		raw = append(raw, p.Raw)
	}
	if got, want := strings.Join(raw, " "), `postmaster PostMaster PostMaster@gov.test "a b"@gov.test spaced@gov.test`; got != want {
		t.Errorf("recipients %q, want %q", got, want)
	}
}

func TestG23NullSender(t *testing.T) {
	r := start(t)
	c := r.hello()
	c.cmd("MAIL FROM:<>", "250")
	c.cmd("RCPT TO:<b@gov.test>", "250")
	c.cmd("DATA", "354")
	c.send("From: mailer-daemon@attack.test\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b--\r\n.\r\n")
	c.want("250")
	if m := r.inbox.one(t); !m.Envelope.From.IsNull() {
		t.Errorf("sender %q", m.Envelope.From)
	}
}

func TestG24Loop(t *testing.T) {
	for n, want := range map[int]string{50: "250", 51: "554 5.4.6"} {
		r := start(t)
		c := r.ready()
		c.send(strings.Repeat("Received: from a by b; now\r\n", n) + "Subject: x\r\n\r\nReceived: in the body\r\n.\r\n")
		c.want(want)
		c.cmd("NOOP", "250")
	}
}

// TestBodiesAreEqual sends random bodies with every octet but the forbidden ones
// and compares what is handed on.
func TestBodiesAreEqual(t *testing.T) {
	r := start(t)
	c := r.hello()
	rng := rand.New(rand.NewSource(1))
	var want []string
	for range 200 {
		var b strings.Builder
		b.WriteString("Subject: x\r\n\r\n")
		for range rng.Intn(200) {
			for range rng.Intn(40) {
				if o := byte(rng.Intn(256)); o != 0 && o != '\r' && o != '\n' {
					b.WriteByte(o)
				}
			}
			b.WriteString([]string{"\r\n", "\r\n.", "\r\n..\r\n"}[rng.Intn(3)])
		}
		b.WriteString("\r\n")
		want = append(want, b.String())
		c.begin()
		c.send(stuff(b.String()) + ".\r\n")
		c.want("250")
	}
	for i, m := range r.inbox.all() {
		if string(m.Raw) != want[i] {
			t.Fatalf("message %d changed: %q, want %q", i, m.Raw, want[i])
		}
	}
}

func TestHandlerSeesTheWholeSession(t *testing.T) {
	r := start(t)
	c := r.hello()
	c.cmd("MAIL FROM:<A@Attack.Test> BODY=8BITMIME SMTPUTF8 SIZE=20", "250")
	c.cmd("RCPT TO:<thư@Gov.Test>", "250")
	c.cmd("DATA", "354")
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.want("250")
	m := r.inbox.one(t)
	want := msg.Envelope{
		From:     msg.Path{Raw: "A@Attack.Test", Local: "A", Domain: "attack.test"},
		To:       []msg.Path{{Raw: "thư@Gov.Test", Local: "thư", Domain: "gov.test"}},
		SMTPUTF8: true, EightBit: true,
	}
	if got := fmt.Sprintf("%+v", m.Envelope); got != fmt.Sprintf("%+v", want) {
		t.Errorf("envelope %s", got)
	}
	if m.ID != "id-1" || m.Session.Helo != "client.test" || !m.Session.ESMTP || m.Session.Listener != "test" ||
		m.Session.TLS != "" || m.Session.Outbound || m.Session.Remote.String() != c.conn.LocalAddr().String() ||
		time.Since(m.Received) > time.Minute {
		t.Errorf("message %+v", m)
	}
}
