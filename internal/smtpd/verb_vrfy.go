package smtpd

import "congthu/internal/msg"

// vrfy neither confirms nor denies: the directory is not for guessing
// (RFC 5321 section 7.3).
func (s *session) vrfy() answer {
	return answer{Reply: msg.Reply{Code: 252, Detail: "1.5", Text: "Cannot verify; send mail and see"}}
}
