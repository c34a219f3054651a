package review

import (
	"context"
	"errors"
	"slices"
	"strings"

	"congthu/internal/allowance"
	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/quarantine"
	"congthu/internal/store"
)

// Order is how a message is released.
type Order struct {
	To    []string `json:"to,omitempty"`    // none: all for whom it is held
	Learn bool     `json:"learn,omitempty"` // such letters are wanted
	// AllowSender lets letters of this sender through from now on: to the recipients of the
	// release (ToRecipient), or to all of their agencies (ToAgency). "": it does not.
	AllowSender Scope `json:"allow_sender,omitempty"`

	With *store.Change `json:"-"` // commits together with the release, or neither does; nil: nothing
}

// Released is what came of a release.
type Released struct {
	To      []string              `json:"to"`
	Lesson  *lessons.Lesson       `json:"lesson,omitempty"`
	Allowed []allowance.Allowance `json:"allowed,omitempty"`
	Beyond  string                `json:"beyond,omitempty"` // why another letter like this one is held although its sender is allowed
}

// opaque are the symbols of what nobody could look into. They may pass by the judgement
// of two people.
var opaque = []string{"SCAN_CRASH", "SCAN_ERROR", "ATTACH_UNSCANNABLE"}

// Release sends a message on, its octets as they came. It cannot be called back.
func (r *Reviewer) Release(ctx context.Context, part string, o Order) (Released, error) {
	i, raw, err := r.look(ctx, part, "review")
	if err != nil {
		return Released{}, err
	}
	today, err := r.d.o.Rescan(ctx, i, raw)
	if err != nil {
		return Released{}, err
	}
	second, err := r.judge(i, today)
	if err != nil {
		return Released{}, err
	}
	act := r.acts("quarantine.release", i.ID, string(i.Class))
	act.Second, act.With = second, o.With
	var out Released
	if o.AllowSender != "" {
		if err := r.allows(&act, &out, i, raw, o.AllowSender); err != nil {
			return Released{}, err
		}
		out.Beyond = today.Beyond
	}
	if out.To, err = r.within.Release(ctx, i.ID, o.To, act); err != nil {
		return Released{}, refusal(err)
	}
	if o.Learn {
		x, err := r.teach(ctx, i, raw, false)
		if err != nil {
			return out, errors.Join(&Refusal{"learn", lang.T("thư đã được thả, nhưng chưa dạy được bộ phân loại", "the message is released, but the classifier was not taught")}, err)
		}
		out.Lesson = &x
	}
	return out, nil
}

// judge tells whether a message may be released by what is found today, and whether that
// takes a second person.
func (r *Reviewer) judge(i quarantine.Item, t Today) (second bool, err error) {
	if len(t.Blind) > 0 {
		list := lang.Safe(strings.Join(t.Blind, ", "), 200)
		return false, &Refusal{"blind", lang.T(
			"chưa kiểm tra lại được thư này ("+list+"), nên chưa thả; thử lại sau, hoặc xem congthu check",
			"the message could not be looked at again ("+list+"), so it is not released; try later, or see congthu check")}
	}
	if quarantine.ClassOf(t.Reason, t.Findings) == quarantine.Malware {
		found := quarantine.Harmful(t.Findings)
		if len(found) == 0 {
			found = []string{t.Reason}
		}
		list := strings.Join(found, ", ")
		return false, &Refusal{"malware", lang.T(
			"quy tắc hôm nay vẫn coi thư này là mã độc ("+list+"), nên không ai thả được; nếu là nhầm, sửa quy tắc, nạp lại rồi thả",
			"the rules of today still call it malware ("+list+"), so nobody can release it; if they are wrong, mend the rule, reload, release again")}
	}
	second = i.Class == quarantine.Malware
	for _, f := range t.Findings {
		second = second || slices.Contains(opaque, f.Symbol)
	}
	if second && r.own {
		return false, &Refusal{"administrator", lang.T("thư này chỉ quản trị viên mới thả được", "only an administrator can release this message")}
	}
	return second, nil
}

