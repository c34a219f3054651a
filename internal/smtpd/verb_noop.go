package smtpd

// noop does nothing; its argument is ignored (RFC 5321 section 4.1.1.9).
func (s *session) noop() answer { return ok("0.0", "Ok") }
