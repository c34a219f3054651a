package smtpd

import "congthu/internal/msg"

var replyBye = msg.Reply{Code: 221, Detail: "0.0", Text: "Bye"}

// quit ends the session (RFC 5321 section 4.1.1.10).
func (s *session) quit(arg string) answer {
	if arg != "" {
		return wrong(replyNoArgument)
	}
	return closing(replyBye)
}
