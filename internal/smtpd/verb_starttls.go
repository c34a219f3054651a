package smtpd

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"congthu/internal/msg"
)

var (
	replyStartTLS     = msg.Reply{Code: 220, Detail: "0.0", Text: "Go ahead"}
	replyTLSAlready   = msg.Reply{Code: 503, Detail: "5.1", Text: "TLS is already active"}
	replyTLSInjection = msg.Reply{Code: 554, Detail: "5.1", Text: "You talked before TLS was ready"}
)

// handshakeWait bounds a TLS handshake.
const handshakeWait = 30 * time.Second

func (s *session) offersTLS() bool { return s.srv.opt.TLS != nil && s.who.TLS == "" }

// startTLS changes to TLS (RFC 3207). Anything that came in clear behind the
// command could be a stranger's command that TLS would make look like the client's,
// so it ends the session, as a failed handshake does: what asked for TLS never
// goes on without.
func (s *session) startTLS(ctx context.Context, arg string) answer {
	switch {
	case arg != "":
		return wrong(replyNoArgument)
	case s.who.TLS != "":
		return wrong(replyTLSAlready)
	case s.srv.opt.TLS == nil:
		return wrong(replyNotOffered)
	case !s.greeted:
		return wrong(replyHelloFirst)
	case len(s.w.buffered()) > 0:
		s.event(evTLSInjection)
		return closing(replyTLSInjection)
	}
	s.say(replyStartTLS)
	if s.w.flush() != nil || !s.handshake(ctx) {
		return answer{end: true}
	}
	s.resetAll()
	return answer{}
}

func (s *session) handshake(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, min(handshakeWait, s.srv.lim.CommandWait))
	defer cancel()
	conn := tls.Server(s.raw, s.srv.opt.TLS)
	_ = s.raw.SetDeadline(time.Time{}) // the context keeps the time
	if err := conn.HandshakeContext(ctx); err != nil {
		s.event(evTLSFailed)
		s.log().Info("smtpd: TLS handshake failed", "error", err)
		return false
	}
	s.w.conn = conn
	s.who.TLS = describeTLS(conn.ConnectionState())
	s.event(evTLS)
	return true
}

// describeTLS is such as "TLS1.3 TLS_AES_128_GCM_SHA256".
func describeTLS(c tls.ConnectionState) string {
	return strings.ReplaceAll(tls.VersionName(c.Version), " ", "") + " " + tls.CipherSuiteName(c.CipherSuite)
}
