package account

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"congthu/internal/msg"
)

// How guessing is slowed down. After the free failures each further one doubles the
// pause: 30 s, 1 min, ... 15 min. So an account can be tried about a dozen times an hour, from
// however many addresses.
const (
	freeOfAccount = 3
	freeOfClient  = 10 // a whole office may sit behind one address
	firstPause    = 30 * time.Second
	longestPause  = 15 * time.Minute
	forgetAfter   = time.Hour
	slots         = 1 << 14
	maxKnown      = 4096
	knownFor      = 24 * time.Hour
)

// backoff counts failures by account and by client. The counts stand in tables of
// fixed size, found by a seeded hash: names that do not exist are counted like those
// that do, and no flood of names or addresses makes it grow or forget. Two that meet
// in one slot share their pause, which is rare and passes.
//
// A client from which an account was opened lately is known for it: strangers who
// guess cannot lock it out, and what it does in its favour does not help them.
type backoff struct {
	mu       sync.Mutex
	seed     maphash.Seed
	accounts [slots]tally
	clients  [slots]tally
	known    map[pair]time.Time // when the account was last opened from the client
}

// pair is an account and a client.
type pair struct {
	account string
	client  netip.Prefix
}

// tally is the failures in one slot.
type tally struct {
	failures int
	last     time.Time
	until    time.Time
}

func newBackoff() *backoff {
	return &backoff{seed: maphash.MakeSeed(), known: map[pair]time.Time{}}
}

// allowed tells whether the client may try the account now.
func (b *backoff) allowed(account string, client netip.Addr, now time.Time) bool {
	p := pair{account, msg.ClientNet(client)}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !now.Before(b.client(p).until) && (b.knows(p, now) || !now.Before(b.account(p).until))
}

// failed counts a failure.
func (b *backoff) failed(account string, client netip.Addr, now time.Time) {
	p := pair{account, msg.ClientNet(client)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.client(p).add(freeOfClient, now)
	if !b.knows(p, now) {
		b.account(p).add(freeOfAccount, now)
	}
}

// succeeded forgets the account's failures, unless the client was known for it anyway.
func (b *backoff) succeeded(account string, client netip.Addr, now time.Time) {
	p := pair{account, msg.ClientNet(client)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.knows(p, now) {
		*b.account(p) = tally{}
		b.makeRoom()
	}
	b.known[p] = now
}

func (b *backoff) knows(p pair, now time.Time) bool {
	at, ok := b.known[p]
	return ok && now.Sub(at) < knownFor
}

// makeRoom drops the oldest of the known when there are too many.
func (b *backoff) makeRoom() {
	if len(b.known) < maxKnown {
		return
	}
	var oldest pair
	first := true
	for p, at := range b.known {
		if first || at.Before(b.known[oldest]) {
			oldest, first = p, false
		}
	}
	delete(b.known, oldest)
}

func (b *backoff) account(p pair) *tally {
	return &b.accounts[maphash.String(b.seed, p.account)%slots]
}

func (b *backoff) client(p pair) *tally {
	return &b.clients[maphash.Comparable(b.seed, p.client)%slots]
}

func (t *tally) add(free int, now time.Time) {
	if now.Sub(t.last) > forgetAfter {
		*t = tally{}
	}
	t.failures++
	t.last = now
	if n := t.failures - free; n >= 0 {
		t.until = now.Add(min(firstPause<<min(n, 10), longestPause))
	}
}
