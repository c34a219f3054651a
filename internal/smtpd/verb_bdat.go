package smtpd

// bdat is not offered (RFC 3030), and the session ends with the refusal: the chunk
// that follows the command is message text and must never be read as commands.
func (s *session) bdat() answer {
	return answer{Reply: replyNotOffered, bad: true, end: true}
}
