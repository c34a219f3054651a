package relay_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/relay"
	"congthu/internal/sink"
)

// hop starts a next hop that misbehaves by script.
func hop(t testing.TB, script string) (*sink.Sink, string) {
	t.Helper()
	s, w := secureHop(t, nil, script)
	return s, w.Addr().String()
}

// The three answers that decide about a letter: taken, certainly not taken, nothing
// known. Only a silence after the final dot is the last, and only a next hop that has
// said 250 has taken it.
func TestFaultsOfTheNextHop(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		code   int // of the reply; 4: any temporary one; 0: nothing known
		kept   int
	}{
		"willing":                  {"", 250, 1},
		"no PIPELINING":            {"no PIPELINING", 250, 1},
		"refuses connections":      {"connect 554 5.3.2 go away", 4, 0},
		"busy":                     {"connect 421 4.3.2 busy", 4, 0},
		"hangs up at once":         {"connect drop", 4, 0},
		"silent at once":           {"connect stall 1m", 4, 0},
		"EHLO dropped":             {"ehlo drop", 4, 0},
		"MAIL deferred":            {"mail 451 4.3.0 later", 451, 0},
		"MAIL refused":             {"mail 550 5.7.1 no", 550, 0},
		"MAIL dropped":             {"mail drop", 4, 0},
		"RCPT deferred":            {"rcpt 450 4.2.1 later", 450, 0},
		"RCPT refused":             {"rcpt 550 5.1.1 nobody", 550, 0},
		"RCPT dropped":             {"rcpt drop", 4, 0},
		"RCPT silent":              {"rcpt stall 1m", 4, 0},
		"DATA deferred":            {"data 451 4.3.0 later", 451, 0},
		"DATA refused":             {"data 554 5.7.1 no", 554, 0},
		"DATA dropped":             {"data drop", 4, 0},
		"end deferred":             {"end 451 4.3.0 later", 451, 0},
		"end refused":              {"end 550 5.7.1 spam", 550, 0},
		"end dropped":              {"end drop", 0, 0},
		"end kept, then dropped":   {"end keep-drop", 0, 1},
		"end silent":               {"end stall 1m", 0, 1},
		"QUIT dropped":             {"quit drop", 250, 1},
		"a shutdown at the end":    {"end 421 4.3.2 going down", 421, 0},
		"a greeting that is a lie": {"connect 250 what", 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, addr := hop(t, c.script)
			client := newClient(t)
			if strings.Contains(c.script, "stall") {
				client = hasty(t)
			}
			got := client.Deliver(t.Context(), transfer(addr, "Subject: x\r\n\r\ny\r\n", "b@to.test"))
			if len(got) != 1 || !fits(got[0], c.code) {
				t.Errorf("%v, want %d", got, c.code)
			}
			deadline := time.Now().Add(30 * time.Second)
			for len(s.Deliveries()) < c.kept && time.Now().Before(deadline) {
				time.Sleep(10 * time.Millisecond)
			}
			if n := len(s.Deliveries()); n != c.kept {
				t.Errorf("%d kept, want %d", n, c.kept)
			}
		})
	}
}

func fits(r msg.Reply, want int) bool {
	if want == 4 {
		return r.Temporary() && r.Code != 0
	}
	return r.Code == want
}

func TestNobodyListens(t *testing.T) {
	got := newClient(t).Deliver(t.Context(), transfer("127.0.0.1:1", "x", "b@to.test"))
	if len(got) != 1 || !fits(got[0], 4) {
		t.Errorf("%v", got)
	}
}

// What leaves is what was given, whatever the octets: dots, 8-bit, long lines.
func FuzzDeliver(f *testing.F) {
	f.Add([]byte(".\r\n..\r\n.a\r\n"))
	f.Add([]byte("\r\n.\r\nMAIL FROM:<x@y.test>\r\n"))
	f.Add([]byte{0xff, 0xfe, '\r', '\n'})
	s, addr := hop(f, "")
	c := relay.New(relay.Options{Hostname: "gw.test"})
	f.Fuzz(func(t *testing.T, body []byte) {
		body = append(bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r"), nil), []byte("\n"), []byte("\r\n")), []byte{0}, nil), "\r\n"...)
		before := len(s.Deliveries())
		got := c.Deliver(t.Context(), transfer(addr, string(body), "b@to.test"))
		all := s.Deliveries()
		if len(got) != 1 || !got[0].Positive() || len(all) != before+1 {
			t.Fatalf("%v, %d deliveries", got, len(all)-before)
		}
		if want := append([]byte("Received: x\r\n"), body...); !bytes.Equal(all[before].Data, want) {
			t.Errorf("sent %q, arrived %q", want, all[before].Data)
		}
	})
}

func BenchmarkDeliver(b *testing.B) {
	for name, size := range map[string]int{"10KB": 10 << 10, "1MB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			_, addr := hop(b, "")
			c := relay.New(relay.Options{Hostname: "gw.test"})
			body := string(bytes.Repeat([]byte("0123456789 .23456789 0123456789 0123456789 0123456789 0123456789\r\n"), size/68))
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if got := c.Deliver(b.Context(), transfer(addr, body, "b@to.test")); !got[0].Positive() {
					b.Fatal(got)
				}
			}
		})
	}
}
