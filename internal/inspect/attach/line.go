package attach

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// line is our end of the socket to a worker. It reads by a thread that waits in read(2): the
// kernel wakes that one at once, and the goroutine with it, where a socket of package net
// is woken by way of the runtime's poller, which is much of what a small letter costs.
type line struct {
	file  *os.File
	raw   syscall.RawConn // what is done by it is never done to another file of the same number
	until time.Time       // no word is waited for after this
}

// socketPair makes the line and the worker's end of it. The caller closes both.
func socketPair() (ours *line, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("attach: socket: %w", err)
	}
	ours = &line{file: os.NewFile(uintptr(fds[0]), "worker")}
	theirs = os.NewFile(uintptr(fds[1]), "daemon")
	if ours.raw, err = ours.file.SyscallConn(); err != nil {
		_, _ = ours.Close(), theirs.Close() // unused
		return nil, nil, fmt.Errorf("attach: socket: %w", err)
	}
	return ours, theirs, nil
}

// Read waits for octets until the line's time has come: os.ErrDeadlineExceeded.
func (l *line) Read(p []byte) (int, error) {
	if err := l.bound(unix.SO_RCVTIMEO); err != nil {
		return 0, err
	}
	n, err := l.file.Read(p)
	return n, late(err)
}

// chunk is what is written with one call, in octets: the kernel's bound is for each piece
// of the socket's buffer anew.
const chunk = 32 << 10

// Write is bounded as Read is: a worker need not take what it is sent.
func (l *line) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if err = l.bound(unix.SO_SNDTIMEO); err != nil {
			break
		}
		var took int
		took, err = l.file.Write(p[n:min(n+chunk, len(p))])
		n += took
	}
	return n, late(err)
}

// bound lets the kernel end the next call in time (socket(7)).
func (l *line) bound(option int) error {
	left := time.Until(l.until)
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	tv := unix.NsecToTimeval(max(left, time.Microsecond).Nanoseconds()) // zero would be for ever
	var refused error
	err := l.raw.Control(func(fd uintptr) { refused = unix.SetsockoptTimeval(int(fd), unix.SOL_SOCKET, option, &tv) })
	return errors.Join(err, refused)
}

// late gives the end of time, which the kernel calls EAGAIN, its usual name.
func late(err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// cut ends what is waited for now and later.
func (l *line) cut() {
	_ = l.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) }) // it may be closed
}

// Close ends the line.
func (l *line) Close() error { return l.file.Close() }
