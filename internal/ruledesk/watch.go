package ruledesk

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"congthu/internal/canary"
	"congthu/internal/lang"
	"congthu/internal/rulebook"
)

// looking is how often a trial is looked at.
const looking = time.Second

// Run watches over trials until the context ends.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(looking)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := d.Look(ctx); err != nil && ctx.Err() == nil {
				d.o.Log.Error("the trial of a rule set", "error", err)
			}
		}
	}
}

// Look ends a trial whose time is over, or that holds too much.
func (d *Desk) Look(ctx context.Context) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	d.mu.Lock()
	t, base, trial := d.state.Trial, d.base, d.trial
	due := trial.Letters >= d.next
	if due && d.o.Bounds.Enough(base, trial) {
		d.next = d.o.Bounds.Next(trial.Letters)
	}
	d.mu.Unlock()
	switch {
	case t == nil:
		return nil
	case due && d.o.FallBack && d.o.Bounds.Jump(base, trial):
		return d.goBack(ctx, *t)
	case d.o.Now().Before(t.Until):
		return nil
	case t.Canary:
		return d.endCanary(ctx, rulebook.Abort, "", lang.T("hết thời gian thử; ", "its time is over; ").Also(d.figures()))
	}
	s := d.Status().State
	s.Trial = nil
	return d.settle(ctx, s)
}

// settle ends the watch over a set that did well; nothing else changes.
func (d *Desk) settle(ctx context.Context, s rulebook.State) error {
	if err := d.o.Book.SetState(ctx, s); err != nil {
		return err
	}
	d.mu.Lock()
	d.state, d.before = s, nil
	d.mu.Unlock()
	d.o.Log.Info("rules: the new set has done well", "hash", s.InUse)
	return nil
}

// goBack returns to the set before.
func (d *Desk) goBack(ctx context.Context, t rulebook.Trial) error {
	why := lang.T("số thư bị giữ và từ chối tăng vọt: ", "held and refused letters have jumped: ").Also(d.figures())
	if t.Canary {
		return d.endCanary(ctx, rulebook.FallBack, "", why)
	}
	d.mu.Lock()
	before := d.before
	d.mu.Unlock()
	if before == nil {
		return fmt.Errorf("ruledesk: the set before %s is not known any more", t.Hash)
	}
	dir, err := d.lay(ctx, before.Hash)
	if err != nil {
		dir = filepath.Clean(d.o.Source.Dir) // too large to be kept: its YARA rules are lost, the rest is in memory
	}
	if err := d.scan(ctx, dir); err != nil {
		d.o.Log.Error("the YARA rules before are not in use again", "hash", before.Hash, "error", err)
	}
	e := rulebook.Event{What: rulebook.FallBack, Hash: before.Hash, Before: t.Hash, Why: why}
	return d.take(ctx, e, before, before, rulebook.State{InUse: before.Hash, Fell: t.Hash, At: d.o.Now(), Why: why})
}

// figures are both sides in words.
func (d *Desk) figures() lang.Text {
	d.mu.Lock()
	defer d.mu.Unlock()
	say := func(a canary.Arm, form string) string {
		return fmt.Sprintf(form, a.Held, a.Letters, a.Rate())
	}
	return lang.T(
		say(d.base, "bộ trước %d trên %d thư (%.1f %%)")+say(d.trial, ", bộ mới %d trên %d thư (%.1f %%)"),
		say(d.base, "the set before %d of %d letters (%.1f %%)")+say(d.trial, ", the new one %d of %d (%.1f %%)"))
}
