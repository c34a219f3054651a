package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"congthu/internal/audit"
	"congthu/internal/config"
	"congthu/internal/store"
)

// auditAnchor is where the end of the chain is kept, in the data directory.
const auditAnchor = "audit.head"

// itself is the gateway as the actor of what nobody has told it to do.
const itself = "congthu"

// auditLog is the record of who did what in a store.
func auditLog(c *config.Config, db *store.DB, log *slog.Logger) *audit.Log {
	return audit.New(audit.Options{Store: db, Gateway: c.Hostname, Anchor: filepath.Join(c.DataDir, auditAnchor), Log: log})
}

// auditState is what the metrics say of the chain: where it ends, and one more than the
// number of the entry where it is broken; 0: whole.
type auditState struct{ head, broken atomic.Int64 }

// keepAudit removes what is too old of the record of who did what, and says every hour in
// the log where it ends: who can change the store and not the log cannot make it end
// elsewhere. Once a day the whole chain is verified.
func (g *gateway) keepAudit(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for n := 0; ; n++ {
		g.tendAudit(ctx, n%24 == 0)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (g *gateway) tendAudit(ctx context.Context, verify bool) {
	if keep := g.cfg.Audit.Keep.Std(); keep > 0 {
		if n, err := g.audit.Expire(ctx, time.Now().Add(-keep)); err != nil {
			g.note("audit expiry", err)
		} else if n > 0 {
			g.log.Info("audit: entries whose time was over are removed", "entries", n)
		}
	}
	if n, hash, err := g.audit.Head(ctx); err != nil {
		g.note("audit", err)
	} else {
		g.log.Info("audit: the chain ends here", "n", n, "hash", hash)
		g.chain.head.Store(n)
	}
	if !verify {
		return
	}
	r, err := g.audit.Verify(ctx)
	switch {
	case err != nil:
		g.note("audit verify", err)
	case r.Broken != nil:
		g.chain.broken.Store(r.Broken.N + 1)
		g.log.Error("audit: the chain is broken", "n", r.Broken.N, "what", r.Broken.What.EN)
	default:
		g.chain.broken.Store(0)
	}
}

func (g *gateway) auditMetrics() {
	g.metrics.Gauge("audit_entries", "Number of the last entry of the record of who did what, as of the last hour.", func() float64 { return float64(g.chain.head.Load()) })
	g.metrics.Gauge("audit_broken", "0 while the chain of that record is whole, by the last daily look; else one more than the number of the entry where it is broken.", func() float64 { return float64(g.chain.broken.Load()) })
}
