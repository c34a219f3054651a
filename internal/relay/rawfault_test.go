package relay_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/relay"
)

// What a broken or hostile next hop can do on the wire, and what is then known of the
// letter. The word "not sent" may be said only when the final dot cannot have arrived,
// and "nothing is known" only when it may have.
func TestRawFaults(t *testing.T) {
	large := strings.Repeat("0123456789 0123456789 0123456789 0123456789\r\n", 1<<19) // 24 MB: no socket buffer holds it
	small := "Subject: x\r\n\r\ny\r\n"
	hang := func(c *rawConn) bool { return c.hang() }
	drop := func(*rawConn) bool { return false }
	reset := func(c *rawConn) bool { return c.reset() }
	for name, c := range map[string]struct {
		on   map[string]func(*rawConn) bool
		body string
		code int // 4: temporary and certain; 0: nothing known
	}{
		"stops reading in the message":  {map[string]func(*rawConn) bool{"DATA": stopReading("354 go\r\n")}, large, 4},
		"refuses in the message":        {map[string]func(*rawConn) bool{"DATA": stopReading("354 go\r\n", "552 5.3.4 too large\r\n")}, large, 552},
		"RST in the message":            {map[string]func(*rawConn) bool{"DATA": func(c *rawConn) bool { c.say("354 go\r\n"); _, _ = c.r.Peek(1000); return c.reset() }}, large, 4},
		"closes in the message":         {map[string]func(*rawConn) bool{"DATA": func(c *rawConn) bool { c.say("354 go\r\n"); _, _ = c.r.Peek(1000); return false }}, large, 4},
		"RST after the final dot":       {map[string]func(*rawConn) bool{".": reset}, small, 0},
		"closes after the final dot":    {map[string]func(*rawConn) bool{".": drop}, small, 0},
		"late after the final dot":      {map[string]func(*rawConn) bool{".": hang}, small, 0},
		"garbage after the final dot":   {map[string]func(*rawConn) bool{".": says("\x00\xff\x16 hello")}, small, 0},
		"drips after the final dot":     {map[string]func(*rawConn) bool{".": func(c *rawConn) bool { return c.drip("250-ok\r\n250-ok\r\n250 ok\r\n") }}, small, 0},
		"endless reply at the end":      {map[string]func(*rawConn) bool{".": says(strings.Repeat("250-x\r\n", 500) + "250 x")}, small, 0},
		"354 once more at the end":      {map[string]func(*rawConn) bool{".": says("354 more")}, small, 0},
		"another code in a reply":       {map[string]func(*rawConn) bool{".": says("250-ok\r\n550 no")}, small, 0},
		"half-closes at 354":            {map[string]func(*rawConn) bool{"DATA": halfClose("354 go\r\n")}, small, 0},
		"half-closes at EHLO":           {map[string]func(*rawConn) bool{"EHLO": halfClose("")}, small, 4},
		"RST at EHLO":                   {map[string]func(*rawConn) bool{"EHLO": reset}, small, 4},
		"RST at MAIL":                   {map[string]func(*rawConn) bool{"MAIL": reset}, small, 4},
		"RST at RCPT":                   {map[string]func(*rawConn) bool{"RCPT": reset}, small, 4},
		"RST at DATA":                   {map[string]func(*rawConn) bool{"DATA": reset}, small, 4},
		"421 at the greeting":           {map[string]func(*rawConn) bool{"connect": says("421 4.3.2 later")}, small, 421},
		"421 at EHLO":                   {map[string]func(*rawConn) bool{"EHLO": says("421 4.3.2 later")}, small, 421},
		"421 at MAIL":                   {map[string]func(*rawConn) bool{"MAIL": says("421 4.3.2 later")}, small, 421},
		"421 at RCPT":                   {map[string]func(*rawConn) bool{"RCPT": says("421 4.3.2 later")}, small, 421},
		"421 at DATA":                   {map[string]func(*rawConn) bool{"DATA": says("421 4.3.2 later")}, small, 421},
		"421 at the end":                {map[string]func(*rawConn) bool{".": says("421 4.3.2 later")}, small, 421},
		"EHLO and HELO refused":         {map[string]func(*rawConn) bool{"EHLO": says("550 go away"), "HELO": says("550 go away")}, small, 4},
		"another protocol":              {map[string]func(*rawConn) bool{"connect": says("SSH-2.0-OpenSSH_9.2")}, small, 4},
		"garbage at MAIL":               {map[string]func(*rawConn) bool{"MAIL": says("99 x")}, small, 4},
		"garbage at RCPT":               {map[string]func(*rawConn) bool{"RCPT": says("")}, small, 4},
		"garbage at DATA":               {map[string]func(*rawConn) bool{"DATA": says("go on")}, small, 4},
		"250 at DATA":                   {map[string]func(*rawConn) bool{"DATA": says("250 ok")}, small, 4},
		"354 at RCPT":                   {map[string]func(*rawConn) bool{"RCPT": says("354 go")}, small, 4},
		"drips at the greeting":         {map[string]func(*rawConn) bool{"connect": func(c *rawConn) bool { return c.drip("220 raw.test\r\n") }}, small, 4},
		"drips at MAIL":                 {map[string]func(*rawConn) bool{"MAIL": func(c *rawConn) bool { return c.drip("250 ok ok ok\r\n") }}, small, 4},
		"an endless greeting":           {map[string]func(*rawConn) bool{"connect": says(strings.Repeat("220-x\r\n", 500) + "220 x")}, small, 4},
		"a line without end at MAIL":    {map[string]func(*rawConn) bool{"MAIL": says("250 " + strings.Repeat("x", 10_000))}, small, 4},
		"an answer before the message":  {map[string]func(*rawConn) bool{"DATA": says("354 go\r\n250 ok")}, small, 4},
		"MAIL refused, RCPT taken, 354": {map[string]func(*rawConn) bool{"MAIL": says("550 5.7.1 no")}, small, 550},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &rawHop{on: c.on}
			addr := h.start(t)
			client := newClient(t)
			if slices.ContainsFunc([]string{"stops reading", "refuses in the message", "late ", "drips "}, func(s string) bool { return strings.HasPrefix(name, s) }) {
				client = hasty(t)
			}
			got := client.Deliver(t.Context(), transfer(addr, c.body, "b@to.test"))
			if len(got) != 1 || !fits(got[0], c.code) {
				t.Errorf("%v, want %d", got, c.code)
			}
			for _, m := range h.got() {
				if m == ".\r\n" {
					t.Error("an empty message was sent to somebody")
				}
			}
		})
	}
}

