package smtpd

import (
	"strconv"
	"strings"

	"congthu/internal/msg"
)

// The replies that more than one place gives. None of them repeats anything the
// client said.
var (
	replyTooManyConnections = msg.Reply{Code: 421, Detail: "7.0", Text: "Too many connections, try again later"}
	replyClosing            = msg.Reply{Code: 421, Detail: "3.2", Text: "Service is shutting down, try again later"}
	replyTrouble            = msg.Reply{Code: 421, Detail: "3.0", Text: "Internal trouble, try again later"}
	replyTimeout            = msg.Reply{Code: 421, Detail: "4.2", Text: "Timeout, closing the connection"}
	replyTooSlow            = msg.Reply{Code: 421, Detail: "4.2", Text: "Too slow, closing the connection"}
	replySessionLimit       = msg.Reply{Code: 421, Detail: "7.0", Text: "Session limit reached, closing the connection"}
	replyBareEnding         = msg.Reply{Code: 550, Detail: "5.2", Text: "Lines must end in CRLF; bare CR, bare LF and NUL are refused"}
	replyLineTooLong        = msg.Reply{Code: 500, Detail: "5.2", Text: "Command line too long"}
	replyEarlyTalker        = msg.Reply{Code: 554, Detail: "5.1", Text: "You talked before the greeting"}
	replyLater              = msg.Reply{Code: 451, Detail: "3.0", Text: "Temporary trouble, try again later"}
	replyNoArgument         = msg.Reply{Code: 501, Detail: "5.4", Text: "No argument is allowed here"}
	replyUnknown            = msg.Reply{Code: 500, Detail: "5.1", Text: "Command not recognised"}
	replyNotOffered         = msg.Reply{Code: 502, Detail: "5.1", Text: "Command not offered"}
	replyHelloFirst         = msg.Reply{Code: 503, Detail: "5.1", Text: "Say EHLO or HELO first"}
	replyTooBig             = msg.Reply{Code: 552, Detail: "3.4", Text: "Message is larger than this system accepts"}
	replyControl            = msg.Reply{Code: 501, Detail: "5.2", Text: "Control character in command"}
)

// Bounds of a reply: RFC 5321 section 4.5.3.1.5 gives a line 512 octets.
const (
	maxReplyText  = 480
	maxReplyLines = 20
)

// appendReply writes a reply as it goes on the wire, the enhanced status code on
// every line (RFC 2034 section 4) when there is one.
func appendReply(dst []byte, r msg.Reply) []byte {
	lines := replyLines(r.Text)
	status := r.Status()
	for i, line := range lines {
		dst = strconv.AppendInt(dst, int64(r.Code), 10)
		if i == len(lines)-1 {
			dst = append(dst, ' ')
		} else {
			dst = append(dst, '-')
		}
		if status != "" {
			dst = append(append(dst, status...), ' ')
		}
		dst = append(append(dst, line...), '\r', '\n')
	}
	return dst
}

// replyLines makes any text fit for the wire: printable ASCII only, no line too
// long, not too many of them, at least one.
func replyLines(text string) []string {
	if !strings.ContainsFunc(text, notPrintable) && len(text) <= maxReplyText {
		return []string{text}
	}
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n") {
		line = strings.Map(printable, line)
		for len(line) > maxReplyText {
			lines, line = append(lines, line[:maxReplyText]), line[maxReplyText:]
		}
		lines = append(lines, line)
	}
	return lines[:min(len(lines), maxReplyLines)]
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

func printable(r rune) rune {
	if notPrintable(r) {
		return '?'
	}
	return r
}

// final makes the Handler's answer safe to send: anything that is not a final
// reply, and above all no answer, means "try again".
func final(r msg.Reply) msg.Reply {
	if r.Positive() && r.Code != 221 && r.Code != 220 {
		return withDetail(r)
	}
	return refusal(r)
}

// refusal makes a negative reply safe to send. A positive one where only a refusal
// makes sense is a mistake of ours, so it is temporary.
func refusal(r msg.Reply) msg.Reply {
	if !(r.Code >= 400 && r.Code <= 599) {
		return replyLater
	}
	return withDetail(r)
}

// withDetail gives a reply an enhanced status code if it lacks a valid one.
func withDetail(r msg.Reply) msg.Reply {
	if !validDetail(r.Detail) {
		r.Detail = "0.0"
	}
	return r
}

// validDetail checks "subject.detail" (RFC 3463 section 2).
func validDetail(d string) bool {
	subject, detail, ok := strings.Cut(d, ".")
	return ok && shortNumber(subject) && shortNumber(detail)
}

func shortNumber(s string) bool {
	return len(s) > 0 && len(s) <= 3 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
