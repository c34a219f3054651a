package policy_test

import (
	"errors"
	"strings"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/policy"
)

func to(addr string) msg.Path {
	local, domain, _ := strings.Cut(addr, "@")
	return msg.Path{Raw: addr, Local: local, Domain: domain}
}

func house() *policy.Policy {
	spam := policy.Threshold{Required: 6, Spam: msg.Quarantine}
	return &policy.Policy{
		Weights: policy.Weights{
			Symbols: map[string]policy.Weight{
				"SPAM": {Score: 7}, "HALF": {Score: 3}, "HALF2": {Score: 3}, "GOOD": {Score: -2},
				"G1": {Score: 4, Group: "g"}, "G2": {Score: 4, Group: "g"}, "BAD": {Score: 1}, "WAIT": {}, "NO": {Score: 1},
			},
			Caps: map[string]float64{"g": 5},
		},
		Inward:   spam,
		Outward:  policy.Threshold{Required: 8, Spam: msg.Quarantine, RejectAt: 20},
		Agencies: []policy.Agency{{Domains: []string{"strict.gov.test"}, Threshold: policy.Threshold{Required: 3, Spam: msg.Reject}}},
		Forces: []policy.Force{
			{Symbols: []string{"BAD"}, Action: msg.Quarantine},
			{Symbols: []string{"WAIT"}, Action: msg.Defer, Reply: msg.Reply{Code: 451, Detail: "7.0", Text: "wait"}},
			{Symbols: []string{"NO"}, Action: msg.Reject, Direction: "inward", Reply: msg.Reply{Code: 550, Detail: "7.26", Text: "no"}},
		},
		Blind:   map[string]msg.Action{"attach": msg.Defer, "extra": msg.Quarantine},
		Encrypt: policy.Encrypt{WhenKey: true, Must: []string{"must.gov.test"}, NoKey: msg.Reject, Unusable: msg.Quarantine},
	}
}

func routes() policy.Routes {
	return policy.Routes{
		{Domains: []string{"gov.test", "must.gov.test", "strict.gov.test", "*.sub.test"}, NextHop: "in:25"},
		{Domains: []string{"*"}, NextHop: "mx"},
	}
}

func found(symbols ...string) []msg.Outcome {
	var fs []msg.Finding
	for _, s := range symbols {
		fs = append(fs, msg.Finding{Symbol: s})
	}
	return []msg.Outcome{{Inspector: "x", Findings: fs}}
}

