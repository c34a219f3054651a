package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/msg"
)

// down is a schedule with n jobs whose next hop has not answered three of them.
func down(t *testing.T, n int) *schedule {
	t.Helper()
	s := newSchedule(100, 10, 1<<20, func(n int) time.Duration { return time.Duration(n) * time.Minute })
	for i := range n {
		s.add(&job{id: fmt.Sprint(i), hop: "a", due: t0, born: t0, news: t0.Add(4 * time.Hour)})
	}
	var tried []*job
	for range downAfter {
		j := s.take(t0)
		if j == nil {
			break
		}
		tried = append(tried, j)
		s.finish(j, t0.Add(time.Minute), t0, true)
		if j := s.take(t0); j != nil && len(tried) == 1 {
			tried = append(tried, j) // one at a time from here
			s.finish(j, t0.Add(time.Minute), t0, true)
		}
	}
	if l := s.hops["a"]; !l.down() || s.take(t0) != nil {
		t.Fatalf("not down after %d attempts: %+v", len(tried), l)
	}
	return s
}

// A next hop that is down sees one message at growing intervals, whatever waits
// for it and whatever comes, and all of it when it answers.
func TestDownHopIsProbed(t *testing.T) {
	s := down(t, 1000)
	probes, now, last := 0, t0, ""
	var gaps []time.Duration
	since := t0
	for ; now.Before(t0.Add(2 * time.Hour)); now = now.Add(time.Second) {
		j := s.take(now)
		if j == nil {
			continue
		}
		if j.proxy {
			t.Fatalf("%s has news after %v", j.id, now.Sub(t0))
		}
		if s.take(now) != nil {
			t.Fatal("two probes at a time")
		}
		if j.id == last {
			t.Errorf("%s is the probe twice running", j.id)
		}
		probes, last = probes+1, j.id
		gaps, since = append(gaps, now.Sub(since)), now
		s.finish(j, now.Add(time.Hour), now, true)
		s.add(&job{id: fmt.Sprint("new", probes), hop: "a", due: now, born: now, news: now.Add(4 * time.Hour)})
	}
	if probes < 8 || probes > 18 || gaps[2] <= gaps[0] || gaps[len(gaps)-1] > restMax+time.Second {
		t.Errorf("%d probes in two hours, %v", probes, gaps)
	}
	s.hurry("7", now)
	j := s.take(now)
	if j == nil {
		t.Fatal("a retry is not tried")
	}
	s.finish(j, time.Time{}, now, false)
	if n := len(takeAll(s, now)); n != 10 {
		t.Errorf("%d go on at once, want as many as may", n)
	}
	for n := 10; n < 1000+probes-1; n++ {
		for _, j := range s.jobs {
			if j.running {
				s.finish(j, time.Time{}, now, false)
				break
			}
		}
		if s.take(now) == nil {
			t.Fatalf("only %d of the line are due", n)
		}
	}
}

// One message that a next hop cannot bear holds up no other.
func TestPoisonIsNotDown(t *testing.T) {
	s := newSchedule(100, 10, 1<<20, everyMinute)
	s.add(&job{id: "poison", hop: "a", due: t0})
	now := t0
	for i := range 20 {
		j := s.take(now)
		s.finish(j, now.Add(time.Minute), now, true)
		good := &job{id: fmt.Sprint(i), hop: "a", due: now}
		s.add(good)
		if got := s.take(now); got != good {
			t.Fatalf("round %d: %v waits behind the poison", i, good.id)
		}
		s.finish(good, time.Time{}, now, i%2 == 0) // every second was lost with the poison's connection
		now = now.Add(time.Minute)
	}
}

// Who waits for a next hop that is down hears of it when the time comes, without an
// attempt of that message.
func TestNewsWithoutAttempt(t *testing.T) {
	s := down(t, 5)
	at := t0.Add(4*time.Hour + 10*time.Minute)
	s.hops["a"].rest = at.Add(time.Minute)
	s.hops["a"].said = try450
	j := s.take(at)
	if j == nil || !j.proxy || j.said != try450 {
		t.Fatalf("%+v", j)
	}
	s.finish(j, at.Add(time.Hour), at, true)
	if j.proxy || !j.blocked || !s.hops["a"].rest.Equal(at.Add(time.Minute)) {
		t.Errorf("a proxy counted as a probe: %+v", j)
	}
}

// A dead destination costs the others nothing: its hundred messages wait for one
// probe, theirs arrive.
func TestDeadHopSlowsNobody(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Concurrency, o.Warn = 4, -1 })
	var attempts atomic.Int32
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.To[0].Domain != "dead.test" {
			return all(ok250)(ctx, t)
		}
		attempts.Add(1)
		return all(msg.Reply{Code: 451, Detail: "4.1", Text: "not sent", Own: true})(ctx, t)
	})
	r.run()
	for i := range 100 {
		dead, live := letter(fmt.Sprint("d", i), "a@dead.test"), letter(fmt.Sprint("l", i), "a@live.test")
		dead.NextHop, live.NextHop = "mx", "mx"
		r.put(dead, live)
	}
	for i := range 100 {
		r.until(fmt.Sprintf("delivered l%d a@live.test", i))
	}
	r.wait(func() bool { return r.Down("mx", "dead.test") })
	if n := attempts.Load(); n < downAfter || n > downAfter+8 {
		t.Errorf("%d attempts at a dead hop, want about %d", n, downAfter)
	}
	r.hop.set(all(ok250))
	r.pass(2 * time.Minute) // the first rest is over
	for i := range 100 {
		r.until(fmt.Sprintf("delivered d%d a@dead.test", i))
	}
}

// Expiry and its notice come also when the next hop was down all the time.
func TestExpiryBehindADownHop(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Life, o.Warn, o.Backoff = 5*time.Hour, 2*time.Hour, func(int) time.Duration { return 10 * time.Minute }
	})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.From.IsNull() {
			return all(ok250)(ctx, t)
		}
		return all(msg.Reply{Code: 451, Detail: "4.1", Text: "not sent", Own: true})(ctx, t)
	})
	r.run()
	for i := range 6 {
		r.put(letter(fmt.Sprint("m", i), "a@x.test"))
	}
	for range 80 {
		r.pass(5 * time.Minute)
		r.wait(r.settled)
	}
	for i := range 6 {
		r.until(fmt.Sprintf("delayed m%d sender@so-mau.gov.test", i))
		r.until(fmt.Sprintf("expired m%d a@x.test", i))
	}
}
