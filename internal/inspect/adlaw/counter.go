package adlaw

import (
	"hash/maphash"
	"sync"
	"time"
)

// Counter counts the advertising of a house to a mailbox in the last 24 hours. It is in
// memory, bounded, and forgets at a restart: a house is then counted from nothing, which
// errs on its side.
type Counter struct {
	mu   sync.Mutex
	seed maphash.Seed
	now  map[uint64][]seen // pairs seen since turned
	old  map[uint64][]seen // and in the day before
	turn time.Time
}

// seen is one letter: the same one brought again is not another.
type seen struct {
	letter uint64
	at     int64 // seconds
}

const (
	day      = 24 * time.Hour
	maxPairs = 50_000 // in one generation; some 10 MB with both full
	maxKept  = 20     // letters of one pair
)

// NewCounter returns an empty counter.
func NewCounter() *Counter {
	return &Counter{seed: maphash.MakeSeed(), now: map[uint64][]seen{}}
}

// add counts a letter and returns how many of the pair came in the 24 hours before it,
// itself included.
func (c *Counter) add(house, mailbox, letter string, at time.Time) int {
	pair := maphash.String(c.seed, house+"\x00"+mailbox)
	s := seen{maphash.String(c.seed, letter), at.Unix()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.Sub(c.turn) > day || len(c.now) >= maxPairs {
		c.old, c.now, c.turn = c.now, map[uint64][]seen{}, at
	}
	list := append([]seen(nil), c.now[pair]...)
	if len(list) == 0 {
		list = append(list, c.old[pair]...)
	}
	kept, again := list[:0], false
	for _, l := range list {
		if l.at > s.at-int64(day/time.Second) {
			kept = append(kept, l)
			again = again || letter != "" && l.letter == s.letter
		}
	}
	if !again && len(kept) < maxKept {
		kept = append(kept, s)
	}
	c.now[pair] = kept
	return len(kept)
}
