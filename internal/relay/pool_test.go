package relay_test

import (
	"slices"
	"strings"
	"testing"

	"congthu/internal/relay"
)

const letter = "Subject: x\r\n\r\ny\r\n"

// verbs are the first words of what was said.
func verbs(lines []string) string {
	var out []string
	for _, l := range lines {
		v, _, _ := strings.Cut(l, " ")
		out = append(out, v)
	}
	return strings.Join(out, " ")
}

// A letter costs no RSET, and a transaction that came to nothing leaves the connection
// fit for the next.
func TestTransactionsOnOneConnection(t *testing.T) {
	no := says("550 5.1.1 nobody")
	for name, c := range map[string]struct {
		ext  []string
		on   map[string]func(*rawConn) bool
		want string
		code []int
		got  []string
	}{
		"three letters": {nil, nil, "EHLO MAIL RCPT DATA MAIL RCPT DATA MAIL RCPT DATA", []int{250, 250, 250}, []string{"m", "m", "m"}},
		"one by one":    {[]string{"8BITMIME"}, nil, "EHLO MAIL RCPT DATA MAIL RCPT DATA MAIL RCPT DATA", []int{250, 250, 250}, []string{"m", "m", "m"}},
		"354 though nobody is taken: an empty message": {
			nil,
			map[string]func(*rawConn) bool{"RCPT": firstTime(no, says("250 ok")), ".": firstTime(says("554 nobody"), says("250 ok"))},
			"EHLO MAIL RCPT DATA MAIL RCPT DATA MAIL RCPT DATA",
			[]int{550, 250, 250},
			[]string{".", "m", "m"},
		},
		"554 as nobody is taken": {
			nil,
			map[string]func(*rawConn) bool{"RCPT": firstTime(no, says("250 ok")), "DATA": firstTime(says("554 nobody"), says("354 go"))},
			"EHLO MAIL RCPT DATA RSET MAIL RCPT DATA MAIL RCPT DATA",
			[]int{550, 250, 250},
			nil,
		},
		"nobody is taken, one by one": {
			[]string{"SIZE"},
			map[string]func(*rawConn) bool{"RCPT": firstTime(no, says("250 ok"))},
			"EHLO MAIL RCPT RSET MAIL RCPT DATA MAIL RCPT DATA",
			[]int{550, 250, 250},
			[]string{"m", "m"},
		},
		"MAIL deferred": {
			nil,
			map[string]func(*rawConn) bool{"MAIL": firstTime(says("451 4.3.0 later"), says("250 ok")), "RCPT": firstTime(says("503 no MAIL"), says("250 ok")), "DATA": firstTime(says("503 no MAIL"), says("354 go"))},
			"EHLO MAIL RCPT DATA RSET MAIL RCPT DATA MAIL RCPT DATA",
			[]int{451, 250, 250},
			nil,
		},
		"refused at the end": {
			nil,
			map[string]func(*rawConn) bool{".": firstTime(says("554 5.7.1 spam"), says("250 ok"))},
			"EHLO MAIL RCPT DATA MAIL RCPT DATA MAIL RCPT DATA",
			[]int{554, 250, 250},
			[]string{"m", "m", "m"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &rawHop{ext: c.ext, on: c.on}
			addr, client := h.start(t), newClient(t)
			for i, code := range c.code {
				if got := client.Deliver(t.Context(), transfer(addr, letter, "b@to.test")); got[0].Code != code {
					t.Errorf("letter %d: %v, want %d", i, got, code)
				}
			}
			heard := h.heard()
			if len(heard) != 1 || verbs(heard[0]) != c.want {
				t.Errorf("said %q", heard)
			}
			for i, m := range c.got {
				if full := h.got()[i] == "Received: x\r\n"+letter+".\r\n"; full != (m == "m") || !full && h.got()[i] != ".\r\n" {
					t.Errorf("message %d is %q", i, h.got()[i])
				}
			}
		})
	}
}

