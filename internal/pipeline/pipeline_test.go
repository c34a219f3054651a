package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"congthu/internal/inspect"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
)

// hop is a next hop that says what it is told to say.
type hop struct {
	replies []msg.Reply
	got     []*msg.Transfer
	wait    bool
}

func (h *hop) Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply {
	h.got = append(h.got, t)
	if h.wait {
		<-ctx.Done()
		return make([]msg.Reply, len(t.To))
	}
	return h.replies
}

// shelf is a keeper in memory that can be out of order.
type shelf struct {
	err       error
	transfers []*msg.Transfer
	holds     []pipeline.Hold
}

func (s *shelf) Keep(_ context.Context, _ *msg.Message, ts []*msg.Transfer, hs []pipeline.Hold) error {
	for _, t := range ts {
		if t.Fill != nil && len(t.Content) > 0 {
			return errors.New("clear text lies about")
		}
		if err := t.Ready(); err != nil {
			return err
		}
	}
	if s.err == nil {
		s.transfers, s.holds = append(s.transfers, ts...), append(s.holds, hs...)
	}
	return s.err
}

func path(local string) msg.Path {
	return msg.Path{Raw: local + "@gov.test", Local: local, Domain: "gov.test"}
}

func deliver(to ...msg.Path) msg.Decision {
	return msg.Decision{Action: msg.Deliver, To: to, NextHop: "h:25"}
}

func build(h *hop, s *shelf, ds ...msg.Decision) *pipeline.Pipeline {
	return &pipeline.Pipeline{
		Parse:  func(*msg.Message) *msg.Part { return &msg.Part{Path: "0"} },
		Decide: func(*msg.Message, []msg.Outcome) []msg.Decision { return ds },
		Stamp:  func(m *msg.Message, _ msg.Decision) [][]byte { return [][]byte{[]byte("X: 1\r\n"), m.Raw} },
		Encrypt: func(_ *msg.Message, _ msg.Decision, c [][]byte) ([][]byte, error) {
			return [][]byte{bytes.ToUpper(bytes.Join(c, nil))}, nil
		},
		Sign:       func(*msg.Transfer) error { return nil },
		Relay:      h,
		Keeper:     s,
		CutThrough: 50 * time.Millisecond,
	}
}

func message(to ...msg.Path) *msg.Message {
	return &msg.Message{ID: "ID1", Raw: []byte("a: b\r\n\r\nbody\r\n"), Envelope: msg.Envelope{To: to}}
}

var (
	ok   = msg.Reply{Code: 250, Detail: "0.0", Text: "ok"}
	busy = msg.Reply{Code: 451, Detail: "3.0", Text: "busy"}
	gone = msg.Reply{Code: 550, Detail: "1.1", Text: "nobody"}
	mute = msg.Reply{}
)

// What ought to be signed and cannot be stays with the sender; what is signed is signed
// last, after the encryption.
func TestSign(t *testing.T) {
	for _, c := range []struct {
		err    error
		action msg.Action
		reply  int
		signed int
	}{
		{nil, msg.Deliver, 250, 1},
		{errors.New("no key"), msg.Deliver, 451, 0},
		{errors.New("no key"), msg.Quarantine, 250, 0}, // signed when it is released
	} {
		h, s := &hop{replies: []msg.Reply{ok}}, &shelf{}
		d := deliver(path("a"))
		d.Action, d.EncryptTo = c.action, []string{"KEY"}
		p := build(h, s, d)
		p.Sign = func(x *msg.Transfer) error {
			if !x.Outbound || !bytes.Equal(x.Content[1], []byte("A: B\r\n\r\nBODY\r\n")) {
				t.Errorf("signed is %v %q", x.Outbound, x.Content)
			}
			x.Content = append([][]byte{[]byte("S: 1\r\n")}, x.Content...)
			return c.err
		}
		m := message(path("a"))
		m.Session.Outbound = true
		if r := p.Handle(t.Context(), m); r.Code != c.reply || c.reply == 451 && r.Detail != "3.0" {
			t.Errorf("%+v: %v", c, r)
		}
		if len(h.got) != c.signed || len(s.transfers) > 0 || c.signed > 0 && string(h.got[0].Content[0]) != "S: 1\r\n" {
			t.Errorf("%+v: delivered %d, queued %d", c, len(h.got), len(s.transfers))
		}
	}
}

