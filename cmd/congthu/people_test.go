package main

import (
	"log/slog"
	"testing"
	"time"

	"congthu/internal/account"
	"congthu/internal/acquaint"
	"congthu/internal/config"
	"congthu/internal/inspect/burst"
	"congthu/internal/inspect/known"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/store"
)

func remembering(t *testing.T) *people {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	log := slog.New(slog.DiscardHandler)
	p := &people{memory: acquaint.New(db, log), watch: account.NewWatch(db, log)}
	p.guard = burst.New(burst.Options{Name: quotaOf, Held: p.watch.Held})
	if err := p.memory.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func walked(raw string, change func(*msg.Message)) (*msg.Message, pipeline.Walk) {
	to := msg.Path{Raw: "lan@ban.test", Local: "lan", Domain: "ban.test"}
	m := &msg.Message{Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits()), Received: time.Now()}
	m.Envelope = msg.Envelope{From: msg.Path{Raw: "a@gov.test", Local: "a", Domain: "gov.test"}, To: []msg.Path{to}}
	m.Session = msg.Session{Outbound: true, Identity: msg.Identity{Account: "a"}}
	change(m)
	return m, pipeline.Walk{Reply: msg.Reply{Code: 250}, Decisions: []msg.Decision{{Action: msg.Deliver, To: []msg.Path{to}}}}
}

// Whom somebody of ours wrote to is known; whom a machine answered is not, for anybody can
// have it answer anybody.
func TestWhoIsLearnt(t *testing.T) {
	for name, c := range map[string]struct {
		raw    string
		change func(*msg.Message)
		want   bool
	}{
		"a letter":    {"Subject: x\r\n\r\n", func(*msg.Message) {}, true},
		"no machine":  {"Auto-Submitted: no\r\n\r\n", func(*msg.Message) {}, true},
		"on holiday":  {"Auto-Submitted: auto-replied\r\n\r\n", func(*msg.Message) {}, false},
		"old holiday": {"Precedence: auto_reply\r\n\r\n", func(*msg.Message) {}, false},
		"a notice":    {"Subject: x\r\n\r\n", func(m *msg.Message) { m.Envelope.From = msg.Path{} }, false},
		"a stranger":  {"From: lan@ban.test\r\n\r\n", func(m *msg.Message) { m.Session.Outbound = false }, false},
	} {
		p := remembering(t)
		p.learn(walked(c.raw, c.change))
		if got := p.past("lan@ban.test", "ban.test"); got.Written != c.want || got.WrittenDomain != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A proven author is counted once a day, and only when his letter was clean.
func TestWhoIsHeard(t *testing.T) {
	p := remembering(t)
	stranger := func(m *msg.Message) {
		m.Session = msg.Session{}
		m.Auth = []msg.AuthResult{{Method: "dmarc", Status: "pass", Value: "ban.test"}}
	}
	for _, score := range []float64{3, 1, 1} {
		m, w := walked("From: Lan@ban.test\r\n\r\n", stranger)
		w.Decisions[0].Why.Score = score
		p.learn(m, w)
	}
	m, w := walked("From: Lan@ban.test\r\n\r\n", stranger)
	w.Decisions[0].Action = msg.Quarantine
	p.learn(m, w)
	if got := p.past("lan@ban.test", "ban.test"); got != (known.Past{Heard: 1}) {
		t.Errorf("%+v", got)
	}
	m, w = walked("From: an@ban.test\r\n\r\n", func(m *msg.Message) { m.Session = msg.Session{} })
	p.learn(m, w)
	if got := p.past("an@ban.test", "ban.test"); got != (known.Past{}) {
		t.Errorf("a forger: %+v", got)
	}
}

func TestBurstLimits(t *testing.T) {
	c := config.Default()
	c.Agency = []config.Agency{{Name: "tin", NewRecipients: 1000, SameBody: -1}, {Name: "xa"}}
	for _, c2 := range []struct {
		id        msg.Identity
		age       time.Duration
		new, same int
	}{
		{msg.Identity{Account: "lan", Agency: "xa"}, 0, 60, 40},
		{msg.Identity{Account: "lan"}, time.Hour, 60, 40},
		{msg.Identity{Agency: "xa"}, time.Hour, 0, 0},
		{msg.Identity{Agency: "xa"}, 8 * 24 * time.Hour, 300, 200},
		{msg.Identity{Agency: "tin"}, time.Hour, 1000, -1},
		{msg.Identity{Account: "lan", Agency: "tin"}, time.Hour, 1000, -1},
	} {
		l := burstLimits(c, func() time.Time { return time.Now().Add(-c2.age) })(c2.id)
		if l.New != c2.new || l.SameBody != c2.same || l.Rejected != 20 {
			t.Errorf("%+v after %v: %+v", c2.id, c2.age, l)
		}
	}
}
