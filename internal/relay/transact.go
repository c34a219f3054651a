package relay

import (
	"strconv"
	"strings"

	"congthu/internal/msg"
)

// transact runs MAIL, RCPT, DATA. stale tells that a connection that was used before
// died before it had answered anything, so that another try is safe.
func (k *conn) transact(t *msg.Transfer) (replies []msg.Reply, stale bool) {
	used := k.used
	mail, r := k.mail(t)
	if r.Code != 0 {
		return all(t, r), false
	}
	var first msg.Reply
	if _, ok := k.ext["PIPELINING"]; ok {
		first, replies = k.pipelined(mail, t)
	} else {
		first, replies = k.stepwise(mail, t)
	}
	if used && (first.Code == 0 || first.Code == 421) { // it died, or was given up, while idle
		return all(t, notSent("connection lost before MAIL")), true
	}
	return k.data(t, first, replies), false
}

// mail makes the MAIL command, or says why this next hop cannot take the message.
func (k *conn) mail(t *msg.Transfer) (string, msg.Reply) {
	var b strings.Builder
	b.WriteString("MAIL FROM:<" + t.From.Raw + ">")
	if _, ok := k.ext["SIZE"]; ok {
		b.WriteString(" SIZE=" + strconv.FormatInt(t.Size(), 10))
	}
	// A next hop without 8BITMIME is sent eight bits all the same: re-coding would break
	// signatures (RFC 6152 section 3 leaves the choice of returning or converting), and
	// no server in use drops the eighth bit.
	if _, ok := k.ext["8BITMIME"]; ok && (t.EightBit || needs8Bit(t.Content)) {
		b.WriteString(" BODY=8BITMIME")
	}
	if t.SMTPUTF8 && utf8Needed(t) {
		if _, ok := k.ext["SMTPUTF8"]; !ok {
			return "", msg.Reply{Code: 550, Detail: "6.7", Text: "the next hop does not support SMTPUTF8"}
		}
		b.WriteString(" SMTPUTF8")
	}
	return b.String(), msg.Reply{}
}

// utf8Needed tells whether addresses or header need SMTPUTF8 (RFC 6531 section 3.6):
// a message that only asked for it in vain may go to any server.
func utf8Needed(t *msg.Transfer) bool {
	for _, p := range append([]msg.Path{t.From}, t.To...) {
		if !ascii(p.Raw) {
			return true
		}
	}
	return !ascii(headOf(t.Content))
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

// pipelined sends MAIL and RCPTs together (RFC 2920) and reads their replies.
func (k *conn) pipelined(mail string, t *msg.Transfer) (first msg.Reply, replies []msg.Reply) {
	replies = make([]msg.Reply, len(t.To))
	for from := 0; from < len(t.To); from += pipelineMax {
		to := min(from+pipelineMax, len(t.To))
		var b strings.Builder
		if from == 0 {
			b.WriteString(mail + "\r\n")
		}
		for _, p := range t.To[from:to] {
			b.WriteString("RCPT TO:<" + p.Raw + ">\r\n")
		}
		_ = k.write([]byte(b.String()), k.o.WriteTimeout) // a failure shows itself at the read
		if from == 0 {
			first, _ = k.read(k.o.ReplyTimeout)
		}
		for i := from; i < to; i++ {
			replies[i], _ = k.read(k.o.ReplyTimeout)
		}
	}
	return first, replies
}

// stepwise waits for each reply.
func (k *conn) stepwise(mail string, t *msg.Transfer) (first msg.Reply, replies []msg.Reply) {
	replies = make([]msg.Reply, len(t.To))
	first, _, _ = k.command(mail)
	if !first.Positive() {
		return first, replies
	}
	for i, to := range t.To {
		replies[i], _, _ = k.command("RCPT TO:<" + to.Raw + ">")
	}
	return first, replies
}

// data sends the message to the recipients that were taken, and turns what is known
// into one reply each.
func (k *conn) data(t *msg.Transfer, first msg.Reply, replies []msg.Reply) []msg.Reply {
	if k.broken != nil && first.Code != 421 {
		return certain(replies, notSent("connection lost before DATA"))
	}
	if !first.Positive() {
		k.reset()
		return all(t, odd(first, "MAIL"))
	}
	taken := 0
	for i := range replies {
		if replies[i].Positive() {
			taken++
		} else {
			replies[i] = odd(replies[i], "RCPT")
		}
	}
	if taken == 0 || k.broken != nil {
		k.reset()
		return certain(replies, notSent("connection lost before DATA"))
	}
	final := k.content(t)
	for i := range replies {
		if replies[i].Positive() {
			replies[i] = final
		}
	}
	return replies
}

// content says DATA, sends the octets and returns the last reply; Code 0 when it did
// not come.
func (k *conn) content(t *msg.Transfer) msg.Reply {
	r, _, err := k.command("DATA")
	switch {
	case err != nil:
		return notSent("connection lost at DATA")
	case r.Code != 354:
		if r.Positive() { // taken without a message? then the talk is out of step
			k.broken = errReply
		}
		k.reset()
		return odd(r, "DATA")
	}
	out := &blockWriter{conn: k}
	if err := stuff(out, t.Content); err != nil {
		return notSent("connection lost while sending") // the final dot cannot have arrived
	}
	if err := out.flush(); err != nil {
		if out.whole() {
			return msg.Reply{Text: "connection lost after the final dot"}
		}
		return notSent("connection lost while sending")
	}
	r, err = k.read(k.o.FinalTimeout)
	if err != nil || r.Code/100 == 3 {
		k.broken = errReply
		return msg.Reply{Text: "no reply to the final dot"}
	}
	k.used = true
	return r
}

// reset ends a transaction that came to nothing, so that the connection can be used
// again.
func (k *conn) reset() {
	if k.broken != nil {
		return
	}
	if r, _, err := k.command("RSET"); err != nil || !r.Positive() {
		k.broken = errReply
		return
	}
	k.used = true
}

// odd keeps refusals as they are and makes anything else that is not positive
// temporary: nothing was sent, that much is certain.
func odd(r msg.Reply, verb string) msg.Reply {
	if r.Code/100 == 4 || r.Permanent() {
		return r
	}
	return notSent("no usable answer to " + verb)
}

// certain keeps refusals and gives the others r.
func certain(replies []msg.Reply, r msg.Reply) []msg.Reply {
	for i := range replies {
		if !replies[i].Permanent() && replies[i].Code/100 != 4 {
			replies[i] = r
		}
	}
	return replies
}

// blockWriter gathers small pieces, writes large ones as they are, and gives each
// write its own deadline: a next hop that stops reading is noticed.
type blockWriter struct {
	conn *conn
	buf  []byte
	last bool // the final flush was begun
}

const blockSize = 64 << 10

// Write implements io.Writer.
func (w *blockWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(w.buf)+len(p) > blockSize {
		m := min(len(p), blockSize-len(w.buf))
		w.buf = append(w.buf, p[:m]...)
		p = p[m:]
		if err := w.send(); err != nil {
			return 0, err
		}
	}
	w.buf = append(w.buf, p...)
	return n, nil
}

func (w *blockWriter) send() error {
	err := w.conn.write(w.buf, w.conn.o.WriteTimeout)
	w.buf = w.buf[:0]
	return err
}

// flush writes the rest, the final dot with it.
func (w *blockWriter) flush() error {
	w.last = true
	return w.send()
}

// whole tells whether the final dot may have left: the write that carried it was
// begun, and nobody knows how much of a failed write has arrived.
func (w *blockWriter) whole() bool { return w.last }