// The promise of cut-through: every recipient is either with the next hop, in the
// queue, or still with the sender, whatever the next hop says.
func TestCutThrough(t *testing.T) {
	a, b := path("a"), path("b")
	for _, c := range []struct {
		name    string
		replies []msg.Reply
		keepErr error
		code    int
		queued  []string
		twice   bool
	}{
		{"both taken", []msg.Reply{ok, ok}, nil, 250, nil, false},
		{"both refused: refused in session", []msg.Reply{gone, gone}, nil, 550, nil, false},
		{"both busy: queued", []msg.Reply{busy, busy}, nil, 250, []string{"a", "b"}, false},
		{"silence after the final dot: queued", []msg.Reply{mute, mute}, nil, 250, []string{"a", "b"}, true},
		{"one taken, one busy", []msg.Reply{ok, busy}, nil, 250, []string{"b"}, false},
		{"one taken, one refused: the queue tells the sender", []msg.Reply{gone, ok}, nil, 250, []string{"a"}, false},
		{"one refused, one busy", []msg.Reply{gone, busy}, nil, 250, []string{"a", "b"}, false},
		{"too few replies: nothing is known", []msg.Reply{ok}, nil, 250, []string{"a", "b"}, true},
		{"both refused, each for its own reason", []msg.Reply{gone, {Code: 552, Detail: "2.2", Text: "full"}}, nil, 550, nil, false},
		{"one refused, one unknown", []msg.Reply{gone, mute}, nil, 250, []string{"a", "b"}, true},
		{"one taken, one unknown", []msg.Reply{ok, mute}, nil, 250, []string{"b"}, true},
		{"unknown, and the disk is full", []msg.Reply{mute, mute}, errors.New("disk full at /var"), 451, nil, true},
		{"no replies", nil, nil, 250, []string{"a", "b"}, true},
		{"busy, and the disk is full", []msg.Reply{busy, busy}, errors.New("disk full at /var"), 451, nil, false},
		{"one taken, and the disk is full", []msg.Reply{ok, busy}, errors.New("disk full at /var"), 451, nil, true},
		{"busy, and no space left", []msg.Reply{busy, busy}, fmt.Errorf("%w: /var", pipeline.ErrNoSpace), 452, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, s := &hop{replies: c.replies}, &shelf{err: c.keepErr}
			p := build(h, s, deliver(a, b))
			var walk pipeline.Walk
			p.Trail = func(_ context.Context, _ *msg.Message, w pipeline.Walk) { walk = w }
			r := p.Handle(t.Context(), message(a, b))
			if r.Code != c.code || walk.DupRisk != c.twice {
				t.Errorf("reply %v, want %d; dup_risk %v", r, c.code, walk.DupRisk)
			}
			if bytes.Contains([]byte(r.Text), []byte("/var")) {
				t.Errorf("an inner error is on the wire: %q", r.Text)
			}
			var queued []string
			for _, x := range s.transfers {
				for _, p := range x.To {
					queued = append(queued, p.Local)
				}
			}
			if len(queued) != len(c.queued) || (len(queued) > 0 && queued[0] != c.queued[0]) {
				t.Errorf("queued %v, want %v", queued, c.queued)
			}
		})
	}
}

func TestSlowHopGoesToTheQueue(t *testing.T) {
	h, s := &hop{wait: true}, &shelf{}
	r := build(h, s, deliver(path("a"))).Handle(t.Context(), message(path("a")))
	if r.Code != 250 || len(s.transfers) != 1 {
		t.Errorf("reply %v, %d queued", r, len(s.transfers))
	}
}

func TestOctetsAreRelayed(t *testing.T) {
	h := &hop{replies: []msg.Reply{ok}}
	m := message(path("a"))
	build(h, &shelf{}, deliver(path("a"))).Handle(t.Context(), m)
	if got := string(bytes.Join(h.got[0].Content, nil)); got != "X: 1\r\n"+string(m.Raw) {
		t.Errorf("sent %q", got)
	}
}

func TestSeveralFatesAreKeptAtOnce(t *testing.T) {
	h, s := &hop{}, &shelf{}
	held := msg.Decision{Action: msg.Quarantine, To: []msg.Path{path("b")}}
	refused := msg.Decision{Action: msg.Reject, To: []msg.Path{path("c")}, Reply: gone}
	r := build(h, s, deliver(path("a")), held, refused).Handle(t.Context(), message(path("a"), path("b"), path("c")))
	if r.Code != 250 || len(h.got) != 0 {
		t.Errorf("reply %v, %d cut through", r, len(h.got))
	}
	if len(s.transfers) != 1 || len(s.holds) != 2 {
		t.Errorf("%d queued, %d held; want 1 and 2 (the refused copy is held)", len(s.transfers), len(s.holds))
	}
}

