package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"congthu/internal/e2e"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/store"
)

// TestManyHeldMemory: a gateway that holds a hundred thousand messages, started anew and
// asked for lists by every filter, stays under 300 MB, and no list takes it 200 ms.
func TestManyHeldMemory(t *testing.T) {
	if os.Getenv("CONGTHU_FAULTS") != "long" {
		t.Skip("make test-faults holds a hundred thousand messages")
	}
	g, err := build(t).Start(t.Context(), &e2e.Case{}, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	holdMany(t, filepath.Join(g.Dir, "data"), 100_000)
	if err := g.Restart(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Stop() }()
	pid := g.Processes()[0]
	for i, filter := range [][]string{
		{"--recipient", "so7.test"}, {"--sender", "nobody"}, {"--symbol", "LINK_IP_HOST"}, {"--reason", "SCORE"}, {"99999"}, {"khong co"}, {},
	} {
		before := spent(t, g)
		if out, status, err := g.Run(append([]string{"quarantine", "list", "--json"}, filter...)...); err != nil || status != 0 {
			t.Errorf("%v: %d %v %s", filter, status, err, out)
		}
		took := spent(t, g) - before
		t.Logf("%v: %v of CPU", filter, took)
		if took > 200*time.Millisecond && i > 0 { // the first one reads all
			t.Errorf("%v takes the daemon %v", filter, took)
		}
	}
	rss, peak := status(t, pid, "VmRSS"), status(t, pid, "VmHWM")
	t.Logf("RSS %d MB, at most %d MB", rss>>20, peak>>20)
	if peak > 300<<20 {
		t.Errorf("%d MB are too many", peak>>20)
	}
}

// holdMany holds messages as a gateway with that data directory does.
func holdMany(t *testing.T, dir string, many int) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	q := quarantine.New(quarantine.Options{Store: db})
	for n := 0; n < many; {
		var changes []*store.Change
		for range 1000 {
			raw := fmt.Appendf(nil, "From: x\r\nSubject: Cong van so %d\r\n\r\nthan thu\r\n", n)
			m := &msg.Message{ID: fmt.Sprint("M", n), Envelope: msg.Envelope{From: msg.Path{Raw: "x@la.test", Local: "x", Domain: "la.test"}}, Raw: raw}
			to := fmt.Sprintf("so%d.test", n%50)
			d := msg.Decision{Action: msg.Quarantine, NextHop: "hop:25", Reason: "SCORE", To: []msg.Path{{Raw: "van-thu@" + to, Local: "van-thu", Domain: to}}, Why: msg.Verdict{
				Score: 12.5, Required: 5, Counted: []msg.Weighed{{Finding: msg.Finding{Symbol: "LINK_IP_HOST", Evidence: "http://203.0.113.7/"}, Score: 4.5}},
			}}
			c, err := q.Prepare(t.Context(), m, d, [][]byte{raw})
			if err != nil {
				t.Fatal(err)
			}
			changes, n = append(changes, c), n+1
		}
		if err := db.Commit(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
	}
}
