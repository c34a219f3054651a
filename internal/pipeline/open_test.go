package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"congthu/internal/inspect"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
)

// What was encrypted is there before it is inspected, and comes after authentication.
func TestOpenComesBetween(t *testing.T) {
	h, s := &hop{replies: []msg.Reply{ok}}, &shelf{}
	d := deliver(path("a"))
	d.Open = true
	p := build(h, s, d)
	p.Read = func(root *msg.Part) *msg.Text { return &msg.Text{Subject: root.Path} }
	var auth []msg.AuthResult
	p.Authenticate = []inspect.Timed{{Inspector: fact{}, Timeout: time.Second}}
	p.Open = func(_ context.Context, m *msg.Message) ([]*msg.Message, msg.Outcome) {
		auth = m.Auth
		inner := *m
		inner.Raw, inner.Root, inner.Inside = []byte("a: b\r\n\r\ninner \xc3\xad\r\n"), &msg.Part{Path: "i"}, &msg.Inside{Whole: true}
		return []*msg.Message{&inner}, msg.Outcome{Inspector: "decrypt", Auth: []msg.AuthResult{{Method: "x-openpgp", Status: "pass"}}}
	}
	seen := 0
	p.Decide = func(m *msg.Message, outs []msg.Outcome) []msg.Decision {
		if len(m.Opened) == 1 && m.Opened[0].Text.Subject == "i" && len(m.Opened[0].Auth) == 2 && len(m.Auth) == 2 && len(outs) == 2 {
			seen++
		}
		return []msg.Decision{d}
	}
	r := p.Handle(t.Context(), message(path("a")))
	if r.Code != 250 || len(auth) != 1 || seen != 1 || len(h.got) != 1 {
		t.Fatalf("%v, %d results before, seen %d, %d sent", r, len(auth), seen, len(h.got))
	}
	if got := string(bytes.Join(h.got[0].Content, nil)); got != "X: 1\r\na: b\r\n\r\ninner \xc3\xad\r\n" || !h.got[0].EightBit || h.got[0].ID != "ID1" {
		t.Errorf("sent %q, eight bits %v", got, h.got[0].EightBit)
	}
}

// A copy that should be the inside and cannot be does not leave, in whatever form; one that
// is held is held as it came.
func TestOpenNeverFallsBack(t *testing.T) {
	for name, opened := range map[string][]*msg.Message{"nothing": nil, "a part alone": {{Inside: &msg.Inside{}}}} {
		h, s := &hop{replies: []msg.Reply{ok}}, &shelf{}
		d := deliver(path("a"))
		d.Open = true
		p := build(h, s, d)
		p.Open = func(context.Context, *msg.Message) ([]*msg.Message, msg.Outcome) {
			return opened, msg.Outcome{Err: errors.New("locked")}
		}
		if r := p.Handle(t.Context(), message(path("a"))); r.Code != 451 || len(h.got)+len(s.transfers) != 0 {
			t.Errorf("%s: %v", name, r)
		}
	}
	s := &shelf{}
	d := deliver(path("a"))
	d.Open, d.Action = true, msg.Quarantine
	m := message(path("a"))
	if r := build(&hop{}, s, d).Handle(t.Context(), m); r.Code != 250 || len(s.holds) != 1 || s.holds[0].Decision.Open || string(bytes.Join(s.holds[0].Content, nil)) != "X: 1\r\n"+string(m.Raw) {
		t.Errorf("%v %+v", r, s.holds)
	}
}

var _ pipeline.Relay = (*hop)(nil)
