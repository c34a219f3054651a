package relay

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/msg"
)

// offer says MAIL, RCPT and DATA. open tells that the next hop waits for the message,
// for those whose reply is positive. stale tells that a connection that was used before
// died before it had answered anything, so that another try is safe.
func (k *conn) offer(t *task) (replies []msg.Reply, open, stale bool) {
	used := k.used
	mail, r := k.mail(t.Transfer)
	if r.Code != 0 {
		return all(t.To, r), false, false
	}
	before := k.xforward(t)
	var first, data msg.Reply
	if _, ok := k.ext["PIPELINING"]; ok {
		first, replies, data = k.pipelined(before, mail, t.To)
	} else {
		first, replies, data = k.stepwise(before, mail, t.To)
	}
	if t.rule.Learn && k.o.Heard != nil && first.Positive() {
		for i, r := range replies {
			k.o.Heard(t.NextHop, t.To[i], r)
		}
	}
	if used && (first.Code == 0 || first.Code == 421) { // it died, or was given up, while idle
		return all(t.To, notSent("connection lost before MAIL")), false, true
	}
	replies, open = k.weigh(first, replies, data)
	return replies, open, false
}

// mail makes the MAIL command, or says why this next hop cannot take the message.
func (k *conn) mail(t *msg.Transfer) (string, msg.Reply) {
	var b strings.Builder
	b.WriteString("MAIL FROM:<" + t.From.Raw + ">")
	if limit, ok := k.ext["SIZE"]; ok {
		// What is larger than the next hop says it takes is not sent first (RFC 1870
		// section 5); a limit of 0 is none.
		if n, err := strconv.ParseInt(strings.TrimSpace(limit), 10, 64); err == nil && n > 0 && t.Size() > n {
			return "", msg.Reply{Code: 552, Detail: "3.4", Text: "the message is larger than the next hop takes (" + strconv.FormatInt(n, 10) + " octets)"}
		}
		b.WriteString(" SIZE=" + strconv.FormatInt(t.Size(), 10))
	}
	// A next hop without 8BITMIME is sent eight bits all the same: re-coding would break
	// signatures (RFC 6152 section 3 leaves the choice of returning or converting), and
	// no server in use drops the eighth bit.
	if _, ok := k.ext["8BITMIME"]; ok && t.EightBit {
		b.WriteString(" BODY=8BITMIME")
	}
	if utf8Needed(t) {
		if _, ok := k.ext["SMTPUTF8"]; !ok {
			return "", msg.Reply{Code: 550, Detail: "6.7", Text: "the next hop does not support SMTPUTF8"}
		}
		b.WriteString(" SMTPUTF8")
	}
	return b.String(), msg.Reply{}
}

// utf8Needed tells whether addresses or header need SMTPUTF8 (RFC 6531 section 3.6):
// a message that only asked for it in vain may go to any server, and so may one with
// eight bits in its header that never asked.
func utf8Needed(t *msg.Transfer) bool {
	for _, p := range append([]msg.Path{t.From}, t.To...) {
		if !ascii(p.Raw) {
			return true
		}
	}
	return t.SMTPUTF8 && !ascii(headOf(t.Content))
}

