package e2e_test

import (
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/e2e"
	"congthu/internal/sink"
)

// TestTermWhileTheNextHopIsSilent: SIGTERM in the middle of a cut-through to a next hop
// that has the message and does not answer. The daemon ends within half a minute; the
// sender, who is not told 250, keeps the letter.
func TestTermWhileTheNextHopIsSilent(t *testing.T) {
	t.Parallel()
	script, err := sink.ParseScript("end stall 100s")
	if err != nil {
		t.Fatal(err)
	}
	g, err := build(t).Start(t.Context(), &e2e.Case{Script: script, Config: "[inspect]\nskip = [\"auth\", \"attach\"]\n"}, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	var left atomic.Int64
	left.Store(1)
	acknowledged := make(chan bool, 1)
	go func() {
		n, err := session(g.Addr, newLetter(1000), &left)
		acknowledged <- n == 1 && err == nil
	}()
	await(t, "the letter is on its way", func() bool { return len(g.Sink.Deliveries()) == 1 })
	began := time.Now()
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("ended after %v", time.Since(began).Round(time.Millisecond))
	if <-acknowledged {
		t.Error("the sender was told 250 for a letter that nobody answers for")
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
