package scanproto_test

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"congthu/internal/scanproto"
)

// tray returns both sides of a tray.
func tray(t testing.TB) (*scanproto.Tray, []byte, *os.File) {
	t.Helper()
	tray, reader, err := scanproto.NewTray()
	if err != nil {
		t.Fatal(err)
	}
	view, err := scanproto.MapTray(reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _, _ = tray.Close(), reader.Close(), unix.Munmap(view)
	})
	return tray, view, reader
}

// The worker's file reads and does nothing else: a worker that was taken over can neither
// take the memory away from under the daemon nor fill it.
func TestTheWorkerOnlyReads(t *testing.T) {
	_, _, f := tray(t)
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("it can write")
	}
	if err := f.Truncate(0); err == nil {
		t.Error("it can cut the tray short")
	}
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096); err == nil {
		t.Error("it can make holes")
	}
	if _, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("it can map it to write")
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err == nil {
		t.Error("it can seal it against the daemon")
	}
}

// A large request leaves no memory behind, a small one keeps it for the next.
func TestClearGivesMemoryBack(t *testing.T) {
	tr, view, f := tray(t)
	held := func() int64 {
		var st syscall.Stat_t
		if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	send := func(size int) {
		var wire bytes.Buffer
		err := scanproto.WriteRequest(&wire, tr, &scanproto.Request{Objects: []scanproto.Object{{Data: bytes.Repeat([]byte("x"), size)}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := scanproto.ReadRequest(&wire, view)
		if err != nil || len(r.Objects[0].Data) != size || r.Objects[0].Data[size-1] != 'x' {
			t.Fatal(err)
		}
		if err := tr.Clear(); err != nil {
			t.Fatal(err)
		}
	}
	send(1 << 20)
	if got := held(); got < 1<<20 {
		t.Errorf("%d octets are kept", got)
	}
	send(60 << 20)
	if got := held(); got > 4<<20 {
		t.Errorf("%d octets are still held", got)
	}
	send(60 << 20) // and again
	send(10)
}

func TestTrayIsBounded(t *testing.T) {
	tr, _, _ := tray(t)
	half := make([]byte, scanproto.MaxRequestBody/2)
	err := scanproto.WriteRequest(&bytes.Buffer{}, tr, &scanproto.Request{Objects: []scanproto.Object{{Data: half}, {Data: half}, {Data: half[:1]}}})
	if !errors.Is(err, scanproto.ErrTooLarge) {
		t.Error(err)
	}
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := scanproto.MapTray(f); err == nil {
		t.Error("any file is taken for a tray")
	}
}
