package store

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The lock is given back by whoever closes it, even while a process that is being started has
// the file open as well; and nobody else gets it before.
func TestLockIsGivenBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), lockName)
	lock, err := takeLock(name)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := takeLock(name); err == nil {
		_ = again.Close()
		t.Fatal("two have the lock")
	}
	child, err := unix.Dup(int(lock.(dirLock).Fd())) // as between fork and exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(child)
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	again, err := takeLock(name)
	if err != nil {
		t.Fatalf("the lock is not free: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
