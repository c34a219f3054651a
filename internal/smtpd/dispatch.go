package smtpd

import (
	"context"
	"strings"
)

// dispatch runs one command line. Verbs are compared whole and without case.
// Everything but the steps of a message counts as idle.
func (s *session) dispatch(ctx context.Context, line string) answer {
	word, arg, _ := strings.Cut(line, " ")
	arg = strings.TrimRight(arg, " ")
	if hasControl(line) {
		return wrong(replyControl)
	}
	switch word = strings.ToUpper(word); word {
	case "MAIL":
		return s.mail(ctx, arg)
	case "RCPT":
		return s.rcpt(ctx, arg)
	case "DATA":
		return s.data(ctx, arg)
	case "QUIT":
		return s.quit(arg)
	}
	s.idleCommands++
	switch word {
	case "EHLO":
		return s.ehlo(arg)
	case "HELO":
		return s.helo(arg)
	case "STARTTLS":
		return s.startTLS(ctx, arg)
	case "XCLIENT":
		return s.xclient(arg)
	case "RSET":
		return s.rset(arg)
	case "NOOP":
		return s.noop()
	case "VRFY":
		return s.vrfy()
	case "EXPN":
		return s.expn()
	case "HELP":
		return s.help()
	case "BDAT":
		return s.bdat()
	case "AUTH":
		return s.auth(ctx, arg)
	}
	if foreign(word) {
		return s.http()
	}
	return wrong(replyUnknown)
}

func hasControl(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// knownVerb tells whether the word is a command of ours, which a password is not.
func knownVerb(word string) bool {
	switch word {
	case "MAIL", "RCPT", "DATA", "QUIT", "EHLO", "HELO", "STARTTLS", "XCLIENT", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "BDAT":
		return true
	}
	return false
}
