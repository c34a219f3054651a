// Package smtpd is the edge of the gateway: a strict, bounded ESMTP server
// (RFC 5321) that turns one DATA into one msg.Message, asks a Handler what to
// answer, and says exactly that.
//
// What the rest of the gateway may rely on:
//
//   - A message is handed on only after an exact CRLF.CRLF. A connection that ends,
//     stalls or breaks a rule before that leaves nothing behind.
//   - Lines end in CRLF and nothing else. A bare CR, a bare LF or a NUL, in a
//     command or in a message, ends the session with 550 5.5.2: two readers would
//     otherwise see two different messages there (SMTP smuggling).
//   - Message.Raw is what was sent, less the dot-stuffing; no octet is repaired.
//   - A Path was parsed by ParsePath, and its Raw form is what the client wrote.
//   - A password is asked for inside TLS only, and stands in no log line and no reply.
//   - Whatever goes wrong inside (a panic, a deadline, no answer) is 451 to the
//     client, never 250 and never a permanent refusal.
//
// The session loop is in session.go; every verb has a file of its own; the loop
// that finds the end of DATA stands alone in body.go.
package smtpd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"congthu/internal/msg"
)

// Handler takes one whole message. Its reply is what the sender is told, so a
// positive one means that the message is safe: delivered, or durable on disk.
type Handler interface {
	Handle(ctx context.Context, m *msg.Message) msg.Reply
}

// Options is what a Server is made of. Hostname, Handler and NewID are required.
type Options struct {
	Hostname string
	TLS      *tls.Config // nil: STARTTLS is not offered
	Limits   Limits      // a zero field takes its value from DefaultLimits
	Handler  Handler

	// CheckMail is asked at every MAIL, about the sender and for instance about the disk
	// reserve. The zero Reply means go on; any other refuses the sender with it.
	CheckMail func(context.Context, *msg.Session, msg.Path) msg.Reply
	// CheckRcpt is asked at every RCPT, with the same convention. Nil accepts all.
	CheckRcpt func(context.Context, *msg.Session, msg.Envelope, msg.Path) msg.Reply
	// Identify tells who a client is by its address and by the certificates it showed
	// in TLS, its own first. An Identity with a Proof may relay outward. It is asked
	// again when XCLIENT, PROXY or TLS change what is known. Nil: all are strangers.
	Identify func(netip.Addr, []*x509.Certificate) msg.Identity
	// Authenticate checks a name and a password of SMTP AUTH. The zero Reply means that
	// they are right; any other refuses, with the same words whatever was wrong. It
	// keeps its own back-off. Nil: AUTH is not offered.
	Authenticate func(ctx context.Context, client netip.Addr, name, password string) (msg.Identity, msg.Reply)

	NewID         func() string
	GreetDelay    time.Duration // wait for early talkers before 220; 0 looks only at what has arrived
	HandleTimeout time.Duration // 0 means 5 minutes, half of what RFC 5321 section 4.5.3.2.6 gives us
	Log           *slog.Logger
	Event         func(event string) // counts; may be nil. Events lists the names
}

// Listener says what is special about one listening address.
type Listener struct {
	Name    string         // Session.Listener
	XCLIENT []netip.Prefix // peers that may speak XCLIENT here; default nobody
	PROXY   []netip.Prefix // peers that must begin with a PROXY header here; default nobody

	ImplicitTLS bool // TLS begins with the connection, as on port 465 (RFC 8314 section 3.3)
	RequireTLS  bool // no MAIL before TLS
	Auth        bool // AUTH is offered, inside TLS only
	RequireAuth bool // no MAIL from a client that has shown neither a password nor a certificate
}

// Server serves SMTP on any number of listeners that share its limits.
type Server struct {
	opt    Options
	lim    Limits
	census census
	memory budget
	small  sync.Pool // command buffers
	large  sync.Pool // DATA buffers
	blocks sync.Pool // of messages in the making

	mu        sync.Mutex
	listeners map[*listening]struct{}
	sessions  map[*session]struct{}
	closed    bool           // under mu: nothing new is admitted
	closing   atomic.Bool    // the same, for sessions to look at
	running   sync.WaitGroup // sessions, and handlers that outlive theirs

	// base is the parent of every session's context. It is cancelled when
	// Shutdown runs out of patience, and by nothing else: a listener that ends must
	// not tear a message out of the Handler's hands.
	base   context.Context
	cancel context.CancelFunc
}

