package simulate_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/record"
	"congthu/internal/simulate"
)

func rules(required float64) *policy.Policy {
	return &policy.Policy{
		Weights:  policy.Weights{Symbols: map[string]policy.Weight{"A": {Score: 5}, "B": {Score: 2}}},
		Inward:   policy.Threshold{Required: required, Spam: msg.Quarantine, Place: "policy.toml:13"},
		Outward:  policy.Threshold{Required: 100, Spam: msg.Quarantine},
		Agencies: []policy.Agency{{Domains: []string{"strict.test"}, Threshold: policy.Threshold{Required: 1, Spam: msg.Reject, Place: "policy.toml:30"}}},
		Blind:    map[string]policy.Action{"attach": msg.Defer},
		Blocks:   []policy.Block{{Types: []string{"iso"}, Action: msg.Deliver, Strip: true}},
		Encrypt:  policy.Encrypt{Must: []string{"sealed.test"}, NoKey: msg.Reject},
	}
}

func routes() policy.Routes {
	return policy.Routes{{Domains: []string{"gov.test", "strict.test", "sealed.test"}, NextHop: "h:25"}, {Domains: []string{"*"}, NextHop: "mx"}}
}

// letter is a letter that was delivered with findings A and B.
func letter(id string, to ...string) *record.Letter {
	l := &record.Letter{ID: id, At: 1_700_000_000_000, From: record.Address{Raw: "x@out.test"}, Rules: "old", Outcomes: []record.Outcome{{Inspector: "content", Findings: []msg.Finding{{Symbol: "A"}, {Symbol: "B"}}}}}
	f := record.Fate{Action: "deliver", Score: 7, Required: 10}
	for i, a := range to {
		l.To = append(l.To, record.Address{Raw: a})
		f.To = append(f.To, i)
	}
	l.Fates = []record.Fate{f}
	return l
}

func trial(p *policy.Policy) *simulate.Trial {
	return &simulate.Trial{Policy: p, Routes: routes(), List: 10, Differs: func(hash string) ([]string, bool) { return []string{"content/x.toml"}, hash == "old" }}
}

// fates says of a report what it comes to, in short.
func fates(r simulate.Report) string {
	out := fmt.Sprintf("%d of %d:", r.Changed, r.Letters)
	for _, c := range r.Counts {
		out += fmt.Sprintf(" %s %s>%s %d", c.Agency, c.Old, c.New, c.Letters)
	}
	return out
}

