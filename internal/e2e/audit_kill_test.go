package e2e_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/admin"
	"congthu/internal/e2e"
)

// TestAuditChainSurvivesKills: the daemon is killed twenty times in the middle of acts. The
// chain is whole each time, by the stopped store and by the running gateway, and every act
// that was answered is on it.
func TestAuditChainSurvivesKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g, err := build(t).Start(t.Context(), &e2e.Case{Config: "[inspect]\nskip = [\"auth\", \"attach\"]\n"}, dir, rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	cl := admin.Dial(filepath.Join(dir, "data", "admin.sock"))
	var answered atomic.Int64
	for kill := range 20 {
		var acts sync.WaitGroup
		for range 4 {
			acts.Go(func() {
				for {
					if _, err := cl.Hold(t.Context(), "all"); err != nil {
						return
					}
					answered.Add(1)
				}
			})
		}
		time.Sleep(time.Duration(50+rand.IntN(300)) * time.Millisecond)
		g.Kill()
		acts.Wait()
		whole(t, g, kill)
		if err := g.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, g, 20)
	out, status, err := g.Run("audit", "list", "--act", "queue.hold", "--limit", "100000")
	if n := int64(strings.Count(out, "queue.hold")); err != nil || status != 0 || n < answered.Load() || answered.Load() < 20 {
		t.Errorf("%d on record, %d answered: %d %v", n, answered.Load(), status, err)
	} else {
		t.Logf("%d acts answered, %d on record, 20 kills", answered.Load(), n)
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
}

func whole(t *testing.T, g *e2e.Gateway, kill int) {
	t.Helper()
	if out, status, err := g.Run("audit", "verify"); err != nil || status != 0 {
		t.Fatalf("after kill %d: %d %v %s", kill, status, err, out)
	}
}
