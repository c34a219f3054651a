package main

import (
	"fmt"
	"os"
	"strings"

	"congthu/internal/config"
	"congthu/internal/inspect"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/rules"
)

type quarantineExplainCmd struct {
	ID  string `arg:"" help:"Id / mã."`
	Now bool   `help:"As today's rules would judge it / theo quy tắc hôm nay."`
}

// Run explains the verdict as it was; with --now it inspects the letter again by the
// rules in rules_dir, but for authentication, which is replayed: the sender's records of
// that day may be gone.
func (c *quarantineExplainCmd) Run(a *app) error {
	cfg, err := a.settings()
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	if c.Now {
		h, err := cl.Held(a.ctx, c.ID)
		if err != nil {
			return operatorError(err)
		}
		return c.now(a, cfg, h.Item, h.Raw)
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

func (c *quarantineExplainCmd) now(a *app, cfg *config.Config, it quarantine.Item, raw []byte) error {
	j, err := newJudge(a.ctx, cfg, quiet())
	if err != nil {
		return err
	}
	defer j.close()
	a.recalled(j)
	m, then := held(it, raw)
	path := j.pipeline()
	path.Authenticate = []inspect.Timed{{Inspector: then}}
	walk := path.Judge(a.ctx, m)
	notes := inspect.Explain(a.ctx, m, path.Inspect)
	if a.json {
		return a.printJSON(explanation(m, walk, j, notes))
	}
	a.explain(m, walk, j.rules.For(m).Policy.Weights, notes)
	a.mind(j)
	return nil
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
	sentences := map[string]policy.Weight{}
	for _, s := range why.Findings {
		sentences[s.Symbol] = policy.Weight{VI: s.Sense.VI, EN: s.Sense.EN}
	}
	a.steps(why.Findings, sentences, nil)
	a.total(why.Score, why.Required)
	for _, name := range why.Blind {
		fmt.Fprintf(a.stdout, "  %s: %s\n", lang.Safe(name, 40), a.word("KHÔNG XEM ĐƯỢC", "COULD NOT LOOK"))
	}
}
