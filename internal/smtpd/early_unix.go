//go:build unix

package smtpd

import (
	"net"
	"syscall"
)

// arrived tells whether the peer has sent anything yet, without waiting and
// without taking it. A connection that cannot be looked at counts as silent.
func arrived(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	talked := false
	err = raw.Read(func(fd uintptr) bool {
		var p [1]byte
		n, _, err := syscall.Recvfrom(int(fd), p[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		talked = err == nil && n > 0
		return true
	})
	return err == nil && talked
}
