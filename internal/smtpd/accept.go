package smtpd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// acceptAll takes connections until the listener closes. Running out of
// descriptors must not end the server: it waits a little and goes on.
func (s *Server) acceptAll(ctx context.Context, on *listening) error {
	var pause time.Duration
	for {
		conn, err := on.l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.admit(conn, on)
		case on.closing.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.opt.Event(evAcceptFailed)
			s.opt.Log.Warn("smtpd: accept failed", "listener", on.cfg.Name, "error", err, "retry_in", pause)
			sleep(ctx, pause)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// admit starts a session, or refuses the connection in one write without spending
// a goroutine on it. A peer that speaks PROXY is not counted itself: it is every
// client at once. The one it announces is counted later.
func (s *Server) admit(conn net.Conn, on *listening) {
	s.opt.Event(evConnect)
	peer := addrPort(conn.RemoteAddr())
	proxied := contains(on.cfg.PROXY, peer.Addr())
	if !s.census.enter(s.lim.Connections) {
		s.turnAway(conn, peer)
		return
	}
	if !proxied && !s.census.claim(peer.Addr(), s.lim.PerClient) {
		s.census.leave()
		s.turnAway(conn, peer)
		return
	}
	one := newSession(s, conn, on, peer, proxied)
	if !s.register(one) {
		one.forget()
		s.turnAway(conn, peer)
		return
	}
	go func() {
		defer s.unregister(one)
		one.run(s.base)
	}()
}

// turnAway says 421 and closes. A write to a fresh connection does not block;
// the deadline is for the case that it does.
func (s *Server) turnAway(conn net.Conn, peer netip.AddrPort) {
	reply := replyTooManyConnections
	if s.closing.Load() {
		reply = replyClosing
	}
	s.opt.Event(evRefusedConnection)
	s.opt.Log.Info("smtpd: "+evRefusedConnection, "remote", peer, "reply", reply)
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write(appendReply(nil, reply))
	_ = conn.Close()
}

// addrPort is the zero value for a peer that has no IP address (a pipe in a test).
func addrPort(a net.Addr) netip.AddrPort {
	if a == nil {
		return netip.AddrPort{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

func contains(nets []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}
