package sink

import (
	"context"
	"errors"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, script string) (*Sink, string) {
	t.Helper()
	sc, err := ParseScript(script)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Script: sc})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, l.Addr().String()
}

func TestKeepsOctets(t *testing.T) {
	s, addr := start(t, "")
	for _, body := range []string{"A: b\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n", "X: y\r\n\r\n"} {
		if err := smtp.SendMail(addr, nil, "a@x.test", []string{"b@y.test", "c@y.test"}, []byte(body)); err != nil {
			t.Fatal(err)
		}
		d := s.Deliveries()
		last := d[len(d)-1]
		if string(last.Data) != body || last.From != "a@x.test" || strings.Join(last.To, " ") != "b@y.test c@y.test" {
			t.Errorf("%+v %q", last, last.Data)
		}
	}
	if s.Sessions() != 2 {
		t.Error(s.Sessions())
	}
}

func TestScript(t *testing.T) {
	for _, c := range []struct{ script, to, want string }{
		{"rcpt <no@y.test> 550 5.1.1 none", "no@y.test", "550 5.1.1 none"},
		{"rcpt <no@y.test> 550 5.1.1 none", "yes@y.test", ""},
		{"mail 421 4.3.2 closing", "b@y.test", "421 4.3.2 closing"},
		{"data 451 4.3.0 later", "b@y.test", "451 4.3.0 later"},
		{"end 554 5.6.0 no", "b@y.test", "554 5.6.0 no"},
		{"end drop", "b@y.test", "EOF"},
		{"connect drop", "b@y.test", "EOF"},
		{"mail stall 10ms", "b@y.test", ""},
		{"body stall 10ms", "b@y.test", ""},
		{"body drop", "b@y.test", "EOF"},
		{"end drip 1ms", "b@y.test", ""},
	} {
		s, addr := start(t, c.script)
		err := smtp.SendMail(addr, nil, "a@x.test", []string{c.to}, []byte("A: b\r\n\r\n"))
		if (err == nil) != (c.want == "") || err != nil && strings.ReplaceAll(err.Error(), `"`, "") != c.want {
			t.Errorf("%s: %v", c.script, err)
		}
		if (len(s.Deliveries()) == 1) != (c.want == "") {
			t.Errorf("%s: kept %d", c.script, len(s.Deliveries()))
		}
	}
}

func TestKeepDropAndCount(t *testing.T) {
	s, addr := start(t, "end keep-drop x1\nend 451 4.0.0 later x1")
	send := func() error {
		return smtp.SendMail(addr, nil, "a@x.test", []string{"b@y.test"}, []byte("A: b\r\n\r\n"))
	}
	if err := send(); err == nil || len(s.Deliveries()) != 1 {
		t.Errorf("kept without a word: %v, %d", err, len(s.Deliveries()))
	}
	if err := send(); err == nil || len(s.Deliveries()) != 1 {
		t.Errorf("refused once: %v", err)
	}
	if err := send(); err != nil || len(s.Deliveries()) != 2 {
		t.Errorf("then willing: %v", err)
	}
}

// A reset is no end of file: the peer sees the connection break.
func TestKeepReset(t *testing.T) {
	s, addr := start(t, "end keep-reset")
	err := smtp.SendMail(addr, nil, "a@x.test", []string{"b@y.test"}, []byte("A: b\r\n\r\n"))
	if !errors.Is(err, syscall.ECONNRESET) || len(s.Deliveries()) != 1 {
		t.Errorf("%v, %d kept", err, len(s.Deliveries()))
	}
}

func TestOffers(t *testing.T) {
	_, addr := start(t, "no PIPELINING\nno smtputf8")
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	if err := c.PrintfLine("EHLO me"); err != nil {
		t.Fatal(err)
	}
	_, text, err := c.ReadResponse(250)
	if err != nil || strings.Contains(text, "PIPELINING") || strings.Contains(text, "SMTPUTF8") || !strings.Contains(text, "8BITMIME") {
		t.Errorf("%q %v", text, err)
	}
}

func TestScriptMistakes(t *testing.T) {
	for _, bad := range []string{"rcpt", "lunch 550 x", "rcpt maybe", "mail stall long", "rcpt <a> "} {
		if _, err := ParseScript("# fine\n" + bad); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add("rcpt <a@b> 550 no x2\nend stall 1s\nno TLS")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseScript(text); err == nil {
			s.at("rcpt", "a@b")
		}
	})
}
