package admin

import (
	"context"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"congthu/internal/token"
)

// OnSocket is how callers on the Unix socket have come (token.Who.Via).
const OnSocket = "socket"

type callerKey struct{}

// WithCaller notes who calls.
func WithCaller(ctx context.Context, w token.Who) context.Context {
	return context.WithValue(ctx, callerKey{}, w)
}

// Caller returns who calls; the zero Who, which may do nothing, when nobody has said.
func Caller(ctx context.Context) token.Who {
	w, _ := ctx.Value(callerKey{}).(token.Who)
	return w
}

// WithPeer is for http.Server.ConnContext: it notes which user of this machine has opened
// the socket, as the kernel says (SO_PEERCRED); what a request says of itself is not asked.
// Who can open it is an administrator.
func WithPeer(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ctx
	}
	var cred *unix.Ucred
	if raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }) != nil || err != nil {
		return ctx
	}
	return WithCaller(ctx, Local(userName(cred.Uid)))
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "uid " + id
}

// Local is a user of this machine, who may do everything: the socket, and the data
// directory, open to nobody else.
func Local(name string) token.Who {
	return token.Who{Name: name, Role: token.Administrator, Via: OnSocket}
}
