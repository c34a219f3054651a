package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"congthu/internal/store"
)

// Where several gateways share a store they are one gateway, and each row has at
// most one owner: the gateway that put or claimed it, which alone plans it, delivers
// it, and records what came of it. An owner is one run of one gateway, and lives as
// long as it renews its lease, by the clock of the database, which all of them read.
// When a lease has run out another gateway ends it for good and claims the rows in
// small batches; whoever comes back later finds its lease ended, takes a new name and
// claims like everybody else. What it was delivering then it cannot record any more,
// because each record is made only where the row still has the owner that read it: so
// the worst that a stalled gateway does is to deliver a copy twice.
//
// An operator may change any row at any gateway. The owner hears of it by the column
// "hurry" when it looks the next time. That a delivery is going on only the owner
// knows: elsewhere the row is said to wait.
//
// A store in a file has one gateway. There no row has an owner and nothing of this runs.

const (
	claimBatch = 200             // rows claimed in one transaction
	lookMax    = 5 * time.Second // the longest pause between two looks at what may be claimed
	lookParts  = 6               // looks in one lease: some may fail, or come late
)

// errEnded says that others have taken this gateway for dead.
var errEnded = errors.New("queue: the lease was ended by another gateway")

// lease is the right to rows, as this gateway knows it.
type lease struct {
	shared bool
	term   time.Duration

	mu    sync.Mutex
	id    string    // the owner; "" before it has one: rows put then are anybody's
	until time.Time // by the monotonic clock, and never later than the database says
}

func (l *lease) owner() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id
}

// holds tells whether deliveries may be started: nobody else can have our rows.
func (l *lease) holds() bool {
	if !l.shared {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id != "" && time.Now().Before(l.until)
}

// set notes a lease that was asked for at a time. The database counts from a later
// moment; a twentieth is left for clocks that run at other rates.
func (l *lease) set(id string, asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, l.until = id, asked.Add(l.term-l.term/20)
}

func (l *lease) look() time.Duration { return min(l.term/lookParts, lookMax) }

// enlist begins a lease under a new name. An earlier run in the same data directory
// is dead, for its lock is ours: its rows need not wait for the end of its lease.
func (q *Queue) enlist(ctx context.Context) error {
	id, asked := rand.Text(), time.Now()
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE gateway SET lease_until = 0 WHERE name = $1 AND lease_until > 0`, q.o.Store.Name()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO gateway (id, name, lease_until) VALUES ($1, $2, {now} + $3)`, id, q.o.Store.Name(), q.lease.term.Milliseconds())
		return err
	})
	if err != nil {
		return fmt.Errorf("queue: begin a lease: %w", err)
	}
	q.lease.set(id, asked)
	return nil
}

