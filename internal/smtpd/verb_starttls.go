package smtpd

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
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
	s.identify()
	return answer{}
}

func (s *session) handshake(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, min(handshakeWait, s.srv.lim.CommandWait))
	defer cancel()
	if s.srv.opt.TLS == nil {
		return false
	}
	conn := tls.Server(s.unread(), s.srv.opt.TLS)
	_ = s.raw.SetDeadline(time.Time{}) // the context keeps the time
	if err := conn.HandshakeContext(ctx); err != nil {
		s.event(evTLSFailed)
		s.log().Info("smtpd: TLS handshake failed", "error", err)
		return false
	}
	s.w.conn = conn
	state := conn.ConnectionState()
	s.who.TLS, s.shown = describeTLS(state), state.PeerCertificates
	s.event(evTLS)
	return true
}

// unread is the connection with what was read of it already: behind a PROXY header
// the first octets of TLS may have come in the same segment.
func (s *session) unread() net.Conn {
	early := bytes.Clone(s.w.buffered())
	s.w.discard(len(early))
	if len(early) == 0 {
		return s.raw
	}
	return &prefixed{s.raw, early}
}

// prefixed is a connection before whose octets others are read.
type prefixed struct {
	net.Conn
	first []byte
}

// Read reads the first octets first.
func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.first)
	p.first = p.first[n:]
	return n, nil
}

// describeTLS is such as "TLS1.3 TLS_AES_128_GCM_SHA256".
func describeTLS(c tls.ConnectionState) string {
	return strings.ReplaceAll(tls.VersionName(c.Version), " ", "") + " " + tls.CipherSuiteName(c.CipherSuite)
}
