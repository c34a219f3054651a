package smtpd

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"congthu/internal/msg"
)

// open does what comes before the first command: the PROXY header where one is
// due, TLS where it begins with the connection, the look-out for early talkers, and
// the greeting. It tells whether the session goes on.
func (s *session) open(ctx context.Context) bool {
	if s.proxied && !s.announced() {
		return false
	}
	if s.on.cfg.ImplicitTLS {
		if !s.handshake(ctx) {
			return false
		}
		s.identify()
	}
	early, err := s.talkedEarly()
	switch {
	case errors.Is(err, errStopping):
		s.farewell(replyClosing)
		return false
	case err != nil:
		return false // gone before we said a word
	case early:
		s.event(evEarlyTalker)
		s.log().Info("smtpd: refused", "reply", replyEarlyTalker.String())
		s.farewell(replyEarlyTalker)
		return false
	}
	s.say(s.greeting())
	return true
}

func (s *session) greeting() msg.Reply {
	return msg.Reply{Code: 220, Text: s.srv.opt.Hostname + " ESMTP"}
}

// talkedEarly waits for the greet delay and tells whether the client spoke in it
// (RFC 5321 section 3.1 lets the server speak first). Without a delay it looks at
// what has come already.
func (s *session) talkedEarly() (bool, error) {
	if len(s.w.buffered()) > 0 {
		return true, nil
	}
	delay := s.srv.opt.GreetDelay
	if delay <= 0 {
		return arrived(s.raw), nil
	}
	n, err := s.await(time.Now().Add(delay))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	return n > 0, err
}

// announced reads the PROXY header that a listed peer must begin with. Without a
// valid one nothing is known about the client, so nothing is said to it.
func (s *session) announced() bool {
	h, err := s.readProxy(time.Now().Add(min(proxyWait, s.srv.lim.CommandWait)))
	if errors.Is(err, errStopping) {
		s.farewell(replyClosing)
		return false
	}
	if err != nil {
		s.event(evProxy)
		s.log().Info("smtpd: bad PROXY header", "error", err)
		return false
	}
	if h.client.IsValid() {
		s.who.Remote = h.client
		s.identify()
	}
	return s.claim()
}

// claim counts the client that a proxy announced.
func (s *session) claim() bool {
	client := s.who.Remote.Addr()
	if !s.srv.census.claim(client, s.srv.lim.PerClient) {
		s.event(evRefusedConnection)
		s.log().Info("smtpd: connection refused", "reply", replyTooManyConnections.String())
		s.farewell(replyTooManyConnections)
		return false
	}
	s.claimed, s.counted = client, true
	return true
}

// readProxy reads until the header is whole; what follows it stays in the buffer.
func (s *session) readProxy(deadline time.Time) (proxyHeader, error) {
	for {
		h, n, err := parseProxy(s.w.buffered())
		if err == nil {
			s.w.discard(n)
		}
		if err != errPartial {
			return h, err
		}
		if _, err := s.await(deadline); err != nil {
			return proxyHeader{}, noEOF(err)
		}
	}
}

// noEOF makes an end that came too early an error that reads as one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// proxyWait bounds the wait for a PROXY header: proxies send it at once.
const proxyWait = 10 * time.Second
