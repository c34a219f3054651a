package scan_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"congthu/internal/scanproto"
)

// onTray lays the objects of a request where they cannot be written to, as the daemon
// does: a parser that works in its input ends the test.
func onTray(t testing.TB, r *scanproto.Request) *scanproto.Request {
	t.Helper()
	for i, o := range r.Objects {
		if len(o.Data) == 0 {
			continue
		}
		m, err := unix.Mmap(-1, 0, len(o.Data), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		copy(m, o.Data)
		if err := unix.Mprotect(m, unix.PROT_READ); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Munmap(m) })
		r.Objects[i].Data = m
	}
	return r
}