// A copy from which something is taken out leaves together with the whole original in
// quarantine, or not at all.
func TestStrippedCopyLeavesWithTheOriginalHeld(t *testing.T) {
	d := deliver(path("a"))
	d.Strip, d.EncryptTo = []msg.Finding{{Part: "2"}}, []string{"KEY"}
	for _, fails := range []error{nil, errors.New("it stays whole")} {
		h, s := &hop{replies: []msg.Reply{ok}}, &shelf{}
		p := build(h, s, d)
		p.Strip = func(_ *msg.Message, d msg.Decision) ([]byte, error) { return []byte("less " + d.Strip[0].Part), fails }
		m := message(path("a"))
		r := p.Handle(t.Context(), m)
		if fails != nil {
			if r.Code != 451 || len(s.transfers)+len(s.holds)+len(h.got) > 0 {
				t.Errorf("reply %v after a failure", r)
			}
			continue
		}
		if r.Code != 250 || len(h.got) > 0 || len(s.transfers) != 1 || len(s.holds) != 1 {
			t.Fatalf("%v: %d sent, %d queued, %d held", r, len(h.got), len(s.transfers), len(s.holds))
		}
		if got := string(bytes.Join(s.transfers[0].Content, nil)); got != "X: 1\r\nLESS 2" {
			t.Errorf("sent %q", got)
		}
		held := s.holds[0]
		if held.Decision.Action != msg.Quarantine || held.Decision.Strip != nil || string(bytes.Join(held.Content, nil)) != "X: 1\r\n"+string(m.Raw) {
			t.Errorf("held %v %q", held.Decision, held.Content)
		}
	}
}

func TestRefusalTouchesNothing(t *testing.T) {
	h, s := &hop{}, &shelf{}
	for _, d := range []msg.Decision{{Action: msg.Reject, Reply: gone}, {Action: msg.Defer}} {
		if r := build(h, s, d).Handle(t.Context(), message(path("a"))); r.Positive() {
			t.Errorf("%v answered %v", d.Action, r)
		}
	}
	if len(h.got)+len(s.transfers)+len(s.holds) != 0 {
		t.Error("a refused message was delivered or kept")
	}
}

func TestEncryptionNeverFallsBack(t *testing.T) {
	h, s := &hop{replies: []msg.Reply{ok}}, &shelf{}
	d := deliver(path("a"))
	d.EncryptTo = []string{"F"}
	p := build(h, s, d)
	m := message(path("a"))
	if r := p.Handle(t.Context(), m); r.Code != 250 || string(h.got[0].Content[1]) != "A: B\r\n\r\nBODY\r\n" {
		t.Fatalf("reply %v, content %q", r, h.got[0].Content)
	}
	p.Encrypt = func(*msg.Message, msg.Decision, [][]byte) ([][]byte, error) { return nil, errors.New("no such key") }
	if r := p.Handle(t.Context(), m); r.Code != 451 || len(h.got) != 1 || len(s.transfers) != 0 {
		t.Errorf("reply %v after a failed encryption; %d sent, %d queued", r, len(h.got), len(s.transfers))
	}
}

type fact struct{ seen *[]msg.AuthResult }

func (fact) Name() string { return "fact" }
func (f fact) Inspect(_ context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if f.seen != nil {
		*f.seen = m.Auth
	}
	return []msg.Finding{{Symbol: "S"}}, []msg.AuthResult{{Method: "spf", Status: "pass"}}, nil
}

func TestAuthenticationComesFirst(t *testing.T) {
	var seen []msg.AuthResult
	p := build(&hop{replies: []msg.Reply{ok}}, &shelf{}, deliver(path("a")))
	p.Authenticate = []inspect.Timed{{Inspector: fact{}, Timeout: time.Second}}
	p.Inspect = []inspect.Timed{{Inspector: fact{seen: &seen}, Timeout: time.Second}}
	var walk pipeline.Walk
	p.Trail = func(_ context.Context, _ *msg.Message, w pipeline.Walk) { walk = w }
	p.Handle(t.Context(), message(path("a")))
	if len(seen) != 1 || seen[0].Status != "pass" {
		t.Errorf("the inspector saw %v", seen)
	}
	if len(walk.Outcomes) != 2 || walk.Reply.Code != 250 {
		t.Errorf("trail %+v", walk)
	}
}