// stopReading says something and then reads no more.
func stopReading(texts ...string) func(*rawConn) bool {
	return func(c *rawConn) bool {
		_ = c.Conn.(*net.TCPConn).SetReadBuffer(4096)
		for _, text := range texts {
			c.say(text)
			_, _ = c.r.Peek(100)
		}
		time.Sleep(4 * time.Second)
		return false
	}
}

// halfClose says something, ends its direction and reads on.
func halfClose(text string) func(*rawConn) bool {
	return func(c *rawConn) bool {
		c.say(text)
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		_, ok := receive(c)
		return ok
	}
}

// A sender who waits is not kept waiting: before the final dot by a next hop that is slow,
// after it by one that is silent. The client's own time-outs are a minute and more.
func TestCutThroughTimes(t *testing.T) {
	slow := func(c *rawConn) bool { return c.hang() }
	for name, c := range map[string]struct {
		on   map[string]func(*rawConn) bool
		code int
	}{
		"slow to greet":         {map[string]func(*rawConn) bool{"connect": slow}, 4},
		"slow at MAIL":          {map[string]func(*rawConn) bool{"MAIL": slow}, 4},
		"slow at DATA":          {map[string]func(*rawConn) bool{"DATA": slow}, 4},
		"silent after the end":  {map[string]func(*rawConn) bool{".": slow}, 0},
		"some time for the end": {map[string]func(*rawConn) bool{".": func(c *rawConn) bool { time.Sleep(2500 * time.Millisecond); return c.say("250 ok\r\n") }}, 250},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &rawHop{on: c.on}
			client := relay.New(relay.Options{Hostname: "gw.test"})
			t.Cleanup(func() { _ = client.Close() })
			final := 2 * time.Second
			if c.code == 250 {
				final = 30 * time.Second
			}
			start := time.Now()
			got := client.CutThrough(2*time.Second, final).Deliver(t.Context(), transfer(h.start(t), letter, "b@to.test"))
			if !fits(got[0], c.code) || time.Since(start) > 30*time.Second {
				t.Errorf("%v after %v", got, time.Since(start))
			}
		})
	}
}

// The caller's end while the body is being written is certain, and after it is not.
func TestContextEndsInAndAfterTheMessage(t *testing.T) {
	large := strings.Repeat("0123456789 0123456789 0123456789 0123456789\r\n", 1<<19)
	for name, c := range map[string]struct {
		at   string // where the next hop is when the caller ends
		says string
		body string
		code int
	}{
		"before the message": {"DATA", "", letter, 4},
		"in the message":     {"DATA", "354 go\r\n", large, 4},
		"after it":           {".", "", letter, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h := &rawHop{on: map[string]func(*rawConn) bool{c.at: func(k *rawConn) bool {
				_ = k.Conn.(*net.TCPConn).SetReadBuffer(4096)
				if c.says != "" {
					k.say(c.says)
					_, _ = k.r.Peek(100)
				}
				cancel()
				time.Sleep(time.Second) // and does not read on
				return false
			}}}
			client := relay.New(relay.Options{Hostname: "gw.test"})
			t.Cleanup(func() { _ = client.Close() })
			if got := client.Deliver(ctx, transfer(h.start(t), c.body, "b@to.test")); !fits(got[0], c.code) {
				t.Errorf("%v, want %d", got, c.code)
			}
		})
	}
}
