package ruledesk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"congthu/internal/store/storetest"
)

// A new set that holds everything is gone back from; it stays out of use over a restart
// until somebody says reload.
func TestFallBackOfANewSet(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	b.edit("required = 6.0", "required = 0.1")
	b.must(b.desk.Reload(t.Context(), "lan"))
	live, _ := b.desk.Live()
	bad := live.Get().Hash
	b.judge(5, map[string]int{bad: 100})
	b.must(b.desk.Look(t.Context()))
	if b.required() != 0.1 {
		t.Fatal("five letters were enough")
	}
	b.judge(60, map[string]int{bad: 100})
	b.must(b.desk.Look(t.Context()))
	if b.required() != 6.0 {
		t.Fatal("the gateway did not go back")
	}
	s := b.desk.Status()
	if s.Fell != bad || s.Dir != bad || !strings.Contains(s.Why.EN, "have jumped") || !strings.Contains(s.Why.VI, "tăng vọt") {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(b.log.String(), "rules: fallback") {
		t.Errorf("the log says nothing:\n%s", b.log.String())
	}
	if b.open(); b.required() != 6.0 {
		t.Error("a restart took the bad set into use")
	}
	b.must(b.desk.Reload(t.Context(), "lan"))
	if b.required() != 0.1 || b.desk.Status().Fell != "" {
		t.Error("the administrator's own word did not count")
	}
	if got := b.what(); got != "start reload fallback reload" {
		t.Errorf("events: %s", got)
	}
}

// One that does as well as the one before is watched for its time and then left alone.
func TestANewSetThatDoesWell(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	b.edit("required = 6.0", "required = 6.5")
	b.must(b.desk.Reload(t.Context(), "lan"))
	live, _ := b.desk.Live()
	b.judge(1000, map[string]int{live.Get().Hash: 3})
	b.must(b.desk.Look(t.Context()))
	b.now = b.now.Add(2 * time.Hour)
	b.must(b.desk.Look(t.Context()))
	if b.required() != 6.5 || b.desk.Trial() != nil {
		t.Errorf("required %v, %+v", b.required(), b.desk.Trial())
	}
	b.judge(1000, map[string]int{live.Get().Hash: 100})
	b.must(b.desk.Look(t.Context()))
	if b.required() != 6.5 {
		t.Error("the watch went on")
	}
}

// startCanary puts a set with another threshold on trial for half of the letters.
func (b *bench) startCanary() (inUse, trial string) {
	b.t.Helper()
	b.edit("required = 6.0", "required = 6.5")
	b.must(b.desk.Canary(b.t.Context(), 50, 30*time.Minute, "lan"))
	live, _ := b.desk.Live()
	set, _ := live.Trial()
	return live.Get().Hash, set.Hash
}

func TestCanary(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  func(b *bench, inUse, trial string) error
		want   float64
		events string
	}{
		{"promoted", func(b *bench, _, _ string) error { return b.desk.Promote(b.t.Context(), "lan") }, 6.5, "start canary promote"},
		{"aborted", func(b *bench, _, _ string) error { return b.desk.Abort(b.t.Context(), "lan") }, 6.0, "start canary abort"},
		{"its time is over", func(b *bench, _, _ string) error {
			b.now = b.now.Add(time.Hour)
			return b.desk.Look(b.t.Context())
		}, 6.0, "start canary abort"},
		{"falls back", func(b *bench, _, trial string) error {
			b.judge(1000, map[string]int{trial: 40})
			return b.desk.Look(b.t.Context())
		}, 6.0, "start canary fallback"},
		{"a burst that both hold", func(b *bench, inUse, trial string) error {
			b.judge(1000, map[string]int{trial: 95, inUse: 95})
			if err := b.desk.Look(b.t.Context()); err != nil {
				return err
			}
			return b.desk.Promote(b.t.Context(), "lan")
		}, 6.5, "start canary promote"},
		{"a restart between", func(b *bench, _, trial string) error {
			b.open()
			live, _ := b.desk.Live()
			if set, share := live.Trial(); set == nil || set.Hash != trial || share != 5000 {
				return errors.New("the canary did not go on")
			}
			return b.desk.Promote(b.t.Context(), "lan")
		}, 6.5, "start canary promote"},
		{"edited meanwhile", func(b *bench, _, _ string) error {
			b.edit("required = 6.5", "required = 99.0")
			return b.desk.Promote(b.t.Context(), "lan")
		}, 6.5, "start canary promote"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, storetest.SQLite)
			inUse, trial := b.startCanary()
			if len(b.scanned) != 0 {
				t.Error("a canary has changed the YARA rules of all")
			}
			b.must(c.after(b, inUse, trial))
			if b.required() != c.want {
				t.Errorf("required %v, want %v", b.required(), c.want)
			}
			if got := b.what(); got != c.events {
				t.Errorf("events: %s, want %s", got, c.events)
			}
			live, _ := b.desk.Live()
			if set, _ := live.Trial(); set != nil {
				t.Error("the canary goes on")
			}
			if err := b.desk.Abort(t.Context(), "lan"); err == nil {
				t.Error("a canary that is over was aborted")
			}
		})
	}
}

func TestCanaryIsRefused(t *testing.T) {
	b := newBench(t, storetest.SQLite)
	for _, share := range []float64{0, -1, 100, 0.001} {
		if err := b.desk.Canary(t.Context(), share, time.Minute, "lan"); err == nil {
			t.Errorf("%v %% was taken", share)
		}
	}
	if err := b.desk.Canary(t.Context(), 10, time.Minute, "lan"); err == nil || !strings.Contains(err.Error(), "nothing to try") {
		t.Errorf("the set in use was put on trial: %v", err)
	}
}
