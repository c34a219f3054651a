package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/review"
)

type quarantineAllowedCmd struct{}

// Run lists the senders that are allowed, as far as the caller's rights go.
func (quarantineAllowedCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	list, err := cl.Allowed(a.ctx)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(list)
	}
	head := strings.Split(lang.T("MÃ|NGƯỜI GỬI|GỬI TỚI|NGƯỜI CHO PHÉP|ĐẾN|TỪ|VỚI THƯ", "ID|SENDER|FOR|BY|UNTIL|SINCE|WITH LETTER").In(a.lang), "|")
	var rows [][]string
	for _, x := range list {
		rows = append(rows, []string{x.ID, x.Sender, x.For, x.By, x.Until.Local().Format(time.DateOnly), x.At.Local().Format(time.DateOnly), x.Letter})
	}
	if a.columns() < 100 { // the beginning is the first to go: whose and for whom must be readable
		head, rows = withoutLast(head, rows)
		head, rows = withoutLast(head, rows)
	}
	return a.tableIn(a.columns(), layout{spare: []int{3}}, head, rows)
}

type quarantineDisallowCmd struct {
	ID []string `arg:"" help:"Ids from quarantine allowed / các mã trong quarantine allowed."`
}

// Run takes back that senders are allowed.
func (c *quarantineDisallowCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	for _, id := range c.ID {
		if err := cl.Disallow(a.ctx, id); err != nil {
			return operatorError(err)
		}
	}
	return a.done(len(c.ID), lang.T("đã thôi cho phép %d lượt; thư đến từ nay được xét như trước", "took back %d allowance(s); letters are judged as before from now on"))
}

// allowed says what was allowed with a release, how it is taken back, and when it will not help.
func (a *app) allowed(out review.Released) {
	for _, x := range out.Allowed {
		a.say(lang.T(
			"từ nay thư đã xác thực của %s được gửi tới %s, đến %s (thu hồi: congthu quarantine disallow %s)",
			"from now on letters proven to be of %s get through to %s, until %s (take it back: congthu quarantine disallow %s)"),
			lang.Safe(x.Sender, 320), lang.Safe(x.For, 320), x.Until.Local().Format(time.DateOnly), x.ID)
	}
	if len(out.Allowed) > 0 {
		a.say(lang.T("  thư gửi cùng lúc cho cả người nhận khác thì vẫn được xét như thường", "  a letter that goes to other recipients as well is judged as ever"))
	}
	if out.Beyond == "" {
		return
	}
	a.say(lang.T(
		"lưu ý: thư giống thư này vẫn sẽ bị giữ vì %s, cho phép người gửi không vượt qua được điều đó",
		"note: another letter like this one will be held all the same, for %s, which no allowance outweighs"), a.named(out.Beyond))
}

// named is a symbol with its sentence, where the rules can be read.
func (a *app) named(symbol string) string {
	if symbol == "SCORE" {
		return a.word("tổng điểm của thư", "its score as a whole")
	}
	w := a.sentences()[symbol]
	sentence := strings.TrimSuffix(lang.T(cmp.Or(w.VI, w.EN), cmp.Or(w.EN, w.VI)).In(a.lang), ".")
	if sentence == "" {
		return lang.Safe(symbol, 60)
	}
	return fmt.Sprintf("%s (%s)", lang.Safe(symbol, 60), sentence)
}
