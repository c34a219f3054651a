package quarantine

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/store/storetest"
)

func TestOnPostgres(t *testing.T) {
	storetest.Rerun(t, "newRig(t", map[string]func(*testing.T){
		"TestCommitTogether": TestCommitTogether, "TestDelete": TestDelete, "TestExpire": TestExpire, "TestExpireDespiteAJump": TestExpireDespiteAJump, "TestHoldRefuses": TestHoldRefuses,
		"TestList": TestList, "TestReleaseDamaged": TestReleaseDamaged, "TestReleaseFails": TestReleaseFails, "TestReleaseKeepsOctets": TestReleaseKeepsOctets,
		"TestReleaseRoute": TestReleaseRoute, "TestReleaseSome": TestReleaseSome, "TestReleaseTogether": TestReleaseTogether,
		"TestSeveralCopies": TestSeveralCopies, "TestShow": TestShow, "TestShowWhileReleased": TestShowWhileReleased, "TestWithin": TestWithin,
		"TestIndexIsBounded": TestIndexIsBounded, "TestIndexWhileMailComes": TestIndexWhileMailComes, "TestKeepByClass": TestKeepByClass,
	}, nil)
}

// pair is two gateways at one store.
func pair(t *testing.T) [2]*rig {
	t.Helper()
	url := storetest.Postgres(t)
	return [2]*rig{rigAt(t, url), rigAt(t, url)}
}

// Two gateways that each release one of the last two recipients leave nothing behind,
// and nobody gets the message twice.
func TestTwoGatewaysRelease(t *testing.T) {
	g := pair(t)
	const messages = 30
	for i := range messages {
		g[0].hold(message(fmt.Sprint("m", i), "s"), "a@x.test", "b@x.test")
	}
	var wg sync.WaitGroup
	for i := range messages {
		for _, to := range []string{"a@x.test", "b@x.test"} {
			for _, r := range g {
				wg.Go(func() {
					_, err := r.Release(t.Context(), fmt.Sprint("m", i), []string{to}, "lan")
					if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrRecipient) {
						t.Error(err)
					}
				})
			}
		}
	}
	wg.Wait()
	times := map[string]int{}
	for _, r := range g {
		for _, got := range r.out.got {
			for _, p := range got.To {
				times[got.ID+" "+p.Raw]++
			}
		}
	}
	for who, n := range times {
		if n != 1 {
			t.Errorf("%s was released %d times", who, n)
		}
	}
	if len(times) != 2*messages {
		t.Errorf("%d of %d were released", len(times), 2*messages)
	}
	g[0].empty()
}

// What two gateways expire or delete at the same time is said once.
func TestTwoGatewaysRemove(t *testing.T) {
	g := pair(t)
	const messages = expireBatch + 50
	for i := range messages {
		g[i%2].hold(message(fmt.Sprint("m", i), "s"), "a@x.test")
	}
	var deleted atomic.Int32
	var wg sync.WaitGroup
	for i := range 2 * messages / 10 {
		wg.Go(func() {
			err := g[i%2].Delete(t.Context(), fmt.Sprint("m", i/2), "lan")
			if err == nil {
				deleted.Add(1)
			} else if !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := deleted.Load(); n != messages/10 {
		t.Errorf("%d were said to be deleted, %d were", n, messages/10)
	}
	for _, r := range g {
		r.now = r.now.Add(40 * 24 * time.Hour)
		wg.Go(func() {
			if _, err := r.Expire(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	said := strings.Count(strings.Join(append(g[0].events, g[1].events...), "\n"), "expired ")
	if said != messages-messages/10 {
		t.Errorf("%d were said to be expired, %d were", said, messages-messages/10)
	}
	g[0].empty()
}
