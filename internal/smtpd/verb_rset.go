package smtpd

// rset forgets the message in the making (RFC 5321 section 4.1.1.5).
func (s *session) rset(arg string) answer {
	if arg != "" {
		return wrong(replyNoArgument)
	}
	s.resetTransaction()
	return ok("0.0", "Forgotten")
}
