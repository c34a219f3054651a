package attach

import (
	"context"
	"errors"
	"sync"
	"time"

	"congthu/internal/scanproto"
)

// generation is the workers that share one state of the rules.
type generation struct {
	opt    Options
	rules  *compiled
	idle   chan *worker
	fences []string // that stand around all workers
	closed chan struct{}
	once   sync.Once
	alive  sync.WaitGroup // one for each place of a worker
	gone   chan struct{}  // closed when the last worker is gone
}

// newGeneration starts workers; before, if any, is the generation that they follow.
func newGeneration(ctx context.Context, o Options, before *generation) (*generation, error) {
	var known *compiled
	if before != nil {
		known = before.rules
	}
	rules, err := compileRules(ctx, o, known)
	if err != nil {
		return nil, err
	}
	rules.use()
	g := &generation{opt: o, rules: rules, idle: make(chan *worker, o.Workers), closed: make(chan struct{}), gone: make(chan struct{})}
	type started struct {
		w   *worker
		err error
	}
	all := make(chan started, o.Workers)
	for range o.Workers {
		go func() {
			w, err := startWorker(ctx, o, rules)
			all <- started{w, err}
		}()
	}
	for range o.Workers {
		s := <-all
		if s.err != nil {
			err = s.err
			continue
		}
		if g.fences == nil {
			g.fences = s.w.fences
		}
		g.fences = common(g.fences, s.w.fences)
		g.alive.Add(1)
		g.idle <- s.w
		go g.watch(s.w)
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// ask lets a worker look. A worker that failed in any way is never asked again.
func (g *generation) ask(ctx context.Context, w *worker, r *scanproto.Request) (*scanproto.Answer, error) {
	a, err := w.ask(ctx, r, g.opt.Timeout)
	if errors.Is(err, errDead) {
		g.lost(w)
		return nil, err
	}
	if err != nil {
		g.opt.Log.Warn("scan worker failed and is replaced", "pid", w.pid(), "error", err)
		g.discard(w)
		return nil, err
	}
	if a.Retire {
		g.opt.Log.Warn("scan worker is stuck in an attachment and is replaced", "pid", w.pid())
		g.discard(w)
		return a, nil
	}
	g.giveBack(w)
	return a, nil
}

// watch waits for the end of a worker and fills its place at once when nobody has it: the
// next letter need not find out.
func (g *generation) watch(w *worker) {
	<-w.exited
	for range cap(g.idle) {
		select {
		case o := <-g.idle:
			if o == w {
				g.lost(w)
				return
			}
			g.giveBack(o)
		default:
			return // it is at work, or has been discarded
		}
	}
}

// lost replaces a worker that ended by itself while no letter was in its hands.
func (g *generation) lost(w *worker) {
	g.opt.Log.Warn("scan worker ended while it was idle and is replaced", "pid", w.pid())
	g.discard(w)
}

func (g *generation) discard(w *worker) {
	w.kill()
	go g.replace()
}

// giveBack never blocks: there is room for every worker.
func (g *generation) giveBack(w *worker) {
	g.idle <- w
	select {
	case <-g.closed:
		g.drain()
	default:
	}
}

// replace fills the place of a worker that failed, trying until it succeeds.
func (g *generation) replace() {
	const first, most = 100 * time.Millisecond, 30 * time.Second
	for wait := first; ; wait = min(2*wait, most) {
		w, err := startWorker(context.Background(), g.opt, g.rules)
		if err == nil {
			g.giveBack(w)
			go g.watch(w)
			return
		}
		g.opt.Log.Error("scan worker does not start", "error", err, "next_try", wait)
		select {
		case <-g.closed:
			g.alive.Done()
			return
		case <-time.After(wait):
		}
	}
}

// close ends the idle workers; those at work end when they are given back.
func (g *generation) close() {
	g.once.Do(func() {
		close(g.closed)
		g.drain()
		go func() { // the rules must stay as long as a worker may still start from them
			g.alive.Wait()
			g.rules.leave()
			close(g.gone)
		}()
	})
}

func (g *generation) drain() {
	for {
		select {
		case w := <-g.idle:
			w.end()
			g.alive.Done()
		default:
			return
		}
	}
}
