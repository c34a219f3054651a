package smtpd

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"congthu/internal/msg"
)

// Bounds of AUTH (RFC 4954 section 4).
const (
	maxAuthLine  = 12288
	maxAuthFails = 3                // failures that end a session
	authWait     = 30 * time.Second // for the check of a password
)

var (
	replyAuthOK       = msg.Reply{Code: 235, Detail: "7.0", Text: "Authentication succeeded"}
	replyAuthSyntax   = msg.Reply{Code: 501, Detail: "5.4", Text: "Syntax: AUTH mechanism [initial-response]"}
	replyAuthCoding   = msg.Reply{Code: 501, Detail: "5.2", Text: "Not valid base64"}
	replyAuthStopped  = msg.Reply{Code: 501, Detail: "7.0", Text: "Authentication cancelled"}
	replyAuthAlready  = msg.Reply{Code: 503, Detail: "5.1", Text: "Already authenticated"}
	replyAuthUnknown  = msg.Reply{Code: 504, Detail: "5.4", Text: "Mechanism not offered; use PLAIN or LOGIN"}
	replyAuthFirst    = msg.Reply{Code: 530, Detail: "7.0", Text: "Can xac thuc / Authentication required"}
	replyTLSFirst     = msg.Reply{Code: 530, Detail: "7.0", Text: "Can STARTTLS truoc / Must issue a STARTTLS command first"}
	replyAuthFailed   = msg.Reply{Code: 535, Detail: "7.8", Text: "Sai tai khoan hoac mat khau / Authentication credentials invalid"}
	replyAuthNeedsTLS = msg.Reply{Code: 538, Detail: "7.11", Text: "Can STARTTLS truoc / Encryption required for requested authentication mechanism"}
	replyAuthTooLong  = msg.Reply{Code: 500, Detail: "5.6", Text: "Authentication exchange line is too long"}
	replyAuthTooMany  = msg.Reply{Code: 421, Detail: "7.0", Text: "Sai nhieu lan, dong ket noi / Too many failed authentications, closing the connection"}
)

// offersAuth tells whether AUTH is offered now: PLAIN and LOGIN show the password, so
// only inside TLS.
func (s *session) offersAuth() bool {
	return s.on.cfg.Auth && s.srv.opt.Authenticate != nil && s.who.TLS != ""
}

// proven tells whether the client has shown more than its address.
func (s *session) proven() bool {
	return s.who.Identity.Proof == msg.ByPassword || s.who.Identity.Proof == msg.ByCertificate
}

// auth lets a client show who it is (RFC 4954 section 4).
func (s *session) auth(ctx context.Context, arg string) answer {
	s.triedAuth = true
	switch {
	case !s.on.cfg.Auth || s.srv.opt.Authenticate == nil:
		return wrong(replyNotOffered)
	case arg == "":
		return wrong(replyAuthSyntax)
	case !s.greeted || !s.who.ESMTP:
		return wrong(replyHelloFirst)
	case s.who.TLS == "":
		return wrong(replyAuthNeedsTLS)
	case s.tx != nil:
		return wrong(replyInMail)
	case s.who.Identity.Proof == msg.ByPassword:
		return wrong(replyAuthAlready)
	}
	name, initial, hasInitial := strings.Cut(arg, " ")
	try := &attempt{s: s, ctx: ctx}
	server := try.mechanism(name)
	if server == nil {
		return wrong(replyAuthUnknown)
	}
	var response []byte
	if hasInitial {
		var err error
		if response, err = decodeInitial(initial); err != nil {
			return wrong(replyAuthCoding)
		}
	}
	return try.run(server, response)
}

// attempt is one AUTH command.
type attempt struct {
	s        *session
	ctx      context.Context
	asked    bool // the password was looked at
	identity msg.Identity
	refusal  msg.Reply
}

// mechanism returns the server's side of a mechanism, nil for an unknown one.
func (t *attempt) mechanism(name string) sasl.Server {
	switch strings.ToUpper(name) {
	case sasl.Plain:
		return sasl.NewPlainServer(func(identity, name, password string) error {
			if identity != "" && identity != name { // nobody acts for another here (RFC 4616 section 2)
				name = ""
			}
			return t.check(name, password)
		})
	case sasl.Login:
		return &loginServer{check: t.check}
	}
	return nil
}

