package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// desk is a gate over a map, with a clock of its own.
type desk struct {
	*Gate
	mu       sync.Mutex
	accounts map[string]Account
	fails    error
	hashes   atomic.Int64
	clock    atomic.Int64
}

func newDesk(t testing.TB, c cost) *desk {
	t.Helper()
	hash, err := c.hash(secret)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{accounts: map[string]Account{"lan": {Name: "lan", Agency: "health", hash: hash}}}
	d.Gate = NewGate(func(_ context.Context, name string) (Account, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if a, ok := d.accounts[name]; ok || d.fails != nil {
			return a, d.fails
		}
		return Account{}, ErrNotFound
	})
	d.nobody.cost = c
	d.checked = func() { d.hashes.Add(1) }
	d.clock.Store(start.UnixNano())
	d.now = func() time.Time { return time.Unix(0, d.clock.Load()) }
	return d
}

func (d *desk) edit(f func(map[string]Account)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d.accounts)
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		name, password string
		want           error
	}{
		"right":            {"lan", secret, nil},
		"capitals":         {"LAN", secret, nil},
		"wrong":            {"lan", secret + "x", ErrWrong},
		"nobody":           {"an", secret, ErrWrong},
		"no name":          {"", secret, ErrWrong},
		"no password":      {"lan", "", ErrWrong},
		"neither":          {"", "", ErrWrong},
		"impossible name":  {"lan\n", secret, ErrWrong},
		"impossible words": {"lan", secret + "\x00", ErrWrong},
		"very long":        {"lan", strings.Repeat("x", 9000), ErrWrong},
	} {
		d := newDesk(t, cheap)
		a, err := d.Check(t.Context(), office, c.name, c.password)
		if !errors.Is(err, c.want) || (err == nil) != (a.Name == "lan") {
			t.Errorf("%s: %+v %v", name, a, err)
		}
		if d.hashes.Load() != 1 {
			t.Errorf("%s: %d hashes were computed: its time tells what was wrong", name, d.hashes.Load())
		}
	}
}

