package smtpd

import (
	"strconv"
	"strings"

	"congthu/internal/msg"
)

// ehlo opens or restarts the session (RFC 5321 section 4.1.1.1) and says what is
// offered. It carries no enhanced status codes (RFC 2034 section 4).
func (s *session) ehlo(arg string) answer {
	if !validHelo(arg) {
		return wrong(replyBadHelo)
	}
	s.hello(arg, true)
	return answer{Reply: msg.Reply{Code: 250, Text: strings.Join(s.extensions(), "\n")}}
}

// helo is the same without extensions.
func (s *session) helo(arg string) answer {
	if !validHelo(arg) {
		return wrong(replyBadHelo)
	}
	s.hello(arg, false)
	return answer{Reply: msg.Reply{Code: 250, Text: s.srv.opt.Hostname}}
}

func (s *session) hello(arg string, esmtp bool) {
	s.resetTransaction()
	s.greeted = true
	s.who.Helo, s.who.ESMTP = arg, esmtp
}

var replyBadHelo = msg.Reply{Code: 501, Detail: "5.4", Text: "One host name or address literal is needed"}

// CHUNKING is not offered: BDAT would be a second way to end a message.
func (s *session) extensions() []string {
	l := []string{
		s.srv.opt.Hostname,
		"PIPELINING",
		"SIZE " + strconv.FormatInt(s.srv.lim.MessageSize, 10),
		"8BITMIME",
		"SMTPUTF8",
		"ENHANCEDSTATUSCODES",
	}
	if s.offersTLS() {
		l = append(l, "STARTTLS")
	}
	if s.offersAuth() {
		l = append(l, "AUTH PLAIN LOGIN")
	}
	if s.mayXCLIENT() {
		l = append(l, "XCLIENT NAME ADDR PORT PROTO HELO")
	}
	return l
}

// validHelo takes what can be a host name or a literal. Names without a dot, or
// with an underscore, are wrong but common; anything else has no place in the
// Received field that will repeat it.
func validHelo(arg string) bool {
	return arg != "" && len(arg) <= maxDomain && !strings.ContainsFunc(arg, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._:[]", r))
	})
}
