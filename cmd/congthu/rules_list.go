package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"congthu/internal/inspect/content"
	"congthu/internal/lang"
	"congthu/internal/policy"
	"congthu/internal/rules"
)

type rulesListCmd struct {
	Symbol []string `arg:"" optional:"" help:"Only symbols that begin so / chỉ các dấu hiệu bắt đầu như vậy."`
}

// listed is one symbol: what it weighs, where that is said, which rules report it, and
// what local files have replaced.
type listed struct {
	Symbol    string             `json:"symbol"`
	Score     float64            `json:"score"`
	Group     string             `json:"group,omitempty"`
	Off       bool               `json:"off,omitempty"`
	Weight    string             `json:"weight"`              // file:line of the weight in force
	Overrides string             `json:"overrides,omitempty"` // file:line of the weight that it replaces
	Rules     []content.RuleInfo `json:"rules,omitempty"`     // none: the program itself reports it
	VI        string             `json:"vi"`
	EN        string             `json:"en"`
}

// Run shows the rules in the files: every symbol with its weight, where it comes from and
// what it overrides. What the gateway has in use is the same after "rules reload".
func (r rulesListCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	set, err := source(c).Load()
	if err != nil {
		return err
	}
	var list []listed
	for _, l := range listRules(set) {
		if len(r.Symbol) == 0 || slices.ContainsFunc(r.Symbol, func(s string) bool { return strings.HasPrefix(l.Symbol, strings.ToUpper(s)) }) {
			list = append(list, l)
		}
	}
	if a.json {
		return a.printJSON(list)
	}
	for _, l := range list {
		fmt.Fprintf(a.stdout, "%-32s %7s  %s\n    %s\n", l.Symbol, l.points(), l.origin(c.RulesDir, a.lang), lang.T(l.VI, l.EN).In(a.lang))
	}
	return nil
}

func listRules(set *rules.Set) []listed {
	by := map[string][]content.RuleInfo{}
	for _, info := range set.Content.Rules() {
		by[info.Symbol] = append(by[info.Symbol], info)
	}
	var out []listed
	for symbol, w := range set.Policy.Weights.Symbols {
		out = append(out, newListed(symbol, w, by[symbol]))
	}
	slices.SortFunc(out, func(a, b listed) int { return cmp.Compare(a.Symbol, b.Symbol) })
	return out
}

func newListed(symbol string, w policy.Weight, rules []content.RuleInfo) listed {
	l := listed{Symbol: symbol, Score: w.Score, Group: w.Group, Off: w.Off, Weight: w.Place, Overrides: w.Overrides, Rules: rules, VI: w.VI, EN: w.EN}
	for _, r := range rules {
		l.Off = l.Off || r.Off
	}
	return l
}

func (l listed) points() string {
	if l.Off {
		return "off"
	}
	return strconv.FormatFloat(l.Score, 'f', 1, 64)
}

// origin names each place once, those of rules below the rules directory.
func (l listed) origin(dir string, in lang.Lang) string {
	var places, replaced []string
	for _, r := range l.Rules {
		places = append(places, below(dir, r.File)+":"+strconv.Itoa(r.Line))
		for _, o := range r.Overrides {
			replaced = append(replaced, below(dir, o))
		}
	}
	places = append(places, l.Weight)
	if l.Overrides != "" {
		replaced = append(replaced, l.Overrides)
	}
	out := strings.Join(unique(places), " ")
	if len(replaced) > 0 {
		out += lang.T(" (thay cho %s)", " (instead of %s)").F(in, strings.Join(unique(replaced), " "))
	}
	return out
}

func unique(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s string) bool {
		was := seen[s]
		seen[s] = true
		return was
	})
}

func below(dir, name string) string {
	if rel, err := filepath.Rel(dir, name); err == nil && !strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel)
	}
	return name
}
