package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"congthu/internal/store/storetest"
)

// pair is two gateways that share a PostgreSQL database, the next hops, and the ledger
// of the first. more is more of their settings.
func pair(t *testing.T, url, lease, more string) [2]*Rig {
	t.Helper()
	config := fmt.Sprintf("[store]\nurl = %q\nkey = %q\n[queue]\nlease = %q\n", url, storetest.Key(t), lease) + more
	first := newRig(t, Options{Config: config})
	second := newRig(t, Options{Config: config, Beside: first})
	second.Ledger = first.Ledger
	return [2]*Rig{first, second}
}

// letters is how many letters were begun so far.
func (l *Ledger) letters() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// reach waits until that many letters were begun.
func reach(t *testing.T, l *Ledger, n int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); l.letters() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d letters were sent", l.letters(), n)
		}
	}
}

// One of two gateways is killed, or freezes for longer than its lease, in the middle of
// a stream of letters. Half of them wait in the queue then, because one next hop is down
// and the other busy. The other gateway takes over what is left within the time of
// the lease; what was in flight may come twice, and nothing else.
func TestPostgresLosesAGateway(t *testing.T) {
	for _, how := range []string{"killed", "frozen"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			const lease = 2 * time.Second
			g := pair(t, storetest.Postgres(t), lease.String(), "")
			n := times(300, 5000)
			mood(t, g[0].A, fmt.Sprintf("mail 451 4.3.2 busy x%d", n/8))
			mood(t, g[0].B, "down")
			var stops []func()
			for _, r := range g { // both, before the first of them is through with all letters
				must(t, r.Start())
			}
			for _, r := range g {
				s := r.Sender()
				s.Ledger, s.Size = g[0].Ledger, 1<<10
				stops = append(stops, load(t, s, 6))
			}
			reach(t, g[0].Ledger, n/2)
			says(t, g[1], "queued=true") // it has something to leave behind
			lost := time.Now()
			if how == "killed" {
				g[1].Kill()
			} else {
				g[1].Signal(unix.SIGSTOP)
			}
			g[0].Fault()
			took := takenOver(t, g[0], lost)
			t.Logf("%s: taken over after %v, the lease is %v", how, took.Round(time.Millisecond), lease)
			mood(t, g[0].B, "")
			reach(t, g[0].Ledger, n)
			if how == "frozen" {
				g[1].Signal(unix.SIGCONT)
				g[0].Fault()
				defer func() { _, err := g[1].Stop(); must(t, err) }()
			}
			for _, stop := range stops {
				stop()
			}
			finish(t, g[0], nil)
		})
	}
}

// says waits until a gateway's log has a text.
func says(t *testing.T, r *Rig, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(r.Log(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in the log of a gateway", text)
		}
	}
}

// takenOver waits until the gateway has taken over mail, and returns how long that took.
func takenOver(t *testing.T, r *Rig, since time.Time) time.Duration {
	t.Helper()
	const limit = 30 * time.Second // the lease, a look, and a machine that does other things
	for time.Since(since) < limit {
		if strings.Contains(r.Log(), "took over messages") {
			return time.Since(since)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("nothing was taken over within %v", limit)
	return 0
}

// The database server crashes and comes back under load, again and again. That costs
// refusals with 451; both gateways go on by themselves.
func TestPostgresRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	server := storetest.Start(t)
	g := pair(t, server.URL(t), "30s", "")
	var stops []func()
	for _, r := range g {
		must(t, r.Start())
		s := r.Sender()
		s.Ledger, s.Pause = g[0].Ledger, 5*time.Millisecond
		stops = append(stops, load(t, s, 4))
	}
	for i := range times(3, 20) {
		mood(t, g[0].A, moods[i%len(moods)])
		reach(t, g[0].Ledger, g[0].Ledger.letters()+40)
		must(t, server.Restart())
		g[0].Fault()
		for _, r := range g {
			takesAgain(t, r, 20*time.Second)
			if !r.Alive() {
				t.Fatal("a gateway has ended")
			}
		}
	}
	for _, stop := range stops {
		stop()
	}
	v := finish(t, g[0], nil)
	if v.Denied == 0 {
		t.Error("nobody was asked to come again: the server was not missed")
	}
}
