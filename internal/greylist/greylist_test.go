package greylist

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

// house is a list with a memory of its own and a clock that only the test moves.
type house struct {
	*List
	now time.Time
}

func newHouse() *house {
	h := &house{now: time.Unix(1_000_000_000, 0)}
	first := map[string]time.Time{}
	h.List = New(Options{
		From: 3, Below: 6, Delay: 5 * time.Minute, Exempt: []string{"KNOWN"},
		Seen: func(names ...string) (time.Time, bool) { at, ok := first[strings.Join(names, " ")]; return at, ok },
		Note: func(names ...string) {
			if k := strings.Join(names, " "); first[k].IsZero() {
				first[k] = h.now
			}
		},
		Now: func() time.Time { return h.now },
	})
	return h
}

func letter(ip string) *msg.Message {
	m := &msg.Message{Envelope: msg.Envelope{From: msg.Path{Raw: "a@b.test", Local: "a", Domain: "b.test"}}}
	m.Session.Remote = netip.AddrPortFrom(netip.MustParseAddr(ip), 25)
	return m
}

func decision(score float64, to ...string) []msg.Decision {
	d := msg.Decision{Action: msg.Deliver, Why: msg.Verdict{Score: score}}
	for _, a := range to {
		d.To = append(d.To, msg.Path{Raw: a + "@gov.test", Local: a, Domain: "gov.test"})
	}
	return []msg.Decision{d}
}

func TestWhoIsPutOff(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*msg.Message, *msg.Decision)
		put    bool
	}{
		"a doubtful stranger": {func(*msg.Message, *msg.Decision) {}, true},
		"a good letter":       {func(_ *msg.Message, d *msg.Decision) { d.Why.Score = 2.9 }, false},
		"one that is held":    {func(_ *msg.Message, d *msg.Decision) { d.Action = msg.Quarantine }, false},
		"one refused":         {func(_ *msg.Message, d *msg.Decision) { d.Action = msg.Reject }, false},
		"a score of spam":     {func(_ *msg.Message, d *msg.Decision) { d.Why.Score = 6 }, false},
		"our own":             {func(m *msg.Message, _ *msg.Decision) { m.Session.Outbound = true }, false},
		"known": {func(_ *msg.Message, d *msg.Decision) {
			d.Why.Counted = []msg.Weighed{{Finding: msg.Finding{Symbol: "KNOWN"}}}
		}, false},
		"DMARC": {func(m *msg.Message, _ *msg.Decision) { m.Auth = []msg.AuthResult{{Method: "dmarc", Status: "pass"}} }, false},
		"SPF": {func(m *msg.Message, _ *msg.Decision) {
			m.Auth = []msg.AuthResult{{Method: "spf", Status: "pass", Property: "smtp.mailfrom"}}
		}, false},
		"SPF of the greeting only": {func(m *msg.Message, _ *msg.Decision) {
			m.Auth = []msg.AuthResult{{Method: "spf", Status: "pass", Property: "smtp.helo"}}
		}, true},
		"DKIM that failed": {func(m *msg.Message, _ *msg.Decision) { m.Auth = []msg.AuthResult{{Method: "dkim", Status: "fail"}} }, true},
	} {
		m, ds := letter("192.0.2.1"), decision(4, "x")
		c.change(m, &ds[0])
		before := ds[0].Action
		got := newHouse().Apply(m, ds)[0]
		if put := got.Reason == Reason; put != c.put || !put && got.Action != before {
			t.Errorf("%s: %v %s", name, got.Action, got.Reason)
		}
		if c.put && (got.Action != msg.Defer || got.Reply.String() != "451 4.7.1 Xin gui lai sau 5 phut / Please send it again in 5 minutes") {
			t.Errorf("%s: %v %s", name, got.Action, got.Reply)
		}
	}
}

func TestComingAgain(t *testing.T) {
	h := newHouse()
	put := func(ip string, to ...string) bool {
		return h.Apply(letter(ip), decision(4, to...))[0].Action == msg.Defer
	}
	for range 2 {
		if !put("192.0.2.1", "x") {
			t.Error("passes at once")
		}
	}
	h.now = h.now.Add(5*time.Minute - time.Second)
	if !put("192.0.2.1", "x") {
		t.Error("passes too early: to ask often is not to wait")
	}
	h.now = h.now.Add(time.Second)
	if !put("198.51.100.1", "x") || !put("192.0.2.1", "y") {
		t.Error("another net or recipient passes")
	}
	if put("192.0.2.200", "x") {
		t.Error("a neighbour of the same net is put off again")
	}
	if !put("192.0.2.1", "x", "z") {
		t.Error("one of two recipients is new")
	}
	h.now = h.now.Add(10 * 24 * time.Hour)
	if put("192.0.2.1", "x") {
		t.Error("put off again although it had come back")
	}
	if !put("192.0.2.1", "y") {
		t.Error("a knock of long ago counts")
	}
}

func TestMidnight(t *testing.T) {
	h := newHouse()
	h.now = time.Unix(86400*10000-60, 0)
	put := func() bool { return h.Apply(letter("2001:db8::1"), decision(4, "x"))[0].Action == msg.Defer }
	if !put() {
		t.Error("the first passes")
	}
	h.now = h.now.Add(5 * time.Minute)
	if put() {
		t.Error("who came again after midnight is put off")
	}
}

func FuzzApply(f *testing.F) {
	f.Add("a@b", "x", int64(1_000_000_000), 4.0)
	f.Fuzz(func(t *testing.T, from, to string, at int64, score float64) {
		h := newHouse()
		h.now = time.Unix(at%1e12, 0)
		m := letter("192.0.2.1")
		m.Envelope.From = msg.Path{Raw: from, Local: from}
		h.Apply(m, decision(score, to))
		h.now = h.now.Add(5 * time.Minute)
		if d := h.Apply(m, decision(score, to))[0]; d.Action != msg.Deliver {
			t.Errorf("put off twice: %v", d.Action)
		}
	})
}
