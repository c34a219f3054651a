package admin

import (
	"net/netip"
	"sync"
	"time"
)

const (
	mostMisses   = 20 // wrong tokens of an address within missSpan
	missSpan     = 10 * time.Minute
	missLock     = 15 * time.Minute
	mostSources  = 4096 // that are remembered
	mostRecorded = 60   // refusals on record in a minute, of all addresses
)

// misses counts wrong tokens by address. An IPv6 caller has a whole network to come from,
// so that it counts by /64. Memory is bounded: when there are too many addresses, the one
// that was quiet longest is forgotten.
type misses struct {
	mu       sync.Mutex
	by       map[netip.Prefix]*miss
	minute   time.Time
	recorded int
}

type miss struct {
	first, last, until, told time.Time
	count                    int
}

func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits) // the bits fit, by the lines above
	return p
}

func (m *misses) locked(from netip.Addr, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.by[network(from)]
	return one != nil && now.Before(one.until)
}

// note counts one and tells whether it is to go on record.
func (m *misses) note(from netip.Addr, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.of(network(from), now)
	if now.Sub(one.first) > missSpan {
		one.first, one.count = now, 0
	}
	one.count++
	one.last = now
	if one.count >= mostMisses {
		one.until, one.count, one.first = now.Add(missLock), 0, now
	}
	if now.Sub(m.minute) >= time.Minute {
		m.minute, m.recorded = now, 0
	}
	if now.Sub(one.told) < time.Minute || m.recorded >= mostRecorded {
		return false
	}
	one.told = now
	m.recorded++
	return true
}

func (m *misses) of(p netip.Prefix, now time.Time) *miss {
	if one := m.by[p]; one != nil {
		return one
	}
	if m.by == nil {
		m.by = map[netip.Prefix]*miss{}
	}
	if len(m.by) >= mostSources {
		m.forget(now)
	}
	one := &miss{first: now}
	m.by[p] = one
	return one
}

// forget drops what no longer counts, or else the one that was quiet longest and is not
// locked.
func (m *misses) forget(now time.Time) {
	var oldest netip.Prefix
	for p, one := range m.by {
		switch before := m.by[oldest]; {
		case now.Sub(one.last) > missSpan && now.After(one.until):
			delete(m.by, p)
		case before == nil, before.until.After(now) && !one.until.After(now), before.until.After(now) == one.until.After(now) && one.last.Before(before.last):
			oldest = p
		}
	}
	if len(m.by) >= mostSources {
		delete(m.by, oldest)
	}
}

// Sources is how many addresses are remembered that have shown wrong tokens.
func (g *Gate) Sources() int {
	g.misses.mu.Lock()
	defer g.misses.mu.Unlock()
	return len(g.misses.by)
}
