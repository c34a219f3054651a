// Package queue carries accepted mail to its next hop, however long that takes.
//
// What 250 means: the sender may be told 250 once Put has returned nil. Then
// content, envelope and schedule are in the store, committed and synced. An error
// of Put means 4xx: the sender keeps the message. (If the disk failed in the very
// sync of the commit, the message may turn up after a restart all the same, and
// the sender will send it again: a duplicate, never a loss.)
//
// What a crash can do: a recipient is removed only in a commit that follows the
// next hop's 2xx. A crash between the two delivers that copy once more; SMTP has
// no way to close this gap (RFC 5321 section 4.1.1.4 asks to keep it short). The
// same holds when the next hop says nothing after the final dot: silence is
// unknown, and unknown is tried again. At a start everything unfinished is due
// at once.
//
// What a crash cannot do: lose a recipient, deliver half a message (contents
// carry a checksum; damaged ones are kept and never sent), or forget to tell the
// sender of a failure: the notice is queued in the transaction that removes the
// failed recipient.
//
// Several gateways may share the queue, if they share the store; lease.go says how
// one goes on with the mail of another that died.
//
// Every recipient leaves the queue in exactly one way: delivered; failed, with a
// notice to the sender; kept as a dead letter where no notice may be sent (the
// null sender, a message that was released from quarantine); or dropped by an
// operator. Each is an event.
package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Deliverer takes a message to its next hop. It returns one reply for each of
// t.To, in that order; a reply without code means that nothing is known.
type Deliverer interface {
	Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply
}

// Options are the parts and the limits of a queue. The zero value of a limit is
// its default.
type Options struct {
	Store    *store.DB
	Deliver  Deliverer
	Hostname string // of the gateway, for its notices

	Life        time.Duration                   // how long is tried: 5 days (RFC 5321 section 4.5.4.1)
	Warn        time.Duration                   // when the sender is told of a delay: 4 hours; negative never
	DeadKeep    time.Duration                   // how long a dead letter waits for an operator: 30 days
	Backoff     func(attempt int) time.Duration // the pause after that many attempts; see Backoff
	Concurrency int                             // deliveries at a time: 64
	PerHop      int                             // of these, to one next hop: 16
	InFlight    int64                           // octets of content in memory: 256 MiB; one larger message may pass alone
	Attempt     time.Duration                   // the time one delivery may take: 10 minutes
	Drain       time.Duration                   // the time deliveries have to end when Run does: 20 seconds
	Lease       time.Duration                   // on a shared store: how long a gateway that says nothing keeps its mail: 60 seconds

	Log *slog.Logger
	Now func() time.Time // the time of day, for what is written down and told to people
	// Steady is the time since some moment, and nobody can set it; nil: the
	// monotonic reading of Now. Pauses, delays and expiry go by it, so that a clock
	// that jumps makes nothing expire and nothing due.
	Steady func() time.Duration
	// Event is told what became of each recipient, after it is durable: queued,
	// delivered, deferred, delayed, failed, expired, dead, corrupt, dropped.
	Event func(event, id string, to msg.Path, r msg.Reply)
	// Route is where mail for a domain goes today; nil, or false: where it went when
	// the message came.
	Route func(domain string) (string, bool)
	// NextHop is the route of notices to senders in a domain. Without one the
	// failed message becomes a dead letter.
	NextHop func(domain string) (string, bool)
	// Notify may forbid a notice, for a sender who may be forged; nil allows all.
	Notify func(t *msg.Transfer) bool
}

// Queue is the durable schedule. Put and the operator's calls work whether or
// not Run does.
type Queue struct {
	o           Options
	began       time.Time // the steady clock's zero, as time of day
	minAttempts int
	lease       *lease
	troubles    uint64 // of the store, when the plan last had all rows of ours; only for tend

	mu      sync.Mutex
	plan    *schedule
	running bool
	wake    chan struct{} // one slot: something may be due
}

// New returns a queue on its store. Nothing is delivered before Run.
func New(o Options) *Queue {
	setDefault(&o.Life, 5*24*time.Hour)
	setDefault(&o.Warn, 4*time.Hour)
	setDefault(&o.DeadKeep, 30*24*time.Hour)
	setDefault(&o.Concurrency, 64)
	setDefault(&o.PerHop, 16)
	setDefault(&o.InFlight, 256<<20)
	setDefault(&o.Attempt, 10*time.Minute)
	setDefault(&o.Drain, 20*time.Second)
	setDefault(&o.Lease, time.Minute)
	if o.Backoff == nil {
		o.Backoff = Backoff
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Event == nil {
		o.Event = func(string, string, msg.Path, msg.Reply) {}
	}
	began := o.Now()
	if o.Steady == nil {
		o.Steady = func() time.Duration { return o.Now().Sub(began) }
	}
	return &Queue{
		o: o, began: began, minAttempts: minAttempts(o.Life, o.Backoff),
		lease: &lease{shared: o.Store != nil && o.Store.Shared(), term: o.Lease},
		plan:  newSchedule(o.Concurrency, o.PerHop, o.InFlight, o.Backoff), wake: make(chan struct{}, 1),
	}
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Put queues transfers. When it returns nil they are durable.
func (q *Queue) Put(ctx context.Context, t ...*msg.Transfer) error {
	c, err := q.Prepare(ctx, t...)
	if err != nil {
		return err
	}
	return q.o.Store.Commit(ctx, c)
}

// Prepare does the slow part of Put and returns the rest as a change, so that it
// commits together with other changes: store.Commit(ctx, changes...).
func (q *Queue) Prepare(_ context.Context, t ...*msg.Transfer) (*store.Change, error) {
	return q.prepare(t, false)
}

// PrepareQuiet is Prepare for mail whose sender must never hear of it, such as
// a release from quarantine: where others cause a notice it becomes a dead
// letter.
func (q *Queue) PrepareQuiet(_ context.Context, t ...*msg.Transfer) (*store.Change, error) {
	return q.prepare(t, true)
}

func (q *Queue) prepare(ts []*msg.Transfer, quiet bool) (*store.Change, error) {
	var es []*entry
	undo := func() {
		for _, e := range es {
			if e.first {
				e.body.Discard()
			}
		}
	}
	shared := map[*byte]*store.Body{}
	for _, t := range ts {
		if err := check(t); err != nil {
			undo()
			return nil, err
		}
		for _, part := range split(t) {
			e, err := q.stage(part, quiet, shared)
			if err != nil {
				undo()
				return nil, err
			}
			es = append(es, e)
		}
	}
	return &store.Change{
		Apply: func(ctx context.Context, tx store.Tx) error { return insertAll(ctx, tx, es, q.lease.owner()) },
		Done:  func() { q.queued(es) },
		Undo:  undo,
	}, nil
}

// queued takes committed entries into the plan.
func (q *Queue) queued(es []*entry) {
	q.mu.Lock()
	if q.running { // else Run will read them from the store
		for _, e := range es {
			if e.owner == q.lease.owner() { // else the lease has changed, and they are claimed like others
				q.plan.add(q.job(e))
			}
		}
	}
	q.mu.Unlock()
	q.nudge()
	for _, e := range es {
		for _, to := range e.t.To {
			q.o.Event("queued", e.t.ID, to, msg.Reply{})
		}
	}
}

// nudge wakes Run.
func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// errAlready is returned by a second Run.
var errAlready = errors.New("queue: already running")