func TestRecorded(t *testing.T) {
	with := func(l *record.Letter, change func(*record.Letter)) *record.Letter { change(l); return l }
	for _, c := range []struct {
		name   string
		policy *policy.Policy
		l      *record.Letter
		want   string
	}{
		{"nothing changes", rules(10), letter("1", "a@gov.test"), "0 of 1:"},
		{"held by score", rules(6), letter("1", "a@gov.test"), "1 of 1: gov.test deliver>quarantine 1"},
		{"an agency's own threshold", rules(6), letter("1", "a@strict.test"), "1 of 1: strict.test deliver>reject 1"},
		{"two agencies, one answer", rules(10), letter("1", "a@strict.test", "b@gov.test"), "1 of 1: strict.test deliver>quarantine 1"},
		{"one count for two of an agency", rules(6), letter("1", "a@gov.test", "b@gov.test"), "1 of 1: gov.test deliver>quarantine 1"},
		{"must be encrypted, no key", rules(10), letter("1", "a@sealed.test"), "1 of 1: sealed.test deliver>reject 1"},
		{"must be encrypted, key", rules(10), with(letter("1", "a@sealed.test"), func(l *record.Letter) { l.Keys = []int{0} }), "0 of 1:"},
		{"sealed end to end", rules(10), with(letter("1", "a@sealed.test"), func(l *record.Letter) { l.Sealed = "pgp-encrypted" }), "0 of 1:"},
		{"nobody could look", rules(10), with(letter("1", "a@gov.test"), func(l *record.Letter) {
			l.Outcomes = append(l.Outcomes, record.Outcome{Inspector: "attach", Blind: true})
		}), "1 of 1: gov.test deliver>defer 1"},
		{"a file is taken out", rules(10), with(letter("1", "a@gov.test"), func(l *record.Letter) { l.Outcomes[0].Findings[1].Type = "iso" }), "1 of 1: gov.test deliver>strip 1"},
		{"a file of a signed letter", rules(10), with(letter("1", "a@gov.test"), func(l *record.Letter) {
			l.Outcomes[0].Findings[1].Type, l.Sealed = "iso", "pgp-signed"
		}), "1 of 1: gov.test deliver>quarantine 1"},
		{"outward", func() *policy.Policy { p := rules(10); p.Outward.Required = 6; return p }(), with(letter("1", "z@world.test"), func(l *record.Letter) { l.Outbound, l.Agency = true, "so-y-te" }), "1 of 1: so-y-te deliver>quarantine 1"},
		{"not recorded whole", rules(6), with(letter("1", "a@gov.test"), func(l *record.Letter) { l.Cut = true }), "0 of 1:"},
		{"no route now", rules(6), letter("1", "a@gone.test"), "0 of 1:"},
	} {
		tr := trial(c.policy)
		tr.Recorded(c.l, nil)
		if got := fates(tr.Report()); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A change says what was and what would be; what cannot be known is counted.
func TestReport(t *testing.T) {
	tr := trial(rules(6))
	tr.List = 2
	for i := range 3 {
		tr.Recorded(letter(fmt.Sprint(i), "a@gov.test", "b@gov.test"), nil)
	}
	l := letter("cut", "a@gov.test")
	l.Cut = true
	tr.Recorded(l, nil)
	tr.Recorded(letter("gone", "a@gone.test"), nil)
	l = letter("unknown", "a@gov.test")
	l.Rules = "lost"
	tr.Recorded(l, nil)
	tr.Recorded(letter("anew", "a@gov.test"), []msg.Outcome{})
	r := tr.Report()
	if want := (simulate.Open{Cut: 1, NoRoute: 1, Unknown: 1, Files: map[string]int{"content/x.toml": 4}}); !reflect.DeepEqual(r.Open, want) {
		t.Errorf("open: %+v", r.Open)
	}
	if r.Letters != 7 || r.Anew != 1 || r.Changed != 4 || len(r.Changes) != 2 {
		t.Errorf("%+v", r)
	}
	want := simulate.Change{
		ID: "0", At: time.UnixMilli(1_700_000_000_000), From: "x@out.test", To: []string{"a@gov.test", "b@gov.test"}, Agency: "gov.test",
		Old: simulate.Fate{Action: "deliver", Score: 7, Required: 10}, New: simulate.Fate{Action: "quarantine", Score: 7, Required: 6, Reason: "SCORE", Rule: "policy.toml:13"},
	}
	if !reflect.DeepEqual(r.Changes[0], want) {
		t.Errorf("%+v", r.Changes[0])
	}
}

// A sample has a fate before only where there is a set to compare with.
func TestJudged(t *testing.T) {
	m := &msg.Message{ID: "s", Envelope: msg.Envelope{To: []msg.Path{{Raw: "a@gov.test", Local: "a", Domain: "gov.test"}}}}
	held := []msg.Decision{{Action: msg.Quarantine, To: m.Envelope.To}}
	tr := trial(rules(6))
	tr.Judged(m, []simulate.Fate{{Action: "deliver"}}, held)
	if r := tr.Report(); r.Changed != 1 || r.Open.NoBase || !r.Changes[0].Anew {
		t.Errorf("%+v", r)
	}
	tr = trial(rules(6))
	tr.Judged(m, nil, held)
	if r := tr.Report(); r.Changed != 0 || !r.Open.NoBase {
		t.Errorf("%+v", r)
	}
}

func BenchmarkRecorded(b *testing.B) {
	tr := trial(rules(6))
	l := letter("1", "a@gov.test")
	b.ReportAllocs()
	for range b.N {
		tr.Recorded(l, nil)
	}
}
