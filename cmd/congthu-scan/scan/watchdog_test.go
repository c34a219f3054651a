package scan_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/scan"
	"congthu/cmd/congthu-scan/yarascan"
)

// late is a parser that takes its time and comes back.
type late struct{ takes time.Duration }

func (s late) Scan(yarascan.Object, time.Duration) ([]yarascan.Match, error) {
	time.Sleep(s.takes)
	return nil, nil
}

// A watchdog watches each of many requests anew: one after a pause and after others that
// came back, also late, bites when it hangs, and no other does.
func TestWatchdogStaysAwake(t *testing.T) {
	d := &scan.Watchdog{}
	look := func(m scan.Matcher, ms int64, stuck func(scan.Seen)) error {
		r := request(object("a.txt", []byte("x")), object("b.txt", []byte("y")))
		r.TimeoutMS = ms
		_, err := d.Look(context.Background(), m, archive.DefaultLimits(), r, stuck)
		return err
	}
	never := func(scan.Seen) { t.Error("bitten") }
	for range 3 {
		if err := look(late{}, 60_000, never); err != nil {
			t.Error(err)
		}
		if err := look(late{20 * time.Millisecond}, 1, never); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a late one: %v", err)
		}
		time.Sleep(600 * time.Millisecond) // it sleeps by now
	}
	h, bitten := hangs{make(chan struct{})}, false
	_ = look(h, 10, func(scan.Seen) { bitten = true; close(h.until) })
	if !bitten {
		t.Error("a hanging one was not")
	}
}
