package policy_test

import (
	"slices"
	"testing"

	"congthu/internal/msg"
	"congthu/internal/policy"
)

func files(types ...string) []msg.Outcome {
	o := msg.Outcome{Inspector: "attach"}
	for _, t := range types {
		o.Findings = append(o.Findings, msg.Finding{Symbol: "ATTACH_TYPE", Evidence: "a", Part: "2", Type: t})
	}
	return []msg.Outcome{o}
}

func blocking() *policy.Policy {
	p := house()
	p.Blocks = []policy.Block{
		{Types: []string{"rar"}, Domains: []string{"*.sub.test"}, Action: msg.Deliver},
		{Types: []string{"rar", "archive"}, Action: msg.Quarantine},
		{Types: []string{"hta"}, Action: msg.Reject, Reply: msg.Reply{Code: 554, Detail: "7.1", Text: "no hta"}},
		{Types: []string{"exe"}, Action: msg.Reject},
		{Types: []string{"macro"}, Outside: true, Action: msg.Quarantine},
		{Types: []string{"zip"}, Domains: []string{"so.test"}, Direction: "outward", Action: msg.Quarantine},
		{Types: []string{".dwg"}, Action: msg.Quarantine},
		{Types: []string{"iso", "one"}, Action: msg.Deliver, Strip: true},
	}
	return p
}

func TestBlockByType(t *testing.T) {
	for _, c := range []struct {
		name     string
		outcomes []msg.Outcome
		to       string
		outbound bool
		fixed    bool // nothing can be removed
		want     msg.Action
		strip    int
		reply    string
	}{
		{name: "nothing that a block names", outcomes: files("pdf", ".pdf"), to: "a@gov.test", want: msg.Deliver},
		{name: "by the octets", outcomes: files("rar"), to: "a@gov.test", want: msg.Quarantine},
		{name: "by the name", outcomes: files(".rar"), to: "a@gov.test", want: msg.Quarantine},
		{name: "an agency's exception", outcomes: files("rar", ".rar"), to: "a@so.sub.test", want: msg.Deliver},
		{name: "a program in the exception's name", outcomes: files("exe", ".rar"), to: "a@so.sub.test", want: msg.Reject, reply: "Khong nhan loai tep nay / This type of file is not accepted: exe"},
		{name: "another archive", outcomes: files("archive"), to: "a@so.sub.test", want: msg.Quarantine},
		{name: "the administrator's reply", outcomes: files(".hta"), to: "a@gov.test", want: msg.Reject, reply: "no hta"},
		{name: "the gravest wins", outcomes: files("rar", "hta"), to: "a@gov.test", want: msg.Reject, reply: "no hta"},
		{name: "macros from outside", outcomes: files("macro"), to: "a@gov.test", want: msg.Quarantine},
		{name: "macros of our own", outcomes: files("macro"), to: "a@gov.test", outbound: true, want: msg.Deliver},
		{name: "outward by the sender's agency", outcomes: files("zip"), to: "a@world.test", outbound: true, want: msg.Quarantine},
		{name: "inward not", outcomes: files("zip"), to: "a@gov.test", want: msg.Deliver},
		{name: "by an extension that is only a name", outcomes: files(".dwg"), to: "a@gov.test", want: msg.Quarantine},
		{name: "the same word by the octets", outcomes: files("dwg"), to: "a@gov.test", want: msg.Deliver},
		{name: "strip", outcomes: files("iso", ".one"), to: "a@gov.test", want: msg.Deliver, strip: 2},
		{name: "strip what cannot be", outcomes: files("iso"), to: "a@gov.test", fixed: true, want: msg.Quarantine},
		{name: "strip and hold: held whole", outcomes: files("iso", "rar"), to: "a@gov.test", want: msg.Quarantine},
		{name: "strip from spam: held whole", outcomes: append(files("iso"), found("SPAM")...), to: "a@gov.test", want: msg.Quarantine},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &msg.Message{Envelope: msg.Envelope{From: to("b@so.test"), To: []msg.Path{to(c.to)}}, Session: msg.Session{Outbound: c.outbound}}
			in := policy.Input{Message: m, Outcomes: c.outcomes, Removable: func(fs []msg.Finding) bool { return !c.fixed && len(fs) > 0 }}
			d := blocking().Decide(in, routes())[0]
			if d.Action != c.want || len(d.Strip) != c.strip || d.Reply.Text != c.reply {
				t.Errorf("%v, %d to strip, %q; want %v, %d, %q", d.Action, len(d.Strip), d.Reply.Text, c.want, c.strip, c.reply)
			}
			if d.Action != msg.Deliver && d.Reason == "" || d.Strip != nil && d.Reason != "ATTACH_TYPE" {
				t.Errorf("reason %q", d.Reason)
			}
		})
	}
}

// Nobody can say which parts may go: then none may.
func TestStripWithoutAWay(t *testing.T) {
	m := &msg.Message{Envelope: msg.Envelope{To: []msg.Path{to("a@gov.test")}}}
	if d := blocking().Decide(policy.Input{Message: m, Outcomes: files("iso")}, routes())[0]; d.Action != msg.Quarantine {
		t.Errorf("%v", d.Action)
	}
}

// Agencies with different rules get different copies.
func TestRecipientsDifferByAgency(t *testing.T) {
	m := &msg.Message{Envelope: msg.Envelope{To: []msg.Path{to("a@so.sub.test"), to("b@gov.test"), to("c@so.sub.test")}}}
	ds := blocking().Decide(policy.Input{Message: m, Outcomes: files("rar")}, routes())
	if len(ds) != 2 || len(ds[0].To) != 2 || ds[0].Action != msg.Deliver || ds[1].Action != msg.Quarantine {
		t.Errorf("%+v", ds)
	}
}

func TestNames(t *testing.T) {
	p := blocking()
	for word, want := range map[string]bool{"rar": true, ".rar": true, ".dwg": true, "dwg": false, "pdf": false, ".iso": true, "": false} {
		if p.Names(word) != want {
			t.Errorf("%q: %v", word, !want)
		}
	}
	if slices.ContainsFunc([]string{"rar", ""}, house().Names) {
		t.Error("a policy without blocks names types")
	}
}
