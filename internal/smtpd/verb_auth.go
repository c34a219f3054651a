package smtpd

// auth is not offered (RFC 4954): agencies are known by their networks.
func (s *session) auth() answer { return wrong(replyNotOffered) }