func TestDecideForOneRecipient(t *testing.T) {
	blind := func(name string) []msg.Outcome { return []msg.Outcome{{Inspector: name, Err: errors.New("died")}} }
	for _, c := range []struct {
		name      string
		outcomes  []msg.Outcome
		to        string
		outbound  bool
		key       bool
		protected string
		want      msg.Action
		reason    string
		hop       string
		encrypted bool
	}{
		{name: "clean", to: "a@gov.test", want: msg.Deliver, hop: "in:25"},
		{name: "wildcard route", to: "a@x.sub.test", want: msg.Deliver, hop: "in:25"},
		{name: "spam by score", outcomes: found("SPAM"), to: "a@gov.test", want: msg.Quarantine, reason: "SCORE", hop: "in:25"},
		{name: "exactly the threshold", outcomes: found("HALF", "HALF2"), to: "a@gov.test", want: msg.Quarantine, reason: "SCORE", hop: "in:25"},
		{name: "the same symbol twice counts once", outcomes: found("HALF", "HALF"), to: "a@gov.test", want: msg.Deliver, hop: "in:25"},
		{name: "a good sign lowers", outcomes: found("SPAM", "GOOD"), to: "a@gov.test", want: msg.Deliver, hop: "in:25"},
		{name: "group cap", outcomes: found("G1", "G2"), to: "a@gov.test", want: msg.Deliver, hop: "in:25"},
		{name: "agency's own threshold", outcomes: found("HALF"), to: "a@strict.gov.test", want: msg.Reject, reason: "SCORE", hop: "in:25"},
		{name: "forced hold", outcomes: found("BAD"), to: "a@gov.test", want: msg.Quarantine, reason: "BAD", hop: "in:25"},
		{name: "forced deferral", outcomes: found("WAIT"), to: "a@gov.test", want: msg.Defer, reason: "WAIT", hop: "in:25"},
		{name: "deferral beats hold", outcomes: found("BAD", "WAIT"), to: "a@gov.test", want: msg.Defer, reason: "WAIT", hop: "in:25"},
		{name: "rejection beats deferral", outcomes: found("WAIT", "NO"), to: "a@gov.test", want: msg.Reject, reason: "NO", hop: "in:25"},
		{name: "inward force does not bind outward", outcomes: found("NO"), to: "a@world.test", outbound: true, want: msg.Deliver, hop: "mx"},
		{name: "blind defers", outcomes: blind("attach"), to: "a@gov.test", want: msg.Defer, reason: "BLIND_ATTACH", hop: "in:25"},
		{name: "blind may hold", outcomes: blind("extra"), to: "a@gov.test", want: msg.Quarantine, reason: "BLIND_EXTRA", hop: "in:25"},
		{name: "not required may be blind", outcomes: blind("other"), to: "a@gov.test", want: msg.Deliver, hop: "in:25"},
		{name: "outward threshold", outcomes: found("SPAM"), to: "a@world.test", outbound: true, want: msg.Deliver, hop: "mx"},
		{name: "a stranger may not relay", to: "a@world.test", want: msg.Reject, reason: "NO_ROUTE", hop: "mx"},
		{name: "postmaster is ours", to: "postmaster", want: msg.Deliver, hop: "in:25"},
		{name: "encrypt with a key", to: "a@gov.test", key: true, want: msg.Deliver, hop: "in:25", encrypted: true},
		{name: "a held copy keeps its encryption", outcomes: found("BAD"), to: "a@gov.test", key: true, want: msg.Quarantine, reason: "BAD", hop: "in:25", encrypted: true},
		{name: "signed stays as it is", to: "a@gov.test", key: true, protected: "pgp-signed", want: msg.Deliver, hop: "in:25"},
		{name: "encrypted stays as it is", to: "a@must.gov.test", protected: "smime-encrypted", want: msg.Deliver, hop: "in:25"},
		{name: "must encrypt, has a key", to: "a@must.gov.test", key: true, want: msg.Deliver, hop: "in:25", encrypted: true},
		{name: "must encrypt, no key: refused", to: "a@must.gov.test", want: msg.Reject, reason: "ENCRYPT_NO_KEY", hop: "in:25"},
		{name: "must encrypt, signed: refused", to: "a@must.gov.test", key: true, protected: "pgp-signed", want: msg.Reject, reason: "ENCRYPT_SIGNED", hop: "in:25"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &msg.Message{Envelope: msg.Envelope{To: []msg.Path{to(c.to)}}, Session: msg.Session{Outbound: c.outbound}}
			in := policy.Input{Message: m, Outcomes: c.outcomes, Protected: c.protected, Sealed: strings.HasSuffix(c.protected, "-encrypted")}
			if c.key {
				in.Keys = map[string]policy.Key{c.to: {Fingerprint: "FPR"}}
			}
			ds := house().Decide(in, routes())
			if len(ds) != 1 {
				t.Fatalf("%d decisions", len(ds))
			}
			d := ds[0]
			if d.Action != c.want || d.Reason != c.reason || d.NextHop != c.hop || (len(d.EncryptTo) == 1) != c.encrypted {
				t.Errorf("got %v %q via %q encrypt %v; want %v %q via %q encrypt %v", d.Action, d.Reason, d.NextHop, d.EncryptTo, c.want, c.reason, c.hop, c.encrypted)
			}
		})
	}
}

func TestDecideGroupsRecipients(t *testing.T) {
	m := &msg.Message{Session: msg.Session{Outbound: true}}
	for _, a := range []string{"a@gov.test", "k1@gov.test", "b@gov.test", "k2@gov.test", "c@world.test"} {
		m.Envelope.To = append(m.Envelope.To, to(a))
	}
	keys := map[string]policy.Key{"k1@gov.test": {Fingerprint: "F1"}, "k2@gov.test": {Fingerprint: "F2"}}
	ds := house().Decide(policy.Input{Message: m, Keys: keys}, routes())
	got := map[string]bool{}
	n := 0
	for _, d := range ds {
		var names []string
		for _, p := range d.To {
			names = append(names, p.Raw)
			n++
		}
		got[strings.Join(names, " ")+" "+strings.Join(d.EncryptTo, " ")] = true
	}
	for _, want := range []string{"a@gov.test b@gov.test ", "k1@gov.test F1", "k2@gov.test F2", "c@world.test "} {
		if !got[want] {
			t.Errorf("no copy for %q in %v", want, got)
		}
	}
	if n != len(m.Envelope.To) {
		t.Errorf("%d recipients decided of %d", n, len(m.Envelope.To))
	}
}

