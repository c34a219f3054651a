package relay

import (
	"context"
	"slices"
	"sync"
	"time"
)

// pool keeps idle connections and bounds how many there are to one next hop.
type pool struct {
	maxIdle, perHop int
	idleTime        time.Duration

	mu     sync.Mutex
	idle   map[hop][]*conn // newest last
	rooms  map[string]*room
	closed bool
}

// room is the seats at one next hop.
type room struct {
	seats chan struct{}
	users int
}

func newPool(maxIdle, perHop int, idleTime time.Duration) *pool {
	return &pool{maxIdle: maxIdle, perHop: perHop, idleTime: idleTime, idle: map[hop][]*conn{}, rooms: map[string]*room{}}
}

// enter waits for a seat at the next hop.
func (p *pool) enter(ctx context.Context, addr string) error {
	p.mu.Lock()
	r := p.rooms[addr]
	if r == nil {
		r = &room{seats: make(chan struct{}, p.perHop)}
		p.rooms[addr] = r
	}
	r.users++
	p.mu.Unlock()
	select {
	case r.seats <- struct{}{}:
		return nil
	case <-ctx.Done():
		p.forget(addr, r)
		return ctx.Err()
	}
}

// leave gives the seat back.
func (p *pool) leave(addr string) {
	p.mu.Lock()
	r := p.rooms[addr]
	p.mu.Unlock()
	<-r.seats
	p.forget(addr, r)
}

func (p *pool) forget(addr string, r *room) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.users--; r.users == 0 {
		delete(p.rooms, addr)
	}
}

// take returns the connection that was used last, or nil. Older ones that have lain
// too long are closed.
func (p *pool) take(h hop) *conn {
	p.mu.Lock()
	list := p.idle[h]
	var found *conn
	var old []*conn
	for len(list) > 0 && found == nil {
		c := list[len(list)-1]
		list = list[:len(list)-1]
		c.ending.Stop()
		if time.Since(c.idleSince) < p.idleTime {
			found = c
		} else {
			old = append(old, c)
		}
	}
	if len(list) == 0 {
		delete(p.idle, h)
	} else {
		p.idle[h] = list
	}
	p.mu.Unlock()
	for _, c := range old {
		c.close()
	}
	return found
}

// give takes a connection back for later, unless there are enough. It is closed when
// its time is over, so that no socket outlives its use.
func (p *pool) give(c *conn) {
	c.idleSince = time.Now()
	h := c.hop
	p.mu.Lock()
	if p.closed || len(p.idle[h]) >= p.maxIdle {
		p.mu.Unlock()
		c.quit()
		return
	}
	p.idle[h] = append(p.idle[h], c)
	if c.ending == nil {
		c.ending = time.AfterFunc(p.idleTime, func() { p.evict(c) })
	} else {
		c.ending.Reset(p.idleTime) // it was stopped, or comes to nothing: see evict
	}
	p.mu.Unlock()
}

// evict closes c if it is still idle and its time is over.
func (p *pool) evict(c *conn) {
	p.mu.Lock()
	list := p.idle[c.hop]
	for i, x := range list {
		if x == c && time.Since(c.idleSince) >= p.idleTime {
			if p.idle[c.hop] = slices.Concat(list[:i], list[i+1:]); len(list) == 1 {
				delete(p.idle, c.hop) // next hops by MX are as many as there are domains
			}
			p.mu.Unlock()
			c.quit()
			return
		}
	}
	p.mu.Unlock()
}

func (p *pool) close() {
	p.mu.Lock()
	var conns []*conn
	for _, list := range p.idle {
		conns = append(conns, list...)
	}
	p.idle, p.closed = map[hop][]*conn{}, true
	p.mu.Unlock()
	for _, c := range conns {
		c.quit()
	}
}
