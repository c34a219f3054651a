package main

import (
	"congthu/internal/lang"
	"congthu/internal/notice"
)

type digestCmd struct {
	Check digestCheckCmd `cmd:"" help:"Check the texts of digests and notices / kiểm tra mẫu thư bản tin và thông báo."`
}

type digestCheckCmd struct{}

// Run reads the texts as the gateway would, and says what is wrong with them.
func (digestCheckCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	if _, err := notice.Load(shippedTexts(), c.Notice.Texts); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"ok": true, "texts": c.Notice.Texts})
	}
	if c.Notice.Texts == "" {
		a.say(lang.T("mẫu thư tốt: dùng các mẫu đi kèm chương trình", "the texts are good: those that come with the program"))
		return nil
	}
	a.say(lang.T("mẫu thư tốt: %s", "the texts are good: %s"), c.Notice.Texts)
	return nil
}
