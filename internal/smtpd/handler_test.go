package smtpd

import (
	"context"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

func TestHooks(t *testing.T) {
	var asked []string
	var mail msg.Reply
	r := start(t, func(o *Options, _ *Listener) {
		o.CheckMail = func(context.Context, *msg.Session, msg.Path) msg.Reply { return mail }
		o.CheckRcpt = func(_ context.Context, who *msg.Session, env msg.Envelope, to msg.Path) msg.Reply {
			asked = append(asked, who.Helo+" "+env.From.Raw+" "+to.Key())
			switch to.Local {
			case "no":
				return msg.Reply{Code: 550, Detail: "1.1", Text: "unknown\r\nhere\x00\u202e"}
			case "mistake":
				return msg.Reply{Code: 250, Text: "means nothing"}
			case "bye":
				return msg.Reply{Code: 421, Detail: "7.0", Text: "go"}
			}
			return msg.Reply{}
		}
	})
	c := r.hello()
	mail = msg.Reply{Code: 452, Detail: "3.1", Text: "Disk is full"}
	c.cmd("MAIL FROM:<a@attack.test>", "452 4.3.1 Disk is full")
	c.cmd("RCPT TO:<b@gov.test>", "503")
	mail = msg.Reply{}
	c.cmd("MAIL FROM:<a@attack.test>", "250")
	if got := c.cmd("RCPT TO:<no@gov.test>", "550"); got != "550-5.1.1 unknown\r\n550 5.1.1 here??\r\n" {
		t.Errorf("reply %q", got)
	}
	c.cmd("RCPT TO:<mistake@gov.test>", "451 4.3.0")
	c.cmd("RCPT TO:<Yes@gov.test>", "250")
	c.cmd("RCPT TO:<bye@gov.test>", "421 4.7.0 go")
	c.closed()
	if got := strings.Join(asked, ", "); !strings.Contains(got, "client.test a@attack.test yes@gov.test") || len(asked) != 4 {
		t.Errorf("asked %q", got)
	}
}

func TestHookPanicIs421(t *testing.T) {
	r := start(t, func(o *Options, _ *Listener) {
		o.CheckMail = func(context.Context, *msg.Session, msg.Path) msg.Reply { panic("boom\n") }
	})
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test>", "421 4.3.0")
	c.closed()
	r.dial() // the server lives
}

func TestHandlerAnswers(t *testing.T) {
	for name, one := range map[string]struct {
		reply msg.Reply
		want  string
	}{
		"zero":         {msg.Reply{}, "451 4.3.0"},
		"continue":     {msg.Reply{Code: 354, Text: "x"}, "451 4.3.0"},
		"greeting":     {msg.Reply{Code: 220, Text: "x"}, "451 4.3.0"},
		"no such code": {msg.Reply{Code: 999, Text: "x"}, "451 4.3.0"},
		"refused":      {msg.Reply{Code: 550, Detail: "7.1", Text: "spam"}, "550 5.7.1 spam\r\n"},
		"bad detail":   {msg.Reply{Code: 550, Detail: "7.1 x\r\n250", Text: "spam"}, "550 5.0.0 spam\r\n"},
		"no detail":    {msg.Reply{Code: 250, Text: "ok"}, "250 2.0.0 ok\r\n"},
		"two lines":    {msg.Reply{Code: 451, Detail: "7.1", Text: "a\nb"}, "451-4.7.1 a\r\n451 4.7.1 b\r\n"},
		"injection":    {msg.Reply{Code: 250, Detail: "0.0", Text: "ok\r\n550 no\tô"}, "250-2.0.0 ok\r\n250 2.0.0 550 no??\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.inbox.reply = func(context.Context, *msg.Message) msg.Reply { return one.reply }
			c := r.ready()
			if got := c.cmd("Subject: x\r\n\r\nx\r\n.", one.want[:3]); !strings.HasPrefix(got, one.want) {
				t.Errorf("reply %q, want %q", got, one.want)
			}
			c.cmd("DATA", "503") // the transaction is over
		})
	}
}

func TestHandler421EndsTheSession(t *testing.T) {
	r := start(t)
	r.inbox.reply = func(context.Context, *msg.Message) msg.Reply { return msg.Reply{Code: 421, Detail: "3.2"} }
	c := r.ready()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "421 4.3.2")
	c.closed()
}

func TestHandlerPanic(t *testing.T) {
	r := start(t)
	r.inbox.reply = func(context.Context, *msg.Message) msg.Reply { panic("secret text") }
	c := r.ready()
	if got := c.cmd("Subject: x\r\n\r\nx\r\n.", "451 4.3.0"); strings.Contains(got, "secret") {
		t.Errorf("reply %q", got)
	}
	if !strings.Contains(r.log.String(), "secret text") || r.events.count("handler_panic") != 1 {
		t.Error("the panic was not logged and counted")
	}
	c.cmd("NOOP", "250")
}

func TestHandlerTooLate(t *testing.T) {
	release := make(chan struct{})
	r := start(t, func(o *Options, _ *Listener) { o.HandleTimeout = 50 * time.Millisecond })
	r.inbox.reply = func(ctx context.Context, _ *msg.Message) msg.Reply {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("the handler has no deadline")
		}
		<-release // deaf to its context
		return msg.Reply{Code: 250, Detail: "0.0", Text: "too late"}
	}
	c := r.ready()
	c.cmd("Subject: x\r\n\r\nx\r\n.", "451 4.3.0")
	if r.srv.memory.used.Load() == 0 {
		t.Error("memory that the handler still holds is not counted")
	}
	close(release)
	c.cmd("NOOP", "250")
	if r.events.count("handler_timeout") != 1 || r.events.count("accepted") != 0 {
		t.Error("not counted as late")
	}
}

func TestMemoryIsShared(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.Memory = 100_000 }))
	c := r.ready()
	c.send(stuff(sized(100_001)) + ".\r\n")
	c.want("452 4.3.1")
	c.begin()
	c.cmd("Subject: small\r\n\r\nx\r\n.", "250")
}

// TestSizeIsNotBelieved: declaring a size must not take memory away from others.
func TestSizeIsNotBelieved(t *testing.T) {
	r := start(t)
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test> SIZE=20000000", "250")
	c.cmd("RCPT TO:<b@gov.test>", "250")
	c.cmd("DATA", "354")
	c.send("Subject: x\r\n\r\n")
	eventually(t, "the first octets", func() bool { return r.srv.memory.used.Load() > 0 })
	if used := r.srv.memory.used.Load(); used > int64(blockSize(r.srv.lim)) {
		t.Errorf("%d octets are taken for a claim", used)
	}
	c.send(".\r\n")
	c.want("250")
}
