package smtpd

import (
	"context"
	"slices"
	"strings"

	"congthu/internal/msg"
)

var (
	replyMailFirst      = msg.Reply{Code: 503, Detail: "5.1", Text: "Say MAIL first"}
	replyRcptSyntax     = msg.Reply{Code: 501, Detail: "5.2", Text: "Syntax: RCPT TO:<address>"}
	replyNullRecipient  = msg.Reply{Code: 501, Detail: "1.3", Text: "A recipient is needed"}
	replyTooManyRcpts   = msg.Reply{Code: 452, Detail: "5.3", Text: "Too many recipients, send the others in another message"}
	replyNoSuchMailbox  = msg.Reply{Code: 550, Detail: "1.1", Text: "No such mailbox here"}
	replyNoMailToAnIP   = msg.Reply{Code: 550, Detail: "7.1", Text: "Address literals are refused"}
	replyRcptParameters = msg.Reply{Code: 555, Detail: "5.4", Text: "No parameters are known here"}
)

// rcpt adds a recipient (RFC 5321 section 4.1.1.3).
func (s *session) rcpt(ctx context.Context, arg string) answer {
	if s.tx == nil {
		return wrong(replyMailFirst)
	}
	if len(s.tx.env.To) >= s.srv.lim.Recipients {
		s.event(evLimit)
		return answer{Reply: replyTooManyRcpts}
	}
	to, a := s.recipient(arg)
	if a.Code == 0 {
		a = s.checkRcpt(ctx, to)
	}
	if a.Code != 0 {
		s.tx.refused++
		s.refusedRcpts++
		s.event(evRefusedRcpt)
		return a
	}
	s.tx.env.To = append(s.tx.env.To, to)
	return ok("1.5", "Recipient ok")
}

// recipient reads the argument of RCPT. The zero answer means that it is good.
func (s *session) recipient(arg string) (msg.Path, answer) {
	raw, rest, valid := cutPath(arg, "TO:")
	if !valid {
		return msg.Path{}, wrong(replyRcptSyntax)
	}
	if len(words(rest)) > 0 {
		return msg.Path{}, wrong(replyRcptParameters)
	}
	to, err := ParsePath(raw, s.tx.env.SMTPUTF8)
	switch {
	case err != nil:
		return msg.Path{}, wrong(recipientReply(err))
	case to.IsNull():
		return msg.Path{}, wrong(replyNullRecipient)
	case isLiteral(to.Domain):
		return msg.Path{}, answer{Reply: replyNoMailToAnIP}
	case strings.ContainsAny(to.Local, "%!@"):
		// Old ways to say "send it on from there": user%other@here, other!user@here,
		// "user@other"@here. Here they mean nothing, and the next hop shall not be asked.
		return msg.Path{}, answer{Reply: replyNoSuchMailbox}
	}
	return to, answer{}
}

// checkRcpt asks the gateway whether it takes mail for the recipient.
func (s *session) checkRcpt(ctx context.Context, to msg.Path) answer {
	check := s.srv.opt.CheckRcpt
	if check == nil {
		return answer{}
	}
	ctx, cancel := context.WithTimeout(ctx, s.srv.lim.CommandWait)
	defer cancel()
	who, env := s.who, s.tx.env // copies: the hook may keep them
	env.To = slices.Clip(env.To)
	return refusedBy(check(ctx, &who, env, to))
}