func TestWeighKeepsEveryFact(t *testing.T) {
	score, counted := house().Weights.Weigh(found("G1", "G2", "G2", "UNKNOWN", "GOOD"))
	if score != 3 {
		t.Errorf("score %v, want 5 (capped) - 2", score)
	}
	if len(counted) != 5 || counted[1].Score != 1 || counted[2].Score != 0 || counted[3].Score != 0 {
		t.Errorf("counted %+v", counted)
	}
}

func TestRoutesFind(t *testing.T) {
	rs := policy.Routes{
		{Domains: []string{"*"}, NextHop: "out"},
		{Domains: []string{"*.gov.test"}, NextHop: "wide"},
		{Domains: []string{"*.so.gov.test"}, NextHop: "narrow"},
		{Domains: []string{"A.so.gov.test"}, NextHop: "exact"},
	}
	for _, c := range []struct {
		domain, hop string
		outward     bool
	}{
		{"a.so.gov.test", "exact", false},
		{"b.so.gov.test", "narrow", false},
		{"so.gov.test", "wide", false},
		{"gov.test", "out", true},
		{"notgov.test", "out", true},
		{"x.test", "out", true},
	} {
		hop, outward, ok := rs.Find(c.domain)
		if hop != c.hop || outward != c.outward || !ok {
			t.Errorf("%s: %q %v %v, want %q %v", c.domain, hop, outward, ok, c.hop, c.outward)
		}
	}
	if _, _, ok := rs[1:].Find("x.test"); ok {
		t.Error("a domain without a route was found")
	}
	if rs[1:].Local("") || !rs.Local("a.so.gov.test") || rs.Local("x.test") {
		t.Error("Local is wrong")
	}
}

// A rule may ask for less than its symbol weighs, never for more; the gravest of a
// symbol's findings counts.
func TestSharesOfAWeight(t *testing.T) {
	w := policy.Weights{Symbols: map[string]policy.Weight{"A": {Score: 10, Group: "g"}}, Caps: map[string]float64{"g": 6}}
	for _, c := range []struct {
		percents []int
		want     float64
	}{{[]int{30}, 3}, {[]int{30, 50}, 5}, {[]int{50, 30}, 5}, {[]int{0}, 6}, {[]int{30, 0}, 6}, {[]int{500}, 6}, {[]int{-1}, 6}} {
		var o msg.Outcome
		for _, p := range c.percents {
			o.Findings = append(o.Findings, msg.Finding{Symbol: "A", Percent: p})
		}
		if score, counted := w.Weigh([]msg.Outcome{o}); score != c.want || len(counted) != len(c.percents) {
			t.Errorf("%v: %v, want %v", c.percents, score, c.want)
		}
	}
}

// Credit does not count beside what it must not make good; blemishes do not take it away.
func TestCreditIsNoLicence(t *testing.T) {
	w := policy.Weights{Symbols: map[string]policy.Weight{
		"KNOWN":    {Score: -2, Unless: []string{"phish", "VIRUS"}},
		"PHISH":    {Score: 5, Group: "phish"},
		"SMALL":    {Score: 0.5, Group: "phish"},
		"VIRUS":    {Score: 0.1},
		"HARMLESS": {Score: 3, Group: "other"},
		"FULL":     {Score: 2, Group: "full"},
		"HARD":     {Score: 4, Group: "full"},
		"STRICT":   {Score: -2, Unless: []string{"HARD"}},
	}, Caps: map[string]float64{"full": 2}}
	for symbols, want := range map[string]float64{
		"KNOWN":            -2,
		"KNOWN PHISH":      5,
		"PHISH KNOWN":      5,
		"KNOWN SMALL":      -1.5,
		"KNOWN VIRUS":      0.1,
		"KNOWN HARMLESS":   1,
		"STRICT FULL":      0,
		"STRICT FULL HARD": 2, // although the cap leaves nothing of it
	} {
		score, counted := w.Weigh(found(strings.Fields(symbols)...))
		sum := 0.0
		for _, c := range counted {
			sum += c.Score
		}
		if score != want || sum != want || len(counted) != len(strings.Fields(symbols)) {
			t.Errorf("%s: %v, the parts are %v", symbols, score, counted)
		}
	}
}
