package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/policy"
)

// Every step of the sum is told: what a symbol weighs, what is asked of it, what the cap of
// its group leaves, and that it counts once.
func TestSteps(t *testing.T) {
	w := policy.Weights{
		Symbols: map[string]policy.Weight{
			"A": {Score: 5, Group: "g", Place: "weights.toml:3", VI: "một", EN: "one"},
			"B": {Score: 5, Group: "g"}, "C": {Score: -2, Group: "g"}, "D": {Score: 4}, "E": {Score: 3, Group: "g"}, "V": {Score: -3, Unless: []string{"g"}},
		},
		Caps: map[string]float64{"g": 8},
	}
	_, counted := w.Weigh([]msg.Outcome{{Findings: []msg.Finding{{Symbol: "A"}, {Symbol: "B"}, {Symbol: "A"}, {Symbol: "C"}, {Symbol: "D", Percent: 25}, {Symbol: "E"}, {Symbol: "X"}, {Symbol: "V"}}}})
	var got []string
	for _, s := range w.Steps(counted) {
		got = append(got, fmt.Sprintf("%s %g of %g at %d%% again=%v capped=%v", s.Symbol, s.Score, s.Weight, s.Percent, s.Again, s.Capped))
	}
	want := `A 5 of 5 at 100% again=false capped=false
B 3 of 5 at 100% again=false capped=true
A 0 of 5 at 0% again=true capped=false
C -2 of -2 at 100% again=false capped=false
D 1 of 4 at 25% again=false capped=false
E 0 of 3 at 100% again=false capped=true
X 0 of 0 at 100% again=false capped=false
V 0 of -3 at 100% again=false capped=false`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if s := w.Steps(counted)[7]; !s.Void || s.Capped || s.Score != 0 {
		t.Errorf("%+v", s)
	}
	if s := w.Steps(counted)[0]; s.Void || s.Place != "weights.toml:3" || s.Sense.EN != "one" || s.Cap != 8 {
		t.Errorf("%+v", s)
	}
}

// A decision names the line that made it.
func TestADecisionNamesItsRule(t *testing.T) {
	p := &policy.Policy{
		Weights: policy.Weights{Symbols: map[string]policy.Weight{"S": {Score: 9}, "F": {}}},
		Inward:  policy.Threshold{Required: 6, Spam: msg.Quarantine, Place: "policy.toml:13"},
		Forces:  []policy.Force{{Symbols: []string{"F"}, Action: msg.Reject, Place: "policy.toml:50"}},
		Blocks:  []policy.Block{{Types: []string{"rar"}, Action: msg.Quarantine, Place: "policy.toml:70"}, {Types: []string{"iso"}, Action: msg.Deliver, Strip: true, Place: "policy.toml:75"}},
		Blind:   map[string]policy.Action{"attach": msg.Defer}, BlindAt: map[string]string{"attach": "policy.toml:40"},
		Encrypt: policy.Encrypt{Must: []string{"gov.test"}, Place: "policy.toml:90"},
	}
	routes := policy.Routes{{Domains: []string{"gov.test"}, NextHop: "h:25"}}
	for _, c := range []struct {
		name string
		o    msg.Outcome
		key  bool
		want string
	}{
		{"score", msg.Outcome{Findings: []msg.Finding{{Symbol: "S"}}}, true, "SCORE policy.toml:13"},
		{"force", msg.Outcome{Findings: []msg.Finding{{Symbol: "S"}, {Symbol: "F"}}}, true, "F policy.toml:50"},
		{"block", msg.Outcome{Findings: []msg.Finding{{Symbol: "T", Type: "rar"}}}, true, "T policy.toml:70"},
		{"strip", msg.Outcome{Findings: []msg.Finding{{Symbol: "T", Type: "iso"}}}, true, "T policy.toml:75"},
		{"blind", msg.Outcome{Inspector: "attach", Err: fmt.Errorf("x")}, true, "BLIND_ATTACH policy.toml:40"},
		{"no key", msg.Outcome{}, false, "ENCRYPT_NO_KEY policy.toml:90"},
		{"nothing", msg.Outcome{}, true, " "},
	} {
		to := msg.Path{Raw: "a@gov.test", Local: "a", Domain: "gov.test"}
		in := policy.Input{Message: &msg.Message{Envelope: msg.Envelope{To: []msg.Path{to}}}, Outcomes: []msg.Outcome{c.o}, Removable: func([]msg.Finding) bool { return true }}
		if c.key {
			in.Keys = map[string]policy.Key{to.Key(): {Fingerprint: "F"}}
		}
		if d := p.Decide(in, routes)[0]; d.Reason+" "+d.Rule != c.want {
			t.Errorf("%s: %q, want %q", c.name, d.Reason+" "+d.Rule, c.want)
		}
	}
}