func headOf(blocks [][]byte) string {
	var head strings.Builder
	for _, b := range blocks {
		s := string(b[:min(len(b), 256<<10)])
		if i := strings.Index(s, "\r\n\r\n"); i >= 0 {
			head.WriteString(s[:i])
			break
		}
		head.WriteString(s)
	}
	return head.String()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// pipelineMax is how many RCPTs are sent before their replies are read: few enough
// that commands and replies fit into socket buffers and neither side waits for the
// other for ever (RFC 2920 section 3.1).
const pipelineMax = 100

// pipelined sends what comes before MAIL, MAIL, RCPTs and DATA together (RFC 2920) and
// reads their replies.
func (k *conn) pipelined(before []string, mail string, to []msg.Path) (first msg.Reply, replies []msg.Reply, data msg.Reply) {
	replies = make([]msg.Reply, len(to))
	k.out = k.out[:0]
	for _, line := range before {
		k.out = append(append(k.out, line...), "\r\n"...)
	}
	k.out = append(append(k.out, mail...), "\r\n"...)
	for from := 0; from < len(to); from += pipelineMax {
		end := min(from+pipelineMax, len(to))
		for _, p := range to[from:end] {
			k.out = append(append(append(k.out, "RCPT TO:<"...), p.Raw...), ">\r\n"...)
		}
		if end == len(to) {
			k.out = append(k.out, "DATA\r\n"...)
		}
		_ = k.write(k.out, k.o.WriteTimeout) // a failure shows itself at the read
		k.out = k.out[:0]
		if from == 0 {
			for range before {
				_, _ = k.read(k.o.ReplyTimeout) // a next hop that does not want to know is told the letter all the same
			}
			first, _ = k.read(k.o.ReplyTimeout)
		}
		for i := from; i < end; i++ {
			replies[i], _ = k.read(k.o.ReplyTimeout)
		}
	}
	data, _ = k.read(k.o.ReplyTimeout)
	return first, replies, data
}

// stepwise waits for each reply, and does not say DATA for nobody.
func (k *conn) stepwise(before []string, mail string, to []msg.Path) (first msg.Reply, replies []msg.Reply, data msg.Reply) {
	replies = make([]msg.Reply, len(to))
	for _, line := range before {
		_, _, _ = k.command(line) // as above
	}
	first, _, _ = k.command(mail)
	if !first.Positive() {
		return first, replies, data
	}
	for i, p := range to {
		replies[i], _, _ = k.command("RCPT TO:<" + p.Raw + ">")
	}
	if slices.ContainsFunc(replies, msg.Reply.Positive) {
		data, _, _ = k.command("DATA")
	}
	return first, replies, data
}

// weigh turns the replies to MAIL, RCPT and DATA into one for each recipient. Nothing
// of the message was sent, so everything is certain.
func (k *conn) weigh(first msg.Reply, replies []msg.Reply, data msg.Reply) (out []msg.Reply, open bool) {
	if !first.Positive() {
		k.undo(data, replies)
		for i := range replies {
			replies[i] = odd(first, "MAIL")
		}
		return replies, false
	}
	if data.Code == 354 && k.broken == nil && slices.ContainsFunc(replies, msg.Reply.Positive) {
		open = true
	} else {
		k.undo(data, replies)
	}
	for i, r := range replies {
		switch {
		case !r.Positive():
			replies[i] = odd(r, "RCPT")
		case !open:
			replies[i] = odd(data, "DATA")
		}
	}
	return replies, open
}

// undo ends a transaction that came to nothing, so that the connection can be used
// again. A next hop that waits for a message to nobody gets an empty one (RFC 2920
// section 3.1); were there a recipient after all it would be delivered, so unless all
// were plainly refused the connection is given up instead.
func (k *conn) undo(data msg.Reply, replies []msg.Reply) {
	doubt := slices.ContainsFunc(replies, func(r msg.Reply) bool { return r.Code/100 != 4 && r.Code/100 != 5 })
	switch {
	case k.broken != nil:
	case data.Code == 354 && doubt, data.Positive(): // out of step
		k.broken = errReply
	case data.Code == 354:
		k.finish(".")
	default:
		k.finish("RSET")
	}
}

// finish says what ends a transaction.
func (k *conn) finish(line string) {
	if r, _, err := k.command(line); err != nil || r.Code/100 == 3 {
		k.broken = errReply
		return
	}
	k.used = true
}

// send sends the message to the recipients that were taken, and gives them its fate.
func (k *conn) send(t *msg.Transfer, replies []msg.Reply) {
	untaken(replies, k.content(t))
}

// content sends the octets and returns the last reply; Code 0 when it did not come.
func (k *conn) content(t *msg.Transfer) msg.Reply {
	out := &blockWriter{conn: k}
	if err := stuff(out, t.Content); err != nil {
		return k.lastWord() // the final dot cannot have arrived
	}
	if err := out.flush(); err != nil {
		if out.whole() {
			return msg.Reply{Text: "connection lost after the final dot"}
		}
		return k.lastWord()
	}
	r, err := k.read(k.o.FinalTimeout)
	if err != nil || r.Code/100 == 3 {
		k.broken = errReply
		return msg.Reply{Text: "no reply to the final dot"}
	}
	k.used = true
	return r
}

// lastWord is what the next hop may have said before it hung up in the middle of the
// message, such as 552: a refusal that need not be found out again and again.
func (k *conn) lastWord() msg.Reply {
	_ = k.net.SetReadDeadline(time.Now().Add(lastWordWait))
	if r, _, err := readReply(k.r); err == nil && (r.Code/100 == 4 || r.Permanent()) {
		return r
	}
	return notSent("connection lost while sending")
}

const lastWordWait = time.Second

// odd keeps refusals as they are and makes anything else that is not positive
// temporary: nothing was sent, that much is certain.
func odd(r msg.Reply, verb string) msg.Reply {
	switch {
	case r.Code/100 == 4 || r.Permanent():
		return r
	case r.Code == 0:
		return notSent("connection lost before DATA")
	}
	return notSent("no usable answer to " + verb)
}
