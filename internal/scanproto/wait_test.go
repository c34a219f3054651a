package scanproto_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"congthu/internal/scanproto"
)

// Octets and an end are what is waited for; that the other side takes what it was sent is not.
func TestWait(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close() //nolint:errcheck // a test's
	if _, err := ours.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(5*time.Millisecond, func() { _, _ = theirs.Read(make([]byte, 100)) })
	if err := scanproto.Wait(uintptr(fds[0]), 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("taken, not answered: %v", err)
	}
	if err := scanproto.Wait(uintptr(fds[0]), -1); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("no time: %v", err)
	}
	for _, do := range []func() error{
		func() error { _, err := theirs.Write([]byte("x")); return err },
		theirs.Close,
	} {
		time.AfterFunc(5*time.Millisecond, func() { _ = do() })
		if err := scanproto.Wait(uintptr(fds[0]), time.Minute); err != nil {
			t.Error(err)
		}
		_, _ = ours.Read(make([]byte, 1))
	}
}
