package main

import (
	"fmt"
	"time"

	"congthu/internal/lang"
	"congthu/internal/queue"
)

type queueShowCmd struct {
	ID     string `arg:"" help:"Id / mã."`
	Header bool   `help:"Show the header / xem phần đầu thư." default:"true" negatable:""`
}

// Run shows one queued message. What comes from the message is escaped.
func (c *queueShowCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	d, err := cl.Queued(a.ctx, c.ID)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(d)
	}
	a.showQueued(d)
	if c.Header {
		a.showHeader(d)
	}
	return nil
}

func (a *app) showQueued(d queue.Detail) {
	end := a.word("Hết hạn", "Expires")
	if d.State == "dead" {
		end = a.word("Bỏ hẳn lúc", "Dropped at")
	}
	told := a.word("có", "yes")
	if d.Quiet || d.From == "" {
		told = a.word("không (người gửi có thể bị giả mạo, hoặc không có)", "no (the sender may be forged, or there is none)")
	}
	rows := [][2]string{
		{a.word("Mã", "Id"), d.ID},
		{a.word("Trạng thái", "State"), a.state(d.State)},
		{a.word("Người gửi", "From"), "<" + d.From + ">"},
		{a.word("Báo khi lỗi", "Notices"), told},
		{a.word("Chặng sau", "Next hop"), d.NextHop},
		{a.word("Kích thước", "Size"), fmt.Sprint(d.Size)},
		{a.word("Nhận lúc", "Received"), d.Created.Local().Format(time.RFC3339)},
		{a.word("Tuổi", "Age"), (time.Duration(d.Age) * time.Second).String()},
		{a.word("Số lần thử", "Attempts"), fmt.Sprint(d.Attempts)},
		{end, d.Expires.Local().Format(time.RFC3339)},
	}
	if d.State == "waiting" {
		rows = append(rows, [2]string{a.word("Thử lại", "Next try"), d.NextTry.Local().Format(time.RFC3339)})
	}
	for _, r := range rows {
		fmt.Fprintf(a.stdout, "%-12s %s\n", r[0]+":", lang.Safe(r[1], 500))
	}
	for _, r := range d.Recipients {
		fmt.Fprintf(a.stdout, "  <%s> %s: %s\n", lang.Safe(r.Address, 320), lang.Safe(a.state(r.State), 20), lang.Safe(lastReply(d.Attempts, r.LastReply), 500))
	}
}

func (a *app) showHeader(d queue.Detail) {
	fmt.Fprintln(a.stdout)
	if d.Damaged != "" {
		a.say(lang.T("nội dung bị hỏng: %s", "the content is damaged: %s"), lang.Safe(d.Damaged, 300))
	}
	for _, f := range d.Header {
		fmt.Fprintln(a.stdout, lang.Safe(f, 2000))
	}
}
