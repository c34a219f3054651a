package queue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

// jumpRig has two clocks: what somebody sets, and what goes on.
func jumpRig(t *testing.T) (r *rig, steady *clock) {
	steady = &clock{now: t0}
	r = newRig(t, func(o *Options) {
		o.Steady = func() time.Duration { return steady.Now().Sub(t0) }
		o.Life, o.Warn = 5*24*time.Hour, 4*time.Hour
		o.Backoff = func(int) time.Duration { return time.Hour }
	})
	return r, steady
}

func jumps() []time.Duration {
	return []time.Duration{48 * time.Hour, -48 * time.Hour, 6 * 24 * time.Hour, time.Hour, -time.Hour} // DST among them
}

// A clock that jumps makes nothing expire, tells nobody of a delay that is none, and
// starts no attempt before its time.
func TestClockJumpsChangeNothing(t *testing.T) {
	for _, jump := range jumps() {
		t.Run(jump.String(), func(t *testing.T) {
			r, steady := jumpRig(t)
			r.hop.set(all(try450))
			r.run()
			for i := range 50 {
				r.put(letter(fmt.Sprint("m", i), "a@x.test"))
			}
			r.wait(func() bool { return strings.Count(r.log(), "deferred ") == 50 })
			r.pass(jump)
			for range 20 { // a storm would come now
				r.nudge()
				time.Sleep(2 * time.Millisecond)
			}
			if n := len(r.hop.transfers()); n != 50 {
				t.Errorf("%d attempts after the jump", n-50)
			}
			steady.add(time.Hour)
			r.pass(time.Hour)
			r.wait(func() bool { return strings.Count(r.log(), "deferred ") == 100 })
			if log := r.log(); strings.Contains(log, "expired") || strings.Contains(log, "delayed") {
				t.Errorf("events:\n%s", log)
			}
		})
	}
}

// Life is life by the steady clock, whatever the other one did in between.
func TestLifeDespiteJumps(t *testing.T) {
	for _, jump := range jumps() {
		r, steady := jumpRig(t)
		r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
			if t.From.IsNull() {
				return all(ok250)(ctx, t)
			}
			return all(try450)(ctx, t)
		})
		r.run()
		r.put(letter("m", "a@x.test"))
		r.attempt("deferred m a@x.test")
		r.pass(jump)
		for h := 1; h < 5*24; h++ {
			steady.add(time.Hour)
			r.pass(time.Hour)
			r.attempt("deferred m a@x.test")
		}
		steady.add(time.Hour)
		r.pass(time.Hour)
		r.until("expired m a@x.test")
	}
}

// Between two runs only the time of day is known: a jump there costs a message no
// more than half of its life, and a clock that went back costs nothing.
func TestClockJumpWhileStopped(t *testing.T) {
	for _, jump := range []time.Duration{-48 * time.Hour, 20 * 24 * time.Hour} {
		r, _ := jumpRig(t)
		r.hop.set(all(try450))
		stop := r.run()
		r.put(letter("m", "a@x.test"))
		r.attempt("deferred m a@x.test")
		stop()
		r.pass(jump)
		again := New(r.o) // a new process: its steady clock begins now
		done, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- again.Run(done) }()
		r.until("deferred m a@x.test")
		if strings.Contains(r.log(), "expired") {
			t.Errorf("after %v:\n%s", jump, r.log())
		}
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A dead letter waits its time even if the clock runs ahead of it.
func TestDeadLettersSurviveAJump(t *testing.T) {
	r, steady := jumpRig(t)
	r.hop.set(all(no550))
	m := letter("m", "a@x.test")
	m.From = msg.Path{}
	stop := r.run()
	r.put(m)
	r.until("dead m a@x.test")
	stop()
	r.clock.add(31 * 24 * time.Hour)
	r.bury(t.Context())
	if r.depth() != 1 {
		t.Error("a clock that was set ahead has buried a letter")
	}
	steady.add(31 * 24 * time.Hour)
	r.bury(t.Context())
	if r.depth() != 0 {
		t.Error("its time was over")
	}
}
