package queue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// term is the lease of the tests: short, but longer than a busy machine pauses.
const term = 2 * time.Second

// gateways are several gateways at one PostgreSQL store, all with the same next hop.
func gateways(t *testing.T, n int) (g []*rig) {
	t.Helper()
	url := storetest.Postgres(t)
	for range n {
		r := rigAt(t, url, t.TempDir(), func(o *Options) { o.Lease = term })
		if len(g) > 0 {
			r.hop = g[0].hop
			r.o.Deliver = r.hop
		}
		g = append(g, r)
	}
	return g
}

// enlisted makes a gateway one that has a lease and does nothing with it: frozen, or
// killed.
func (r *rig) enlisted() {
	r.t.Helper()
	if err := r.enlist(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// A dead gateway's mail is delivered by another when the lease has run out, not before.
func TestTakeOver(t *testing.T) {
	g := gateways(t, 2)
	g[0].enlisted()
	began := time.Now()
	const messages = claimBatch + 20
	for i := range messages {
		g[0].put(letter(fmt.Sprint("m", i), "a@x.test"))
	}
	g[1].run()
	g[1].wait(func() bool { return strings.Count(g[1].log(), "delivered ") == messages })
	if took := time.Since(began); took < term {
		t.Errorf("taken from a gateway that had its lease: after %v", took)
	}
	g[1].wantList("")
	g[1].tidyGateways(t.Context())
	if n := g[1].scalar(`SELECT COUNT(*) FROM gateway`); n != 1 {
		t.Errorf("%d names of gateways, one of them lives", n)
	}
}

// What was put while the queue did not run is anybody's, and what a gateway leaves
// when it stops in good order waits for no lease.
func TestResign(t *testing.T) {
	g := gateways(t, 2)
	for _, r := range g {
		r.lease.term = time.Hour
	}
	g[0].hop.set(all(try450))
	g[0].put(letter("early", "a@x.test"))
	stop := g[0].run()
	g[0].until("deferred early a@x.test")
	stop()
	g[0].put(letter("late", "a@x.test"))
	g[0].hop.set(all(ok250))
	g[1].run()
	g[1].until("delivered early a@x.test")
	g[1].until("delivered late a@x.test")
}

// After a restart a gateway goes on at once with what it had: the lock of its data
// directory proves that nobody else does.
func TestRestartNeedsNoLease(t *testing.T) {
	url, dir := storetest.Postgres(t), t.TempDir()
	change := func(o *Options) { o.Lease = time.Hour }
	first := rigAt(t, url, dir, change)
	first.enlisted()
	first.put(letter("m", "a@x.test"))
	if err := first.db.Close(); err != nil { // killed
		t.Fatal(err)
	}
	second := rigAt(t, url, dir, change)
	second.run()
	second.until("delivered m a@x.test")
}

// A gateway that lost its lease in a delivery cannot undo what the next owner did.
func TestFencing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		theirs msg.Reply // to the next owner
		list   string    // afterwards
	}{
		{"delivered meanwhile", ok250, ""},
		{"deferred meanwhile", try450, "m a@x.test waiting 1 450"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := gateways(t, 2)
			entered, release := make(chan struct{}), make(chan struct{})
			own := &hop{answer: func(ctx context.Context, t *msg.Transfer) []msg.Reply {
				close(entered)
				<-release
				return all(ok250)(ctx, t)
			}}
			g[0].o.Deliver = own
			g[0].enlisted()
			g[0].put(letter("m", "a@x.test"))
			j := &job{id: "m", hop: "hop:25", born: t0, news: t0.Add(time.Hour)}
			done := make(chan time.Time)
			go func() { due, _ := g[0].Queue.attempt(context.Background(), j); done <- due }()
			<-entered
			g[1].hop.set(all(tt.theirs))
			g[1].run()
			g[1].wait(func() bool { return strings.Contains(g[1].log(), "m a@x.test") })
			close(release)
			if due := <-done; !due.IsZero() {
				t.Errorf("still planned, for %v", due)
			}
			if strings.Contains(g[0].log(), "delivered") {
				t.Errorf("events of the former owner:\n%s", g[0].log())
			}
			g[1].wantList(tt.list)
			// Back from the dead it takes a new name, and works.
			before := g[0].lease.owner()
			if more, err := g[0].look(t.Context()); !more || err != nil || g[0].lease.owner() == before {
				t.Errorf("%v %v, owner %s", more, err, g[0].lease.owner())
			}
			if more, err := g[0].look(t.Context()); more || err != nil || !g[0].lease.holds() {
				t.Errorf("%v %v", more, err)
			}
		})
	}
}

