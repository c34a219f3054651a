package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"congthu/internal/admin"
	"congthu/internal/labelled"
	"congthu/internal/lang"
	"congthu/internal/lessons"
)

type learnCmd struct {
	Spam learnSpamCmd `cmd:"" help:"These letters are spam / đây là thư rác."`
	Ham  learnHamCmd  `cmd:"" help:"These letters are wanted / đây là thư tốt."`
	Undo learnUndoCmd `cmd:"" help:"Take lessons back / rút lại bài học."`
	List learnListCmd `cmd:"" help:"What was taught, newest first / các bài đã dạy."`

	Proposals learnProposalsCmd `cmd:"" help:"What users have reported and nobody has decided on / các báo cáo của người dùng đang chờ."`
	Show      learnShowCmd      `cmd:"" help:"A reported letter as text / xem thư được báo."`
	Confirm   learnConfirmCmd   `cmd:"" help:"Learn what was reported / học theo báo cáo."`
	Refuse    learnRefuseCmd    `cmd:"" help:"Learn nothing from it / không học theo báo cáo."`
}

type taughtFiles struct {
	File []string `arg:"" help:"Message, mbox, directory of messages, or - / thư, mbox, thư mục, hoặc -."`
	Bulk bool     `help:"An administrator's import: the numbers of [learning] do not bound it / quản trị viên nạp hàng loạt, không tính vào giới hạn mỗi ngày."`
}

type (
	learnSpamCmd struct{ taughtFiles }
	learnHamCmd  struct{ taughtFiles }
)

// Run teaches letters as spam.
func (c *learnSpamCmd) Run(a *app) error { return c.teach(a, true) }

// Run teaches letters as wanted.
func (c *learnHamCmd) Run(a *app) error { return c.teach(a, false) }

// teach hands every letter to the running gateway.
func (c *taughtFiles) teach(a *app, spam bool) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	t := teacher{a, cl.Lessons(), lessons.Report{Spam: spam, Bulk: c.Bulk}}
	var all []lessons.Lesson
	for _, name := range c.File {
		list, err := t.path(name)
		all = append(all, list...)
		if err != nil {
			return err
		}
	}
	if a.json {
		return a.printJSON(all)
	}
	return a.taught(all)
}

// teacher hands letters to the running gateway, with what is said of them.
type teacher struct {
	*app
	lessons admin.Lessons
	report  lessons.Report
}

