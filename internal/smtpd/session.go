package smtpd

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// session is one connection. What belongs to one message is in tx, which is
// dropped whole, so nothing of a message can leak into the next.
type session struct {
	srv     *Server
	on      *listening
	raw     net.Conn // the connection below TLS
	w       *wire
	peer    netip.AddrPort // who is really connected; who it speaks for is who.Remote
	claimed netip.Addr     // the client that the census counts us to, when counted
	counted bool
	proxied bool                // must begin with a PROXY header
	shown   []*x509.Certificate // by the client in TLS

	who     msg.Session
	greeted bool // EHLO or HELO was said
	tx      *transaction

	started      time.Time
	commands     int
	messages     int
	errors       int
	idleCommands int
	refusedRcpts int
	failedAuths  int
	triedAuth    bool // what follows may be a password

	idle    sync.Mutex // guards waiting against wake
	waiting bool       // blocked in reading a command
}

// transaction is one message in the making, from MAIL to the end of DATA.
type transaction struct {
	env     msg.Envelope
	size    int64 // declared by SIZE=, 0 when not
	refused int   // RCPT commands refused
}

// answer is what a verb comes to.
type answer struct {
	msg.Reply      // Code 0: the verb has said all there is to say
	bad       bool // counts as a protocol error
	end       bool // the session ends with it
}

func ok(detail, text string) answer {
	return answer{Reply: msg.Reply{Code: 250, Detail: detail, Text: text}}
}

// wrong is the answer to a command that breaks the protocol.
func wrong(r msg.Reply) answer { return answer{Reply: r, bad: true} }

// closing is an answer that ends the session.
func closing(r msg.Reply) answer { return answer{Reply: r, end: true} }

// errStopping ends a session because its listener or the server does.
var errStopping = errors.New("smtpd: stopping")

func newSession(srv *Server, conn net.Conn, on *listening, peer netip.AddrPort, proxied bool) *session {
	return &session{
		srv: srv, on: on, raw: conn, peer: peer, proxied: proxied,
		w:       newWire(conn, &srv.small, &srv.large, srv.lim.CommandWait),
		claimed: peer.Addr(), counted: !proxied,
		who:     msg.Session{Remote: peer, Listener: on.cfg.Name},
		started: time.Now(),
	}
}

// run serves the connection to its end. A panic in here is our mistake: it costs
// this session and is answered like any other trouble, with "try again".
func (s *session) run(ctx context.Context) {
	defer s.forget()
	defer func() {
		if p := recover(); p != nil {
			s.event(evPanic)
			s.log().Error("smtpd: panic in session", "panic", p, "stack", string(debug.Stack()))
			s.farewell(replyTrouble)
		}
	}()
	s.identify()
	if s.open(ctx) {
		s.serve(ctx)
	}
	s.log().Debug("smtpd: session ended", "helo", lang.Safe(s.who.Helo, 100), "tls", s.who.TLS,
		"commands", s.commands, "messages", s.messages, "errors", s.errors, "took", time.Since(s.started))
}

// forget gives back all that the session was counted for.
func (s *session) forget() {
	_ = s.raw.Close()
	if s.counted {
		s.srv.census.disclaim(s.claimed)
	}
	s.srv.census.leave()
	s.w.giveBack()
}

// identify asks anew who the client is. What a password has shown is forgotten.
func (s *session) identify() {
	s.who.Identity = msg.Identity{}
	if a := s.who.Remote.Addr(); a.IsValid() {
		s.who.Identity = s.srv.opt.Identify(a, s.shown)
	}
	s.who.Outbound = s.who.Identity.Proof != msg.Unproven
}

func (s *session) log() *slog.Logger {
	l := s.srv.opt.Log.With("remote", s.who.Remote, "listener", s.who.Listener)
	if who := s.who.Identity; who.Named() {
		l = l.With("agency", who.Agency, "account", who.Account)
	}
	return l
}

// event counts what happened and logs what an attack may look like.
func (s *session) event(name string) {
	s.srv.opt.Event(name)
	switch name {
	case evBareLineEnding, evEarlyTalker, evHTTP, evLimit, evLoop, evProxy, evSlow, evTLSFailed, evTLSInjection, evTruncated:
		s.log().Info("smtpd: "+name, "helo", lang.Safe(s.who.Helo, 100))
	}
}

// ends is when the session has lasted long enough.
func (s *session) ends() time.Time { return s.started.Add(s.srv.lim.Session) }

// serve is the command loop.
func (s *session) serve(ctx context.Context) {
	for {
		line, err := s.command()
		if err != nil {
			s.broken(err)
			return
		}
		s.commands++
		a := s.dispatch(ctx, string(line))
		s.note(string(line), a)
		if a.Code != 0 {
			s.say(a.Reply)
		}
		if a.end {
			s.close()
			return
		}
		if s.exceeded() {
			s.event(evLimit)
			s.farewell(replySessionLimit)
			return
		}
	}
}

// exceeded tells whether the session has used up one of its counts.
func (s *session) exceeded() bool {
	l := s.srv.lim
	return s.errors >= l.Errors || s.idleCommands >= l.IdleCommands || s.refusedRcpts >= l.RefusedRecipients
}

