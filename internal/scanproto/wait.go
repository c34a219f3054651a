package scanproto

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Wait returns when a socket has something to read or was closed at its other end, and
// after so much time with os.ErrDeadlineExceeded. A thread that waits in read(2) itself is
// woken too when the other side takes what it was sent, only to sleep again, since the
// kernel has one queue for both; poll(2) is woken for octets alone.
func Wait(fd uintptr, most time.Duration) error {
	end := time.Now().Add(most)
	for {
		left := unix.NsecToTimespec(max(time.Until(end), 0).Nanoseconds())
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &left, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("scanproto: wait: %w", err)
		case n == 0:
			return os.ErrDeadlineExceeded
		}
		return nil
	}
}