func (t teacher) path(name string) ([]lessons.Lesson, error) {
	if name == "-" {
		raw, err := io.ReadAll(t.stdin)
		if err != nil {
			return nil, err
		}
		return t.file(name, raw)
	}
	files, err := labelled.Files(name)
	if err != nil {
		return nil, fail(exitNoInput, "không đọc được %v", "cannot read %v", err)
	}
	var out []lessons.Lesson
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return out, fail(exitNoInput, "không đọc được %v", "cannot read %v", err)
		}
		list, err := t.file(f, raw)
		out = append(out, list...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// file teaches a letter, or every letter of an mbox.
func (t teacher) file(name string, raw []byte) ([]lessons.Lesson, error) {
	t.report.Source = name
	var out []lessons.Lesson
	for _, l := range labelled.Letters(raw) {
		x, err := t.lessons.Teach(t.ctx, l, t.report)
		if err != nil {
			return out, operatorError(err)
		}
		out = append(out, x)
	}
	return out, nil
}

// taught says what came of lessons: how many count, and why the others do not.
func (a *app) taught(all []lessons.Lesson) error {
	n := map[string]int{}
	for _, x := range all {
		switch {
		case x.Known:
			n["known"]++
		case x.Counts:
			n["counts"]++
		default:
			n[x.Why]++
		}
	}
	a.say(lang.T("đã học %d thư", "learned %d message(s)"), n["counts"])
	for _, w := range []string{"known", lessons.TooManyOfReporter, lessons.TooManyToday, lessons.TrustedSender} {
		if n[w] > 0 {
			a.say(whyNot(w), n[w])
		}
	}
	if len(all) == 1 {
		a.say(lang.T("mã bài học: %s (rút lại: congthu learn undo %s)", "lesson %s (take it back: congthu learn undo %s)"), all[0].ID, all[0].ID)
	}
	return nil
}

// whyNot says why lessons change nothing.
func whyNot(why string) lang.Text {
	switch why {
	case "known":
		return lang.T("%d thư đã được dạy trước đó, không tính lại", "%d were taught before and do not count again")
	case lessons.TooManyOfReporter:
		return lang.T("%d thư được ghi nhận nhưng không tính: đã dạy đủ số thư được tính trong 24 giờ (learning.per_reporter); quản trị viên nạp hàng loạt bằng --bulk", "%d are recorded and do not count: you have taught as many as count in 24 hours (learning.per_reporter); an administrator imports with --bulk")
	case lessons.TooManyToday:
		return lang.T("%d thư được ghi nhận nhưng không tính: đã đủ số thư được tính trong 24 giờ (learning.per_day)", "%d are recorded and do not count: as many as count in 24 hours have been taught (learning.per_day)")
	}
	return lang.T("%d thư được ghi nhận nhưng không tính: thư của cơ quan trong danh sách không được học là thư rác; nếu tài khoản bị chiếm, hãy khoá tài khoản ấy", "%d are recorded and do not count: letters of an agency in the lists are not learned as spam; if an account is stolen, lock it")
}

type learnUndoCmd struct {
	ID []string `arg:"" help:"Lessons / mã bài học."`
}

// Run takes lessons back.
func (c *learnUndoCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	for _, id := range c.ID {
		if err := cl.Lessons().Undo(a.ctx, id, actor()); err != nil {
			return operatorError(err)
		}
	}
	return a.done(len(c.ID), lang.T("đã rút lại %d bài học", "took %d lesson(s) back"))
}

type learnListCmd struct {
	Limit int `help:"At most so many / nhiều nhất." default:"50"`
}

// Run lists lessons, newest first.
func (c *learnListCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	list, err := cl.Lessons().List(a.ctx, c.Limit)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(list)
	}
	head := strings.Split(lang.T("MÃ|LÚC|NGƯỜI DẠY|LOẠI|ĐƯỢC TÍNH|NGƯỜI GỬI|TIÊU ĐỀ", "ID|AT|BY|AS|COUNTS|FROM|SUBJECT").In(a.lang), "|")
	var rows [][]string
	for _, x := range list {
		rows = append(rows, []string{x.ID, x.At.Local().Format("02/01 15:04"), x.Actor, a.kindWord(x), a.countsWord(x), lang.Safe(x.Sender, 40), lang.Safe(x.Subject, 48)})
	}
	return a.table(head, rows, 2)
}

func (a *app) kindWord(x lessons.Lesson) string {
	if x.Spam {
		return a.word("thư rác", "spam")
	}
	return a.word("thư tốt", "ham")
}

func (a *app) countsWord(x lessons.Lesson) string {
	switch {
	case !x.Undone.IsZero():
		return fmt.Sprintf(a.word("rút lại bởi %s", "taken back by %s"), x.UndoneBy)
	case x.Counts && x.Why == lessons.Bulk:
		return a.word("có, nạp hàng loạt", "yes, in bulk")
	case x.Counts:
		return a.word("có", "yes")
	}
	switch x.Why {
	case lessons.TooManyOfReporter:
		return a.word("không, đã đủ số của người này", "no, as many as count of one reporter")
	case lessons.TooManyToday:
		return a.word("không, đã đủ số trong ngày", "no, as many as count in a day")
	case lessons.TrustedSender:
		return a.word("không, thư của cơ quan", "no, an agency's letter")
	}
	return a.word("không", "no")
}