// More answers than questions: what they answer is anybody's guess, so the connection is
// not used again.
func TestAConnectionOutOfStepIsNotUsedAgain(t *testing.T) {
	h := &rawHop{on: map[string]func(*rawConn) bool{".": firstTime(says("250 ok\r\n250 ok"), says("250 ok"))}}
	addr, client := h.start(t), newClient(t)
	for range 2 {
		if got := client.Deliver(t.Context(), transfer(addr, letter, "b@to.test")); got[0].Code != 250 {
			t.Errorf("%v", got)
		}
	}
	if n := len(h.heard()); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestStaleIsReplaced(t *testing.T) {
	h := &rawHop{on: map[string]func(*rawConn) bool{".": func(c *rawConn) bool { return c.say("250 ok\r\n") && c.n > 0 }}} // the first connection ends with its letter
	addr, client := h.start(t), newClient(t)
	for i := range 3 {
		if got := client.Deliver(t.Context(), transfer(addr, letter, "b@to.test")); got[0].Code != 250 {
			t.Fatalf("letter %d: %v", i, got)
		}
	}
	if len(h.heard()) != 2 || len(h.got()) != 3 {
		t.Errorf("%d connections, %d messages", len(h.heard()), len(h.got()))
	}
}

// A connection that died in the pool is replaced once; one that dies while it is new is
// an answer.
func TestStaleIsTriedAgainOnce(t *testing.T) {
	drop := func(*rawConn) bool { return false }
	h := &rawHop{on: map[string]func(*rawConn) bool{"MAIL": firstTime(says("250 ok"), drop)}}
	addr, client := h.start(t), newClient(t)
	if got := client.Deliver(t.Context(), transfer(addr, letter, "b@to.test")); got[0].Code != 250 {
		t.Fatalf("%v", got)
	}
	if got := client.Deliver(t.Context(), transfer(addr, letter, "b@to.test")); !fits(got[0], 4) {
		t.Errorf("%v", got)
	}
	if n := len(h.heard()); n != 2 {
		t.Errorf("%d connections, want the first and one more", n)
	}
	if len(h.got()) != 1 {
		t.Errorf("%d messages", len(h.got()))
	}
}

// A pooled connection that dies after it has answered is no reason to send again.
func TestNotStaleOnceItHasAnswered(t *testing.T) {
	drop := func(*rawConn) bool { return false }
	h := &rawHop{on: map[string]func(*rawConn) bool{".": firstTime(says("250 ok"), drop)}}
	addr, client := h.start(t), newClient(t)
	for i, code := range []int{250, 0} {
		if got := client.Deliver(t.Context(), transfer(addr, letter, "b@to.test")); got[0].Code != code {
			t.Errorf("letter %d: %v", i, got)
		}
	}
	if len(h.heard()) != 1 || len(h.got()) != 2 {
		t.Errorf("%d connections, %d messages", len(h.heard()), len(h.got()))
	}
}

func TestCommandsLeaveInOneWrite(t *testing.T) {
	h := &rawHop{}
	var together []bool
	h.on = map[string]func(*rawConn) bool{"MAIL": func(c *rawConn) bool {
		b, _ := c.r.Peek(c.r.Buffered())
		together = append(together, strings.HasSuffix(string(b), "DATA\r\n"))
		return c.say("250 ok\r\n")
	}}
	if got := newClient(t).Deliver(t.Context(), transfer(h.start(t), letter, "b@to.test", "c@to.test")); got[0].Code != 250 || got[1].Code != 250 {
		t.Errorf("%v", got)
	}
	if !slices.Equal(together, []bool{true}) {
		t.Errorf("MAIL, RCPT and DATA came apart: %v", together)
	}
}

func TestMoreThanItTakesIsNotSent(t *testing.T) {
	size := len("Received: x\r\n" + letter)
	for limit, code := range map[string]int{"SIZE 10": 552, "SIZE 0": 250, "SIZE": 250, "SIZE 1000000": 250, "SIZE x": 250, "SIZE " + strings.Repeat("9", 40): 250, "SIZE " + itoa(size): 250, "SIZE " + itoa(size-1): 552} {
		h := &rawHop{ext: []string{"PIPELINING", limit}}
		got := newClient(t).Deliver(t.Context(), transfer(h.start(t), letter, "b@to.test"))
		if got[0].Code != code || code == 552 && (got[0].Status() != "5.3.4" || verbs(h.heard()[0]) != "EHLO") {
			t.Errorf("%s: %v, said %q", limit, got, h.heard())
		}
	}
}

func TestSMTPUTF8AndEightBit(t *testing.T) {
	for _, c := range []struct {
		ext       string
		to        string
		body      string
		asked     bool
		code      int
		has, lack string
	}{
		{"SMTPUTF8", "thư@to.test", letter, true, 250, " SMTPUTF8", "x"},
		{"HELP", "thư@to.test", letter, true, 550, "", "MAIL"},
		{"HELP", "b@to.test", letter, true, 250, "MAIL", "SMTPUTF8"},              // asked for in vain: ASCII all through
		{"HELP", "b@to.test", "Subject: thư\r\n\r\ny\r\n", true, 550, "", "MAIL"}, // RFC 6531 section 3.6: the header needs it
		{"8BITMIME", "b@to.test", "Subject: x\r\n\r\nthư\r\n", true, 250, " BODY=8BITMIME", "SMTPUTF8"},
		{"HELP", "b@to.test", "Subject: x\r\n\r\nthư\r\n", false, 250, "MAIL", "BODY"}, // as it is: see transact.go
	} {
		h := &rawHop{ext: []string{c.ext}}
		x := transfer(h.start(t), c.body, c.to)
		x.SMTPUTF8 = c.asked
		got := newClient(t).Deliver(t.Context(), x)[0]
		said := strings.Join(h.heard()[0], "\n") + "\n"
		if got.Code != c.code || !strings.Contains(said, c.has) || strings.Contains(said, c.lack) && c.lack != "x" {
			t.Errorf("%+v: %v, said %q", c, got, said)
		}
		if c.code == 550 && got.Status() != "5.6.7" {
			t.Errorf("%v", got)
		}
	}
}

func TestLearnAndAsk(t *testing.T) {
	h := &rawHop{on: map[string]func(*rawConn) bool{"RCPT": func(c *rawConn) bool {
		if strings.Contains(c.line, "<no@") {
			return c.say("550 5.1.1 nobody\r\n")
		}
		return c.say("250 ok\r\n")
	}}}
	addr := h.start(t)
	var heard []string
	client := relay.New(relay.Options{
		Hostname: "gw.test",
		Rule:     func(domain string) relay.Rule { return relay.Rule{Learn: domain == "to.test"} },
		Heard:    hearing(&heard),
	})
	defer client.Close()
	for to, code := range map[string]int{"no@to.test": 550, "yes@to.test": 250} {
		if got := client.Ask(t.Context(), addr, path(to)); got.Code != code {
			t.Errorf("%s: %v", to, got)
		}
	}
	client.Deliver(t.Context(), transfer(addr, letter, "no@to.test", "yes@to.test"))
	client.Deliver(t.Context(), transfer(addr, letter, "no@other.test"))
	if want := []string{addr + " no@to.test 550", addr + " yes@to.test 250"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q", heard)
	}
	said := h.heard()
	if len(said) != 1 || !strings.HasPrefix(strings.Join(said[0], "|"), "EHLO gw.test|MAIL FROM:<>|RCPT TO:") || strings.Count(verbs(said[0]), "RSET") != 2 {
		t.Errorf("said %q", said)
	}
	if len(h.got()) != 2 { // one to yes@, and an empty one to nobody
		t.Errorf("%q", h.got())
	}
	if got := client.Ask(t.Context(), "127.0.0.1:1", path("a@to.test")); got.Code != 0 {
		t.Errorf("nobody was asked and said %v", got)
	}
	if got := client.Ask(t.Context(), addr, path("a>b@to.test")); got.Code != 0 {
		t.Errorf("%v", got)
	}
}