// resign ends the lease, so that others need not wait for what is left.
func (q *Queue) resign(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookMax)
	defer cancel()
	id := q.lease.owner()
	q.lease.set("", time.Time{})
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE gateway SET lease_until = 0 WHERE id = $1`, id)
		return err
	})
	if err != nil {
		q.o.Log.Warn("queue: the lease could not be ended; others wait until it runs out", "error", err)
	}
}

// keep has tend run until the function it returns is called.
func (q *Queue) keep(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		q.tend(ctx)
	}()
	return func() { cancel(); <-done }
}

// tend keeps the lease, and claims what nobody works on, until ctx ends.
func (q *Queue) tend(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := q.look(ctx)
		if err != nil && ctx.Err() == nil {
			q.o.Log.Warn("queue: cannot look for work of other gateways; deliveries rest when the lease has run out", "error", err)
		}
		if !more || err != nil {
			sleep(ctx, q.lease.look(), nil)
		}
	}
}

// look renews the lease and plans what it finds. more is true when there may be
// more to claim at once.
func (q *Queue) look(ctx context.Context) (more bool, err error) {
	troubles := q.o.Store.Troubles()
	asked, id := time.Now(), q.lease.owner()
	var claimed, later, hurried []*job
	err = q.o.Store.Update(ctx, func(tx store.Tx) error {
		if err := q.renew(ctx, tx, id); err != nil {
			return err
		}
		if claimed, err = q.claim(ctx, tx, id); err != nil {
			return err
		}
		hurried, later, err = q.changed(ctx, tx, id)
		return err
	})
	if errors.Is(err, errEnded) {
		return true, q.startOver(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("queue: %w", err)
	}
	q.lease.set(id, asked)
	if len(claimed) > 0 {
		q.o.Log.Info("queue: took over messages that no living gateway works on", "messages", len(claimed))
	}
	q.take(append(claimed, later...), hurried)
	return len(claimed) >= claimBatch, q.catchUp(ctx, troubles)
}

// renew prolongs the lease, and ends those that have run out. Having run out alone
// does no harm: until somebody ends it the rows are still ours.
func (q *Queue) renew(ctx context.Context, tx store.Tx, id string) error {
	r, err := tx.Exec(ctx, `UPDATE gateway SET lease_until = {now} + $1 WHERE id = $2 AND lease_until > 0`, q.lease.term.Milliseconds(), id)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errEnded)
	}
	_, err = tx.Exec(ctx, `UPDATE gateway SET lease_until = 0 WHERE id IN
		(SELECT id FROM gateway WHERE lease_until > 0 AND lease_until <= {now} {claim})`)
	return err
}

const (
	// Each claims from one kind of row, so that an index leads to it, and in no order:
	// to sort all that a dead gateway left for each batch would cost minutes.
	claimNobodys = `UPDATE queue SET owner = $1, hurry = 0 WHERE id IN
		(SELECT id FROM queue WHERE owner IS NULL AND state = $2 LIMIT $3 {claim}) RETURNING ` + jobColumns
	claimDead = `UPDATE queue SET owner = $1, hurry = 0 WHERE id IN
		(SELECT id FROM queue WHERE owner IN (SELECT id FROM gateway WHERE lease_until = 0) AND state = $2 LIMIT $3 {claim}) RETURNING ` + jobColumns
)

// claim makes rows ours whose owner is nobody, or dead. All are due now.
func (q *Queue) claim(ctx context.Context, tx store.Tx, id string) ([]*job, error) {
	nobodys, err := q.jobs(ctx, tx, claimNobodys, id, stateWaiting, claimBatch)
	if err != nil {
		return nil, err
	}
	dead, err := q.jobs(ctx, tx, claimDead, id, stateWaiting, claimBatch)
	return append(nobodys, dead...), err
}

// changed returns the rows of ours that an operator has changed at another gateway:
// those to be tried now, and those that go on waiting as their schedule says.
func (q *Queue) changed(ctx context.Context, tx store.Tx, id string) (now, later []*job, err error) {
	hurry, due, err := changes(ctx, tx, id)
	if err != nil || len(hurry) == 0 {
		return nil, nil, err
	}
	jobs, err := q.jobs(ctx, tx, `UPDATE queue SET hurry = 0 WHERE owner = $1 AND hurry <> 0 AND state = $2 RETURNING `+jobColumns, id, stateWaiting)
	for _, j := range jobs {
		if hurry[j.id] == 1 {
			now = append(now, j)
			continue
		}
		j.due = j.due.Add(min(max(due[j.id].Sub(q.o.Now()), 0), longestPause))
		later = append(later, j)
	}
	return now, later, err
}

// changes reads what the column hurry says of rows, and when they are due.
func changes(ctx context.Context, tx store.Tx, id string) (hurry map[string]int, due map[string]time.Time, err error) {
	rows, err := tx.Query(ctx, `SELECT id, hurry, next_try FROM queue WHERE owner = $1 AND hurry <> 0 AND state = $2 {lock}`, id, stateWaiting)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	hurry, due = map[string]int{}, map[string]time.Time{}
	for rows.Next() {
		var row string
		var how int
		var at int64
		if err := rows.Scan(&row, &how, &at); err != nil {
			return nil, nil, err
		}
		hurry[row], due[row] = how, time.UnixMilli(at)
	}
	return hurry, due, rows.Err()
}

// take plans jobs as they are, and those that are to be tried now.
func (q *Queue) take(jobs, hurried []*job) {
	if len(jobs)+len(hurried) == 0 {
		return
	}
	q.mu.Lock()
	for _, j := range jobs {
		q.plan.add(j)
	}
	for _, j := range hurried {
		q.plan.add(j)
		q.plan.hurry(j.id, j.due)
	}
	q.mu.Unlock()
	q.nudge()
}

// catchUp plans rows of ours that the plan does not know: a COMMIT whose answer was
// lost may have happened. troubles is how often the store had failed before the last
// successful look.
func (q *Queue) catchUp(ctx context.Context, troubles uint64) error {
	if troubles == q.troubles {
		return nil
	}
	jobs, err := q.waiting(ctx, "")
	if err != nil {
		return err
	}
	q.troubles = troubles
	q.take(jobs, nil)
	return nil
}

// startOver is for a gateway that was taken for dead. Its rows may be another's by
// now, so it forgets them all and claims anew; what it delivers at the moment goes
// on, and finds when it is recorded whose the row is.
func (q *Queue) startOver(ctx context.Context) error {
	q.o.Log.Warn("queue: this gateway was taken for dead; deliveries that go on now may be made twice")
	if err := q.enlist(ctx); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for id := range q.plan.jobs {
		q.plan.remove(id)
	}
	return nil
}

// tidyGateways removes the names of dead gateways that have no rows any more.
func (q *Queue) tidyGateways(ctx context.Context) {
	err := q.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM gateway WHERE id IN (SELECT id FROM gateway WHERE lease_until = 0
			AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.owner = gateway.id) {claim})`)
		return err
	})
	if err != nil {
		q.o.Log.Warn("queue: names of dead gateways stay", "error", err)
	}
}
