package queue

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

const (
	idle     = 30 * time.Second // the longest sleep: a clock that was set must not hold up mail
	recheck  = time.Second      // pause while the store takes no work
	grace    = 15 * time.Second // for a deliverer that overruns its deadline
	cleaning = time.Hour        // pause between searches for old dead letters
)

// Run delivers until ctx ends; deliveries that go on then have Options.Drain to
// end. It returns an error only when it cannot start.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.startSomeTime(ctx); err != nil {
		if ctx.Err() != nil && !errors.Is(err, errAlready) {
			return nil // it ended before it began
		}
		return err
	}
	defer q.stop(ctx)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var wg sync.WaitGroup
	if q.lease.shared {
		defer q.keep(work)() // as long as deliveries go on
	}
	var cleaned time.Time
	for ctx.Err() == nil {
		pause := q.fill(func(j *job) { wg.Go(func() { q.work(work, j) }) })
		if time.Since(cleaned) > cleaning {
			cleaned = time.Now()
			q.bury(ctx)
			if q.lease.shared {
				q.tidyGateways(ctx)
			}
		}
		sleep(ctx, pause, q.wake)
	}
	defer time.AfterFunc(q.o.Drain, cancel).Stop()
	wg.Wait()
	return nil
}

// startSomeTime starts as soon as the store can be had: a server may be away just now,
// and mail is taken again when it is back.
func (q *Queue) startSomeTime(ctx context.Context) error {
	for {
		err := q.start(ctx)
		if err == nil || !q.lease.shared || errors.Is(err, errAlready) || errors.Is(err, store.ErrClosed) || ctx.Err() != nil {
			return err
		}
		q.o.Log.Warn("queue: cannot start yet", "error", err)
		sleep(ctx, recheck, nil)
	}
}

// start reads the plan from the store. Everything unfinished is due at once.
func (q *Queue) start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running {
		return errAlready
	}
	if q.lease.shared {
		if err := q.enlist(ctx); err != nil {
			return err
		}
	}
	jobs, err := q.waiting(ctx, "") // of a shared store: none yet
	if err != nil {
		return err
	}
	q.plan = newSchedule(q.o.Concurrency, q.o.PerHop, q.o.InFlight, q.o.Backoff)
	for _, j := range jobs {
		q.plan.add(j)
	}
	q.running = true
	q.o.Log.Info("queue started", "messages", len(jobs))
	return nil
}

// stop gives the rows back, where there are others who may take them.
func (q *Queue) stop(ctx context.Context) {
	q.mu.Lock()
	q.running = false
	q.mu.Unlock()
	if q.lease.shared {
		q.resign(context.WithoutCancel(ctx))
	}
}

// fill starts what is due and fits, and returns how long nothing more will be
// due. While the store takes no work nothing is started: what is delivered
// then could not be recorded and would be delivered again. Nor is it while the lease is
// in doubt: another may be delivering the same.
func (q *Queue) fill(launch func(*job)) time.Duration {
	if q.o.Store.Healthy() != nil || !q.lease.holds() {
		return recheck
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.steady()
	for j := q.plan.take(now); j != nil; j = q.plan.take(now) {
		launch(j)
	}
	if due, ok := q.plan.next(); ok {
		return min(idle, max(due.Sub(now), time.Millisecond))
	}
	return idle
}

func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
}

// work makes one attempt for one job.
func (q *Queue) work(ctx context.Context, j *job) {
	due, silent := q.attempt(ctx, j)
	q.mu.Lock()
	q.plan.finish(j, due, q.steady(), silent)
	q.mu.Unlock()
	q.nudge()
}

