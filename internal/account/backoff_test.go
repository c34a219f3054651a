package account

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"congthu/internal/msg"
)

var (
	start    = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	attacker = netip.MustParseAddr("192.0.2.66")
	office   = netip.MustParseAddr("10.0.0.7")
)

// guess tries as often as it is allowed to for an hour and returns how often that was.
func guess(b *backoff, account func(i int) string, client func(i int) netip.Addr) (n int) {
	for now := start; now.Before(start.Add(time.Hour)); now = now.Add(time.Second) {
		if b.allowed(account(n), client(n), now) {
			b.failed(account(n), client(n), now)
			n++
		}
	}
	return n
}

func one[T any](v T) func(int) T { return func(int) T { return v } }

func addr(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}) }

func TestGuessingIsSlow(t *testing.T) {
	if n := guess(newBackoff(), one("lan"), one(attacker)); n > 20 || n < 5 {
		t.Errorf("one client guessed one account %d times an hour", n)
	}
	if n := guess(newBackoff(), one("lan"), addr); n > 20 || n < 5 {
		t.Errorf("many clients guessed one account %d times an hour", n)
	}
	if n := guess(newBackoff(), func(i int) string { return fmt.Sprint("account", i) }, one(attacker)); n > 30 || n < 10 {
		t.Errorf("one client guessed at many accounts %d times an hour", n)
	}
	six := func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 8: byte(i >> 8), 15: byte(i)})
	}
	if n := guess(newBackoff(), func(i int) string { return fmt.Sprint("account", i) }, six); n > 30 {
		t.Errorf("one /64 guessed at many accounts %d times an hour", n)
	}
}

func TestSuccessForgetsTheAccount(t *testing.T) {
	b := newBackoff()
	for range freeOfAccount - 1 {
		b.failed("lan", office, start)
	}
	b.succeeded("lan", office, start)
	b.failed("lan", office, start)
	b.failed("lan", attacker, start)
	b.failed("lan", attacker, start)
	if !b.allowed("lan", office, start) || !b.allowed("lan", attacker, start) {
		t.Error("failures before the success still count")
	}
}

// Strangers can neither lock the owner out nor gain from the owner's successes.
func TestKnownClient(t *testing.T) {
	b := newBackoff()
	b.succeeded("lan", office, start)
	for range freeOfAccount {
		b.failed("lan", attacker, start)
	}
	if b.allowed("lan", attacker, start) || !b.allowed("lan", office, start) {
		t.Error("the stranger is let in, or the owner is locked out")
	}
	b.succeeded("lan", office, start.Add(time.Second))
	if b.allowed("lan", attacker, start.Add(2*time.Second)) {
		t.Error("the owner's success helps the stranger")
	}
	other := netip.MustParseAddr("10.0.0.8")
	if b.allowed("lan", other, start) {
		t.Error("another client is taken for the known one")
	}
	if b.allowed("lan", other, start.Add(firstPause-time.Second)) || !b.allowed("lan", other, start.Add(firstPause)) {
		t.Error("the first pause is not what it says")
	}
}

func TestPausesGrowAndPass(t *testing.T) {
	var a tally
	now, pauses := start, []time.Duration{}
	for range 9 {
		a.add(freeOfAccount, now)
		pauses = append(pauses, max(0, a.until.Sub(now)))
		now = now.Add(time.Minute)
	}
	want := "[0s 0s 30s 1m0s 2m0s 4m0s 8m0s 15m0s 15m0s]"
	if got := fmt.Sprint(pauses); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	a.add(freeOfAccount, now.Add(2*forgetAfter))
	if a.failures != 1 {
		t.Errorf("%d failures after an hour of peace", a.failures)
	}
}

func TestKnownIsBounded(t *testing.T) {
	b := newBackoff()
	for i := range maxKnown + 10 {
		b.succeeded("lan", addr(i), start.Add(time.Duration(i)*time.Second))
	}
	if len(b.known) != maxKnown {
		t.Errorf("%d known", len(b.known))
	}
	if now := start.Add(maxKnown * time.Second); b.knows(pair{"lan", msg.ClientNet(addr(0))}, now) || !b.knows(pair{"lan", msg.ClientNet(addr(maxKnown))}, now) {
		t.Error("not the oldest went")
	}
	if b.knows(pair{"lan", msg.ClientNet(addr(maxKnown))}, start.Add(knownFor+2*maxKnown*time.Second)) {
		t.Error("known for ever")
	}
}
