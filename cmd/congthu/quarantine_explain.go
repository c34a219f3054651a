package main

import (
	"fmt"
	"os"
	"strings"

	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/rules"
)

type quarantineExplainCmd struct {
	ID  string `arg:"" help:"Id / mã."`
	Now bool   `help:"As the rules in use would judge it now / theo quy tắc đang dùng."`
}

// Run explains the verdict as it was; with --now the gateway looks at the letter again by
// the rules in use. Neither needs settings here.
func (c *quarantineExplainCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if c.Now {
		var today explained
		if err := cl.ExplainHeld(a.ctx, c.ID, true, &today); err != nil {
			return operatorError(err)
		}
		if a.json {
			return a.printJSON(today)
		}
		a.explainToday(today)
		return nil
	}
	var why heldExplained
	if err := cl.ExplainHeld(a.ctx, c.ID, false, &why); err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(why)
	}
	a.explainHeld(why)
	return nil
}

// explainToday prints what the rules in use say of a held letter.
func (a *app) explainToday(e explained) {
	a.say(lang.T("theo quy tắc đang dùng; kết quả SPF, DKIM, DMARC là của lúc nhận, không hỏi lại DNS", "by the rules in use; SPF, DKIM and DMARC are those of the day it came, the DNS is not asked again"))
	for _, d := range e.Decisions {
		a.fateLine(strings.Join(d.To, ", "), a.actionWord(d.Action, len(d.Strip) > 0), len(d.Encrypt) > 0, d.Score, d.Required, d.Reason, d.Rule)
	}
	a.authLines(e.Auth)
	if len(e.Decisions) > 0 {
		d := e.Decisions[0]
		a.steps(d.Findings, senses(d.Findings), e.Notes)
		a.total(d.Score, d.Required)
	}
	a.couldNotLook(e.Blind)
	if e.Classifies {
		a.mindOf(e.Lessons)
	}
}

// couldNotLook names the inspectors that could not.
func (a *app) couldNotLook(names []string) {
	for _, name := range names {
		fmt.Fprintf(a.stdout, "  %s: %s\n", lang.Safe(name, 40), a.word("KHÔNG XEM ĐƯỢC", "COULD NOT LOOK"))
	}
}

// senses are the sentences that come with the findings.
func senses(steps []policy.Step) map[string]policy.Weight {
	out := map[string]policy.Weight{}
	for _, s := range steps {
		out[s.Symbol] = policy.Weight{VI: s.Sense.VI, EN: s.Sense.EN}
	}
	return out
}

// weightsIn reads the weights out of the files of a set. They stand in several of them, so
// that the set is read as a whole.
func weightsIn(cfg *config.Config, files rules.Files) (policy.Weights, error) {
	dir, err := os.MkdirTemp("", "congthu-rules-*")
	if err != nil {
		return policy.Weights{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // read by now
	if err := files.Write(dir); err != nil {
		return policy.Weights{}, err
	}
	s := source(cfg)
	s.Dir = dir
	set, err := s.Load()
	if err != nil {
		return policy.Weights{}, err
	}
	return set.Policy.Weights, nil
}

// heldExplained is the JSON of quarantine explain. Its keys stay as they are; new ones
// may come.
type heldExplained struct {
	ID       string           `json:"id"`
	To       []string         `json:"to"`
	Action   string           `json:"action"`
	Reason   string           `json:"reason,omitempty"`
	Rule     string           `json:"rule,omitempty"`
	Rules    string           `json:"rules,omitempty"`
	Then     bool             `json:"weights_of_then"` // false: the set is not kept, the weights are today's
	Score    float64          `json:"score"`
	Required float64          `json:"required"`
	Auth     []msg.AuthResult `json:"auth"`
	Findings []policy.Step    `json:"findings"`
	Blind    []string         `json:"could_not_look"`
}

func explainedHeld(it quarantine.Item, w policy.Weights, then bool) heldExplained {
	return heldExplained{
		ID: it.ID, To: it.To, Action: msg.Quarantine.String(), Reason: it.Reason, Rule: it.Rule, Rules: it.Rules, Then: then, Score: it.Score, Required: it.Required,
		Auth: it.Auth, Findings: w.Steps(it.Findings), Blind: append([]string{}, it.Blind...),
	}
}

func (a *app) explainHeld(why heldExplained) {
	fmt.Fprintf(a.stdout, "%s: %s%s\n", lang.Safe(strings.Join(why.To, ", "), 500), a.word("giữ lại", "quarantine"), a.because(why.Score, why.Required, why.Reason))
	a.decidedBy(why.Rule, why.Reason)
	if !why.Then {
		a.say(lang.T("  bộ quy tắc đã xét thư này không còn lưu: trọng số và câu giải thích là của hôm nay", "  the set that judged it is not kept: weights and sentences are today's"))
	}
	a.authLines(why.Auth)
	a.steps(why.Findings, senses(why.Findings), nil)
	a.total(why.Score, why.Required)
	a.couldNotLook(why.Blind)
}
