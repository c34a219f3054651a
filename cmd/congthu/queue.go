package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/queue"
)

type queueCmd struct {
	List    queueListCmd    `cmd:"" help:"List what waits for delivery / liệt kê thư chờ giao."`
	Show    queueShowCmd    `cmd:"" help:"Everything about one message / mọi điều về một thư."`
	Hold    queueHoldCmd    `cmd:"" help:"Keep from being tried / giữ lại, không giao."`
	Release queueReleaseCmd `cmd:"" help:"Let held messages wait for their time again / thôi giữ, chờ đến lượt."`
	Retry   queueRetryCmd   `cmd:"" help:"Try now / giao lại ngay."`
	Drop    queueDropCmd    `cmd:"" help:"Remove without delivery and without a notice / bỏ khỏi hàng đợi."`
}

type queueListCmd struct {
	Hop   string `help:"Part of the next hop or domain / một phần chặng sau hoặc tên miền."`
	From  string `help:"Part of the sender / một phần địa chỉ gửi."`
	To    string `help:"Part of the recipient / một phần địa chỉ nhận."`
	State string `help:"waiting, trying, held, dead, corrupt / trạng thái." enum:"waiting,trying,held,dead,corrupt," default:""`
	Limit int    `help:"At most so many / nhiều nhất." default:"1000"`
}

// Run lists the queue.
func (c *queueListCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	entries, err := cl.Queue(a.ctx, queue.Filter{Hop: c.Hop, From: c.From, To: c.To, State: c.State, Limit: max(c.Limit, 0)})
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(entries)
	}
	head := strings.Split(lang.T("MÃ|TRẠNG THÁI|NGƯỜI GỬI|NGƯỜI NHẬN|CHẶNG SAU|SỐ LẦN|THỬ LẠI|TRẢ LỜI CUỐI", "ID|STATE|FROM|TO|NEXT HOP|TRIES|NEXT|LAST REPLY").In(a.lang), "|")
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, []string{e.ID, a.state(e.State), "<" + e.From + ">", e.To, e.NextHop, fmt.Sprint(e.Attempts), nextTry(e), lastReply(e.Attempts, e.LastReply)})
	}
	return a.table(head, rows, 5, 4, 2)
}

// state says a state of the queue in the user's language.
func (a *app) state(s string) string {
	vi := map[string]string{"waiting": "chờ", "trying": "đang giao", "held": "bị giữ", "dead": "bỏ cuộc", "corrupt": "hỏng"}
	return lang.T(vi[s], s).In(a.lang)
}

// nextTry is when a message is tried again, if ever.
func nextTry(e queue.Entry) string {
	if e.State != "waiting" {
		return "-"
	}
	return e.NextTry.Local().Format(time.DateTime)
}

// lastReply is what the next hop said last, and "-" before the first attempt.
func lastReply(attempts int, r msg.Reply) string {
	if attempts == 0 {
		return "-"
	}
	return r.String()
}

type queueHoldCmd struct {
	ID string `arg:"" help:"Id, or all / mã, hoặc all."`
}

// Run holds entries.
func (c *queueHoldCmd) Run(a *app) error {
	return a.queueAct(c.ID, (*admin.Client).Hold, lang.T("đã giữ lại %d thư", "held %d message(s)"))
}

type queueReleaseCmd struct {
	ID string `arg:"" help:"Id, or all / mã, hoặc all."`
}

// Run lets held entries wait again.
func (c *queueReleaseCmd) Run(a *app) error {
	return a.queueAct(c.ID, (*admin.Client).Unhold, lang.T("đã thôi giữ %d thư, nay chờ đến lượt giao", "released %d message(s), which wait for their turn now"))
}

type queueRetryCmd struct {
	ID string `arg:"" help:"Id, or all / mã, hoặc all."`
}

// Run makes entries due now.
func (c *queueRetryCmd) Run(a *app) error {
	return a.queueAct(c.ID, (*admin.Client).Retry, lang.T("sẽ giao lại ngay %d thư", "%d message(s) due now"))
}

type queueDropCmd struct {
	ID string `arg:"" help:"Id / mã."`
}

// Run drops entries.
func (c *queueDropCmd) Run(a *app) error {
	return a.queueAct(c.ID, (*admin.Client).Drop, lang.T("đã bỏ %d thư khỏi hàng đợi: không giao, không báo cho ai", "dropped %d message(s): not delivered, nobody is told"))
}

// queueAct does something to an id, or to all, and says to how many.
func (a *app) queueAct(id string, do func(*admin.Client, context.Context, string) (int, error), t lang.Text) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	n, err := do(cl, a.ctx, id)
	if err != nil {
		return operatorError(err)
	}
	return a.counted(id, n, t)
}

// counted reports n; none for a single id means the id is wrong.
func (a *app) counted(id string, n int, t lang.Text) error {
	if n == 0 && id != "all" {
		return fail(exitData, "không làm được với thư %s: thư không có trong hàng đợi, hoặc đang ở trạng thái khác; xem congthu queue show", "nothing done to %s: it is not in the queue, or in another state; see congthu queue show", lang.Safe(id, 80))
	}
	return a.done(n, t)
}