// note counts an answer, and logs it when it refuses something.
func (s *session) note(line string, a answer) {
	if a.bad {
		s.errors++
		s.event(evProtocolError)
	}
	if a.Code >= 400 {
		s.log().Info("smtpd: refused", "helo", lang.Safe(s.who.Helo, 100), "command", lang.Safe(s.loggable(line), 200), "reply", a.Reply.String())
	}
}

// command waits for the next whole command line.
func (s *session) command() ([]byte, error) { return s.line(s.srv.lim.CommandLine) }

// line waits for the next whole line of at most limit octets. One deadline covers the
// whole line: octets that trickle in do not move it.
func (s *session) line(limit int) ([]byte, error) {
	deadline := s.commandDeadline()
	for {
		if s.stopping() {
			return nil, errStopping
		}
		line, err := s.w.line(limit)
		if err != errPartial {
			return line, err
		}
		s.w.narrow()
		if _, err := s.await(deadline); err != nil {
			return nil, err
		}
	}
}

// commandDeadline is a thirtieth of the wait when the server is nearly full
// (10 seconds by default): the idle make room first.
func (s *session) commandDeadline() time.Time {
	wait := s.srv.lim.CommandWait
	if s.srv.census.crowded(s.srv.lim.Connections) {
		wait /= 30
	}
	return earlier(time.Now().Add(wait), s.ends())
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// stopping tells whether the session is to end at the next chance.
func (s *session) stopping() bool { return s.srv.closing.Load() || s.on.closing.Load() }

// await flushes and reads once. wake can interrupt it, which is why the deadline is
// set under the lock: a wake is either seen before it or ends the read.
func (s *session) await(deadline time.Time) (int, error) {
	if err := s.w.flush(); err != nil {
		return 0, err
	}
	s.idle.Lock()
	if s.stopping() {
		s.idle.Unlock()
		return 0, errStopping
	}
	err := s.raw.SetReadDeadline(deadline)
	s.waiting = true
	s.idle.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := s.w.read()
	s.idle.Lock()
	s.waiting = false
	s.idle.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) && s.stopping() {
		return n, errStopping
	}
	return n, err
}

// wake ends the wait of a session that is to stop.
func (s *session) wake() {
	s.idle.Lock()
	defer s.idle.Unlock()
	if s.waiting && s.stopping() {
		_ = s.raw.SetReadDeadline(time.Now())
	}
}

// broken ends the session for a reason that is not a command's answer. What was
// read of an unfinished line is never run.
func (s *session) broken(err error) {
	reply, event := replyTimeout, evTimeout
	switch {
	case errors.Is(err, errStopping):
		s.farewell(replyClosing)
		return
	case errors.Is(err, errBareEnding):
		reply, event = replyBareEnding, evBareLineEnding
	case errors.Is(err, errLineTooLong):
		reply, event = replyLineTooLong, evLimit
	case errors.Is(err, os.ErrDeadlineExceeded):
		if !time.Now().Before(s.ends()) {
			reply, event = replySessionLimit, evLimit
		}
	default: // the peer is gone
		if !errors.Is(err, io.EOF) {
			s.log().Debug("smtpd: connection lost", "error", err)
		}
		return
	}
	s.event(event)
	s.log().Info("smtpd: session refused", "reply", reply.String())
	s.farewell(reply)
}

// say collects a reply; it is sent when the session next waits, or when a client
// that pipelines without end has made it large.
func (s *session) say(r msg.Reply) {
	s.w.out = appendReply(s.w.out, r)
	if len(s.w.out) > 16<<10 {
		_ = s.w.flush() // a broken connection shows itself at the next read
	}
}

func (s *session) farewell(r msg.Reply) {
	s.say(r)
	s.close()
}

// Bounds of the wait for a peer to read our last reply.
const (
	lingerTime     = time.Second
	lingerStopping = 100 * time.Millisecond // a peer that is told 421 while idle has little under way
	lingerOctets   = 1 << 20
)

// close sends what is still to be said and ends our side; then it throws away what
// the peer has still to send, within bounds. Without that, closing with unread
// octets resets the connection and the peer never sees why.
func (s *session) close() {
	if s.w.flush() != nil {
		return
	}
	if c, ok := s.w.conn.(interface{ CloseWrite() error }); ok && s.w.conn != s.raw {
		_ = c.CloseWrite() // TLS close_notify
	}
	c, ok := s.raw.(interface{ CloseWrite() error })
	if !ok || c.CloseWrite() != nil {
		return
	}
	linger := lingerTime
	if s.stopping() {
		linger = lingerStopping
	}
	_ = s.raw.SetReadDeadline(time.Now().Add(linger))
	_, _ = io.CopyBuffer(onlyWriter{}, io.LimitReader(onlyReader{s.raw}, lingerOctets), s.w.in)
}

// onlyReader and onlyWriter hide faster ways to copy, which would not use the
// buffer that is at hand.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{}
)

func (onlyWriter) Write(p []byte) (int, error) { return len(p), nil }

// resetTransaction forgets the message in the making.
func (s *session) resetTransaction() { s.tx = nil }

// resetAll forgets everything the client said, as RFC 3207 section 4.2 asks after
// STARTTLS.
func (s *session) resetAll() {
	s.tx, s.greeted = nil, false
	s.who.Helo, s.who.ESMTP = "", false
}

// words splits parameters at spaces; repeated ones do not count.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
}
