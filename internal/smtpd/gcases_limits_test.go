package smtpd

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// The cases here are attacks at the wire, each as the octets that an attacker
// would send. The names keep the numbers of the threat list (G01 to G24).

func TestG11LongCommand(t *testing.T) {
	r := start(t)
	c := r.dial()
	c.send("EHLO " + strings.Repeat("x", 3000) + "\r\n")
	c.want("500 5.5.2")
	c.closed()

	c = r.dial()
	c.send("NOOP " + strings.Repeat("x", 2048-len("NOOP \r\n")) + "\r\n") // exactly 2,048
	c.want("250")
	c.send("NOOP " + strings.Repeat("x", 2049-len("NOOP \r\n")) + "\r\n")
	c.want("500 5.5.2")
	c.closed()
}

func TestG11LongCommandIsRefusedBeforeItEnds(t *testing.T) {
	r := start(t)
	c := r.dial()
	c.send(strings.Repeat("x", 4000)) // and no line end, ever
	c.want("500 5.5.2")
	c.closed()
}

func TestG12TooManyRecipients(t *testing.T) {
	r := start(t)
	c := r.hello()
	c.cmd("MAIL FROM:<a@attack.test>", "250")
	var batch strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&batch, "RCPT TO:<u%d@gov.test>\r\n", i)
	}
	go func() { _, _ = io.WriteString(c.conn, batch.String()) }()
	for range 1000 {
		c.want("250 2.1.5")
	}
	c.want("452 4.5.3")
	c.cmd("DATA", "354")
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.want("250")
	if n := len(r.inbox.one(t).Envelope.To); n != 1000 {
		t.Errorf("%d recipients", n)
	}
}

func TestG13Size(t *testing.T) {
	const limit = 100_000
	for _, extra := range []int{-1, 0, 1} {
		r := start(t, limits(func(l *Limits) { l.MessageSize = limit }))
		c := r.ready()
		body := sized(limit + extra)
		c.send(stuff(body) + ".\r\n")
		if extra > 0 {
			c.want("552 5.3.4")
			c.closed()
			r.inbox.none(t)
			continue
		}
		c.want("250")
		if string(r.inbox.one(t).Raw) != body {
			t.Errorf("extra %d: the message changed", extra)
		}
	}
}

// sized is a message of exactly n octets with lines that need stuffing.
func sized(n int) string {
	s := "Subject: size\r\n\r\n" + strings.Repeat(".dot at the start\r\n", n/19)
	return s[:n-2-20] + strings.Repeat("y", 20) + "\r\n"
}

func stuff(s string) string {
	s = strings.ReplaceAll(s, "\r\n.", "\r\n..")
	if strings.HasPrefix(s, ".") {
		s = "." + s
	}
	return s
}

func TestG13SizeDeclared(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.MessageSize = 100_000 }))
	c := r.hello()
	for _, size := range []string{"100001", "9223372036854775808", "99999999999999999999"} {
		c.cmd("MAIL FROM:<a@attack.test> SIZE="+size, "552 5.3.4")
	}
	c.cmd("MAIL FROM:<a@attack.test> SIZE=100000", "250")
}

func TestG13EndlessMessage(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.MessageSize = 100_000 }))
	c := r.ready()
	sent := make(chan int64)
	go func() {
		n, _ := io.Copy(c.conn, io.LimitReader(endless{}, 1<<30))
		sent <- n
	}()
	c.want("552 5.3.4")
	if n := <-sent; n > 64<<20 { // what the kernels hold, the drain and the linger
		t.Errorf("%d octets were taken of a message that is too big", n)
	}
	r.inbox.none(t)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "0123456789abcde\r\n"[i%17]
	}
	return len(p) / 17 * 17, nil
}

func TestG14LongBodyLine(t *testing.T) {
	for n, want := range map[int]string{10_000: "250", 64 << 10: "250", 64<<10 + 1: "550 5.6.0", 200_000: "550 5.6.0"} {
		for _, first := range []string{"", "."} { // a stuffed line has one octet more on the wire
			r := start(t)
			c := r.ready()
			line := first + strings.Repeat("z", n-len(first)) + "\r\n"
			body := "Subject: long\r\n\r\n" + line + ".x\r\n"
			c.send(stuff(body) + ".\r\n")
			c.want(want)
			if want == "250" && string(r.inbox.one(t).Raw) != body {
				t.Errorf("%d: the message changed", n)
			}
			if want != "250" {
				r.inbox.none(t)
				c.cmd("NOOP", "250") // read to its end, the session goes on
			}
		}
	}
}

func TestG15FINInData(t *testing.T) {
	for _, cut := range []string{"", "Subject: x", "Subject: x\r\n\r\nbody\r\n", "x\r\n.", "x\r\n.\r"} {
		r := start(t)
		c := r.ready()
		c.send(cut)
		c.halfClose()
		c.closed()
		r.inbox.none(t)
		if r.events.count("truncated") != 1 {
			t.Errorf("%q: truncated was not counted", cut)
		}
	}
}

func TestG16SlowData(t *testing.T) {
	r := start(t, limits(func(l *Limits) {
		l.DataGrace, l.DataRate, l.CommandWait = 150*time.Millisecond, 2000, 2*time.Second
	}))
	drip, steady := r.ready(), r.ready()
	go func() { // 1 octet every 20 ms: 50 B/s
		for i := 0; ; i++ {
			if _, err := drip.conn.Write([]byte("Subject: slow and steady"[i%24 : i%24+1])); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	chunk := strings.Repeat("x", 98) + "\r\n"
	for range 25 { // 100 octets every 20 ms: 5,000 B/s, for longer than the grace
		steady.send(chunk)
		time.Sleep(20 * time.Millisecond)
	}
	steady.send(".\r\n")
	steady.want("250")
	drip.want("421 4.4.2")
	if n := r.events.count("slow"); n != 1 {
		t.Errorf("slow counted %d times", n)
	}
	r.inbox.one(t)
}

func TestG17ConnectionLimits(t *testing.T) {
	r := start(t, limits(func(l *Limits) { l.PerClient, l.Connections = 5, 8 }))
	for range 5 {
		r.dialFrom("127.0.7.1").want("220")
	}
	c := r.dialFrom("127.0.7.1")
	c.want("421 4.7.0")
	c.closed()
	begin := time.Now()
	other := r.dialFrom("127.0.7.2")
	other.want("220")
	if time.Since(begin) > 10*time.Second {
		t.Error("another client had to wait")
	}
	r.dialFrom("127.0.7.3").want("220")
	r.dialFrom("127.0.7.4").want("220")
	r.dialFrom("127.0.7.5").want("421 4.7.0") // 9 in all
	other.cmd("QUIT", "221")
	other.closed()
	_ = other.conn.Close()
	eventually(t, "the place of the one that left", func() bool {
		c := r.dialFrom("127.0.7.5")
		return strings.HasPrefix(c.reply(), "220")
	})
	if r.events.count("refused_connection") < 2 {
		t.Error("refused_connection was not counted")
	}
}
