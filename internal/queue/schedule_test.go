package queue

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func everyMinute(int) time.Duration { return time.Minute }

func take(t *testing.T, s *schedule, now time.Time, want ...string) []*job {
	t.Helper()
	var got []*job
	var ids []string
	for j := s.take(now); j != nil; j = s.take(now) {
		got, ids = append(got, j), append(ids, j.id)
	}
	if fmt.Sprint(ids) != fmt.Sprint(want) {
		t.Errorf("took %v, want %v", ids, want)
	}
	return got
}

func TestScheduleTakesTurns(t *testing.T) {
	s := newSchedule(100, 2, 1<<20, everyMinute)
	for i := range 4 {
		s.add(&job{id: fmt.Sprint("a", i), hop: "a", due: t0.Add(time.Duration(i))})
	}
	s.add(&job{id: "b0", hop: "b", due: t0.Add(10)})
	s.add(&job{id: "c0", hop: "c", due: t0.Add(time.Minute)})
	s.add(&job{id: "a0", hop: "a", due: t0}) // again: no effect
	got := take(t, s, t0.Add(time.Second), "a0", "b0", "a1")
	if due, ok := s.next(); !ok || !due.Equal(t0.Add(time.Minute)) {
		t.Errorf("next %v %v", due, ok)
	}
	s.finish(got[0], time.Time{}, t0, false)
	take(t, s, t0.Add(time.Second), "a2")
	take(t, s, t0.Add(time.Minute), "c0")
}

func TestScheduleLimits(t *testing.T) {
	s := newSchedule(2, 2, 100, everyMinute)
	s.add(&job{id: "big", hop: "a", size: 1000, due: t0})
	s.add(&job{id: "x", hop: "b", size: 60, due: t0.Add(1)})
	s.add(&job{id: "y", hop: "c", size: 60, due: t0.Add(2)})
	s.add(&job{id: "z", hop: "d", size: 1, due: t0.Add(3)})
	now := t0.Add(time.Second)
	big := take(t, s, now, "big") // larger than the limit, so alone
	s.finish(big[0], time.Time{}, now, false)
	x := take(t, s, now, "x") // y does not fit, and z must not pass it
	s.finish(x[0], time.Time{}, now, false)
	take(t, s, now, "y", "z")
}

func TestScheduleSilentHop(t *testing.T) {
	s := newSchedule(100, 10, 1<<20, everyMinute)
	for i := range 5 {
		s.add(&job{id: fmt.Sprint(i), hop: "a", due: t0})
	}
	first := s.take(t0)
	s.finish(first, t0.Add(time.Hour), t0, true)
	one := s.take(t0)
	if one == nil || s.take(t0) != nil {
		t.Fatal("a silent hop gets one attempt at a time")
	}
	s.finish(one, time.Time{}, t0, false)
	if n := len(takeAll(s, t0)); n != 4 { // the three that waited, and the one that it was silent about
		t.Errorf("a hop that answers again got %d", n)
	}
}

func takeAll(s *schedule, now time.Time) (out []*job) {
	for j := s.take(now); j != nil; j = s.take(now) {
		out = append(out, j)
	}
	return out
}

func TestScheduleWhileRunning(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *schedule)
		due  time.Time // the outcome of the running attempt
		want int       // jobs that may start at once afterwards
	}{
		{"nothing, done", func(*schedule) {}, time.Time{}, 0},
		{"nothing, later", func(*schedule) {}, t0.Add(time.Hour), 0},
		{"hurry, later", func(s *schedule) { s.hurry("a", t0) }, t0.Add(time.Hour), 1},
		{"remove, later", func(s *schedule) { s.remove("a") }, t0.Add(time.Hour), 0},
		{"remove and add, later", func(s *schedule) { s.remove("a"); s.add(&job{id: "a", hop: "h", due: t0}) }, t0.Add(time.Hour), 1},
		{"remove, add, remove", func(s *schedule) { s.remove("a"); s.add(&job{id: "a", hop: "h", due: t0}); s.remove("a") }, t0.Add(time.Hour), 0},
		{"add", func(s *schedule) { s.add(&job{id: "a", hop: "h", due: t0}) }, t0.Add(time.Hour), 0},
	} {
		s := newSchedule(10, 10, 1<<20, everyMinute)
		s.add(&job{id: "a", hop: "h", due: t0})
		j := s.take(t0)
		tt.do(s)
		if s.take(t0) != nil {
			t.Errorf("%s: two attempts of one row at a time", tt.name)
		}
		s.finish(j, tt.due, t0, false)
		if n := len(takeAll(s, t0)); n != tt.want {
			t.Errorf("%s: %d start, want %d", tt.name, n, tt.want)
		}
	}
}

