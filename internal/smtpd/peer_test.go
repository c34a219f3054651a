package smtpd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// The tests here use a client that others wrote, so that both ends cannot share
// one misunderstanding.

func TestPeerSendsMail(t *testing.T) {
	r := start(t, withTLS(t))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := peerSession(r.addr, i%2 == 0, fmt.Sprint(i)); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := len(r.inbox.all()); n != 8*3 {
		t.Fatalf("%d messages", n)
	}
	for _, m := range r.inbox.all() {
		if got, want := string(m.Raw), peerBody(m.Envelope.From.Local); got != want {
			t.Errorf("%s: %.60q, want %.60q", m.Envelope.From, got, want)
		}
		if (m.Session.TLS != "") != strings.HasPrefix(m.Session.Helo, "tls") {
			t.Errorf("session %+v", m.Session)
		}
	}
}

func peerBody(who string) string {
	return "Subject: " + who + "\r\n\r\n.dot\r\n..\r\n" + strings.Repeat("Cộng hoà xã hội chủ nghĩa Việt Nam\r\n", 2000) + ".\r\n"
}

func peerSession(addr string, secure bool, who string) error {
	c, err := smtp.Dial(addr)
	if secure && err == nil {
		_ = c.Close()
		c, err = smtp.DialStartTLS(addr, &tls.Config{InsecureSkipVerify: true})
	}
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if !secure {
		if err := c.Hello("plain.test"); err != nil {
			return err
		}
	} else if err := c.Hello("tls.test"); err != nil && !strings.Contains(err.Error(), "before other") {
		return err
	}
	for range 3 {
		if err := peerMail(c, who); err != nil {
			return err
		}
	}
	return c.Quit()
}

func peerMail(c *smtp.Client, who string) error {
	body := peerBody(who)
	if err := c.Mail(who+"@attack.test", &smtp.MailOptions{Size: int64(len(body)), Body: smtp.Body8BitMIME, UTF8: true}); err != nil {
		return err
	}
	if err := c.Rcpt("b@gov.test", nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(body)); err != nil {
		return err
	}
	return w.Close()
}

func TestPeerReadsRefusals(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.MessageSize = 50_000 }))
	c, err := smtp.Dial(r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var refused *smtp.SMTPError
	if err := c.Mail("a@attack.test", &smtp.MailOptions{Size: 50_001}); !errors.As(err, &refused) || refused.Code != 552 ||
		refused.EnhancedCode != (smtp.EnhancedCode{5, 3, 4}) {
		t.Errorf("MAIL: %v", err)
	}
	if err := c.Mail("a@attack.test", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("u%x@gov.test", nil); !errors.As(err, &refused) || refused.EnhancedCode != (smtp.EnhancedCode{5, 1, 1}) {
		t.Errorf("RCPT: %v", err)
	}
	if err := c.Rcpt("u@gov.test", nil); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(sized(60_000)))
	if err := w.Close(); !errors.As(err, &refused) || refused.Code != 552 {
		t.Errorf("DATA: %v", err)
	}
	r.inbox.none(t)
}
