package queue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

func TestRetryAndMixedReplies(t *testing.T) {
	r := newRig(t)
	r.hop.set(func(_ context.Context, t *msg.Transfer) []msg.Reply {
		return []msg.Reply{ok250, try450, no550, {}}
	})
	r.run()
	r.put(letter("m", "ok@x.test", "later@x.test", "no@x.test", "silent@x.test"))
	r.until("queued m-dsn1 sender@so-mau.gov.test")
	r.until("deferred m silent@x.test")
	r.hop.set(all(ok250))
	r.until("delivered m-dsn1 sender@so-mau.gov.test")
	r.wantList("m later@x.test waiting 1 450\nm silent@x.test waiting 1 0")
	r.pass(59 * time.Second)
	r.pass(2 * time.Second)
	r.until("delivered m silent@x.test")
	last := r.hop.transfers()
	if got := fmt.Sprint(last[len(last)-1].To); got != "[later@x.test silent@x.test]" {
		t.Errorf("second attempt to %s", got)
	}
	r.wantList("")
}

func TestExpiry(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Life, o.Warn, o.Backoff = 5*time.Hour, 4*time.Hour, func(int) time.Duration { return time.Hour }
	})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.From.IsNull() {
			return all(ok250)(ctx, t)
		}
		return all(try450)(ctx, t)
	})
	r.run()
	r.put(letter("m", "a@x.test"))
	for range 4 {
		r.attempt("deferred m a@x.test")
		r.pass(time.Hour)
	}
	r.until("delivered m-dsn5 sender@so-mau.gov.test")
	r.until("delayed m sender@so-mau.gov.test")
	r.attempt("deferred m a@x.test")
	r.pass(time.Hour)
	r.until("expired m a@x.test")
	r.until("delivered m-dsn6 sender@so-mau.gov.test")
	r.wantList("")
	var notices []string
	for _, got := range r.hop.transfers() {
		if got.From.IsNull() {
			notices = append(notices, whole(got))
		}
	}
	if len(notices) != 2 || !strings.Contains(notices[0], "Action: delayed\r\nStatus: 4.2.0") || !strings.Contains(notices[0], "Will-Retry-Until: Tue, 24 Nov 2026 13:00:00 +0000") ||
		!strings.Contains(notices[1], "Action: failed\r\nStatus: 4.4.7\r\nDiagnostic-Code: smtp; 450 4.2.0 mailbox busy") {
		t.Errorf("%d notices:\n%s", len(notices), strings.Join(notices, "\n"))
	}
}

// attempt waits for an event of the attempt under way and forgets it.
func (r *rig) attempt(line string) {
	r.t.Helper()
	r.until(line)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, e := range r.events {
		if e == line {
			r.events = append(r.events[:i], r.events[i+1:]...)
			return
		}
	}
}

func (r *rig) wait(done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain; queue:\n%s\nevents:\n%s", r.list(), r.log())
		}
	}
}

// TestClockJump: a clock that jumps ahead by a week expires nothing untried.
func TestClockJump(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(try450))
	r.run()
	r.put(letter("m", "a@x.test"))
	r.attempt("deferred m a@x.test")
	r.pass(7 * 24 * time.Hour)
	r.attempt("deferred m a@x.test")
	if strings.Contains(r.log(), "expired") {
		t.Error(r.log())
	}
}

