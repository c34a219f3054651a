package smtpd

import (
	"context"
	"runtime/debug"

	"congthu/internal/msg"
)

// handle asks the Handler, and waits no longer than HandleTimeout. The sender is
// told 451 when no answer came; should the Handler take the message after all, it
// arrives twice, which SMTP allows and losing it does not. The message's memory
// stays counted until the Handler lets go of it.
func (s *session) handle(ctx context.Context, b *body, m *msg.Message) msg.Reply {
	ctx, cancel := context.WithTimeout(ctx, s.srv.opt.HandleTimeout)
	done := make(chan msg.Reply, 1)
	s.srv.running.Add(1)
	go func() {
		defer s.srv.running.Done()
		defer cancel()
		defer b.release()
		done <- s.srv.guarded(ctx, m)
	}()
	select {
	case r := <-done:
		return final(r)
	case <-ctx.Done():
	}
	select {
	case r := <-done: // both at once: the answer is the truth
		return final(r)
	default:
		s.event(evHandlerTimeout)
		s.log().Error("smtpd: no answer from the handler in time", "id", m.ID, "after", s.srv.opt.HandleTimeout)
		return replyLater
	}
}

// guarded calls the Handler; a panic is no answer.
func (s *Server) guarded(ctx context.Context, m *msg.Message) (r msg.Reply) {
	defer func() {
		if p := recover(); p != nil {
			s.opt.Event(evHandlerPanic)
			s.opt.Log.Error("smtpd: panic in the handler", "id", m.ID, "panic", p, "stack", string(debug.Stack()))
			r = msg.Reply{}
		}
	}()
	return s.opt.Handler.Handle(ctx, m)
}