func TestScheduleRemove(t *testing.T) {
	s := newSchedule(1, 1, 1<<20, everyMinute)
	for _, id := range []string{"a", "b", "c"} {
		s.add(&job{id: id, hop: "h", due: t0})
	}
	a := s.take(t0) // b and c stand in the line now
	s.remove("b")
	s.add(&job{id: "d", hop: "h", due: t0.Add(time.Hour)})
	s.remove("d")
	s.remove("unknown")
	s.finish(a, time.Time{}, t0, false)
	take(t, s, t0.Add(2*time.Hour), "c")
}

// TestScheduleForgets: what is done leaves nothing behind, whatever happened in
// between; and whatever is not done is still planned.
func TestScheduleForgets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newSchedule(8, 3, 1000, everyMinute)
	now, alive, next := t0, map[string]bool{}, 0
	running := map[string]*job{}
	for range 20000 {
		now = now.Add(time.Second)
		switch r.IntN(5) {
		case 0:
			id := fmt.Sprint(next)
			next++
			alive[id] = true
			s.add(&job{id: id, hop: fmt.Sprint(r.IntN(6)), size: int64(r.IntN(400)), due: now.Add(time.Duration(r.IntN(100)) * time.Second)})
		case 1, 2:
			if j := s.take(now); j != nil {
				if running[j.id] != nil || !alive[j.id] {
					t.Fatalf("took %s: running %v, alive %v", j.id, running[j.id] != nil, alive[j.id])
				}
				running[j.id] = j
			}
		case 3:
			for id, j := range running {
				due := time.Time{}
				if r.IntN(2) == 0 {
					due = now.Add(time.Minute)
				} else {
					delete(alive, id)
				}
				s.finish(j, due, now, r.IntN(3) == 0)
				delete(running, id)
				break
			}
		case 4:
			id := fmt.Sprint(r.IntN(next + 1))
			if r.IntN(3) == 0 && running[id] == nil {
				s.remove(id)
				delete(alive, id)
			}
		}
		if len(s.jobs) != len(alive) || s.count != len(running) || s.count > 8 {
			t.Fatalf("%d planned, %d alive, %d counted, %d running", len(s.jobs), len(alive), s.count, len(running))
		}
	}
	for n := 0; len(alive) > 0; n++ {
		if n > 100000 {
			t.Fatalf("%d jobs are never taken", len(alive))
		}
		now = now.Add(time.Second)
		if j := s.take(now); j != nil {
			running[j.id] = j
		}
		for id, j := range running {
			s.finish(j, time.Time{}, now, false)
			delete(alive, id)
			delete(running, id)
		}
	}
	if len(s.jobs)+len(s.later)+len(s.hops)+len(s.ring)+s.count+int(s.bytes) != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

func TestBackoff(t *testing.T) {
	want := []time.Duration{1: time.Minute, 2: 2 * time.Minute, 3: 5 * time.Minute, 4: 10 * time.Minute, 5: 20 * time.Minute, 6: 30 * time.Minute, 7: time.Hour, 8: time.Hour}
	for n := 1; n < len(want); n++ {
		for range 100 {
			if d := Backoff(n); d < want[n]*9/10 || d > want[n]*11/10 {
				t.Fatalf("after %d attempts %v, want about %v", n, d, want[n])
			}
		}
	}
	if d := Backoff(-1); d < 54*time.Minute {
		t.Errorf("%v", d)
	}
}

func TestMinAttempts(t *testing.T) {
	if n := minAttempts(5*24*time.Hour, Backoff); n < 50 || n > 100 {
		t.Errorf("5 days: %d", n)
	}
	if n := minAttempts(time.Minute, Backoff); n != 1 {
		t.Errorf("a minute: %d", n)
	}
	if n := minAttempts(time.Hour, func(int) time.Duration { return 0 }); n != 100 {
		t.Errorf("no pause: %d", n)
	}
}