// listening is one running Serve.
type listening struct {
	cfg     Listener
	l       net.Listener
	closing atomic.Bool
}

// defaultHandleTimeout leaves the client's ten minutes half unused.
const defaultHandleTimeout = 5 * time.Minute

// New returns a Server; it serves once Serve is called.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Event == nil {
		o.Event = func(string) {}
	}
	if o.Identify == nil {
		o.Identify = func(netip.Addr, []*x509.Certificate) msg.Identity { return msg.Identity{} }
	}
	if o.HandleTimeout <= 0 {
		o.HandleTimeout = defaultHandleTimeout
	}
	s := &Server{
		opt: o, lim: o.Limits.withDefaults(),
		listeners: map[*listening]struct{}{}, sessions: map[*session]struct{}{},
	}
	s.memory.limit = s.lim.Memory
	s.census.byClient = map[netip.Prefix]int{}
	s.small.New = func() any { return new(make([]byte, smallBuffer(s.lim))) }
	s.large.New = func() any { return new(make([]byte, largeBuffer(s.lim))) }
	s.blocks.New = func() any { return new(make([]byte, 0, blockSize(s.lim))) }
	s.base, s.cancel = context.WithCancel(context.Background())
	return s
}

// errServerClosed is what Serve says when Shutdown came first.
var errServerClosed = errors.New("smtpd: the server is shut down")

// Serve accepts connections on l until ctx ends or Shutdown is called, and then
// returns nil. Idle sessions of this listener are told 421 when ctx ends; those in
// the middle of a message finish it. Shutdown waits for them.
func (s *Server) Serve(ctx context.Context, l net.Listener, cfg Listener) error {
	on := &listening{cfg: cfg, l: l}
	if !s.addListener(on) {
		_ = l.Close()
		return errServerClosed
	}
	defer s.dropListener(on)
	defer context.AfterFunc(ctx, func() { s.stopListening(on) })()
	return s.acceptAll(ctx, on)
}

func (s *Server) addListener(on *listening) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.listeners[on] = struct{}{}
	return true
}

func (s *Server) dropListener(on *listening) {
	s.mu.Lock()
	delete(s.listeners, on)
	s.mu.Unlock()
	_ = on.l.Close()
}

func (s *Server) stopListening(on *listening) {
	on.closing.Store(true)
	_ = on.l.Close()
	s.wakeIdle()
}

// Shutdown stops accepting and tells idle sessions 421 4.3.2 at once. Messages
// being received or handled may finish until ctx ends; then their connections are
// cut, their contexts cancelled, and ctx's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, on := range s.refuseNew() {
		s.stopListening(on)
	}
	s.wakeIdle()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	defer s.cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.cutAll()
		return ctx.Err()
	}
}

func (s *Server) refuseNew() []*listening {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.closing.Store(true)
	var all []*listening
	for on := range s.listeners {
		all = append(all, on)
	}
	return all
}

// wakeIdle makes sessions that wait for a command look up and see whether they
// are to end.
func (s *Server) wakeIdle() {
	for _, one := range s.allSessions() {
		one.wake()
	}
}

func (s *Server) cutAll() {
	s.cancel()
	for _, one := range s.allSessions() {
		_ = one.raw.Close()
	}
}

func (s *Server) allSessions() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*session, 0, len(s.sessions))
	for one := range s.sessions {
		all = append(all, one)
	}
	return all
}

// register admits a session to the books, unless the server is closing. The
// WaitGroup grows under the same lock, so Shutdown cannot miss one.
func (s *Server) register(one *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.sessions[one] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) unregister(one *session) {
	s.mu.Lock()
	delete(s.sessions, one)
	s.mu.Unlock()
	s.running.Done()
}
