package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	lockName = "congthu.lock"
	nameFile = "gateway.name"
)

// prepareDir makes the data directory what it must be and takes its lock.
func prepareDir(dir string, lock *io.Closer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return problemOpen(dir, err)
	}
	if err := checkMode(dir, fs.ModeDir, 0o700, 0o022); err != nil {
		return err
	}
	l, err := takeLock(filepath.Join(dir, lockName))
	if err != nil {
		return err
	}
	*lock = l
	return nil
}

// prepareFiles makes the place of body files, and the database file, so that it is
// never readable by others. It runs only under the lock: closing a second descriptor
// of a file that SQLite has open would drop SQLite's own locks.
func prepareFiles(dir, path string) error {
	bodies := filepath.Join(dir, bodiesDir)
	if err := os.Mkdir(bodies, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return problemOpen(bodies, err)
	}
	if err := checkMode(bodies, fs.ModeDir, 0o700, 0o077); err != nil {
		return err
	}
	return makeFile(path)
}

// nameOf returns the name of a data directory, which is made at its first use. Under
// the lock nobody else does the same.
func nameOf(dir string) (string, error) {
	path := filepath.Join(dir, nameFile)
	b, err := os.ReadFile(path)
	if name := strings.TrimSpace(string(b)); err == nil && name != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", problemOpen(path, err)
	}
	name := newID()
	if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
		return "", problemOpen(path, err)
	}
	return name, nil // lost in a power cut it is another one, and nothing is lost with it
}

func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrExist):
		return checkMode(path, 0, 0o600, 0o077)
	}
	return problemOpen(path, err)
}

// checkMode refuses what is not of that kind (a symbolic link is not) and what
// gives others one of the forbidden permissions.
func checkMode(path string, kind fs.FileMode, want, forbidden fs.FileMode) error {
	st, err := os.Lstat(path)
	if err != nil {
		return problemOpen(path, err)
	}
	if st.Mode().Type() != kind {
		return problemKind(path)
	}
	if st.Mode().Perm()&forbidden != 0 {
		return problemMode(path, uint32(st.Mode().Perm()), uint32(want))
	}
	return nil
}

// takeLock locks the data directory for this process. The kernel gives the lock
// back when the process ends, however it ends.
func takeLock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, problemOpen(path, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		who := holder(f)
		return nil, errors.Join(problemLocked(path, who, err), f.Close())
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid()) // for the error message only
	}
	return dirLock{f}, nil
}

// dirLock is the lock of the data directory. It is given back by name: a process that is
// being started at that moment has the file open as well, until it is the other program.
type dirLock struct{ *os.File }

// Close gives the lock back.
func (l dirLock) Close() error {
	return errors.Join(unix.Flock(int(l.Fd()), unix.LOCK_UN), l.File.Close())
}

// holder reads who has the lock, for the error message.
func holder(r io.Reader) string {
	b, err := io.ReadAll(io.LimitReader(r, 20))
	pid := strings.TrimSpace(string(b))
	if err != nil || pid == "" || strings.Trim(pid, "0123456789") != "" {
		return ""
	}
	return " (pid " + pid + ")"
}

func freeSpace(dir string) (free, total uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("store: free space of %s: %w", dir, err)
	}
	size := uint64(st.Bsize) //nolint:gosec // a block size is positive
	return st.Bavail * size, st.Blocks * size, nil
}
