package main

import (
	"context"
	"fmt"
	"strings"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/digest"
	"congthu/internal/labelled"
	"congthu/internal/lang"
	"congthu/internal/lessons"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/plain"
	"congthu/internal/reported"
	"congthu/internal/token"
)

// report takes a letter by which a user says that another was judged wrongly: it proposes
// what was sent along, and thanks.
func (p *post) report(ctx context.Context, m *msg.Message, spam bool, author msg.Path) error {
	var out notice.Answer
	said := map[lessons.Heard]bool{}
	for _, raw := range reported.Originals(m) {
		x := p.g.judge.asItCame(labelled.Wire(raw))
		_, heard, err := p.g.judge.lessons.Propose(ctx, x, spam, author.Key(), p.g.cfg.Reported.PerDay, p.g.audit.Change(proposed(m, spam, author)))
		if err != nil {
			return err
		}
		if !said[heard] {
			said[heard] = true
			out.Lines = append(out.Lines, notice.Line{Text: heardWords(heard)})
		}
	}
	if len(out.Lines) == 0 {
		out.Lines = []notice.Line{{Text: lang.T(
			"Cổng thư không tìm thấy thư nào được chuyển tiếp. Xin chuyển tiếp thư bị lọc sai dưới dạng tệp đính kèm.",
			"The gateway found no forwarded message. Please forward the message that was judged wrongly as an attachment.")}}
	}
	return p.replies.Say(ctx, m, author, digest.Letter(m), notice.ThanksText, out)
}

// proposed puts a report on record.
func proposed(m *msg.Message, spam bool, author msg.Path) audit.Entry {
	as := "as wanted"
	if spam {
		as = "as spam"
	}
	return audit.Entry{Actor: author.Key(), Role: "user", Via: "mail", Act: "lesson.propose", Object: "mail " + m.ID, Agency: author.Domain, Detail: as}
}

func heardWords(h lessons.Heard) lang.Text {
	switch h {
	case lessons.HeardTooMany:
		return lang.T("Hôm nay đã nhận đủ số báo cáo; xin gửi lại vào ngày mai.", "As many reports as can be taken were received today; please send it again tomorrow.")
	case lessons.HeardTooBig:
		return lang.T("Thư được báo quá lớn để gửi theo cách này; xin liên hệ quản trị viên.", "The reported message is too large for this; please ask your administrator.")
	case lessons.HeardAgain:
		return lang.T("Quý vị đã báo thư này rồi.", "You have reported this message before.")
	case lessons.HeardDecided:
		return lang.T("Thư này đã được báo và đã được xem xét.", "This message was reported before and has been decided on.")
	}
	return lang.T("Đã ghi nhận thư quý vị báo.", "The message that you reported was recorded.")
}

// Proposals implements admin.Proposals.
func (s school) Proposals(ctx context.Context, w token.Who, all bool, limit int) ([]lessons.Proposal, error) {
	return s.lessons.Proposals(ctx, limit, all, seenBy(w))
}

// seenBy is which reporters' proposals a caller sees.
func seenBy(w token.Who) func(string) bool {
	if w.Everywhere() {
		return nil
	}
	return w.Sees
}

// Proposal implements admin.Proposals.
func (s school) Proposal(ctx context.Context, w token.Who, id string) (admin.ProposalView, error) {
	p, raw, err := s.lessons.Proposal(ctx, id, seenBy(w))
	if err != nil {
		return admin.ProposalView{}, err
	}
	return admin.ProposalView{Proposal: p, View: plain.Of(raw)}, nil
}

// Confirm implements admin.Proposals: the lesson and the decision commit together.
func (s school) Confirm(ctx context.Context, w token.Who, id string) (lessons.Lesson, error) {
	p, raw, err := s.lessons.Proposal(ctx, id, seenBy(w))
	if err != nil {
		return lessons.Lesson{}, err
	}
	if p.State != lessons.Waiting || len(p.Reporters) == 0 {
		return lessons.Lesson{}, lessons.ErrDecided
	}
	return s.judge.teach(ctx, raw, lessons.Report{
		Spam: p.Spam, Actor: w.Name, Source: "report of " + p.Reporters[0], With: s.lessons.Decide(id, lessons.Confirmed, w.Name),
	})
}

