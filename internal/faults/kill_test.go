package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// moods are what the next hops are like by turns: A does it, B is willing. Letters so
// go through by cut-through, by the queue, or are kept there.
var moods = []string{"", "down", "mail 451 4.3.2 busy x40", "end keep-drop x3", "mail 451 4.3.2 busy", "end stall 50ms"}

func mood(t *testing.T, h *Hop, m string) {
	t.Helper()
	if m == "down" {
		h.Down()
		return
	}
	must(t, h.Up(m))
}

// P1, P2, G43: the gateway is killed at random moments while it takes and delivers
// mail, again and again.
func TestKillAtRandom(t *testing.T) {
	for _, procs := range []int{1, 2} {
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", procs), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{Env: []string{fmt.Sprintf("GOMAXPROCS=%d", procs)}})
			r.Ledger.SpamEvery = 11
			for i := range times(10, 100) {
				mood(t, r.A, moods[i%len(moods)])
				must(t, r.Start())
				s := r.Sender()
				s.Pause = 10 * time.Millisecond
				stop := load(t, s, 8)
				time.Sleep(time.Duration(50+rand.IntN(300)) * time.Millisecond) // the moment is the point
				r.Kill()
				r.Fault()
				stop()
			}
			finish(t, r, nil)
		})
	}
}