func TestNobodyMayBeTold(t *testing.T) {
	tests := map[string]func(r *rig, m *msg.Transfer){
		"null sender": func(_ *rig, m *msg.Transfer) { m.From = msg.Path{} },
		"no route":    func(_ *rig, m *msg.Transfer) { m.From = path("s@unroutable.test") },
		"no routes":   func(r *rig, _ *msg.Transfer) { r.o.NextHop = nil },
		"forbidden":   func(r *rig, _ *msg.Transfer) { r.o.Notify = func(*msg.Transfer) bool { return false } },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			m := letter("m", "a@x.test", "b@x.test")
			do(r, m)
			r.hop.set(func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{no550, try450} })
			r.run()
			r.put(m)
			r.until("deferred m b@x.test")
			r.wantList("m b@x.test waiting 1 450\nm-dead1 a@x.test dead 1 550")
			r.hop.set(all(no550))
			r.pass(time.Hour)
			r.until("dead m b@x.test")
			r.wantList("m b@x.test dead 2 550\nm-dead1 a@x.test dead 1 550")
			if n := len(r.hop.transfers()); n != 2 {
				t.Errorf("%d attempts: a notice was sent, or a dead letter tried", n)
			}
			// An operator may try again; "all" does not mean the dead.
			if n, err := r.Retry(t.Context(), All); n != 0 || err != nil {
				t.Errorf("retry all: %d %v", n, err)
			}
			r.hop.set(all(ok250))
			if n, err := r.Retry(t.Context(), "m-dead1"); n != 1 || err != nil {
				t.Errorf("retry: %d %v", n, err)
			}
			r.until("delivered m-dead1 a@x.test")
			r.clock.add(31 * 24 * time.Hour)
			r.bury(t.Context())
			r.until("dropped m b@x.test")
			if r.depth() != 0 || r.scalar(`SELECT COUNT(*) FROM body`) != 0 {
				t.Error("something is left")
			}
		})
	}
}

func TestQuiet(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(no550))
	c, err := r.PrepareQuiet(t.Context(), letter("m", "a@x.test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.db.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.until("dead m a@x.test")
	r.wantList("m a@x.test dead 1 550")
}

// TestNoticeOfNotice: a notice that is refused stays; it causes no other.
func TestNoticeOfNotice(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(no550))
	r.run()
	r.put(letter("m", "a@x.test"))
	r.until("dead m-dsn1 sender@so-mau.gov.test")
	r.wantList("m-dsn1 sender@so-mau.gov.test dead 1 550")
}

// TestBadDeliverers: none of them stops the queue or loses a recipient.
func TestBadDeliverers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tests := map[string]func(context.Context, *msg.Transfer) []msg.Reply{
		"panics":    func(context.Context, *msg.Transfer) []msg.Reply { panic("no") },
		"nil":       func(context.Context, *msg.Transfer) []msg.Reply { return nil },
		"too few":   func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{{}} },
		"too many":  func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{{}, {}, ok250, ok250} },
		"nonsense":  func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{{Code: 354}, {Code: -250}} },
		"until end": func(ctx context.Context, _ *msg.Transfer) []msg.Reply { <-ctx.Done(); return nil },
		"for ever":  func(context.Context, *msg.Transfer) []msg.Reply { <-release; return nil },
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Attempt = 20 * time.Millisecond })
			r.hop.set(answer)
			r.run()
			r.put(letter("m", "a@x.test", "b@x.test"))
			r.attempt("deferred m a@x.test")
			r.attempt("deferred m b@x.test")
			r.hop.set(all(ok250))
			r.pass(time.Minute)
			r.until("delivered m b@x.test")
			r.until("delivered m a@x.test")
		})
	}
}

// TestLateAnswer: what a deliverer knows after its deadline still counts.
func TestLateAnswer(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Attempt = 200 * time.Millisecond })
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply { <-ctx.Done(); return all(ok250)(ctx, t) })
	r.run()
	r.put(letter("m", "a@x.test"))
	r.until("delivered m a@x.test")
}

// TestSlowHopHoldsUpNobody: a hop that hangs keeps only its own mail waiting.
func TestSlowHopHoldsUpNobody(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Concurrency, o.PerHop = 4, 2 })
	release := make(chan struct{})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.To[0].Domain == "slow.test" {
			<-release
		}
		return all(ok250)(ctx, t)
	})
	r.run()
	for i := range 20 {
		slow := letter(fmt.Sprint("s", i), "a@slow.test")
		slow.NextHop = "mx"
		r.put(slow)
	}
	for i := range 20 {
		fast := letter(fmt.Sprint("f", i), "a@fast.test")
		fast.NextHop = "mx"
		r.put(fast)
	}
	for i := range 20 {
		r.until(fmt.Sprintf("delivered f%d a@fast.test", i))
	}
	if strings.Contains(r.log(), "delivered s") {
		t.Error("slow was not slow")
	}
	close(release)
	for i := range 20 {
		r.until(fmt.Sprintf("delivered s%d a@slow.test", i))
	}
}