// Refuse implements admin.Proposals.
func (s school) Refuse(ctx context.Context, w token.Who, id string) error {
	if _, _, err := s.lessons.Proposal(ctx, id, seenBy(w)); err != nil {
		return err
	}
	return s.lessons.Refuse(ctx, id, w.Name)
}

type learnProposalsCmd struct {
	All   bool `help:"Those that were decided on, too / cả những báo cáo đã xem."`
	Limit int  `help:"At most so many / nhiều nhất." default:"50"`
}

// Run lists proposals, the oldest first.
func (c *learnProposalsCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	list, err := cl.Proposals(a.ctx, c.All, c.Limit)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(list)
	}
	head := []string{a.word("MÃ", "ID"), a.word("LÚC", "AT"), a.word("BÁO LÀ", "REPORTED AS"), a.word("NGƯỜI BÁO", "BY"), a.word("TÌNH TRẠNG", "STATE"), a.word("NGƯỜI GỬI", "FROM"), a.word("TIÊU ĐỀ", "SUBJECT")}
	var rows [][]string
	for _, p := range list {
		by := ""
		if len(p.Reporters) > 0 {
			by = p.Reporters[0]
		}
		if n := len(p.Reporters); n > 1 {
			by = fmt.Sprintf("%s +%d", by, n-1)
		}
		rows = append(rows, []string{p.ID, p.At.Local().Format("02/01 15:04"), a.kindWord(lessons.Lesson{Spam: p.Spam}), by, a.stateWord(p), lang.Safe(p.Sender, 40), lang.Safe(p.Subject, 48)})
	}
	return a.table(head, rows)
}

func (a *app) stateWord(p lessons.Proposal) string {
	switch p.State {
	case lessons.Confirmed:
		return a.word("đã học", "confirmed") + " (" + lang.Safe(p.DecidedBy, 40) + ")"
	case lessons.Refused:
		return a.word("không học", "refused") + " (" + lang.Safe(p.DecidedBy, 40) + ")"
	}
	return a.word("đang chờ", "open")
}

type learnShowCmd struct {
	ID string `arg:"" help:"Proposal / mã báo cáo."`
}

// Run shows a reported letter; nothing of it reaches the terminal as it is.
func (c *learnShowCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	v, err := cl.Proposal(a.ctx, c.ID)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(v)
	}
	a.say(lang.T("được báo là %s; người báo: %s", "reported as %s, by: %s"), a.kindWord(lessons.Lesson{Spam: v.Spam}), lang.Safe(strings.Join(v.Reporters, ", "), 400))
	for _, part := range [][]string{v.Header, v.Text} {
		for _, line := range part {
			fmt.Fprintln(a.stdout, "  "+lang.Safe(line, mostLine))
		}
		fmt.Fprintln(a.stdout)
	}
	return nil
}

type learnConfirmCmd struct {
	ID []string `arg:"" help:"Proposals / mã báo cáo."`
}

// Run has the classifier learn what was reported.
func (c *learnConfirmCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var all []lessons.Lesson
	for _, id := range c.ID {
		x, err := cl.Confirm(a.ctx, id)
		if err != nil {
			return operatorError(err)
		}
		all = append(all, x)
	}
	if a.json {
		return a.printJSON(all)
	}
	return a.taught(all)
}

type learnRefuseCmd struct {
	ID []string `arg:"" help:"Proposals / mã báo cáo."`
}

// Run decides that nothing is learned.
func (c *learnRefuseCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	for _, id := range c.ID {
		if err := cl.Refuse(a.ctx, id); err != nil {
			return operatorError(err)
		}
	}
	return a.done(len(c.ID), lang.T("đã bỏ qua %d báo cáo, không học gì từ đó", "refused %d report(s), nothing is learned"))
}
