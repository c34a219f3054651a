package smtpd

import "congthu/internal/msg"

var replyNotSMTP = msg.Reply{Code: 421, Detail: "7.0", Text: "This is not a web server"}

// foreign tells whether a verb, in upper case, shows that the peer speaks
// something else than SMTP. A browser can be made to send a request whose body is
// an SMTP session; its first line gives it away.
func foreign(verb string) bool {
	switch verb {
	case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE", "PRI", "PROPFIND":
		return true
	}
	return verb != "" && !(verb[0] >= 'A' && verb[0] <= 'Z')
}

// http ends the session before a second line is read.
func (s *session) http() answer {
	s.event(evHTTP)
	return closing(replyNotSMTP)
}
