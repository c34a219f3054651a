package scan

import (
	"context"
	"sync"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/picture"
	"congthu/internal/scanproto"
)

// slack is what a parser gets beyond the time of the request before it counts as stuck,
// and nap is how long it takes the watchdog at most to see that.
const (
	slack = time.Second
	nap   = 250 * time.Millisecond
)

// Watchdog looks at one request after another, for a process that can end itself. The zero
// value is ready. It starts no timer for a request: each would wake another thread, and
// for a small letter that costs as much as the rules do. It wakes by itself while there
// is something to watch, and once more.
type Watchdog struct {
	mu     sync.Mutex
	awake  bool
	looked bool // since it last woke
	until  time.Time
	bite   func() // what becomes of the request under way; nil between requests
}

// Look is the function Look, with the types of files: when a parser does not come back,
// stuck is called on another goroutine with what was found so far and the time as the
// limit that was hit; Look then does not return, and the process is of no more use.
// The looking stays on the caller's goroutine: handing each letter to another one and
// back costs as much as YARA takes for it.
func (d *Watchdog) Look(ctx context.Context, m Matcher, limits archive.Limits, r *scanproto.Request, stuck func(Seen)) (Seen, error) {
	until := time.Now().Add(time.Duration(r.TimeoutMS) * time.Millisecond)
	ctx = clock{ctx, until}
	l := &look{ctx: ctx, match: m, budget: archive.NewBudget(ctx, limits), seen: map[string]bool{}, hosts: map[string]int{}, pictures: picture.DefaultBudget()}
	l.budget.Passwords = passwords(r.Objects)
	d.watch(until.Add(slack), func() { stuck(l.stuck()) })
	defer d.rest()
	for _, o := range r.Objects {
		l.begin(o.Part)
		l.object(o)
	}
	return l.result()
}

func (d *Watchdog) watch(until time.Time, bite func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until, d.bite, d.looked = until, bite, true
	if !d.awake {
		d.awake = true
		time.AfterFunc(nap, d.wake)
	}
}

func (d *Watchdog) rest() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bite = nil
}

// wake sees whether the time is over. It holds on to what it watches while it bites.
func (d *Watchdog) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.bite != nil && time.Now().After(d.until):
		d.bite()
	case d.bite != nil || d.looked:
		time.AfterFunc(nap, d.wake)
		d.looked = false
		return
	}
	d.awake = false
}

// clock is a context that ends at a time without a timer, for code that asks Err and
// Deadline: its Done is not closed then.
type clock struct {
	context.Context //nolint:containedctx // this is one
	until           time.Time
}

// Deadline returns the time. That of the context within is later, or none.
func (c clock) Deadline() (time.Time, bool) { return c.until, true }

// Err is context.DeadlineExceeded after the time.
func (c clock) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	if time.Now().After(c.until) {
		return context.DeadlineExceeded
	}
	return nil
}
