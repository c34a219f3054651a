package smtpd

import (
	"bytes"
	"errors"

	"congthu/internal/msg"
)

// errEndless: a refused DATA went on past the drain limit.
var errEndless = errors.New("smtpd: DATA does not end")

// body gathers one DATA. It is fed blocks that begin where it left off, takes
// whole lines off them, and leaves an unfinished line to the caller, who brings it
// again with more behind it. So every line is seen whole, wherever the network
// cuts it, and the end of DATA (RFC 5321 section 4.1.1.4) can be exactly the line
// ".": preceded by CRLF, or first, and followed by CRLF.
//
// A limit that is hit sets refused; from there on octets are checked and dropped.
type body struct {
	srv      *Server
	parts    gather
	raw      []byte // the whole message, once done
	received int64  // octets off the wire, stuffing included
	midLine  bool   // the block begins inside a line whose start was dropped
	refused  msg.Reply
	event    string
}

func newBody(srv *Server) *body { return &body{srv: srv, parts: gather{srv: srv}} }

// take uses up as many octets of block as it can and says how many. done means
// that the end of DATA is among them and the rest of the block is commands.
func (b *body) take(block []byte) (n int, done bool, err error) {
	n, dots, done, err := b.lines(block)
	if err != nil {
		return 0, false, err
	}
	whole := block[:n]
	if bytes.IndexByte(whole, 0) >= 0 {
		return 0, false, errBareEnding
	}
	if done {
		whole = whole[:n-len(".\r\n")]
	}
	b.store(whole, dots, done)
	if !done {
		n, err = b.tail(block, n)
	}
	if b.received += int64(n); err == nil && !done && b.received > drainLimit(b.srv.lim) {
		b.refuse(replyTooBig, evSize)
		err = errEndless
	}
	return n, done, err
}

// lines walks over the whole lines of block: it finds the end of DATA, measures
// lines, counts those that are dot-stuffed, and makes sure that every LF has its CR
// and, by counting, that every CR has its LF.
func (b *body) lines(block []byte) (n, dots int, done bool, err error) {
	count, limit, mid := 0, b.srv.lim.BodyLine, b.midLine
	for !done {
		i := bytes.IndexByte(block[n:], '\n')
		if i < 0 {
			break
		}
		line := block[n : n+i+1]
		if i == 0 || line[i-1] != '\r' {
			return 0, 0, false, errBareEnding
		}
		if line[0] == '.' && !mid {
			done = i == 2
			dots++
		}
		if i-1 > limit && (line[0] != '.' || i-2 > limit) {
			b.refuse(replyBodyLine, evLimit)
		}
		mid = false
		count++
		n += i + 1
	}
	if bytes.Count(block[:n], []byte{'\r'}) != count {
		return 0, 0, false, errBareEnding
	}
	if n > 0 {
		b.midLine = false
	}
	return n, dots, done, nil
}

var (
	replyBodyLine = msg.Reply{Code: 550, Detail: "6.0", Text: "A line of the message is too long"}
	replyMemory   = msg.Reply{Code: 452, Detail: "3.1", Text: "Short of memory, try again later"}
)

// tail looks at the unfinished line behind the n octets that were taken. It is
// left where it is, unless it is already too long: then it is dropped, all but a CR
// at its end whose LF may still come.
func (b *body) tail(block []byte, n int) (int, error) {
	rest := block[n:]
	if bareCR(rest) || bytes.IndexByte(rest, 0) >= 0 {
		return 0, errBareEnding
	}
	if len(rest) <= b.srv.lim.BodyLine+2 {
		return n, nil
	}
	b.refuse(replyBodyLine, evLimit)
	b.midLine = true
	if rest[len(rest)-1] == '\r' {
		return len(block) - 1, nil
	}
	return len(block), nil
}

// store keeps whole lines without their stuffing, and makes the message of them when
// they are the last.
func (b *body) store(lines []byte, dots int, last bool) {
	if b.refused.Code != 0 {
		return
	}
	if last {
		dots-- // the final dot is not among the lines
	}
	if int64(b.parts.size+len(lines)-dots) > b.srv.lim.MessageSize {
		b.refuse(replyTooBig, evSize)
		return
	}
	var ok bool
	if last {
		b.raw, ok = b.parts.whole(lines, dots)
	} else {
		ok = b.parts.add(lines, dots)
	}
	if !ok {
		b.refuse(replyMemory, evLimit)
	}
}

// unstuff appends lines to dst, less one leading dot of each that has one. Both may
// begin at the same octet: what is written never passes what is read.
func unstuff(dst, lines []byte, dots int) []byte {
	if dots > 0 && lines[0] == '.' {
		lines = lines[1:]
		dots--
	}
	for ; dots > 0; dots-- {
		i := bytes.Index(lines, []byte("\r\n.")) + 2
		dst = append(dst, lines[:i]...)
		lines = lines[i+1:]
	}
	return append(dst, lines...)
}

// refuse remembers the first reason and lets go of what was stored.
func (b *body) refuse(r msg.Reply, event string) {
	if b.refused.Code != 0 {
		return
	}
	b.refused, b.event = r, event
	b.release()
}

// release returns the memory to the server's budget.
func (b *body) release() {
	b.parts.drop()
	b.raw = nil
}
