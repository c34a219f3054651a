package smtpd

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

var (
	replyGo           = msg.Reply{Code: 354, Text: "End with <CRLF>.<CRLF>"}
	replyRcptFirst    = msg.Reply{Code: 503, Detail: "5.1", Text: "Say RCPT first"}
	replyNoRecipients = msg.Reply{Code: 554, Detail: "5.1", Text: "No valid recipients"}
)

// data takes a message and has it handled (RFC 5321 section 4.1.1.4). Whatever
// comes of it, the transaction is over.
func (s *session) data(ctx context.Context, arg string) answer {
	switch {
	case arg != "":
		return wrong(replyNoArgument)
	case s.tx == nil:
		return wrong(replyMailFirst)
	case len(s.tx.env.To) == 0 && s.tx.refused > 0:
		return wrong(replyNoRecipients)
	case len(s.tx.env.To) == 0:
		return wrong(replyRcptFirst)
	}
	tx := s.tx
	s.resetTransaction()
	s.say(replyGo)
	if err := s.w.flush(); err != nil {
		return answer{end: true}
	}
	b := newBody(s.srv)
	if err := s.receive(b); err != nil {
		b.release()
		return s.dataBroken(b, err)
	}
	if b.refused.Code != 0 {
		b.release()
		return s.dataRefused(b)
	}
	return s.finish(ctx, tx, b)
}

// receive reads up to the end of DATA.
func (s *session) receive(b *body) error {
	s.w.widen()
	defer s.w.narrow()
	p := newPace(s.srv.lim, s.ends())
	for {
		n, done, err := b.take(s.w.buffered())
		s.w.discard(n)
		if done || err != nil {
			return err
		}
		if err := s.raw.SetReadDeadline(p.deadline()); err != nil {
			return err
		}
		n, err = s.w.read()
		if err != nil {
			return err
		}
		p.got(n)
	}
}

// dataBroken ends a session whose DATA did not end. Nothing of it is kept.
func (s *session) dataBroken(b *body, err error) answer {
	reply, event := msg.Reply{}, evTruncated // the peer is gone: there is nobody to tell
	switch {
	case errors.Is(err, errBareEnding):
		reply, event = replyBareEnding, evBareLineEnding
	case errors.Is(err, errEndless):
		reply, event = b.refused, b.event
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case time.Now().Before(s.ends()):
		reply, event = replyTooSlow, evSlow
	default:
		reply, event = replySessionLimit, evLimit
	}
	s.event(event)
	s.log().Info("smtpd: DATA did not end", "helo", lang.Safe(s.who.Helo, 100), "why", event, "octets", b.received)
	return closing(reply)
}

// dataRefused answers a message that was read to its end and broke a limit. Of a
// message that is too big the connection is closed as well: the sender did not
// look at SIZE, and may have more of them.
func (s *session) dataRefused(b *body) answer {
	s.event(b.event)
	return answer{Reply: b.refused, end: b.refused == replyTooBig}
}

// finish makes the Message and has it handled.
func (s *session) finish(ctx context.Context, tx *transaction, b *body) answer {
	if r, event := checkHeader(b.raw, s.srv.lim); r.Code != 0 {
		b.release()
		s.event(event)
		return answer{Reply: r}
	}
	s.messages++
	s.idleCommands = 0
	r := s.handle(ctx, b, &msg.Message{
		ID:       s.srv.opt.NewID(),
		Received: time.Now(),
		Session:  s.who,
		Envelope: tx.env,
		Raw:      slices.Clip(b.raw),
	})
	if r.Positive() {
		s.event(evAccepted)
	} else {
		s.event(evRefusedMessage)
	}
	return answer{Reply: r, end: r.Code == 421}
}
