package attach

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"congthu/internal/scanproto"
)

// line is our end of the socket to a worker. A thread of ours waits for the answer, and the
// kernel wakes it when there is one: a socket of package net is woken by way of the
// runtime's poller, which is much of what a small letter costs.
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
	left := time.Until(l.until)
	if left <= 0 { // also when there is something: one word after the other may come
		return 0, os.ErrDeadlineExceeded
	}
	var late error
	if err := l.raw.Control(func(fd uintptr) { late = scanproto.Wait(fd, left) }); err != nil {
		return 0, err
	}
	if late != nil {
		return 0, late
	}
	return l.file.Read(p)
}

// chunk is what is written with one call, in octets: the kernel's bound is for each piece
// of the socket's buffer anew. The first one always finds room: what was said before has
// been taken, for it was answered.
const chunk = 32 << 10

// Write is bounded as Read is: a worker need not take what it is sent.
func (l *line) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if n > 0 {
			err = l.bound()
		}
		if err == nil {
			var took int
			took, err = l.file.Write(p[n:min(n+chunk, len(p))])
			n += took
		}
	}
	if errors.Is(err, syscall.EAGAIN) { // what the kernel calls the end of time
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// bound lets the kernel end the next write in time (socket(7)).
func (l *line) bound() error {
	left := time.Until(l.until)
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	tv := unix.NsecToTimeval(max(left, time.Microsecond).Nanoseconds()) // zero would be for ever
	var refused error
	err := l.raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptTimeval(int(fd), unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv)
	})
	return errors.Join(err, refused)
}

// cut ends what is waited for now and later.
func (l *line) cut() {
	_ = l.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) }) // it may be closed
}

// Close ends the line.
func (l *line) Close() error { return l.file.Close() }
