package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// patience bounds each step of a dialogue: longer than anything the gateway may take.
const patience = 60 * time.Second

// Sender sends letters to one gateway and writes them into a ledger.
type Sender struct {
	Addr   string
	Ledger *Ledger
	Domain func(n int) string // of the recipients of the n-th letter of a sender
	Size   int                // of the letters; 0: mixed
	Pause  time.Duration      // between two letters
}

// Run keeps so many connections busy until ctx ends. A connection that breaks is made
// again; the letter on it is not sent again, as its number is used.
func (s Sender) Run(ctx context.Context, connections int) error {
	var wg sync.WaitGroup
	errs := make(chan error, connections)
	for range connections {
		wg.Go(func() { errs <- s.keepSending(ctx) })
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// keepSending is one connection after the other. Only an error of the ledger ends it.
func (s Sender) keepSending(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; {
		c, err := dial(s.Addr)
		if err != nil {
			sleep(ctx, 10*time.Millisecond)
			continue
		}
		for ctx.Err() == nil && err == nil {
			var alive bool
			alive, err = s.one(c, n)
			n++
			if !alive {
				break
			}
			sleep(ctx, s.Pause)
		}
		_ = c.Close() // what it had to say was said
		if err != nil {
			return err
		}
	}
	return nil
}

// Send sends n letters over one connection, or less if it breaks.
func (s Sender) Send(n int) error {
	c, err := dial(s.Addr)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // everything was said
	for i := range n {
		if alive, err := s.one(c, i); err != nil || !alive {
			return err
		}
	}
	return nil
}

// one sends the next letter. alive is false when the connection is of no more use.
func (s Sender) one(c *client, i int) (alive bool, err error) {
	letter, err := s.Ledger.Begin(s.Domain(i), s.Size)
	if err != nil {
		return false, err
	}
	reply, err := c.transact(letter)
	if reply == "" {
		return false, nil // it broke; whatever became of the letter, we were told nothing
	}
	return err == nil && !strings.HasPrefix(reply, "421"), s.Ledger.Said(letter.N, reply)
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// client is one SMTP connection, past EHLO.
type client struct {
	*textproto.Conn
	net net.Conn
}

func dial(addr string) (*client, error) {
	n, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{textproto.NewConn(n), n}
	_ = n.SetDeadline(time.Now().Add(patience)) // if it is closed already the read fails
	if _, _, err = c.ReadResponse(220); err == nil {
		_, err = c.say(250, "EHLO so.test")
	}
	if err != nil {
		_ = c.Close() // the error is what counts
		return nil, err
	}
	return c, nil
}

// say says a line and returns the reply as one line; the error is set when it is not
// the wanted one, or none.
func (c *client) say(want int, format string, args ...any) (string, error) {
	_ = c.net.SetDeadline(time.Now().Add(patience)) // as above
	if err := c.PrintfLine(format, args...); err != nil {
		return "", err
	}
	return c.reply(want)
}

func (c *client) reply(want int) (string, error) {
	code, text, err := c.ReadResponse(want)
	if code == 0 {
		return "", err
	}
	return fmt.Sprintf("%d %s", code, strings.ReplaceAll(text, "\n", " / ")), err
}

// transact sends one letter and returns the reply that decided, "" when there was none.
// The error is set when the dialogue has ended early.
func (c *client) transact(l Letter) (string, error) {
	return c.mail("van-thu@so.test", l.To, l.Octets())
}

func (c *client) mail(from string, to []string, octets []byte) (string, error) {
	if reply, err := c.say(250, "MAIL FROM:<%s>", from); err != nil {
		return c.giveUp(reply, err)
	}
	for _, to := range to {
		if reply, err := c.say(250, "RCPT TO:<%s>", to); err != nil {
			return c.giveUp(reply, err)
		}
	}
	if reply, err := c.say(354, "DATA"); err != nil {
		return c.giveUp(reply, err)
	}
	_ = c.net.SetDeadline(time.Now().Add(patience)) // as above
	w := c.DotWriter()
	if _, err := w.Write(octets); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	reply, err := c.reply(250)
	if reply != "" {
		err = nil // the connection can go on
	}
	return reply, err
}

// giveUp ends a transaction that was refused before DATA; the reply to RSET does not
// matter.
func (c *client) giveUp(reply string, err error) (string, error) {
	if reply != "" && !strings.HasPrefix(reply, "421") {
		_, err = c.say(250, "RSET")
	}
	return reply, err
}
