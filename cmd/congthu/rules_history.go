package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/rulebook"
	"congthu/internal/rules"
	"congthu/internal/store"
)

// lookAt opens the store for reading, beside the gateway or without it.
func (a *app) lookAt(c *config.Config) (*store.DB, error) {
	db, err := store.Open(a.ctx, store.Options{URL: c.Store.URL, Key: c.Store.Key, Dir: c.DataDir, ReadOnly: true})
	return db, storeError(err)
}

type rulesHistoryCmd struct {
	Limit int `help:"At most so many / nhiều nhất." default:"50"`
}

// Run lists what was done with rule sets, the newest first.
func (c rulesHistoryCmd) Run(a *app) error {
	cfg, err := a.settings()
	if err != nil {
		return err
	}
	db, err := a.lookAt(cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	events, err := book(db, cfg.Rules.History).Events(a.ctx, c.Limit)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(append([]rulebook.Event{}, events...))
	}
	head := strings.Split(lang.T("LÚC|BỘ|VIỆC|NGƯỜI LÀM|THAY ĐỔI", "WHEN|SET|WHAT|WHO|CHANGES").In(a.lang), "|")
	var rows [][]string
	for _, e := range events {
		rows = append(rows, []string{e.At.Local().Format("2006-01-02 15:04"), e.Hash + gone(e), a.did(e), whoDid(a, e), said(a, e)})
	}
	return a.table(head, rows)
}

// gone marks a set that there is no way back to.
func gone(e rulebook.Event) string {
	if e.Kept {
		return ""
	}
	return " †"
}

func whoDid(a *app, e rulebook.Event) string {
	who := e.Actor
	if who == "" {
		who = a.word("cổng thư", "the gateway")
	}
	if e.Gateway != "" {
		who += " @" + e.Gateway
	}
	return who
}

// said is what changed by file, and why.
func said(a *app, e rulebook.Event) string {
	out := strings.Join(e.Changes, ", ")
	if why := e.Why.In(a.lang); why != "" {
		out = strings.TrimPrefix(out+"; "+why, "; ")
	}
	return out
}

// did is the event in words.
func (a *app) did(e rulebook.Event) string {
	t, ok := map[string]lang.Text{
		rulebook.Start:    lang.T("khởi động", "start"),
		rulebook.Reload:   lang.T("đưa vào dùng", "reload"),
		rulebook.Canary:   lang.T("bắt đầu thử", "canary"),
		rulebook.Promote:  lang.T("thử xong, vào dùng", "promote"),
		rulebook.Abort:    lang.T("thôi thử", "abort"),
		rulebook.FallBack: lang.T("tự quay về", "fell back"),
		rulebook.Rollback: lang.T("quay về", "rollback"),
		rulebook.Edited:   lang.T("lưu bản sửa dở", "edits kept"),
	}[e.What]
	if !ok {
		return e.What
	}
	return t.In(a.lang)
}

type rulesShowCmd struct {
	Hash string `arg:"" help:"Its hash or the beginning of it / mã của bộ, hoặc phần đầu."`
	File string `arg:"" optional:"" help:"One file: its octets to standard output / một tệp."`
}

// Run lists the files of a kept set with what is different in rules_dir, or writes one.
func (c rulesShowCmd) Run(a *app) error {
	cfg, err := a.settings()
	if err != nil {
		return err
	}
	db, err := a.lookAt(cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := c.files(a, book(db, cfg.Rules.History))
	if err != nil {
		return err
	}
	if c.File != "" {
		data, ok := files[c.File]
		if !ok {
			return fail(exitNoInput, "bộ này không có tệp %s", "the set has no file %s", lang.Safe(c.File, 200))
		}
		_, err := a.stdout.Write(data)
		return err
	}
	now, err := rules.ReadFiles(cfg.RulesDir)
	if err != nil {
		now = nil
	}
	return c.list(a, files, rules.Diff(files, now))
}

func (c rulesShowCmd) files(a *app, b *rulebook.Book) (rules.Files, error) {
	hash, err := b.Find(a.ctx, c.Hash)
	switch {
	case errors.Is(err, rulebook.ErrUnknown):
		return nil, fail(exitNoInput, "không còn lưu bộ quy tắc nào có mã %s", "no set with the hash %s is kept", lang.Safe(c.Hash, 64))
	case errors.Is(err, rulebook.ErrAmbiguous):
		return nil, fail(exitUsage, "nhiều bộ có mã bắt đầu bằng %s", "several sets have a hash that begins with %s", lang.Safe(c.Hash, 64))
	case err != nil:
		return nil, err
	}
	return b.Files(a.ctx, hash)
}

// list names the files, and how those in rules_dir differ from them.
func (c rulesShowCmd) list(a *app, files rules.Files, changes []rules.Change) error {
	type entry struct {
		File string        `json:"file"`
		Size int           `json:"size"`
		Now  *rules.Change `json:"now,omitempty"` // how it differs in rules_dir
	}
	var out []entry
	for _, name := range files.Names() {
		e := entry{File: name, Size: len(files[name])}
		if i := slices.IndexFunc(changes, func(c rules.Change) bool { return c.File == name }); i >= 0 {
			e.Now = &changes[i]
		}
		out = append(out, e)
	}
	if a.json {
		return a.printJSON(out)
	}
	for _, e := range out {
		now := ""
		if e.Now != nil {
			now = a.word("  rules_dir nay: ", "  in rules_dir now: ") + strings.TrimPrefix(e.Now.String(), e.File+" ")
		}
		a.say(lang.T("%8d  %s%s", "%8d  %s%s"), e.Size, lang.Safe(e.File, 200), now)
	}
	return nil
}

// days is a time span in days or as Go writes it: "7d", "36h".
type days time.Duration

// UnmarshalText reads the span.
func (d *days) UnmarshalText(b []byte) error {
	text := string(b)
	scale := time.Duration(1)
	if n, ok := strings.CutSuffix(text, "d"); ok {
		text, scale = n+"h", 24
	}
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 || v > 10*365*24*time.Hour/scale {
		return errors.New("a time is written like 7d or 36h / viết như 7d hoặc 36h")
	}
	*d = days(v * scale)
	return nil
}
