package store

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// files is what the store does with the disk itself. Tests put failures in it.
type files interface {
	Create(path string) (file, error)
	SyncDir(path string) error
	Remove(path string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

// disk is the real one.
type disk struct{}

// Create makes a new file; it never follows a link or opens what exists.
func (disk) Create(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|unix.O_NOFOLLOW, 0o600)
}

// SyncDir makes the names in a directory durable. Without it a synced file can
// lose its name in a power cut.
func (disk) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Remove unlinks a file.
func (disk) Remove(path string) error { return os.Remove(path) }
