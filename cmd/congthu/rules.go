package main

import (
	"congthu/internal/inspect/attach"
	"congthu/internal/lang"
)

type rulesCmd struct {
	Check    rulesCheckCmd    `cmd:"" help:"Check all rule files without using them / kiểm tra tệp quy tắc."`
	List     rulesListCmd     `cmd:"" help:"Every symbol: its weight, where it comes from, what it overrides / mọi dấu hiệu: điểm, ở đâu, thay cho gì."`
	Simulate rulesSimulateCmd `cmd:"" help:"Whose fate would change under edited rules / thử quy tắc mới trên thư đã qua."`
	Reload   rulesReloadCmd   `cmd:"" help:"Check, then take into use in the running gateway / kiểm tra rồi đưa vào dùng."`
	Status   rulesStatusCmd   `cmd:"" help:"Which set is in use, and how a new one does / bộ nào đang dùng, bộ mới ra sao."`
	Promote  rulesPromoteCmd  `cmd:"" help:"Make the set on trial the one in use / đưa bộ đang thử vào dùng cho mọi thư."`
	Abort    rulesAbortCmd    `cmd:"" help:"End the trial / thôi thử."`
	History  rulesHistoryCmd  `cmd:"" help:"Sets that were in use: when, who, what changed / các bộ đã dùng."`
	Show     rulesShowCmd     `cmd:"" help:"The files of a kept set / tệp của một bộ đã lưu."`
	Rollback rulesRollbackCmd `cmd:"" help:"Go back to a kept set / quay về một bộ đã lưu."`
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
