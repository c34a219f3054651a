package policy_test

import (
	"errors"
	"strings"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/policy"
)

func TestWhen(t *testing.T) {
	found := func(s string) bool { return strings.HasPrefix(s, "T") }
	for in, want := range map[string]string{
		"T1":                                "T1",
		"F1":                                "no",
		"T1 and T2":                         "T1 T2",
		"T1 & F1":                           "no",
		"F1 or T2":                          "T2",
		"F1 || F2":                          "no",
		"not F1":                            "",
		"!T1":                               "no",
		"not not T1":                        "T1",
		"T1 and not F1":                     "T1",
		"T1 and (F1 or T2) and not (F1|F2)": "T1 T2",
		"F1 and F2 or T1":                   "T1", // and binds more closely
		"T1 or F1 and F2":                   "T1",
		"not F1 and T1":                     "T1", // not binds more closely
		"T1 AND NOT F1":                     "T1",
	} {
		w, err := policy.ParseWhen(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		by, ok := w.Holds(found)
		if got := strings.Join(by, " "); ok && got != want || !ok && want != "no" {
			t.Errorf("%s: %v %q, want %q", in, ok, got, want)
		}
	}
	for in, offset := range map[string]int{
		"": 0, "T1 T2": 3, "T1 and": 6, "(T1": 3, "T1)": 2, "t1": 0, "T1 and or T2": 7, "and": 0, "()": 1, strings.Repeat("(", 30) + "T": 21,
		strings.Repeat("T1 or ", 150) + "T1": 600,
	} {
		_, err := policy.ParseWhen(in)
		var e *policy.WhenError
		if !errors.As(err, &e) || e.Offset != offset {
			t.Errorf("%q: %v, want octet %d", in, err, offset)
		}
	}
	if w, err := policy.ParseWhen("A or (B and not A)"); err != nil || strings.Join(w.Symbols(), " ") != "A B" {
		t.Errorf("%v %v", w.Symbols(), err)
	}
	if _, ok := (policy.When{}).Holds(found); ok {
		t.Error("no condition holds")
	}
}

// A composite counts like any symbol, may rest on composites before it, and on nothing
// that is switched off.
func TestComposites(t *testing.T) {
	when := func(s string) policy.When {
		w, err := policy.ParseWhen(s)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	p := &policy.Policy{
		Weights: policy.Weights{Symbols: map[string]policy.Weight{"A": {Score: 1}, "B": {Score: 1}, "OFF": {Score: 9, Off: true}, "AB": {Score: 5}, "ABX": {Score: -2}, "SEES_OFF": {Score: 50}}},
		Composites: []policy.Composite{
			{Symbol: "AB", When: when("A and B")}, {Symbol: "ABX", When: when("AB and not X")}, {Symbol: "SEES_OFF", When: when("OFF")},
		},
		Inward: policy.Threshold{Required: 100},
		Forces: []policy.Force{{Symbols: []string{"OFF"}, Action: msg.Reject}},
	}
	outcomes := []msg.Outcome{{Inspector: "one", Findings: []msg.Finding{{Symbol: "A"}, {Symbol: "OFF"}}}, {Inspector: "two", Findings: []msg.Finding{{Symbol: "B"}}}}
	m := &msg.Message{Envelope: msg.Envelope{To: []msg.Path{{Raw: "a@b.test", Local: "a", Domain: "b.test"}}}}
	d := p.Decide(policy.Input{Message: m, Outcomes: outcomes}, policy.Routes{{Domains: []string{"b.test"}, NextHop: "x:25"}})
	var got []string
	for _, c := range d[0].Why.Counted {
		got = append(got, c.Symbol+":"+c.Evidence)
	}
	if strings.Join(got, " ") != "A: B: AB:A B ABX:AB" || d[0].Why.Score != 5 || d[0].Action != msg.Deliver {
		t.Errorf("%v %v %v", got, d[0].Why.Score, d[0].Action)
	}
	if len(outcomes[0].Findings) != 2 || outcomes[0].Findings[1].Symbol != "OFF" {
		t.Error("what the inspectors found was changed")
	}
}

func FuzzParseWhen(f *testing.F) {
	f.Add("A and (B or not C) & !D")
	f.Fuzz(func(t *testing.T, s string) {
		w, err := policy.ParseWhen(s)
		var e *policy.WhenError
		if err != nil && (!errors.As(err, &e) || e.Offset < 0 || e.Offset > len(s)) {
			t.Fatalf("%q: %v", s, err)
		}
		w.Holds(func(string) bool { return true })
	})
}
