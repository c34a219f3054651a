package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"hash/maphash"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// What a check can come to, beside trouble of the store.
var (
	ErrWrong = errors.New("account: wrong name or password")
	ErrLater = errors.New("account: too many failures or too busy, try again later")
)

const (
	maxAtOnce = 2 // checks that run side by side, at 19 MiB each
	stripes   = 64
	maxProven = 1024
	provenFor = 10 * time.Minute
)

// Gate checks passwords.
//
// Checks of one account come one after the other, so what the first learned (a
// failure to count, a password that is right) is known to the next: a thousand
// connections guess no faster than one. No lock is held while a hash is computed.
type Gate struct {
	lookup  func(context.Context, string) (Account, error)
	backoff *backoff
	now     func() time.Time
	nobody  hashed // checked for names that do not exist

	slots   chan struct{} // a token for each check that runs
	seed    maphash.Seed
	turns   [stripes]chan struct{}
	mu      sync.Mutex
	proofs  map[[sha256.Size]byte]proof
	secret  [32]byte
	checked func() // tests: a hash was computed
}

// proof is a password that was right a short while ago, under a keyed hash that is of
// use to nobody without this process's secret. It holds for the stored hash it was
// checked against: another password, or a deleted account, ends it.
type proof struct {
	hash  string
	until time.Time
}

// NewGate returns a gate to the accounts that lookup finds (Book.Get).
func NewGate(lookup func(context.Context, string) (Account, error)) *Gate {
	g := &Gate{
		lookup: lookup, backoff: newBackoff(), now: time.Now, nobody: hashed{cost: usual, salt: make([]byte, saltSize), key: make([]byte, keySize)},
		slots: make(chan struct{}, atOnce()), seed: maphash.MakeSeed(), proofs: map[[sha256.Size]byte]proof{},
		checked: func() {},
	}
	for i := range g.turns {
		g.turns[i] = make(chan struct{}, 1)
	}
	_, _ = rand.Read(g.secret[:]) // never fails (crypto/rand)
	return g
}

// atOnce leaves at least half of the processors to the mail.
func atOnce() int { return min(maxAtOnce, max(1, runtime.GOMAXPROCS(0)/2)) }

// Check returns the account if the password is its own and it is not disabled. The
// error is ErrWrong, ErrLater, or what hindered the look-up.
func (g *Gate) Check(ctx context.Context, client netip.Addr, name, password string) (Account, error) {
	name, _ = CleanName(name)             // an impossible name is "", which nobody has
	password, _ = cleanPassword(password) // and so is an impossible password
	if a, ok := g.quick(ctx, client, name, password); ok {
		return a, nil
	}
	turn := g.turns[maphash.String(g.seed, name)%stripes]
	if enter(ctx, turn) != nil {
		return Account{}, ErrLater
	}
	defer leave(turn)
	if !g.backoff.allowed(name, client, g.now()) {
		return Account{}, ErrLater
	}
	a, err := g.lookup(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Account{}, err
	}
	known := err == nil
	right, err := g.right(ctx, a, client, name, password)
	switch {
	case err != nil:
		return Account{}, err
	case !right || !known || a.Disabled || password == "":
		g.backoff.failed(name, client, g.now())
		return Account{}, ErrWrong
	}
	g.backoff.succeeded(name, client, g.now())
	return a, nil
}

// quick lets in whoever has shown the same password a short while ago, without a turn:
// a relay that is known does not wait behind those who guess.
func (g *Gate) quick(ctx context.Context, client netip.Addr, name, password string) (Account, bool) {
	key := g.key(name, password)
	if !g.remembered(key) || !g.backoff.allowed(name, client, g.now()) {
		return Account{}, false
	}
	a, err := g.lookup(ctx, name)
	if err != nil || a.Disabled || !g.proven(key, a.hash) {
		return Account{}, false
	}
	g.backoff.succeeded(name, client, g.now())
	return a, true
}

// right tells whether the password is the account's. For an account that is not there
// it does the same work.
func (g *Gate) right(ctx context.Context, a Account, client netip.Addr, name, password string) (bool, error) {
	key := g.key(name, password)
	if g.proven(key, a.hash) {
		return true, nil
	}
	if enter(ctx, g.slots) != nil {
		return false, ErrLater
	}
	defer leave(g.slots)
	if !g.backoff.allowed(name, client, g.now()) { // others of this client were before us
		return false, ErrLater
	}
	h := g.nobody
	if a.hash != "" {
		var err error
		if h, err = parseHash(a.hash); err != nil {
			return false, err
		}
	}
	right := h.matches(password)
	g.checked()
	if a.hash == "" {
		return false, nil
	}
	if right && !a.Disabled {
		g.remember(key, a.hash)
	}
	return right, nil
}

func (g *Gate) key(name, password string) (out [sha256.Size]byte) {
	mac := hmac.New(sha256.New, g.secret[:])
	mac.Write([]byte(name + "\x00" + password))
	return [sha256.Size]byte(mac.Sum(nil))
}

func (g *Gate) proven(key [sha256.Size]byte, hash string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.proofs[key]
	return ok && hash != "" && p.hash == hash && g.now().Before(p.until)
}

// remembered tells whether a look at the store may be worth while.
func (g *Gate) remembered(key [sha256.Size]byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.proofs[key]
	return ok
}

func (g *Gate) remember(key [sha256.Size]byte, hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.proofs) >= maxProven { // they are few and cheap to earn again
		clear(g.proofs)
	}
	g.proofs[key] = proof{hash, g.now().Add(provenFor)}
}

// enter takes a place, or gives up with ctx.
func enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func leave(places chan struct{}) { <-places }
