package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
)

const evil = "x\x1b[2J\x07\u202e\ny"

// Whatever of a letter is printed by explain, none of it acts on the terminal, and what an
// inspector says about its symbol stands under that.
func TestExplainIsSafeForATerminal(t *testing.T) {
	why := msg.Verdict{Score: 7, Required: 6, Counted: []msg.Weighed{{Finding: msg.Finding{Symbol: "S", Evidence: evil, VI: evil, EN: evil, Percent: 50}, Score: 7}, {Finding: msg.Finding{Symbol: "S"}}}}
	m := &msg.Message{Auth: []msg.AuthResult{{Method: "spf", Status: "fail", Property: "smtp.mailfrom", Value: evil, Reason: evil}}}
	walk := pipeline.Walk{
		Reply:     msg.Reply{Code: 550, Detail: "7.1", Text: evil},
		Decisions: []msg.Decision{{Action: msg.Quarantine, To: []msg.Path{{Raw: evil}}, Reason: "SCORE", Rule: "policy.toml:13", Why: why}},
		Outcomes:  []msg.Outcome{{Inspector: "attach", Err: errors.New(evil)}},
	}
	weights := policy.Weights{Symbols: map[string]policy.Weight{"S": {Score: 14, VI: "Câu.", EN: "Sentence.", Place: "weights.toml:1"}}}
	for _, l := range []lang.Lang{lang.VI, lang.EN} {
		var out bytes.Buffer
		a := &app{stdout: &out, lang: l}
		a.explain(m, walk, weights, []msg.Note{{Symbol: "S", VI: evil + "một", EN: evil + "one"}, {Symbol: "OTHER", VI: "hai", EN: "two"}})
		a.explainHeld(explainedHeld(quarantine.Item{To: []string{evil}, Findings: why.Counted, Auth: m.Auth, Blind: []string{evil}}, weights, false))
		if s := out.String(); strings.ContainsAny(s, "\x1b\x07\u202e") || strings.Contains(s, "\ny") {
			t.Errorf("%s: %q", l, s)
		}
		lines := strings.Split(out.String(), "\n")
		note, again := -1, -1
		for i, line := range lines {
			if strings.Contains(line, "        - x") && note < 0 {
				note = i
			}
			if strings.Contains(line, lang.T("mỗi dấu hiệu chỉ tính một lần", "a symbol counts once").In(l)) && again < 0 {
				again = i
			}
		}
		if note < 0 || again < note {
			t.Errorf("%s: the note is on line %d, the second finding on %d:\n%s", l, note, again, out.String())
		}
		if strings.Contains(out.String(), "hai") || strings.Contains(out.String(), "two") {
			t.Error("a note about a symbol that was not found")
		}
	}
}

// A letter of another set than today's says so.
func TestHeldExplanationOfASetThatIsGone(t *testing.T) {
	var out bytes.Buffer
	a := &app{stdout: &out, lang: lang.VI}
	a.explainHeld(explainedHeld(quarantine.Item{To: []string{"a@gov.test"}, Reason: "SCORE", Rule: "policy.toml:13"}, policy.Weights{}, false))
	if !strings.Contains(out.String(), "không còn lưu") || !strings.Contains(out.String(), "quyết định bởi policy.toml:13") {
		t.Error(out.String())
	}
}
