//go:build !unix

package smtpd

import "net"

// arrived needs a system call that is not portable; GreetDelay works everywhere.
func arrived(net.Conn) bool { return false }
