package main

import (
	"congthu/internal/inspect/attach"
	"congthu/internal/lang"
)

type rulesCmd struct {
	Check  rulesCheckCmd  `cmd:"" help:"Check all rule files without using them / kiểm tra tệp quy tắc."`
	Reload rulesReloadCmd `cmd:"" help:"Check, then take into use in the running gateway / kiểm tra rồi đưa vào dùng."`
}

type rulesCheckCmd struct{}

// Run reads every rule file as the gateway would. Exit 78 with file, line and column
// of each mistake.
func (rulesCheckCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	set, err := source(c).Load()
	if err != nil {
		return err
	}
	yara, err := attach.CheckRules(a.ctx, scanOptions(c, nil))
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"ok": true, "content_rules": len(set.Content.Rules()), "yara_rules": yara, "symbols": len(set.Policy.Weights.Symbols)})
	}
	a.say(lang.T("quy tắc tốt: %d quy tắc nội dung, %d quy tắc YARA, %d dấu hiệu", "the rules are good: %d content rules, %d YARA rules, %d symbols"), len(set.Content.Rules()), yara, len(set.Policy.Weights.Symbols))
	return nil
}

type rulesReloadCmd struct{}

// Run asks the running gateway to take the rule files into use.
func (rulesReloadCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if err := cl.Reload(a.ctx); err != nil {
		return operatorError(err)
	}
	return a.done(1, lang.T("đã đưa bộ quy tắc mới vào dùng (%d)", "the new rule set is in use (%d)"))
}
