package relay

import (
	"context"

	"congthu/internal/msg"
)

// Ask asks a next hop (host:port) whether it takes mail for a recipient, with MAIL from
// the null sender, RCPT and RSET: nothing is sent. It returns the reply to RCPT; Code 0
// means that it could not be asked.
func (c *Client) Ask(ctx context.Context, nextHop string, to msg.Path) msg.Reply {
	if !cleanPath(to.Raw) || to.IsNull() {
		return msg.Reply{}
	}
	var reply msg.Reply
	c.over(ctx, fixedHop(nextHop, c.rule(to.Domain)), func(k *conn) (stale bool) {
		k.o = &c.o
		stop := k.watch(ctx)
		reply, stale = k.ask(to)
		c.putBack(k, !stop())
		return stale
	})
	return reply
}

// ask asks about a recipient.
func (k *conn) ask(to msg.Path) (r msg.Reply, stale bool) {
	used, mail := k.used, "MAIL FROM:<>"
	if !ascii(to.Raw) {
		if _, ok := k.ext["SMTPUTF8"]; !ok {
			return msg.Reply{}, false
		}
		mail += " SMTPUTF8"
	}
	rcpt := "RCPT TO:<" + to.Raw + ">"
	var first msg.Reply
	if _, ok := k.ext["PIPELINING"]; ok {
		_ = k.write([]byte(mail+"\r\n"+rcpt+"\r\nRSET\r\n"), k.o.WriteTimeout) // a failure shows itself at the read
		first, _ = k.read(k.o.ReplyTimeout)
		r, _ = k.read(k.o.ReplyTimeout)
		k.used = true
		if end, _ := k.read(k.o.ReplyTimeout); !end.Positive() && k.broken == nil {
			k.broken = errReply
		}
	} else {
		first, _, _ = k.command(mail)
		r, _, _ = k.command(rcpt)
		k.finish("RSET")
	}
	if !first.Positive() {
		r = msg.Reply{} // it does not want to be asked, or is gone
	}
	return r, used && (first.Code == 0 || first.Code == 421)
}
