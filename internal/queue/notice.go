package queue

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// action is the Action field of a notice (RFC 3464 section 2.3.3).
type action string

const (
	actionFailed  action = "failed"
	actionDelayed action = "delayed"
)

// headerMax bounds how much of the original header a notice returns.
const headerMax = 64 << 10

// notice writes the delivery status notification (RFC 3464) that tells the
// sender of l about some recipients. Its null sender, and Auto-Submitted, keep
// others from answering it (RFC 3834 section 5).
func (q *Queue) notice(l *loaded, hop string, a action, fs []fate, attempt int, now time.Time) *msg.Transfer {
	n := &notice{host: q.o.Hostname, l: l, action: a, fates: fs, now: now, until: now.Add(q.o.Life - l.age)}
	id := fmt.Sprintf("%s-dsn%d", l.t.ID, attempt) // an id is not used twice, not even later
	return &msg.Transfer{
		ID: id, NextHop: hop, To: []msg.Path{l.t.From}, SMTPUTF8: !ascii(l.t.From.Raw),
		Content: [][]byte{n.write(id)},
	}
}

// notice is a notification being written.
type notice struct {
	host   string
	l      *loaded
	action action
	fates  []fate
	now    time.Time
	until  time.Time // when trying ends
}

func (n *notice) write(id string) []byte {
	text, status := encode(n.text()), n.status()
	header, encoding := returned(n.l.t.Content)
	boundary := "=_" + id
	for bytes.Contains(header, []byte(boundary)) || strings.Contains(status, boundary) {
		boundary += "_" // a sender who guessed our id gains nothing
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s <postmaster@%s>\r\n", words("Cổng thư"), n.host)
	fmt.Fprintf(&b, "To: <%s>\r\n", n.l.t.From.Raw)
	fmt.Fprintf(&b, "Subject: %s\r\n", words(n.subject()))
	fmt.Fprintf(&b, "Date: %s\r\n", n.now.Format(time.RFC1123Z))
	fmt.Fprintf(&b, "Message-ID: <%s.%d@%s>\r\n", id, n.now.UnixMilli(), n.host)
	if orig := messageID(n.l.t.Content); orig != "" { // RFC 3834 section 3.1.5
		fmt.Fprintf(&b, "In-Reply-To: %s\r\nReferences: %s\r\n", orig, orig)
	}
	b.WriteString("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n")
	fmt.Fprintf(&b, "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n\r\n", boundary)
	part := func(kind, encoding string, body []byte) {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n", boundary, kind, encoding, body)
	}
	part("text/plain; charset=utf-8", "quoted-printable", text)
	part("message/delivery-status", "7bit", []byte(status))
	part("text/rfc822-headers", encoding, header)
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}

func (n *notice) subject() string {
	if n.action == actionDelayed {
		return "Thư đến chậm / Delayed mail"
	}
	return "Thư không gửi được / Undelivered mail"
}

// status is the machine-readable part.
func (n *notice) status() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n", n.host, n.l.created.In(n.now.Location()).Format(time.RFC1123Z))
	for _, f := range n.fates {
		fmt.Fprintf(&b, "\r\nFinal-Recipient: %s\r\nAction: %s\r\nStatus: %s\r\n", typed(f.to.Raw), n.action, f.status())
		if f.quotable() {
			fmt.Fprintf(&b, "Diagnostic-Code: smtp; %s\r\n", fold(printable(f.reply.String(), 400)))
		}
		fmt.Fprintf(&b, "Last-Attempt-Date: %s\r\n", n.now.Format(time.RFC1123Z))
		if n.action == actionDelayed {
			fmt.Fprintf(&b, "Will-Retry-Until: %s\r\n", n.until.In(n.now.Location()).Format(time.RFC1123Z))
		}
	}
	return b.String()
}

// quotable tells whether the reply is the next hop's. Our own words are not, and have
// no place in a diagnostic code (RFC 3464 section 2.3.6).
func (f fate) quotable() bool { return f.reply.Code != 0 && !f.reply.Own }

// status is the enhanced status code of the notice: what the next hop said, or
// that the time was over (RFC 3463: X.4.7, delivery time expired).
func (f fate) status() string {
	switch s := f.reply.Status(); {
	case f.event == "expired":
		return "4.4.7"
	case s != "" && ascii(s):
		return s
	case f.event == "failed":
		return "5.0.0"
	}
	return "4.0.0"
}

// typed writes an address with its type. One that is not ASCII is written in the
// form that survives every transport (RFC 6533 section 3).
func typed(addr string) string {
	if ascii(addr) {
		return "rfc822; " + addr
	}
	var b strings.Builder
	for _, r := range addr {
		if r > ' ' && r < 0x7f && r != '\\' && r != '+' && r != '=' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\x{%X}`, r)
		}
	}
	return "utf-8; " + b.String()
}

// fold breaks a long field value at spaces.
func fold(s string) string {
	var b strings.Builder
	col := len("Diagnostic-Code: ")
	for i, word := range strings.Split(s, " ") {
		switch {
		case i == 0:
		case col+1+len(word) > 76:
			b.WriteString("\r\n ")
			col = 1
		default:
			b.WriteByte(' ')
			col++
		}
		b.WriteString(word)
		col += len(word)
	}
	return b.String()
}

// printable makes text from a stranger fit for a header field: one line of
// ASCII, bounded.
func printable(s string, limit int) string {
	out := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, s)
	if len(out) > limit {
		out = out[:limit]
	}
	return strings.Join(strings.Fields(out), " ")
}

// words writes text as encoded words, one a line (RFC 2047 section 2).
func words(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// encode makes text safe for every transport (RFC 2045 section 6.7).
func encode(text []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(text) // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// tidy makes text from a stranger fit for the database.
func tidy(s string) string { return lang.Safe(strings.ReplaceAll(s, "\n", " / "), 500) }
