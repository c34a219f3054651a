package smtpd

import "congthu/internal/msg"

// help says where to read on (RFC 5321 section 4.1.1.8).
func (s *session) help() answer {
	return answer{Reply: msg.Reply{Code: 214, Detail: "0.0", Text: "See RFC 5321; write to postmaster for help"}}
}
