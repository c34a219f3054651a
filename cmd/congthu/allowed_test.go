package main

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/config"
	"congthu/internal/inspect/known"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/rules"
	"congthu/internal/store"
)

func shippedRules(t *testing.T) *rules.Set {
	t.Helper()
	c := config.Default()
	c.RulesDir = "../../rules"
	set, err := source(c).Load()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// decided decides by the rules on an inward letter in which symbols were found.
func decided(p *policy.Policy, blind string, symbols ...string) msg.Decision {
	in := policy.Input{Message: &msg.Message{Envelope: msg.Envelope{To: []msg.Path{{Raw: "a@gov.test", Local: "a", Domain: "gov.test"}}}}}
	o := msg.Outcome{Inspector: "some"}
	for _, s := range symbols {
		f := msg.Finding{Symbol: s}
		if t, file := strings.CutPrefix(s, "TYPE_"); file {
			f = msg.Finding{Symbol: "ATTACH_TYPE", Type: t}
		}
		o.Findings = append(o.Findings, f)
	}
	in.Outcomes = []msg.Outcome{o}
	if blind != "" {
		in.Outcomes = append(in.Outcomes, msg.Outcome{Inspector: blind, Err: errors.New("could not look")})
	}
	return p.Decide(in, policy.Routes{{Domains: []string{"gov.test"}, NextHop: "h:25"}})[0]
}

// softLies may be outweighed: newsletters of honest senders have them too.
var softLies = []string{"LINK_TOO_MANY", "LINK_TEXT_DIFFERS", "LINK_OPEN_REDIRECT", "LINK_ODD_SCHEME", "LINK_FORM", "LINK_SHORTENER", "LINK_NON_HTTP_PORT", "LINK_BASE_HREF", "LINK_MANY_HOSTS", "LINK_FREE_HOST", "LINK_QR"}

// By the shipped rules an allowed sender gets ordinary spam through; and nothing that is
// malware, a type of file that is not wanted, a lie about who writes or where a link leads,
// or that could not be looked at, whatever else is found beside it.
func TestWhatAnAllowanceOutweighs(t *testing.T) {
	p := shippedRules(t).Policy
	spam := []string{"CONTENT_LOAN_OFFER", "CONTENT_PITCH", "CLASSIFY_SPAM", "DNSBL_IP"}
	if d := decided(p, "", spam...); d.Action != msg.Quarantine || d.Reason != "SCORE" || d.Why.Score < 20 {
		t.Fatalf("spam: %+v", d)
	}
	allowed := append([]string{known.Allowed}, spam...)
	if d := decided(p, "", append(allowed, softLies[:3]...)...); d.Action != msg.Deliver {
		t.Errorf("spam of an allowed sender: %+v", d)
	}
	grave := map[quarantine.Class]int{}
	for _, symbol := range slices.Sorted(maps.Keys(p.Weights.Symbols)) {
		class := quarantine.ClassOf(symbol, nil)
		switch {
		case !slices.Contains([]quarantine.Class{quarantine.Malware, quarantine.Unscannable, quarantine.FileType, quarantine.Phishing}, class),
			class == quarantine.Phishing && slices.Contains(softLies, symbol):
			continue
		case p.Weights.Symbols[symbol].Score < 1 && forced(p, symbol) == 0:
			continue // a blemish, or a note for [[block]]
		}
		grave[class]++
		for name, found := range map[string][]string{"alone": {symbol}, "with spam": append([]string{symbol}, spam...), "with blemishes before it": append(slices.Clone(softLies), symbol)} {
			without, with := decided(p, "", found...), decided(p, "", append([]string{known.Allowed}, found...)...)
			if with.Action != without.Action || with.Reason != without.Reason || with.Why.Score < without.Why.Score {
				t.Errorf("%s %s: an allowance makes %v %s of %v %s", symbol, name, with.Action, with.Reason, without.Action, without.Reason)
			}
		}
	}
	for class, least := range map[quarantine.Class]int{quarantine.Malware: 4, quarantine.Unscannable: 6, quarantine.FileType: 20, quarantine.Phishing: 25} {
		if grave[class] < least {
			t.Errorf("only %d symbols of class %s were tried", grave[class], class)
		}
	}
}

// forced counts the rules that act on a symbol whatever the score.
func forced(p *policy.Policy, symbol string) (n int) {
	for _, f := range p.Forces {
		if slices.Contains(f.Symbols, symbol) {
			n++
		}
	}
	return n
}

// What policy.toml says by itself stands: every [[force]], every required inspector that
// could not look, every type of file.
func TestAnAllowanceIsNoLicence(t *testing.T) {
	p := shippedRules(t).Policy
	if len(p.Forces) < 10 || len(p.Blind) < 10 {
		t.Fatalf("%d forces, %d blind", len(p.Forces), len(p.Blind))
	}
	for _, f := range p.Forces {
		if f.Direction == "outward" {
			continue
		}
		for _, s := range f.Symbols {
			if d := decided(p, "", known.Allowed, s); d.Action != f.Action || d.Reason != s {
				t.Errorf("%s: %v %s, want %v", s, d.Action, d.Reason, f.Action)
			}
		}
	}
	for name, action := range p.Blind {
		if d := decided(p, name, known.Allowed); d.Action != action {
			t.Errorf("%s could not look: %v, want %v", name, d.Action, action)
		}
	}
	p.Blocks = []policy.Block{{Types: []string{"rar"}, Action: msg.Quarantine}, {Types: []string{"hta"}, Action: msg.Reject}}
	for kind, want := range map[string]msg.Action{"rar": msg.Quarantine, "hta": msg.Reject, "pdf": msg.Deliver} {
		if d := decided(p, "", known.Allowed, "TYPE_"+kind); d.Action != want {
			t.Errorf("%s: %v, want %v", kind, d.Action, want)
		}
	}
}

// Of several people who have allowed it no names are told, and never for whom: whoever sees
// the letter may not know to whom else it goes.
func TestWhoHasAllowed(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	j := &judge{cfg: config.Default(), allowed: allowance.New(allowance.Options{})}
	j.allowed.Keep(db)
	for by, to := range map[string][]string{"mai": {"a@yte.test", "yte.test"}, "hai": {"b@gtvt.test"}} {
		_, c, err := j.allowed.Give("x@a.test", to, by, "L", time.Hour)
		if err == nil {
			err = db.Commit(t.Context(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	day := time.Now().Format(time.DateOnly)
	for to, want := range map[string]string{
		"a@yte.test": "allowed by mai, " + day, "a@yte.test c@yte.test": "allowed by mai, " + day, "c@yte.test": "allowed by mai, " + day,
		"a@yte.test b@gtvt.test": "allowed by 2 reviewers, " + day, "c@gtvt.test": "", "a@yte.test c@gtvt.test": "",
	} {
		var list []msg.Path
		for _, a := range strings.Fields(to) {
			local, domain, _ := strings.Cut(a, "@")
			list = append(list, msg.Path{Raw: a, Local: local, Domain: domain})
		}
		if got := j.allowedBy("x@a.test", list); got != want {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
	}
	for _, skip := range []string{"", "auth", "known", "link"} {
		j.cfg.Inspect.Skip = []string{skip}
		if off := j.allowFor() == 0; off != (skip == "auth" || skip == "known") {
			t.Errorf("without %q: %v", skip, j.allowFor())
		}
	}
}

// A letter that is let through makes its author no acquaintance: taken back is taken back.
func TestAllowedIsNotKnown(t *testing.T) {
	for symbol, want := range map[string]bool{known.Allowed: false, known.NewSender: true} {
		p := remembering(t)
		m, _ := walked("From: a@ban.test\r\n\r\nx\r\n", func(m *msg.Message) {
			m.Session.Outbound = false
			m.Auth = []msg.AuthResult{{Method: "dmarc", Status: "pass", Property: "header.from", Value: "ban.test"}}
		})
		d := msg.Decision{Action: msg.Deliver, Why: msg.Verdict{Score: -12, Counted: []msg.Weighed{{Finding: msg.Finding{Symbol: symbol}}}}}
		p.learn(m, pipeline.Walk{Reply: msg.Reply{Code: 250}, Decisions: []msg.Decision{d}})
		if got := p.past("a@ban.test", "ban.test").Heard > 0; got != want {
			t.Errorf("%s: heard %v", symbol, got)
		}
	}
}

func TestAgencyOf(t *testing.T) {
	g := &gateway{cfg: &config.Config{Agency: []config.Agency{{Name: "y", Domains: []string{"yte.test", "*.tram.test"}}, {Name: "g", Domains: []string{"gtvt.test"}}}}}
	for domain, want := range map[string]int{"yte.test": 2, "a.tram.test": 2, "gtvt.test": 1, "tram.test": 0, "x.test": 0} {
		if got := g.agencyOf(domain); len(got) != want {
			t.Errorf("%s: %v", domain, got)
		}
	}
}
