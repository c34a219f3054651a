package scanproto

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Tray is memory that has no name (memfd_create(2)), on which the daemon lays the objects
// of a request and from which one worker reads them where they lie: over the socket each
// megabyte would be copied twice more, into memory that is new each time. The daemon
// writes by system calls: where memory runs out it gets an error from them and no signal.
type Tray struct {
	file *os.File
	used int64 // octets that may hold memory
}

// keep is how much memory an empty tray holds on to for the next request, in octets.
const keep = 4 << 20

// NewTray makes a tray and the file with which a worker reads it: one that it can neither
// write nor cut short. The caller closes both.
func NewTray() (*Tray, *os.File, error) {
	fd, err := unix.MemfdCreate("congthu-objects", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, fmt.Errorf("scanproto: memory for the objects: %w", err)
	}
	t := &Tray{file: os.NewFile(uintptr(fd), "objects")}
	reader, err := t.seal()
	if err != nil {
		_ = t.Close() // nothing is in it
		return nil, nil, fmt.Errorf("scanproto: memory for the objects: %w", err)
	}
	return t, reader, nil
}

// seal fixes the size and opens the tray once more, for reading alone.
func (t *Tray) seal() (*os.File, error) {
	if err := t.file.Truncate(MaxRequestBody); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(t.file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		return nil, err
	}
	return os.Open("/proc/self/fd/" + strconv.Itoa(int(t.file.Fd())))
}

// few is how many objects are laid with one call; letters with more are rare.
const few = 16

// lay puts the objects end to end.
func (t *Tray) lay(objects []Object) error {
	var size int64
	var all [few][]byte
	for i, o := range objects {
		if i < few {
			all[i] = o.Data
		}
		size += int64(len(o.Data))
	}
	if len(objects) <= few {
		t.used = max(t.used, size)
		if n, err := unix.Pwritev(int(t.file.Fd()), all[:len(objects)], 0); err == nil && int64(n) == size {
			return nil
		}
	}
	return t.layEach(objects)
}

// layEach does it by one call for each, and says what is wrong.
func (t *Tray) layEach(objects []Object) error {
	var at int64
	for _, o := range objects {
		if _, err := t.file.WriteAt(o.Data, at); err != nil {
			return fmt.Errorf("scanproto: lay out the objects: %w", err)
		}
		at += int64(len(o.Data))
		t.used = max(t.used, at)
	}
	return nil
}

// Clear gives the memory of a large request back to the system.
func (t *Tray) Clear() error {
	if t.used <= keep {
		return nil
	}
	const punch = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	if err := unix.Fallocate(int(t.file.Fd()), punch, keep, MaxRequestBody-keep); err != nil {
		return fmt.Errorf("scanproto: clear the tray: %w", err)
	}
	t.used = keep
	return nil
}

// Close lets go of the tray. A worker that still has it open can go on to read.
func (t *Tray) Close() error { return t.file.Close() }

// MapTray is the worker's view of the tray behind a file of NewTray. It stays until the
// process ends; writing to it ends the process.
func MapTray(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("scanproto: tray: %w", err)
	}
	if info.Size() != MaxRequestBody {
		return nil, errors.New("scanproto: this is no tray")
	}
	view, err := unix.Mmap(int(f.Fd()), 0, MaxRequestBody, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("scanproto: tray: %w", err)
	}
	return view, nil
}
