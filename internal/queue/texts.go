package queue

import (
	"fmt"
	"strings"
	"time"

	"congthu/internal/lang"
)

// what are the sentences of a notice.
var what = map[action]lang.Text{
	actionFailed: lang.T(
		"Thư của quý vị không gửi được tới:",
		"Your message could not be delivered to:"),
	actionDelayed: lang.T(
		"Thư của quý vị chưa gửi được tới nơi. Cổng thư vẫn tiếp tục gửi; quý vị không cần gửi lại.\r\nNgười nhận chưa nhận được thư:",
		"Your message has not been delivered yet. The gateway keeps trying; you need not send it again.\r\nIt has not reached:"),
}

var (
	textIntro = lang.T("Đây là thông báo tự động của cổng thư %s.", "This is an automatic notice from the mail gateway %s.")
	textWhy   = lang.T("Lý do", "Reason")
	textReply = lang.T("Máy nhận trả lời", "The receiving server said")
	textID    = lang.T("Mã thư", "Message id")
	textGot   = lang.T("Cổng thư nhận lúc", "Received by the gateway")
	textUntil = lang.T("Sẽ gửi lại đến", "Tries continue until")
	textTail  = lang.T("Tiêu đề của thư gốc được đính kèm.", "The header of your message is attached.")
)

// A reason is said for status codes that begin with its detail (RFC 3463). The
// first that fits is used.
type reason struct {
	detail string
	text   lang.Text
}

var reasons = []reason{
	{"1.2", lang.T("không tìm thấy tên miền của người nhận", "the recipient's domain was not found")},
	{"1.10", lang.T("tên miền của người nhận không nhận thư", "the recipient's domain accepts no mail")},
	{"1.", lang.T("không có địa chỉ này", "there is no such address")},
	{"2.2", lang.T("hộp thư của người nhận đã đầy", "the recipient's mailbox is full")},
	{"2.3", lang.T("thư quá lớn đối với hộp thư của người nhận", "the message is too large for the recipient's mailbox")},
	{"2.", lang.T("hộp thư của người nhận hiện không dùng được", "the recipient's mailbox cannot be used now")},
	{"3.4", lang.T("thư quá lớn đối với máy nhận", "the message is too large for the receiving server")},
	{"3.", lang.T("máy nhận hiện không nhận được thư", "the receiving server cannot take mail now")},
	{"4.", lang.T("không liên lạc được với máy nhận", "the receiving server could not be reached")},
	{"6.", lang.T("máy nhận không nhận dạng nội dung này", "the receiving server does not take this kind of content")},
	{"7.", lang.T("máy nhận từ chối theo quy định của họ", "the receiving server refused it by its policy")},
}

var (
	reasonExpired = lang.T("đã thử %s mà máy nhận vẫn chưa nhận", "it was tried for %s and the receiving server did not take it")
	reasonRefused = lang.T("máy nhận từ chối", "the receiving server refused it")
	reasonNotYet  = lang.T("máy nhận chưa nhận", "the receiving server has not taken it yet")
)

// because says why in a sentence.
func (n *notice) because(f fate, l lang.Lang) string {
	if f.event == "expired" {
		return reasonExpired.F(l, period(n.l.age, l))
	}
	for _, r := range reasons {
		if strings.HasPrefix(f.reply.Detail, r.detail) {
			return r.text.In(l)
		}
	}
	if f.event == "failed" {
		return reasonRefused.In(l)
	}
	return reasonNotYet.In(l)
}

// period says a length of time in the unit that people would use.
func period(d time.Duration, l lang.Lang) string {
	n, unit := int(d.Hours()), lang.T("giờ", "h")
	if n >= 48 {
		n, unit = n/24, lang.T("ngày", "days")
	}
	return fmt.Sprintf("%d %s", n, unit.In(l))
}

// text is the part for people: Vietnamese, then English.
func (n *notice) text() []byte {
	var b strings.Builder
	n.textIn(&b, lang.VI)
	b.WriteString("\r\n------------------------------------------------------------\r\n\r\n")
	n.textIn(&b, lang.EN)
	return []byte(b.String())
}

func (n *notice) textIn(b *strings.Builder, l lang.Lang) {
	const layout = "02/01/2006 15:04 -0700"
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\r\n", args...) }
	line("%s\r\n", textIntro.F(l, n.host))
	line("%s\r\n", what[n.action].In(l))
	for _, f := range n.fates {
		line("  <%s>", f.to.Raw)
		line("    %s: %s (%s).", textWhy.In(l), n.because(f, l), f.status())
		if f.quotable() {
			line("    %s: %s", textReply.In(l), quote(f.reply.String()))
		}
	}
	line("\r\n%s: %s", textID.In(l), n.l.t.ID)
	line("%s: %s", textGot.In(l), n.l.created.In(n.now.Location()).Format(layout))
	if n.action == actionDelayed {
		line("%s: %s", textUntil.In(l), n.until.In(n.now.Location()).Format(layout))
	}
	line("%s", textTail.In(l))
}

// quote shows a stranger's words so that no mail program makes a link of them:
// our name is on this message, and what they say is not ours.
func quote(s string) string {
	s = strings.NewReplacer("://", "[:]//", "www.", "www[.]", "WWW.", "WWW[.]").Replace(lang.Safe(s, 300))
	return strings.ReplaceAll(s, "@", "(at)")
}
