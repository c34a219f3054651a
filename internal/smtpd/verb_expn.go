package smtpd

// expn is refused: nobody is told who is on a list.
func (s *session) expn() answer { return wrong(replyNotOffered) }
