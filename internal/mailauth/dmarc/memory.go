package dmarc

import (
	"container/list"
	"strings"
	"sync"
	"time"
)

const (
	// memoryLife is how long a policy of rejection is remembered after it was last
	// seen. It outlives any TTL on purpose: owners change such a policy rarely, and
	// what follows from an outdated memory is a deferral, never a refusal.
	memoryLife = 7 * 24 * time.Hour
	memoryMax  = 10_000 // domains, the least recently seen are forgotten first
)

// Memory remembers which domains ask that forgeries be refused, so that a name
// server that fails does not let in what yesterday would have been refused: the
// sender is asked to come back instead (RFC 9989 section 5.3.6 leaves this to the
// receiver). It is kept in memory only: after a restart it fills again. It is safe
// for concurrent use, and a nil Memory remembers nothing.
type Memory struct {
	mu     sync.Mutex
	seen   map[string]*list.Element // of *remembered
	recent *list.List               // the most recently seen first
	max    int
	now    func() time.Time
}

// remembered is one record of which at least one policy is rejection.
type remembered struct {
	domain     string // where the record is
	own, below bool   // rejection is asked for the domain itself, for names below
	until      time.Time
}

// NewMemory returns an empty memory.
func NewMemory() *Memory {
	return &Memory{seen: map[string]*list.Element{}, recent: list.New(), max: memoryMax, now: time.Now}
}

// Note remembers what a successful look at the DNS has shown.
func (m *Memory) Note(r Result) {
	if m == nil || r.Record == nil || r.PolicyAt == "" {
		return
	}
	e := &remembered{domain: r.PolicyAt, own: asksReject(r.Record, r.Record.Policy)}
	e.below = asksReject(r.Record, r.Record.ofSubdomain())
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.seen[e.domain]; old != nil {
		m.drop(old)
	}
	if !e.own && !e.below {
		return
	}
	e.until = m.now().Add(memoryLife)
	m.seen[e.domain] = m.recent.PushFront(e)
	for m.recent.Len() > m.max {
		m.drop(m.recent.Back())
	}
}

// Rejects tells whether the domain, or the nearest domain above it that is
// remembered, has asked for rejection.
func (m *Memory) Rejects(domain string) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, own := domain, true; ; own = false {
		if el := m.seen[name]; el != nil {
			e := el.Value.(*remembered)
			if m.now().After(e.until) {
				m.drop(el)
				return false
			}
			return own && e.own || !own && e.below
		}
		_, above, ok := strings.Cut(name, ".")
		if !ok {
			return false
		}
		name = above
	}
}

// drop forgets an element. m.mu is held.
func (m *Memory) drop(el *list.Element) {
	delete(m.seen, el.Value.(*remembered).domain)
	m.recent.Remove(el)
}

// asksReject tells whether a policy of the record is rejection that is not on trial.
func asksReject(r *Record, policy string) bool { return policy == PolicyReject && !r.Testing }

// ofSubdomain is the policy for names below the record's own.
func (r *Record) ofSubdomain() string {
	if r.Subdomain != "" {
		return r.Subdomain
	}
	return r.Policy
}