// Approve agrees to the release of a message by somebody else.
func (r *Reviewer) Approve(ctx context.Context, part string) error {
	id, err := r.resolve(ctx, part, "review")
	if err != nil {
		return err
	}
	if r.own {
		return ErrForbidden
	}
	_, err = r.within.Approve(ctx, id, r.acts("quarantine.approve", id, ""))
	return refusal(err)
}

// Delete removes a message; until the time to undo is over it can be had back.
func (r *Reviewer) Delete(ctx context.Context, part string) error {
	id, err := r.resolve(ctx, part, "review")
	if err != nil {
		return err
	}
	_, err = r.within.Delete(ctx, id, r.acts("quarantine.delete", id, ""))
	return refusal(err)
}

// Undo takes a deletion back. Of a message that was released it says that this cannot be.
func (r *Reviewer) Undo(ctx context.Context, part string) error {
	id, err := r.resolve(ctx, part, "review")
	if err == nil {
		_, err = r.within.Undo(ctx, id, r.acts("quarantine.undo", id, ""))
	}
	if errors.Is(err, ErrNotFound) {
		return r.released(ctx, part, err)
	}
	return refusal(err)
}

// released returns what is to be said of a message that is not there because it was
// released, as far as the person may know, and otherwise the error as it is.
func (r *Reviewer) released(ctx context.Context, part string, err error) error {
	part = strings.ToUpper(strings.TrimSpace(part))
	if len(part) < leastPart {
		return err
	}
	list, listErr := r.d.o.Audit.List(ctx, audit.Filter{Act: "quarantine.release", Limit: 1, Show: func(e audit.Entry) (audit.Entry, bool) {
		ours := r.who.Everywhere() && !r.own || slices.ContainsFunc(strings.Fields(e.Agency), r.who.Sees)
		return e, ours && (strings.HasPrefix(e.Object, part) || strings.HasSuffix(e.Object, part))
	}})
	if listErr != nil || len(list) == 0 {
		return errors.Join(err, listErr)
	}
	e := list[0]
	at := e.At.Local().Format("2006-01-02 15:04")
	return &Refusal{"released", lang.T(
		"thư "+e.Object+" đã được "+lang.Safe(e.Actor, 80)+" thả lúc "+at+"; thư đã thả không lấy lại được. Nếu thư còn chờ giao, quản trị viên giữ lại bằng congthu queue hold. Điều đã dạy khi thả thì rút lại được: congthu learn list, learn undo; người gửi đã cho phép: congthu quarantine allowed, quarantine disallow",
		"the message "+e.Object+" was released by "+lang.Safe(e.Actor, 80)+" at "+at+"; a released letter cannot be called back. While it waits for delivery, an administrator can keep it with congthu queue hold. What was taught by the release can be taken back: congthu learn list, learn undo; whoever was allowed: congthu quarantine allowed, quarantine disallow")}
}

// leastPart is how much of an id says which message is meant.
const leastPart = 4

// Learn teaches the classifier that a message is spam, or is not.
func (r *Reviewer) Learn(ctx context.Context, part string, spam bool) error {
	i, raw, err := r.look(ctx, part, "review")
	if err != nil {
		return err
	}
	if r.own {
		return ErrForbidden
	}
	_, err = r.teach(ctx, i, raw, spam)
	return err
}

func (r *Reviewer) teach(ctx context.Context, i quarantine.Item, raw []byte, spam bool) (lessons.Lesson, error) {
	as := "as wanted"
	if spam {
		as = "as spam"
	}
	return r.d.o.Teach(ctx, raw, Lesson{
		Spam: spam, Actor: r.who.Name, Source: "quarantine " + i.ID,
		Record: r.d.o.Audit.Change(r.entry("quarantine.learn", i.ID, i.To, as)),
	})
}
