package smtpd

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"congthu/internal/msg"
)

var (
	replyMailSyntax = msg.Reply{Code: 501, Detail: "5.2", Text: "Syntax: MAIL FROM:<address> [parameters]"}
	replyNested     = msg.Reply{Code: 503, Detail: "5.1", Text: "A message is already begun; RSET first"}
	replyParameter  = msg.Reply{Code: 555, Detail: "5.4", Text: "Unknown parameter"}
	replyBadValue   = msg.Reply{Code: 501, Detail: "5.4", Text: "Bad value of a parameter"}
	replyTwice      = msg.Reply{Code: 501, Detail: "5.4", Text: "Parameter given twice"}
	replyNoMailbox  = msg.Reply{Code: 501, Detail: "1.7", Text: "An address is local-part@domain"}
	replyNeedsESMTP = msg.Reply{Code: 555, Detail: "5.4", Text: "Parameters need EHLO"}
)

// mail begins a message (RFC 5321 section 4.1.1.2).
func (s *session) mail(ctx context.Context, arg string) answer {
	switch {
	case !s.greeted:
		return wrong(replyHelloFirst)
	case s.tx != nil:
		return wrong(replyNested)
	case s.on.cfg.RequireTLS && s.who.TLS == "":
		return s.refuseMail(wrong(replyTLSFirst))
	case s.on.cfg.RequireAuth && !s.proven():
		return s.refuseMail(wrong(replyAuthFirst))
	}
	raw, rest, valid := cutPath(arg, "FROM:")
	if !valid {
		return wrong(replyMailSyntax)
	}
	tx, refused := s.mailParameters(words(rest))
	if refused != (msg.Reply{}) {
		return s.refuseMail(wrong(refused))
	}
	from, err := ParsePath(raw, tx.env.SMTPUTF8)
	if err != nil {
		return s.refuseMail(wrong(senderReply(err)))
	}
	if !from.IsNull() && from.Domain == "" {
		return s.refuseMail(wrong(replyNoMailbox))
	}
	if tx.size > s.srv.lim.MessageSize {
		s.event(evSize)
		return s.refuseMail(answer{Reply: replyTooBig})
	}
	if a := s.checkMail(ctx, from); a.Code != 0 {
		return s.refuseMail(a)
	}
	tx.env.From = from
	s.tx = tx
	return ok("1.0", "Sender ok")
}

// checkMail asks the gateway whether it takes mail of that sender now.
func (s *session) checkMail(ctx context.Context, from msg.Path) answer {
	check := s.srv.opt.CheckMail
	if check == nil {
		return answer{}
	}
	ctx, cancel := context.WithTimeout(ctx, s.srv.lim.CommandWait)
	defer cancel()
	who := s.who // a copy: the hook may keep it
	return refusedBy(check(ctx, &who, from))
}

// refuseMail counts a refused MAIL as an idle command, so that a client cannot
// repeat it for ever.
func (s *session) refuseMail(a answer) answer {
	s.idleCommands++
	s.event(evRefusedMail)
	return a
}

// refusedBy is the answer made of a hook's reply; the zero Reply refuses nothing.
func refusedBy(r msg.Reply) answer {
	if r == (msg.Reply{}) {
		return answer{}
	}
	r = refusal(r)
	return answer{Reply: r, end: r.Code == 421}
}

// senderReply turns the parser's words about a recipient into those about a sender
// (RFC 3463 section 3.2: X.1.3 and X.1.7).
func senderReply(err error) msg.Reply {
	r := recipientReply(err)
	if r.Detail == "1.3" {
		r.Detail = "1.7"
	}
	return r
}

func recipientReply(err error) msg.Reply {
	var bad *pathError
	if errors.As(err, &bad) {
		return bad.reply
	}
	return replyLater
}

// mailParameters reads SIZE= (RFC 1870), BODY= (RFC 6152), SMTPUTF8 (RFC 6531) and,
// where AUTH is offered, AUTH= (RFC 4954 section 5).
func (s *session) mailParameters(params []string) (*transaction, msg.Reply) {
	tx := &transaction{}
	if len(params) > 0 && !s.who.ESMTP {
		return nil, replyNeedsESMTP
	}
	seen := map[string]bool{}
	for _, p := range params {
		name, value, has := strings.Cut(p, "=")
		name = strings.ToUpper(name)
		if seen[name] {
			return nil, replyTwice
		}
		seen[name] = true
		if name == "AUTH" && s.offersAuth() {
			if !validSubmitter(value) {
				return nil, replyBadValue
			}
			continue
		}
		if r := tx.parameter(name, value, has); r != (msg.Reply{}) {
			return nil, r
		}
	}
	return tx, msg.Reply{}
}

func (tx *transaction) parameter(name, value string, has bool) msg.Reply {
	valid := true
	switch name {
	case "SIZE":
		tx.size, valid = parseSize(value)
	case "BODY":
		tx.env.EightBit = strings.EqualFold(value, "8BITMIME")
		valid = tx.env.EightBit || strings.EqualFold(value, "7BIT")
	case "SMTPUTF8":
		tx.env.SMTPUTF8, valid = true, !has
	default:
		return replyParameter
	}
	if !valid {
		return replyBadValue
	}
	return msg.Reply{}
}

// parseSize reads up to twenty digits; a number beyond int64 is a valid way to be
// too big.
func parseSize(v string) (int64, bool) {
	if v == "" || len(v) > 20 || strings.Trim(v, "0123456789") != "" {
		return 0, false
	}
	n, _ := strconv.ParseInt(v, 10, 64) // the largest int64 when out of range
	return n, true
}
