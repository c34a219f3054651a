package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/review"
)

// heldMany names what an act is for: ids, or a filter.
type heldMany struct {
	ID      []string          `arg:"" optional:"" help:"Ids, or their beginnings or ends / các mã."`
	Where   map[string]string `help:"All messages of a list: text, agency, recipient, sender, symbol, reason, class, since; first without --confirm / mọi thư trong danh sách; lần đầu chạy không có --confirm." placeholder:"KEY=VALUE"`
	Confirm string            `help:"The word of the dry run / mã mà lần xem thử đã cho." placeholder:"WORD"`
}

// each does an act on the messages that are named, or on those of a filter.
func (h *heldMany) each(a *app, b review.Bulk, one func(*admin.Client, string) error, done lang.Text) error {
	if err := whole(h.ID, h.Where); err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	if len(h.Where) > 0 {
		return h.bulk(a, cl, b)
	}
	for _, id := range h.ID {
		if err := one(cl, id); err != nil {
			return operatorError(err)
		}
	}
	return a.done(len(h.ID), done)
}

func (h *heldMany) bulk(a *app, cl *admin.Client, b review.Bulk) error {
	var err error
	if b.Filter, err = whereFilter(h.Where, b.Act == "undo"); err != nil {
		return err
	}
	b.Confirm = h.Confirm
	out, err := cl.Bulk(a.ctx, b)
	switch {
	case err != nil:
		return operatorError(err)
	case a.json:
		return a.printJSON(out)
	case h.Confirm == "":
		a.dryRun(b, h.Where, out)
		return nil
	}
	a.say(lang.T("đã thực hiện với %d trong số %d thư", "done with %d of %d messages"), out.Done, out.Count)
	for _, r := range out.Refused {
		fmt.Fprintf(a.stdout, "  %s: %s\n", lang.Safe(quarantine.Short(r.ID), 40), lang.Safe(r.Why.In(a.lang), 300))
	}
	if out.Left > 0 {
		a.say(lang.T("hết giờ, còn %d thư chưa làm; chạy lại từ bước xem thử", "the time was over, %d messages are left; begin again with the dry run"), out.Left)
	}
	if len(out.Refused) > 0 || out.Left > 0 {
		return &failure{code: exitData}
	}
	return nil
}

func (a *app) dryRun(b review.Bulk, where map[string]string, out review.Done) {
	counts := a.classCounts(out.Classes)
	if counts != "" {
		counts = " (" + counts + ")"
	}
	a.say(lang.T("%d thư%s; đây là xem thử, chưa làm gì", "%d messages%s; this is a dry run, nothing is done"), out.Count, counts)
	if out.Count == 0 {
		return
	}
	var args strings.Builder
	for _, k := range slices.Sorted(maps.Keys(where)) {
		fmt.Fprintf(&args, " --where %s=%s", k, quoted(where[k]))
	}
	verb := map[string]string{"spam": "learn --as spam", "ham": "learn --as ham"}[b.Act]
	if verb == "" {
		verb = b.Act
	}
	a.say(lang.T("để làm thật, thêm: --confirm %s", "to do it, add: --confirm %s"), out.Confirm)
	fmt.Fprintf(a.stdout, "  congthu quarantine %s%s --confirm %s\n", verb, lang.Safe(args.String(), 1000), lang.Safe(out.Confirm, 80))
}

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

type quarantineReleaseCmd struct {
	heldMany
	To    []string `help:"Only to these recipients / chỉ cho người nhận này." placeholder:"ADDRESS"`
	Learn bool     `help:"Teach the classifier that such letters are wanted / dạy rằng đây là thư tốt."`

	AllowSender string `help:"From now on let letters that are proven to be of this sender through: to these recipients, or to the whole agency; undone by quarantine disallow / từ nay cho thư đã xác thực của người gửi này tới người nhận này (recipient) hay cả cơ quan (agency)." enum:",recipient,agency" default:"" placeholder:"recipient|agency"`
}

// Run releases messages into the queue. What is released cannot be called back.
func (c *quarantineReleaseCmd) Run(a *app) error {
	o := review.Order{To: c.To, Learn: c.Learn, AllowSender: review.Scope(c.AllowSender)}
	if len(c.ID) != 1 {
		return c.each(a, review.Bulk{Act: "release", Order: o}, func(cl *admin.Client, id string) error {
			out, err := cl.Release(a.ctx, id, o)
			if err == nil && !a.json {
				a.allowed(out)
			}
			return err
		}, lang.T("đã thả %d thư vào hàng đợi giao", "released %d message(s) into the delivery queue"))
	}
	if err := whole(c.ID, c.Where); err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	out, err := cl.Release(a.ctx, c.ID[0], o)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(out)
	}
	a.say(lang.T("đã thả vào hàng đợi giao cho: %s (thư đã thả không lấy lại được)", "released into the delivery queue for: %s (a released letter cannot be called back)"), lang.Safe(strings.Join(out.To, ", "), 500))
	a.allowed(out)
	if x := out.Lesson; x != nil {
		a.say(lang.T("mã bài học: %s (rút lại: congthu learn undo %s)", "lesson %s (take it back: congthu learn undo %s)"), x.ID, x.ID)
	}
	return nil
}

type quarantineApproveCmd struct{ heldMany }

// Run agrees to releases by somebody else.
func (c *quarantineApproveCmd) Run(a *app) error {
	return c.each(a, review.Bulk{Act: "approve"}, func(cl *admin.Client, id string) error { return cl.Approve(a.ctx, id) },
		lang.T("đã đồng ý cho thả %d thư; một người khác thả bằng congthu quarantine release", "agreed to the release of %d message(s); somebody else releases with congthu quarantine release"))
}

type quarantineDeleteCmd struct{ heldMany }

// Run deletes messages.
func (c *quarantineDeleteCmd) Run(a *app) error {
	return c.each(a, review.Bulk{Act: "delete"}, func(cl *admin.Client, id string) error { return cl.Delete(a.ctx, id) },
		lang.T("đã xoá %d thư (lấy lại: congthu quarantine undo)", "deleted %d message(s) (take it back: congthu quarantine undo)"))
}

type quarantineUndoCmd struct{ heldMany }

// Run takes deletions back.
func (c *quarantineUndoCmd) Run(a *app) error {
	return c.each(a, review.Bulk{Act: "undo"}, func(cl *admin.Client, id string) error { return cl.Undelete(a.ctx, id) },
		lang.T("đã lấy lại %d thư đã xoá", "took back the deletion of %d message(s)"))
}

type quarantineLearnCmd struct {
	heldMany
	As string `help:"What they are / đây là: spam (thư rác), ham (thư tốt)." enum:"spam,ham" required:"" placeholder:"spam|ham"`
}

// Run teaches the classifier.
func (c *quarantineLearnCmd) Run(a *app) error {
	return c.each(a, review.Bulk{Act: c.As}, func(cl *admin.Client, id string) error { return cl.LearnHeld(a.ctx, id, c.As == "spam") },
		lang.T("đã dạy bằng %d thư (rút lại: congthu learn list, learn undo)", "taught with %d message(s) (take it back: congthu learn list, learn undo)"))
}
