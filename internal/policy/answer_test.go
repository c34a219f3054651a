package policy_test

import (
	"testing"

	"congthu/internal/msg"
	"congthu/internal/policy"
)

func dec(a msg.Action, r msg.Reply) msg.Decision { return msg.Decision{Action: a, Reply: r} }

func TestAnswer(t *testing.T) {
	r4 := msg.Reply{Code: 450, Detail: "7.1", Text: "later"}
	r5 := msg.Reply{Code: 550, Detail: "7.26", Text: "no"}
	r5b := msg.Reply{Code: 554, Detail: "6.0", Text: "never"}
	r2 := msg.Reply{Code: 250, Detail: "0.0", Text: "ok"}
	none := msg.Reply{}
	for _, c := range []struct {
		name string
		in   []msg.Decision
		code int
		stat string
	}{
		{"no decision at all", nil, 451, "4.3.0"},
		{"the zero decision defers", []msg.Decision{{}}, 451, "4.3.0"},
		{"deliver", []msg.Decision{dec(msg.Deliver, none)}, 250, "2.0.0"},
		{"quarantine is accepted", []msg.Decision{dec(msg.Quarantine, none)}, 250, "2.0.0"},
		{"reject", []msg.Decision{dec(msg.Reject, r5)}, 550, "5.7.26"},
		{"all reject: the first speaks", []msg.Decision{dec(msg.Reject, r5), dec(msg.Reject, r5b)}, 550, "5.7.26"},
		{"one of two rejects: accepted", []msg.Decision{dec(msg.Reject, r5), dec(msg.Deliver, none)}, 250, "2.0.0"},
		{"reject and quarantine: accepted", []msg.Decision{dec(msg.Reject, r5), dec(msg.Quarantine, none)}, 250, "2.0.0"},
		{"any defer defers all", []msg.Decision{dec(msg.Deliver, none), dec(msg.Defer, r4)}, 450, "4.7.1"},
		{"defer beats reject", []msg.Decision{dec(msg.Reject, r5), dec(msg.Defer, r4)}, 450, "4.7.1"},
		{"defer with a 5xx reply stays temporary", []msg.Decision{dec(msg.Defer, r5)}, 451, "4.3.0"},
		{"defer with a 2xx reply stays temporary", []msg.Decision{dec(msg.Defer, r2)}, 451, "4.3.0"},
		{"reject with a 2xx reply stays permanent", []msg.Decision{dec(msg.Reject, r2)}, 550, "5.7.1"},
		{"reject without a reply", []msg.Decision{dec(msg.Reject, none)}, 550, "5.7.1"},
		{"reject with a 4xx reply", []msg.Decision{dec(msg.Reject, r4)}, 550, "5.7.1"},
		{"an action nobody knows defers", []msg.Decision{dec(msg.Action(77), r2)}, 451, "4.3.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := policy.Answer(c.in)
			if got.Code != c.code || got.Status() != c.stat {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Status(), c.code, c.stat)
			}
			if got.Text == "" {
				t.Error("the reply has no text")
			}
		})
	}
}

// Every pair of actions: a 2xx answer leaves no recipient without a keeper.
func TestSettleKeepsEveryRecipient(t *testing.T) {
	all := []msg.Action{msg.Defer, msg.Deliver, msg.Quarantine, msg.Reject}
	for _, a := range all {
		for _, b := range all {
			in := []msg.Decision{dec(a, msg.Reply{}), dec(b, msg.Reply{})}
			out := policy.Settle(in)
			if !policy.Answer(in).Positive() {
				continue
			}
			for i, d := range out {
				if d.Action != msg.Deliver && d.Action != msg.Quarantine {
					t.Errorf("%v+%v: recipient %d ends as %v after a 250", a, b, i, d.Action)
				}
			}
			if in[0].Action != a || in[1].Action != b {
				t.Error("Settle changed its argument")
			}
		}
	}
}
