package attach

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"
)

func pair(t *testing.T, left time.Duration) (*line, *os.File) {
	t.Helper()
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	ours.until = time.Now().Add(left)
	return ours, theirs
}

// What is said comes over whole, also what is longer than the kernel keeps.
func TestLineCarries(t *testing.T) {
	ours, theirs := pair(t, time.Minute)
	long := make([]byte, 3<<20)
	for i := range long {
		long[i] = byte(i * 7)
	}
	go func() { _, _ = io.CopyN(theirs, theirs, int64(len(long))) }() // an echo
	go func() { _, _ = ours.Write(long) }()
	got := make([]byte, len(long))
	if _, err := io.ReadFull(ours, got); err != nil || string(got) != string(long) {
		t.Fatalf("%v, or other octets", err)
	}
}

// The time ends a wait for octets, a wait for room, and what begins after it; a worker that
// takes a little again and again does not lengthen it.
func TestLineEndsInTime(t *testing.T) {
	for name, do := range map[string]func(*line, *os.File) error{
		"silent": func(l *line, _ *os.File) error { _, err := l.Read(make([]byte, 1)); return err },
		"drips": func(l *line, w *os.File) error {
			go func() {
				for _, err := w.Write([]byte("x")); err == nil; _, err = w.Write([]byte("x")) {
					time.Sleep(10 * time.Millisecond)
				}
			}()
			_, err := io.Copy(io.Discard, l)
			return err
		},
		"deaf": func(l *line, _ *os.File) error { _, err := l.Write(make([]byte, 8<<20)); return err },
		"sips": func(l *line, w *os.File) error {
			go func() {
				for _, err := w.Read(make([]byte, 4<<10)); err == nil; _, err = w.Read(make([]byte, 4<<10)) {
					time.Sleep(20 * time.Millisecond)
				}
			}()
			_, err := l.Write(make([]byte, 64<<20))
			return err
		},
		"late": func(l *line, w *os.File) error {
			_, _ = w.Write([]byte("x"))
			l.until = time.Now()
			_, err := l.Read(make([]byte, 1))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := pair(t, 100*time.Millisecond)
			start := time.Now()
			if err := do(ours, theirs); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// A cut wakes who waits, and is no deed upon a line that was closed before.
func TestLineIsCut(t *testing.T) {
	ours, _ := pair(t, time.Hour)
	time.AfterFunc(20*time.Millisecond, ours.cut)
	if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read: %v", err)
	}
	if _, err := ours.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write: %v", err)
	}
	if err := ours.Close(); err != nil {
		t.Error(err)
	}
	other, end := pair(t, time.Minute) // may get the number of the one that was closed
	ours.cut()
	_, _ = end.Write([]byte("x"))
	if _, err := other.Read(make([]byte, 1)); err != nil {
		t.Errorf("another line was cut: %v", err)
	}
}
