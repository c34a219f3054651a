package dns

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// Lookups is what a Budget is put around: *Resolver, *net.Resolver, a fake.
type Lookups interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// Budget bounds what one message may cost: so many lookups, answered from a
// cache or not, and so much time from the first of them on. Beyond that every
// lookup is a temporary error, because nothing was looked at.
type Budget struct {
	next     Lookups
	left     atomic.Int64
	limit    int
	span     time.Duration
	deadline atomic.Pointer[time.Time]
}

// NewBudget puts a budget of n lookups and a span of time around a resolver.
// Make one for each message.
func NewBudget(next Lookups, n int, span time.Duration) *Budget {
	b := &Budget{next: next, limit: n, span: span}
	b.left.Store(int64(n))
	return b
}

// Used returns the number of lookups made so far, refused ones not counted.
func (b *Budget) Used() int { return b.limit - int(max(b.left.Load(), 0)) }

func (b *Budget) begin(ctx context.Context, name string) (context.Context, context.CancelFunc, error) {
	if b.left.Add(-1) < 0 {
		return nil, nil, errTemporary(name, "", "too many lookups for one message")
	}
	if b.deadline.Load() == nil {
		end := time.Now().Add(b.span)
		b.deadline.CompareAndSwap(nil, &end)
	}
	ctx, cancel := context.WithDeadline(ctx, *b.deadline.Load())
	if ctx.Err() != nil {
		cancel()
		return nil, nil, errTimeout(name, "")
	}
	return ctx, cancel, nil
}

func spend[T any](ctx context.Context, b *Budget, name string, look func(context.Context, string) (T, error)) (T, error) {
	ctx, cancel, err := b.begin(ctx, name)
	if err != nil {
		var none T
		return none, err
	}
	defer cancel()
	return look(ctx, name)
}

// LookupTXT is that of the resolver beneath, within the budget.
func (b *Budget) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return spend(ctx, b, name, b.next.LookupTXT)
}

// LookupMX is that of the resolver beneath, within the budget.
func (b *Budget) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return spend(ctx, b, name, b.next.LookupMX)
}

// LookupIPAddr is that of the resolver beneath, within the budget.
func (b *Budget) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return spend(ctx, b, host, b.next.LookupIPAddr)
}

// LookupNetIP is that of the resolver beneath, within the budget.
func (b *Budget) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return spend(ctx, b, host, func(ctx context.Context, host string) ([]netip.Addr, error) {
		return b.next.LookupNetIP(ctx, network, host)
	})
}

// LookupAddr is that of the resolver beneath, within the budget.
func (b *Budget) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return spend(ctx, b, addr, b.next.LookupAddr)
}
