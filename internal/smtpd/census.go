package smtpd

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"congthu/internal/msg"
)

// census counts open connections, in all and by client.
type census struct {
	mu       sync.Mutex
	total    int
	byClient map[netip.Prefix]int
}

// enter counts a connection, unless limit are open already.
func (c *census) enter(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.total >= limit {
		return false
	}
	c.total++
	return true
}

func (c *census) leave() {
	c.mu.Lock()
	c.total--
	c.mu.Unlock()
}

// crowded tells whether nine tenths of the limit are in use.
func (c *census) crowded(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total*10 >= limit*9
}

// claim counts a connection to its client, unless limit are open already.
func (c *census) claim(a netip.Addr, limit int) bool {
	key := msg.ClientNet(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byClient[key] >= limit {
		return false
	}
	c.byClient[key]++
	return true
}

func (c *census) disclaim(a netip.Addr) {
	key := msg.ClientNet(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byClient[key]--; c.byClient[key] <= 0 {
		delete(c.byClient, key)
	}
}

// budget is the memory that all messages in flight share.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) release(n int64) { b.used.Add(-n) }
