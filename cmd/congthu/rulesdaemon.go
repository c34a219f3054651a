package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/canary"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/record"
	"congthu/internal/rulebook"
	"congthu/internal/ruledesk"
	"congthu/internal/store"
)

// book is the history of rule sets in a store.
func book(db *store.DB, keep int) *rulebook.Book {
	return &rulebook.Book{Store: db, Keep: keep, NewID: newID}
}

// keptRules is where sets out of the history are laid when they are used.
func keptRules(dataDir string) string { return filepath.Join(dataDir, "rules") }

// openRules finds the rule set to begin with and builds the judge by it.
func (g *gateway) openRules(ctx context.Context) error {
	c := g.cfg.Rules
	var err error
	g.desk, err = ruledesk.Open(ctx, ruledesk.Options{
		Source: source(g.cfg), Book: book(g.db, c.History), Dir: keptRules(g.cfg.DataDir),
		Scan:   func(ctx context.Context, dir string) error { return g.judge.scanBy(ctx, dir) },
		Rate:   g.rate,
		Bounds: canary.Bounds{MaxRise: c.MaxRise, MinLetters: c.MinLetters}, Watch: c.Watch.Std(), FallBack: c.FallBack,
		Log: g.log, Now: time.Now, Event: g.ruleEvent,
	})
	if err != nil {
		return err
	}
	live, dir := g.desk.Live()
	g.judge, err = judgeBy(ctx, g.cfg, live, dir, g.log)
	return err
}

// rate is what a set has judged, by the record of letters.
func (g *gateway) rate(ctx context.Context, hash string, since time.Time) (canary.Arm, error) {
	if g.record != nil {
		if err := g.record.Flush(ctx); err != nil {
			return canary.Arm{}, err
		}
	}
	r, err := record.RateOf(ctx, g.db, hash, since)
	return canary.Arm(r), err
}

// ruleEvent counts what is done with rule sets, and puts on record which is in use since
// when: also what no operator did, such as going back by itself.
func (g *gateway) ruleEvent(e rulebook.Event) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	entry := audit.Entry{Actor: cmp.Or(e.Actor, itself), Act: "rules.use", Object: e.Hash, Detail: strings.Join(append([]string{e.What, "before " + cmp.Or(e.Before, "none")}, e.Changes...), "; ")}
	g.note("audit", g.audit.Record(ctx, entry))
	if g.metrics != nil { // not yet at the start
		g.metrics.Rules(e.What)
	}
}

// rulesMetrics shows how a trial does.
func (g *gateway) rulesMetrics() {
	g.metrics.Gauge("rules_trial", "1 while a new rule set is on trial or watched.", func() float64 {
		if g.desk.Trial() == nil {
			return 0
		}
		return 1
	})
	g.metrics.Gauge("rules_fallen_back", "1 while the set in rules_dir is not used because the gateway went back from it.", func() float64 {
		if g.desk.Fell() == "" {
			return 0
		}
		return 1
	})
}

// count tells the desk what became of a letter. What the next hop did is no matter of
// rules.
func (g *gateway) count(m *msg.Message, w pipeline.Walk) {
	answer := policy.Answer(w.Decisions)
	held := answer.Permanent() || slices.ContainsFunc(w.Decisions, func(d msg.Decision) bool { return d.Action == msg.Quarantine })
	g.desk.Count(m, held, answer.Temporary())
}

// ruleActs is what operators may do with rule sets.
type ruleActs struct {
	*gateway
}

// Reload implements admin.Rules.
func (r ruleActs) Reload(ctx context.Context, canary float64, long time.Duration, actor string) error {
	if canary == 0 {
		return r.reload(ctx, actor)
	}
	if long == 0 {
		long = r.cfg.Rules.CanaryWatch.Std()
	}
	return r.desk.Canary(ctx, canary, long, actor)
}

// Promote implements admin.Rules.
func (r ruleActs) Promote(ctx context.Context, actor string) error { return r.desk.Promote(ctx, actor) }

// Abort implements admin.Rules.
func (r ruleActs) Abort(ctx context.Context, actor string) error { return r.desk.Abort(ctx, actor) }

// Rollback implements admin.Rules.
func (r ruleActs) Rollback(ctx context.Context, hash, actor string) (admin.RolledBack, error) {
	hash, written, err := r.desk.Rollback(ctx, hash, actor)
	return admin.RolledBack{Hash: hash, Written: written}, err
}

// Status implements admin.Rules.
func (r ruleActs) Status(context.Context) (rulebook.Status, error) { return r.desk.Status(), nil }
