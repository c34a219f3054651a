package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"congthu/internal/canary"
	"congthu/internal/lang"
	"congthu/internal/rulebook"
)

type rulesReloadCmd struct {
	Canary percent       `help:"Only for this share of the letters, such as 10% / chỉ cho một phần số thư." placeholder:"N%"`
	For    time.Duration `help:"How long the canary runs / thử trong bao lâu (default: rules.canary_watch)." placeholder:"30m"`
}

// percent is a share written as "10%" or "0.5%".
type percent float64

// UnmarshalText reads the share.
func (p *percent) UnmarshalText(b []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(string(b), "%"), 64)
	if err != nil || !(v > 0 && v < 100) {
		return fmt.Errorf("%q: a share is written like 10%%, above 0%% and below 100%% / viết như 10%%, trên 0%% và dưới 100%%", b)
	}
	*p = percent(v)
	return nil
}

// Run asks the running gateway to take the rule files into use.
func (c rulesReloadCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if c.For != 0 && c.Canary == 0 {
		return fail(exitUsage, "--for chỉ dùng với --canary", "--for goes with --canary")
	}
	if err := cl.Reload(a.ctx, float64(c.Canary), c.For); err != nil {
		return operatorError(err)
	}
	if c.Canary != 0 {
		return a.oneDone(lang.T("bộ quy tắc mới đang thử trên một phần số thư; xem `congthu rules status`", "the new rule set is on trial for a share of the letters; see `congthu rules status`"))
	}
	return a.oneDone(lang.T("đã đưa bộ quy tắc mới vào dùng", "the new rule set is in use"))
}

type rulesPromoteCmd struct{}

// Run makes the canary the set in use.
func (rulesPromoteCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if err := cl.Promote(a.ctx); err != nil {
		return operatorError(err)
	}
	return a.oneDone(lang.T("bộ quy tắc đang thử nay dùng cho mọi thư", "the set on trial now judges all letters"))
}

type rulesAbortCmd struct{}

// Run ends the canary.
func (rulesAbortCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if err := cl.Abort(a.ctx); err != nil {
		return operatorError(err)
	}
	return a.oneDone(lang.T("đã thôi thử, bộ quy tắc cũ dùng cho mọi thư", "the trial is over, the set in use judges all letters"))
}

type rulesRollbackCmd struct {
	Hash string `arg:"" optional:"" help:"Its hash or the beginning of it; none: the set before / mã của bộ, hoặc phần đầu; trống: bộ trước."`
}

// Run goes back to a kept set.
func (c rulesRollbackCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	done, err := cl.Rollback(a.ctx, c.Hash)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(done)
	}
	a.say(lang.T("đang dùng bộ quy tắc %s", "the rule set %s is in use"), done.Hash)
	if !done.Written {
		a.say(lang.T("không ghi được hết vào rules_dir: các tệp ở đó không được dùng cho đến khi `congthu rules reload`", "rules_dir cannot be written as a whole: its files are not used until `congthu rules reload`"))
	}
	return nil
}

type rulesStatusCmd struct{}

// Run says which set is in use and how a new one does beside it.
func (rulesStatusCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	s, err := cl.RulesStatus(a.ctx)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(s)
	}
	a.say(lang.T("đang dùng: %s", "in use: %s"), s.InUse)
	if s.Dir != s.InUse && (s.Trial == nil || s.Dir != s.Trial.Hash) {
		a.say(lang.T("rules_dir có bộ khác (%s), chưa dùng", "rules_dir holds another set (%s), which is not in use"), s.Dir)
	}
	if s.Fell != "" {
		a.say(lang.T("không dùng %s từ %s: %s", "%s is not used since %s: %s"), s.Fell, s.At.Local().Format(time.DateTime), lang.Safe(s.Why.In(a.lang), 500))
	}
	if s.Trial == nil {
		return nil
	}
	return a.trial(s)
}

func (a *app) trial(s rulebook.Status) error {
	t := s.Trial
	until := t.Until.Local().Format(time.DateTime)
	if t.Canary {
		a.say(lang.T("thử %s trên %s số thư, đến %s", "%s is on trial for %s of the letters, until %s"), t.Hash, share(t.Share), until)
	} else {
		a.say(lang.T("bộ mới %s dùng cho mọi thư, được theo dõi đến %s", "the new set %s judges all letters and is watched until %s"), t.Hash, until)
	}
	head := strings.Split(lang.T("BỘ|MÃ|THƯ|GIỮ VÀ TỪ CHỐI|TỶ LỆ|HOÃN", "SET|HASH|LETTERS|HELD OR REFUSED|RATE|DEFERRED").In(a.lang), "|")
	row := func(name, hash string, arm canary.Arm) []string {
		return []string{name, hash, strconv.Itoa(arm.Letters), strconv.Itoa(arm.Held), fmt.Sprintf("%.1f%%", arm.Rate()), strconv.Itoa(arm.Deferred)}
	}
	err := a.table(head, [][]string{row(a.word("cũ", "before"), t.Against, s.Baseline), row(a.word("mới", "new"), t.Hash, s.OnTrial)})
	if err != nil {
		return err
	}
	switch {
	case !s.FallBack:
		a.say(lang.T("không tự quay về (rules.fall_back = false)", "no way back by itself (rules.fall_back = false)"))
	case !s.Enough:
		a.say(lang.T("chưa đủ thư để so: mỗi bên cần %d", "too few letters to compare: each side needs %d"), s.MinEach)
	default:
		a.say(lang.T("tự quay về khi tỷ lệ tăng quá %g %% số thư và không phải do ngẫu nhiên", "goes back by itself when the rate rises by more than %g in a hundred letters, and not by chance"), s.MaxRise)
	}
	return nil
}

// share writes parts of 10,000 as a percentage.
func share(parts int) string { return strconv.FormatFloat(float64(parts)/100, 'f', -1, 64) + "%" }