var errRefused = errors.New("smtpd: the password was refused")

// check asks the gateway. It is the only place that sees a password.
func (t *attempt) check(name, password string) error {
	ctx, cancel := context.WithTimeout(t.ctx, authWait)
	defer cancel()
	t.asked = true
	t.identity, t.refusal = t.s.srv.opt.Authenticate(ctx, t.s.who.Remote.Addr(), name, password)
	if t.refusal == (msg.Reply{}) && t.identity.Proof != msg.ByPassword {
		t.refusal = replyAuthFailed
	}
	if t.refusal != (msg.Reply{}) {
		return errRefused
	}
	return nil
}

// run speaks the exchange to its end.
func (t *attempt) run(server sasl.Server, response []byte) answer {
	for {
		challenge, done, err := server.Next(response)
		switch {
		case t.asked:
			return t.s.authenticated(t)
		case err != nil || done:
			return wrong(replyAuthCoding)
		}
		t.s.say(msg.Reply{Code: 334, Text: base64.StdEncoding.EncodeToString(challenge)})
		line, err := t.s.line(maxAuthLine)
		switch {
		case errors.Is(err, errLineTooLong):
			t.s.event(evLimit)
			return answer{Reply: replyAuthTooLong, bad: true, end: true}
		case err != nil:
			t.s.broken(err)
			return answer{end: true}
		case string(line) == "*":
			return wrong(replyAuthStopped)
		}
		if response, err = decodeResponse(string(line)); err != nil {
			return wrong(replyAuthCoding)
		}
	}
}

// authenticated draws the conclusion of a password that was looked at.
func (s *session) authenticated(t *attempt) answer {
	if t.refusal == (msg.Reply{}) {
		s.failedAuths = 0
		s.who.Identity, s.who.Outbound = t.identity, true
		s.event(evAuth)
		s.log().Info("smtpd: authenticated", "helo", s.who.Helo, "tls", s.who.TLS)
		return answer{Reply: replyAuthOK}
	}
	s.event(evAuthFailed)
	s.failedAuths++
	if s.failedAuths >= maxAuthFails {
		return closing(replyAuthTooMany)
	}
	return refusedBy(t.refusal)
}

// decodeInitial reads an initial response; "=" is an empty one (RFC 4954 section 4).
func decodeInitial(s string) ([]byte, error) {
	if s == "=" {
		return []byte{}, nil
	}
	return decodeResponse(s)
}

// decodeResponse reads base64 with its padding and nothing else. The result is never
// nil: nil would mean that there was no response.
func decodeResponse(s string) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Strict().Decode(out, []byte(s))
	return out[:n], err
}

// loginServer is the mechanism LOGIN: two questions, name and password. It was never
// standardised, but Outlook and older devices know no other.
type loginServer struct {
	check func(name, password string) error
	name  string
	step  int
}

// Next implements sasl.Server.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case l.step == 0 && response == nil:
		l.step = 1
		return []byte("Username:"), false, nil
	case l.step <= 1 && response != nil:
		l.step, l.name = 2, string(response)
		return []byte("Password:"), false, nil
	case l.step == 2 && response != nil:
		l.step = 3
		return nil, true, l.check(l.name, string(response))
	}
	return nil, false, sasl.ErrUnexpectedClientResponse
}

// validSubmitter checks the value of MAIL's AUTH=, which says who wrote the message
// first. It is believed of nobody here, and treated as <> (RFC 4954 section 5 allows
// that).
func validSubmitter(value string) bool {
	v, valid := decodeXtext(value)
	return valid && v != ""
}

// loggable is the line as a log may have it: passwords never. After an AUTH that was
// refused some clients send name and password as if they were commands.
func (s *session) loggable(line string) string {
	word, arg, _ := strings.Cut(line, " ")
	if len(word) >= 4 && strings.EqualFold(word[:4], "AUTH") {
		mechanism, _, _ := strings.Cut(arg, " ")
		if m := strings.ToUpper(mechanism); m == sasl.Plain || m == sasl.Login {
			return "AUTH " + m + " ..."
		}
		return "AUTH ..."
	}
	if s.triedAuth && !knownVerb(strings.ToUpper(word)) {
		return "(withheld, it may be a password)"
	}
	return line
}