// A lease that ran out while nobody noticed is simply prolonged: the rows are ours.
func TestLateRenewal(t *testing.T) {
	r := gateways(t, 1)[0]
	r.enlisted()
	owner := r.lease.owner()
	err := r.db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE gateway SET lease_until = {now} - 5`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.lease.set(owner, time.Now().Add(-term))
	if r.lease.holds() || r.fill(func(*job) { t.Error("started without a lease") }) != recheck {
		t.Error("deliveries go on after the lease")
	}
	if _, err := r.look(t.Context()); err != nil || r.lease.owner() != owner || !r.lease.holds() {
		t.Errorf("%v, owner %s, was %s", err, r.lease.owner(), owner)
	}
}

// An operator at one gateway steers the mail of another.
func TestOperatorAtAnotherGateway(t *testing.T) {
	g, ctx := gateways(t, 2), t.Context()
	g[0].hop.set(all(try450))
	g[0].run()
	for _, id := range []string{"retried", "held", "dropped"} {
		g[0].put(letter(id, "a@x.test"))
		g[0].until("deferred " + id + " a@x.test")
	}
	g[0].hop.set(all(ok250))
	g[1].run()
	if n, err := g[1].Retry(ctx, "retried"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	g[0].until("delivered retried a@x.test") // by its owner, though its clock stands
	if n, err := g[1].Hold(ctx, "held"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := g[1].Drop(ctx, "dropped"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	g[0].pass(time.Hour)
	g[0].put(letter("later", "a@x.test"))
	g[0].until("delivered later a@x.test")
	g[1].wantList("held a@x.test held 1 450")
	if n, err := g[1].Release(ctx, "held"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	g[0].until("delivered held a@x.test") // its time came while it was held
	g[0].hop.set(all(try450))
	g[0].put(letter("early", "a@x.test"))
	g[0].until("deferred early a@x.test")
	if n, err := g[0].Hold(ctx, "early"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	g[0].hop.set(all(ok250))
	g[1].clock.add(time.Hour)
	if n, err := g[1].Release(ctx, "early"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	g[0].wait(func() bool { return g[0].scalar(`SELECT hurry FROM queue`) == 0 })
	g[0].wantList("early a@x.test waiting 1 450") // a minute after its first try
	g[0].pass(time.Minute)
	g[0].until("delivered early a@x.test")
	if log := g[0].log() + g[1].log(); strings.Contains(log, "delivered dropped") {
		t.Errorf("events:\n%s", log)
	}
}

// A row of ours that the plan does not know, because the answer to a COMMIT was lost,
// is found after the trouble.
func TestLostAnswerIsFound(t *testing.T) {
	r := gateways(t, 1)[0]
	r.run()
	r.put(letter("m", "a@x.test"))
	r.until("delivered m a@x.test")
	c, err := r.Prepare(t.Context(), letter("unknown", "a@x.test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.db.Update(t.Context(), func(tx store.Tx) error { return c.Apply(t.Context(), tx) }); err != nil {
		t.Fatal(err) // committed, and nobody told the queue
	}
	_ = r.db.Update(t.Context(), func(tx store.Tx) error { // cut off, as when the server is restarted
		_, err := tx.Exec(t.Context(), `SELECT pg_terminate_backend(pg_backend_pid())`)
		return err
	})
	if r.db.Troubles() == 0 {
		t.Error("the connection was lost, and no transaction failed")
	}
	r.until("delivered unknown a@x.test")
}

// An outcome whose COMMIT happened without an answer is not recorded a second time:
// its notice would go out twice.
func TestRecordTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := rigAt(t, url, t.TempDir())
		r.put(letter("m", "no@x.test", "later@x.test"))
		l, err := r.load(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			o := r.judge(l, []msg.Reply{no550, try450}, t0)
			if err := r.record(t.Context(), l, o); err != nil {
				t.Fatal(err)
			}
			if o.again.IsZero() {
				t.Error("not planned any more")
			}
		}
		r.wantList("m later@x.test waiting 1 450\nm-dsn1 sender@so-mau.gov.test waiting 0 0")
	})
}

// While the server is away an outcome is not recorded and the message not sent again;
// when it is back it is recorded.
func TestPostgresStopsInADelivery(t *testing.T) {
	server := storetest.Start(t)
	r := rigAt(t, server.URL(t), t.TempDir())
	r.hop.set(func(context.Context, *msg.Transfer) []msg.Reply {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		return []msg.Reply{ok250, try450}
	})
	r.run()
	r.put(letter("m", "ok@x.test", "later@x.test"))
	r.wait(func() bool { return r.db.Healthy() != nil })
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	r.until("delivered m ok@x.test")
	r.until("deferred m later@x.test")
	if n := len(r.hop.transfers()); n != 1 {
		t.Errorf("%d deliveries", n)
	}
	r.wait(func() bool { return r.db.Healthy() == nil })
	r.wantList("m later@x.test waiting 1 450")
}

// A queue that finds no server starts when there is one.
func TestPostgresIsAwayAtTheStart(t *testing.T) {
	server := storetest.Start(t)
	r := rigAt(t, server.URL(t), t.TempDir())
	r.put(letter("m", "a@x.test"))
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.wait(func() bool { return r.db.Healthy() != nil })
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	r.until("delivered m a@x.test")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