// attempt returns when to try again; the zero time when there is nothing left
// to do. silent is true when the next hop gave no answer at all.
func (q *Queue) attempt(ctx context.Context, j *job) (due time.Time, silent bool) {
	soon := q.steady().Add(q.o.Backoff(1))
	l, err := q.load(ctx, j.id)
	switch {
	case errors.Is(err, errGone):
		return time.Time{}, false
	case errors.Is(err, store.ErrCorrupt):
		q.o.Log.Error("queue: content is damaged; kept, not sent", "id", j.id, "error", err)
		if err := q.setCorrupt(ctx, l); err != nil {
			q.o.Log.Error("queue: cannot mark it", "id", j.id, "error", err)
			return soon, false
		}
		return time.Time{}, false
	case err != nil:
		q.o.Log.Error("queue: cannot read", "id", j.id, "error", err)
		return soon, false
	}
	replies := q.ask(ctx, j, l)
	silent = silence(replies)
	if silent && ctx.Err() != nil {
		return soon, false // we are stopping; that was no attempt
	}
	due = q.settle(ctx, l, replies)
	j.said, j.attempts, j.news = replies[0], l.attempts+1, q.news(j.born, l.warned)
	return due, silent
}

// ask has the message delivered. When its next hop rests, what that did not say to
// others is its answer too.
func (q *Queue) ask(ctx context.Context, j *job, l *loaded) []msg.Reply {
	l.attempts += j.passed
	l.age = q.steady().Sub(j.born)
	if !j.proxy {
		return q.deliver(ctx, l.t)
	}
	out := make([]msg.Reply, len(l.t.To))
	for i := range out {
		out[i] = j.said
	}
	return out
}

// deliver calls the Deliverer so that neither its panic nor its hanging can stop
// the queue. What it leaves unsaid is unknown.
func (q *Queue) deliver(ctx context.Context, t *msg.Transfer) []msg.Reply {
	ctx, cancel := context.WithTimeout(ctx, q.o.Attempt)
	defer cancel()
	answer := make(chan []msg.Reply, 1)
	go func() { answer <- q.guard(ctx, t) }()
	var got []msg.Reply
	select {
	case got = <-answer:
	case <-ctx.Done():
		got = q.late(answer, t.ID)
	}
	out := make([]msg.Reply, len(t.To))
	for i := range out {
		out[i].Text = "no answer"
	}
	copy(out, got)
	return out
}

// late waits a little for a deliverer whose time is over: it may know something.
func (q *Queue) late(answer <-chan []msg.Reply, id string) []msg.Reply {
	t := time.NewTimer(min(grace, q.o.Attempt))
	defer t.Stop()
	select {
	case got := <-answer:
		return got
	case <-t.C:
		q.o.Log.Error("queue: delivery does not end and is left behind; the message may arrive twice", "id", id)
		return nil
	}
}

func (q *Queue) guard(ctx context.Context, t *msg.Transfer) (out []msg.Reply) {
	defer func() {
		if p := recover(); p != nil {
			q.o.Log.Error("panic in a delivery", "id", t.ID, "panic", p, "stack", string(debug.Stack()))
			out = nil
		}
	}()
	return q.byRoute(ctx, t)
}

// silence tells whether the next hop has not answered for any recipient, or has said
// that it is closing (RFC 5321 section 3.8): that is about the host, not about the
// message.
func silence(rs []msg.Reply) bool {
	for _, r := range rs {
		if r.Code != 0 && r.Code != 421 && !r.Own {
			return false
		}
	}
	return true
}

// settle records the outcome and returns when to try again. It does not give up
// while the program runs: a delivery that is not recorded is made again.
func (q *Queue) settle(ctx context.Context, l *loaded, replies []msg.Reply) time.Time {
	now, steady := q.o.Now(), q.steady()
	o := q.judge(l, replies, now)
	for pause := recheck; ; pause = min(2*pause, idle) {
		err := q.record(context.WithoutCancel(ctx), l, o)
		if err == nil {
			break
		}
		q.o.Log.Error("queue: outcome not recorded yet; a restart now would deliver again",
			"id", l.t.ID, "error", err, slog.Bool("dup_risk", o.anyDelivered()))
		if sleep(ctx, pause, nil); ctx.Err() != nil {
			return q.steady().Add(pause)
		}
	}
	q.report(l, o)
	l.warned = o.warned
	if o.again.IsZero() {
		return time.Time{}
	}
	return steady.Add(o.again.Sub(now))
}
