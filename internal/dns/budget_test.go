package dns

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

// slow answers when its context ends, or at once.
type slow struct{ wait bool }

func (s slow) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if s.wait {
		<-ctx.Done()
		return nil, errTimeout(name, "")
	}
	return []string{name}, nil
}

func (s slow) LookupMX(context.Context, string) ([]*net.MX, error) {
	return []*net.MX{{Host: "mx."}}, nil
}

func (s slow) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) {
	return []net.IPAddr{{}}, nil
}

func (s slow) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{{}}, nil
}
func (s slow) LookupAddr(context.Context, string) ([]string, error) { return []string{"p."}, nil }

func TestBudgetOfLookups(t *testing.T) {
	b, ctx := NewBudget(slow{}, 5, time.Minute), t.Context()
	txt, err1 := b.LookupTXT(ctx, "a")
	mx, err2 := b.LookupMX(ctx, "a")
	ip, err3 := b.LookupIPAddr(ctx, "a")
	ptr, err4 := b.LookupAddr(ctx, "192.0.2.1")
	six, err5 := b.LookupNetIP(ctx, "ip6", "a")
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Errorf("lookup %d: %v", i+1, err)
		}
	}
	if len(txt)+len(mx)+len(ip)+len(ptr)+len(six) != 5 || b.Used() != 5 {
		t.Errorf("%v %v %v %v %v, used %d", txt, mx, ip, ptr, six, b.Used())
	}
	for range 3 {
		if _, err := b.LookupTXT(ctx, "a"); kind(t, err) != "temporary" {
			t.Errorf("beyond the budget: %v", err)
		}
	}
	if b.Used() != 5 {
		t.Errorf("used %d", b.Used())
	}
}

func TestBudgetOfTime(t *testing.T) {
	b := NewBudget(slow{wait: true}, 10, 20*time.Millisecond)
	begin := time.Now()
	for range 3 { // the span is for all of them together
		if _, err := b.LookupTXT(t.Context(), "a"); kind(t, err) != "time-out" {
			t.Errorf("beyond the time: %v", err)
		}
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
	if _, err := b.LookupMX(t.Context(), "a"); kind(t, err) != "time-out" {
		t.Error("a lookup after the time was made")
	}
}
