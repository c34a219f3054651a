package main

import (
	"fmt"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/queue"
)

type queueCmd struct {
	List  queueListCmd  `cmd:"" help:"List what waits for delivery / liệt kê thư chờ giao."`
	Retry queueRetryCmd `cmd:"" help:"Try now / giao lại ngay."`
	Drop  queueDropCmd  `cmd:"" help:"Remove without delivery and without a notice / bỏ khỏi hàng đợi."`
}

type queueListCmd struct {
	Limit int `help:"At most so many / nhiều nhất." default:"1000"`
}

// Run lists the queue.
func (c *queueListCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	entries, err := cl.Queue(a.ctx, c.Limit)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(entries)
	}
	head := strings.Split(lang.T("MÃ|NGƯỜI GỬI|NGƯỜI NHẬN|CHẶNG SAU|LẦN|THỬ LẠI|TRẢ LỜI CUỐI", "ID|FROM|TO|NEXT HOP|TRIES|NEXT|LAST REPLY").In(a.lang), "|")
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, []string{e.ID, "<" + e.From + ">", e.To, e.NextHop, fmt.Sprint(e.Attempts), e.NextTry.Local().Format(time.DateTime), lastReply(e)})
	}
	return a.table(head, rows)
}

// lastReply is what the next hop said last, and "-" before the first attempt.
func lastReply(e queue.Entry) string {
	if e.Attempts == 0 {
		return "-"
	}
	return e.LastReply.String()
}

type queueRetryCmd struct {
	ID string `arg:"" help:"Id, or all / mã, hoặc all."`
}

// Run makes entries due now.
func (c *queueRetryCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	n, err := cl.Retry(a.ctx, c.ID)
	if err != nil {
		return operatorError(err)
	}
	return a.counted(c.ID, n, lang.T("sẽ giao lại ngay %d thư", "%d message(s) due now"))
}

type queueDropCmd struct {
	ID string `arg:"" help:"Id / mã."`
}

// Run drops entries.
func (c *queueDropCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	n, err := cl.Drop(a.ctx, c.ID)
	if err != nil {
		return operatorError(err)
	}
	return a.counted(c.ID, n, lang.T("đã bỏ %d thư", "dropped %d message(s)"))
}

// counted reports n; none for a single id means the id is wrong.
func (a *app) counted(id string, n int, t lang.Text) error {
	if n == 0 && id != "all" {
		return fail(exitData, "không có mã %s trong hàng đợi", "there is no %s in the queue", lang.Safe(id, 80))
	}
	return a.done(n, t)
}
