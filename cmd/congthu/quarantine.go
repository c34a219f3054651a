package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/quarantine"
)

type quarantineCmd struct {
	List    quarantineListCmd    `cmd:"" help:"List held messages / liệt kê thư bị giữ."`
	Show    quarantineShowCmd    `cmd:"" help:"Show a held message: why it is held, its header / xem vì sao bị giữ."`
	Explain quarantineExplainCmd `cmd:"" help:"Why a message is held, step by step / giải thích vì sao bị giữ."`
	Release quarantineReleaseCmd `cmd:"" help:"Deliver a held message / giao thư bị giữ."`
	Delete  quarantineDeleteCmd  `cmd:"" help:"Delete a held message / xoá thư bị giữ."`
}

type quarantineListCmd struct {
	Text   string        `arg:"" optional:"" help:"Only those with this text in sender, recipient, subject or reason / lọc theo chữ."`
	Since  time.Duration `help:"Only the last hours, such as 24h / chỉ trong khoảng này."`
	Limit  int           `help:"At most so many / nhiều nhất." default:"200"`
	Offset int           `help:"Skip so many / bỏ qua."`
}

// Run lists the newest first.
func (c *quarantineListCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	f := quarantine.Filter{Text: c.Text, Limit: c.Limit, Offset: c.Offset}
	if c.Since > 0 {
		f.Since = time.Now().Add(-c.Since)
	}
	items, err := cl.Quarantine(a.ctx, f)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(items)
	}
	return a.heldTable(items)
}

func (a *app) heldTable(items []quarantine.Item) error {
	head := strings.Split(lang.T("MÃ|LÚC|NGƯỜI GỬI|NGƯỜI NHẬN|TIÊU ĐỀ|LÝ DO|ĐIỂM", "ID|HELD|FROM|TO|SUBJECT|REASON|SCORE").In(a.lang), "|")
	var rows [][]string
	for _, it := range items {
		rows = append(rows, []string{it.ID, it.Held.Local().Format("02/01 15:04"), lang.Safe(it.From, 40), lang.Safe(strings.Join(it.To, " "), 40), lang.Safe(it.Subject, 48), it.Reason, fmt.Sprintf("%.1f", it.Score)})
	}
	return a.table(head, rows)
}

type quarantineShowCmd struct {
	ID     string `arg:"" help:"Id / mã."`
	Raw    bool   `help:"Write the message's octets, unescaped, to standard output / xuất nguyên văn thư."`
	Header bool   `help:"Show the whole header / xem đủ phần đầu thư." default:"true" negatable:""`
}

// Run shows why a message is held. Everything from the message is escaped, except
// under --raw, which is for files and pipes.
func (c *quarantineShowCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	held, err := cl.Held(a.ctx, c.ID)
	if err != nil {
		return operatorError(err)
	}
	switch {
	case c.Raw:
		_, err = a.stdout.Write(held.Raw)
	case a.json:
		err = a.printJSON(held.Item)
	default:
		err = a.showHeld(held, c.Header)
	}
	return err
}

func (a *app) showHeld(h admin.Held, header bool) error {
	it := h.Item
	rows := [][2]string{
		{a.word("Mã", "Id"), it.ID},
		{a.word("Lúc giữ", "Held"), it.Held.Local().Format(time.RFC3339)},
		{a.word("Giữ đến", "Until"), it.Expires.Local().Format(time.RFC3339)},
		{a.word("Máy gửi", "Client"), strings.Join(strings.Fields(it.Remote+" ("+it.Helo+") "+it.Agency+" "+it.Account), " ")},
		{a.word("Người gửi", "From"), "<" + it.From + ">"},
		{a.word("Người nhận", "To"), strings.Join(it.To, ", ")},
		{a.word("Tiêu đề", "Subject"), it.Subject},
		{a.word("Lý do", "Reason"), it.Reason},
		{a.word("Điểm", "Score"), fmt.Sprintf("%.1f", it.Score)},
	}
	for _, r := range rows {
		fmt.Fprintf(a.stdout, "%-12s %s\n", r[0]+":", lang.Safe(r[1], 500))
	}
	sentences := a.sentences()
	for _, f := range it.Findings {
		fmt.Fprintln(a.stdout, a.findingLine(f, sentences))
	}
	if header {
		fmt.Fprintln(a.stdout)
		head, _, _ := bytes.Cut(h.Raw, []byte("\r\n\r\n"))
		for _, line := range bytes.Split(head, []byte("\r\n")) {
			fmt.Fprintln(a.stdout, lang.Safe(string(line), 1000))
		}
	}
	return nil
}

// word is a short label.
func (a *app) word(vi, en string) string { return lang.T(vi, en).In(a.lang) }

type quarantineReleaseCmd struct {
	ID    string   `arg:"" help:"Id / mã."`
	To    []string `help:"Only to these recipients / chỉ cho người nhận này." placeholder:"ADDRESS"`
	Learn bool     `help:"Teach the classifier that such letters are wanted / dạy rằng đây là thư tốt."`
}

// Run releases a message into the queue.
func (c *quarantineReleaseCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var held admin.Held
	if c.Learn { // before it is gone
		if held, err = cl.Held(a.ctx, c.ID); err != nil {
			return operatorError(err)
		}
	}
	out, err := cl.Release(a.ctx, c.ID, admin.Release{To: c.To})
	if err != nil {
		return operatorError(err)
	}
	if c.Learn {
		if _, err := cl.Lessons().Teach(a.ctx, held.Raw, false, actor(), "quarantine "+c.ID); err != nil {
			return operatorError(err)
		}
	}
	if a.json {
		return a.printJSON(out)
	}
	a.say(lang.T("đã thả vào hàng đợi giao cho: %s", "released into the delivery queue for: %s"), lang.Safe(strings.Join(out.To, ", "), 500))
	return nil
}

type quarantineDeleteCmd struct {
	ID []string `arg:"" help:"Ids / các mã."`
}

// Run deletes messages for good.
func (c *quarantineDeleteCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	for _, id := range c.ID {
		if err := cl.Delete(a.ctx, id); err != nil {
			return operatorError(err)
		}
	}
	return a.done(len(c.ID), lang.T("đã xoá %d thư", "deleted %d message(s)"))
}
