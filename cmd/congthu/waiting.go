package main

import (
	"bytes"
	"context"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/store"
)

// waiting tells the sender that a letter is held because it cannot be encrypted, in the
// same commit as the hold. Nobody is told who may not be who it says, or whose letter was
// written by a machine (RFC 3834 section 2): such answers go in circles.
func (k keeper) waiting(ctx context.Context, m *msg.Message, holds []pipeline.Hold) (*store.Change, error) {
	var to []msg.Path
	for _, h := range holds {
		if policy.Encryption(h.Decision.Reason) {
			to = append(to, h.Decision.To...)
		}
	}
	if len(to) == 0 || m.Envelope.From.IsNull() || !answerable(m) || automatic(m) || k.hop == nil {
		return nil, nil
	}
	hop, ok := k.hop(m.Envelope.From.Domain)
	if !ok {
		return nil, nil
	}
	t := &msg.Transfer{ID: m.ID + "-wait", NextHop: hop, To: []msg.Path{m.Envelope.From}, SMTPUTF8: m.Envelope.SMTPUTF8, Content: [][]byte{k.letter(m, to)}}
	return k.queue.PrepareQuiet(ctx, t)
}

// automatic tells whether a machine has written the letter, or a list has sent it.
func automatic(m *msg.Message) bool {
	root := rootOf(m)
	for _, f := range root.Fields("Auto-Submitted") {
		if !strings.EqualFold(strings.TrimSpace(f.Value), "no") {
			return true
		}
	}
	precedence := strings.ToLower(strings.TrimSpace(root.Get("Precedence")))
	return root.Get("List-Id") != "" || precedence == "bulk" || precedence == "list" || precedence == "junk"
}

// letter is the notice. It says no word of the held letter: it goes in the clear.
func (k keeper) letter(m *msg.Message, to []msg.Path) []byte {
	var list strings.Builder
	for _, p := range to {
		fmt.Fprintf(&list, "  <%s>\r\n", lang.Safe(p.Raw, 320))
	}
	text := lang.T(
		"Đây là thông báo tự động của cổng thư %[1]s.\r\n\r\nThư của quý vị (mã %[2]s) đang được giữ lại, chưa gửi tới:\r\n%[3]s\r\nThư cần được mã hoá OpenPGP nhưng cổng thư chưa có khoá dùng được của người nhận. Thư không bị gửi đi ở dạng đọc được. Quản trị viên sẽ gửi thư khi đã có khoá; quý vị không cần gửi lại. Nếu thư gấp, xin liên hệ quản trị viên và cho biết mã thư.\r\n",
		"This is an automatic notice from the mail gateway %[1]s.\r\n\r\nYour message (id %[2]s) is held and has not been sent to:\r\n%[3]s\r\nIt has to be encrypted with OpenPGP, and the gateway has no usable key of the recipient. It was not sent in readable form. An administrator will send it when there is a key; you need not send it again. If it is urgent, please call your administrator and give the message id.\r\n")
	body := text.F(lang.VI, k.hostname, m.ID, list.String()) + "\r\n------------------------------------------------------------\r\n\r\n" + text.F(lang.EN, k.hostname, m.ID, list.String())
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: =?utf-8?q?C=E1=BB=95ng_th=C6=B0?= <postmaster@%s>\r\nTo: <%s>\r\n", k.hostname, m.Envelope.From.Raw)
	b.WriteString("Subject: =?utf-8?q?Th=C6=B0_=C4=91ang_ch=E1=BB=9D_m=C3=A3_ho=C3=A1?= / Message waits for encryption\r\n")
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s-wait.%d@%s>\r\n", time.Now().Format(time.RFC1123Z), m.ID, m.Received.UnixMilli(), k.hostname)
	b.WriteString("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(body)) // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}