func TestProvenPasswordIsQuickAndEndsWithTheAccount(t *testing.T) {
	d := newDesk(t, cheap)
	check := func(want error) {
		t.Helper()
		if _, err := d.Check(t.Context(), office, "lan", secret); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for range 5 {
		check(nil)
	}
	if n := d.hashes.Load(); n != 1 {
		t.Errorf("%d hashes for one password", n)
	}
	d.edit(func(m map[string]Account) { a := m["lan"]; a.Disabled = true; m["lan"] = a })
	check(ErrWrong)
	d.edit(func(m map[string]Account) {
		m["lan"] = Account{Name: "lan", Agency: "health", hash: cheapHash(t, secret+"2")}
	})
	check(ErrWrong)
	d.edit(func(m map[string]Account) { delete(m, "lan") })
	check(ErrWrong)
	d.edit(func(m map[string]Account) {
		m["lan"] = Account{Name: "lan", Agency: "health", hash: cheapHash(t, secret)}
	})
	d.clock.Add(int64(time.Hour))
	check(nil)
	n := d.hashes.Load()
	d.clock.Add(int64(provenFor))
	check(nil)
	if d.hashes.Load() != n+1 {
		t.Error("a proof holds for ever")
	}
}

// A password that is right must not show while the account is paused, proven or not.
func TestPauseHoldsForRightPasswordsToo(t *testing.T) {
	d := newDesk(t, cheap)
	if _, err := d.Check(t.Context(), office, "lan", secret); err != nil {
		t.Fatal(err)
	}
	for range freeOfAccount {
		_, _ = d.Check(t.Context(), attacker, "lan", "wrong password") // counted below
	}
	if _, err := d.Check(t.Context(), attacker, "lan", secret); !errors.Is(err, ErrLater) {
		t.Errorf("the stranger: %v", err)
	}
	if _, err := d.Check(t.Context(), office, "lan", secret); err != nil {
		t.Errorf("the owner: %v", err)
	}
}

// Names that do not exist are paused as those that do.
func TestUnknownNamesArePausedAlike(t *testing.T) {
	for _, name := range []string{"lan", "an"} {
		d := newDesk(t, cheap)
		var got []error
		for i := range 5 {
			_, err := d.Check(t.Context(), addr(i), name, "wrong password")
			got = append(got, err)
		}
		if want := []error{ErrWrong, ErrWrong, ErrWrong, ErrLater, ErrLater}; !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Two hundred at once are no faster than one after the other, and no more than two
// hashes are ever in memory.
func TestFloodOfGuesses(t *testing.T) {
	d := newDesk(t, cheap)
	var running, most atomic.Int64
	d.checked = func() {
		d.hashes.Add(1)
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(time.Millisecond) // in the slot: others would show
		running.Add(-1)
	}
	var wg sync.WaitGroup
	var later, wrong atomic.Int64
	for i := range 200 {
		wg.Go(func() {
			switch _, err := d.Check(t.Context(), addr(i), "lan", fmt.Sprint("password number ", i)); {
			case errors.Is(err, ErrLater):
				later.Add(1)
			case errors.Is(err, ErrWrong):
				wrong.Add(1)
			}
		})
	}
	wg.Wait()
	if wrong.Load() != freeOfAccount || later.Load() != 200-freeOfAccount || d.hashes.Load() != freeOfAccount {
		t.Errorf("%d looked at, %d put off, %d hashes", wrong.Load(), later.Load(), d.hashes.Load())
	}
	for i := range 200 { // at different accounts, from one client
		wg.Go(func() { _, _ = d.Check(t.Context(), attacker, fmt.Sprint("a", i), "wrong password") })
	}
	wg.Wait()
	if n := d.hashes.Load() - freeOfAccount; n > freeOfClient+maxAtOnce || most.Load() > maxAtOnce {
		t.Errorf("%d hashes for one client, %d at once", n, most.Load())
	}
}

// A relay that opens fifty connections with one password pays for one hash.
func TestBusyRelay(t *testing.T) {
	d := newDesk(t, cheap)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := d.Check(t.Context(), office, "lan", secret); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := d.hashes.Load(); n != 1 {
		t.Errorf("%d hashes", n)
	}
}

// Whoever is known is not kept waiting by those who guess.
func TestKnownNeedsNoTurn(t *testing.T) {
	d := newDesk(t, cheap)
	if _, err := d.Check(t.Context(), office, "lan", secret); err != nil {
		t.Fatal(err)
	}
	for _, places := range append(d.turns[:], d.slots) {
		for range cap(places) {
			places <- struct{}{}
		}
	}
	if _, err := d.Check(t.Context(), office, "lan", secret); err != nil {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.Check(ctx, office, "lan", secret+"x"); !errors.Is(err, ErrLater) {
		t.Errorf("%v", err)
	}
}

func TestTroubleIsNotWrong(t *testing.T) {
	d := newDesk(t, cheap)
	d.fails = errors.New("no store")
	for range 2 * freeOfAccount {
		if _, err := d.Check(t.Context(), office, "lan", secret); !errors.Is(err, d.fails) {
			t.Errorf("%v", err)
		}
	}
	d.fails = nil
	d.edit(func(m map[string]Account) { m["torn"] = Account{Name: "torn", hash: "$argon2id$"} })
	if _, err := d.Check(t.Context(), office, "torn", secret); !errors.Is(err, ErrHash) {
		t.Errorf("%v", err)
	}
	if _, err := d.Check(t.Context(), office, "lan", secret); err != nil {
		t.Errorf("trouble was counted as failures: %v", err)
	}
}

func TestNoTimeLeft(t *testing.T) {
	d := newDesk(t, cheap)
	for range cap(d.slots) {
		d.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.Check(ctx, office, "lan", secret); !errors.Is(err, ErrLater) {
		t.Errorf("%v", err)
	}
}

func TestProofsAreBounded(t *testing.T) {
	d := newDesk(t, cheap)
	for i := range maxProven + 1 {
		d.remember(d.key(fmt.Sprint(i), secret), "h")
	}
	if len(d.proofs) > maxProven {
		t.Errorf("%d proofs", len(d.proofs))
	}
}

// The time of a refusal does not tell whether the name exists. The medians of two
// interleaved series are compared loosely: this machine has other work.
func TestTimeTellsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("times hashes of full cost")
	}
	d := newDesk(t, usual)
	var known, unknown []time.Duration
	for i := range 15 {
		d.clock.Add(int64(2 * time.Hour)) // no pause
		known = append(known, timed(t, d, addr(i), "lan"))
		unknown = append(unknown, timed(t, d, addr(i), "an"))
	}
	slices.Sort(known)
	slices.Sort(unknown)
	a, b := known[len(known)/2], unknown[len(unknown)/2]
	t.Logf("median of a known name %v, of an unknown one %v", a, b)
	if a > 2*b || b > 2*a {
		t.Errorf("a known name takes %v, an unknown one %v", a, b)
	}
}

func timed(t *testing.T, d *desk, client netip.Addr, name string) time.Duration {
	t.Helper()
	begin := time.Now()
	if _, err := d.Check(t.Context(), client, name, "a wrong password"); !errors.Is(err, ErrWrong) {
		t.Fatal(err)
	}
	return time.Since(begin)
}

func BenchmarkCheck(b *testing.B) {
	for name, proven := range map[string]bool{"first": false, "proven": true} {
		b.Run(name, func(b *testing.B) {
			d := newDesk(b, usual)
			b.ReportAllocs()
			for b.Loop() {
				if !proven {
					clear(d.proofs)
				}
				if _, err := d.Check(b.Context(), office, "lan", secret); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
