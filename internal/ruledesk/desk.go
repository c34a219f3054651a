// Package ruledesk is where rule sets are taken into use and out of it: reload, canary,
// promote, abort, rollback, and the way back that the gateway finds by itself when a new
// set holds far more mail than the one before.
//
// The rules directory is the administrator's. Only a rollback writes to it, and keeps
// first what was there. A set that the gateway has gone back from stays in the directory
// and is not used, also after a restart, until somebody says reload. When the directory
// has mistakes at a start, the set that was in use last goes on.
//
// Several gateways that share a store have one book of sets, and each its own rules
// directory, set in use and trial: a new set goes to one of them first, or to all by the
// means that copy the files.
package ruledesk

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"congthu/internal/canary"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/rulebook"
	"congthu/internal/rules"
)

// Options are the parts of a desk.
type Options struct {
	Source rules.Source
	Book   *rulebook.Book
	Dir    string // of our own, where kept sets are laid when they are used
	// Scan takes the YARA rules below a rules directory into use; nil: nobody scans.
	Scan func(ctx context.Context, dir string) error
	// Rate counts what a set has judged since then.
	Rate func(ctx context.Context, hash string, since time.Time) (canary.Arm, error)

	Bounds   canary.Bounds
	Watch    time.Duration // of a set that was reloaded; 0: none
	FallBack bool
	Log      *slog.Logger
	Now      func() time.Time
	Event    func(rulebook.Event) // told after it is written; nil: nobody
}

// Desk is safe for concurrent use; acts on it wait for each other.
type Desk struct {
	o    Options
	live *rules.Live
	dir  string // where the files of the set lie that was in use at the start

	acting sync.Mutex // held by one act at a time
	mu     sync.Mutex // of what follows
	state  rulebook.State
	before *rules.Set // what a trial is compared with
	base   canary.Arm // what that had judged when the trial began; a canary's control group goes on
	trial  canary.Arm
	next   int // letters of the trial at which it is looked at again
}

// Open finds the set to begin with: what lies in the rules directory, unless that is a
// set that the gateway went back from, or has mistakes; then the one that was in use.
func Open(ctx context.Context, o Options) (*Desk, error) {
	if o.Event == nil {
		o.Event = func(rulebook.Event) {}
	}
	d := &Desk{o: o, dir: o.Source.Dir}
	var err error
	if d.state, err = o.Book.State(ctx); err != nil {
		return nil, err
	}
	set, err := o.Source.Load()
	switch {
	case err != nil && d.state.InUse != "":
		kept, kerr := d.kept(ctx, d.state.InUse)
		if kerr != nil {
			return nil, err // the mistakes are what has to be mended
		}
		o.Log.Error("the rules directory has mistakes; the set that was in use last goes on", "hash", kept.Hash, "error", err)
		d.live, d.dir, d.state.Trial = rules.Use(o.Source, kept), filepath.Join(o.Dir, kept.Hash), nil
		return d, nil
	case err != nil:
		return nil, err
	case set.Hash == d.state.Fell || d.onTrial(set.Hash):
		return d, d.resume(ctx, set)
	}
	d.live = rules.Use(o.Source, set)
	return d, d.began(ctx, set)
}

// onTrial tells whether the set was a canary when the gateway stopped.
func (d *Desk) onTrial(hash string) bool {
	return d.state.Trial != nil && d.state.Trial.Canary && d.state.Trial.Hash == hash
}

// resume goes on with the set in use, and with the canary beside it.
func (d *Desk) resume(ctx context.Context, dir *rules.Set) error {
	set, err := d.kept(ctx, d.state.InUse)
	if err != nil {
		d.o.Log.Error("the set that was in use is not kept any more; the rules directory is used", "hash", d.state.InUse, "error", err)
		d.live = rules.Use(d.o.Source, dir)
		return d.began(ctx, dir)
	}
	d.live, d.dir = rules.Use(d.o.Source, set), filepath.Join(d.o.Dir, set.Hash)
	t := d.state.Trial
	if t == nil {
		d.o.Log.Warn("the rules directory holds a set that was gone back from: it is not used until `congthu rules reload`", "hash", dir.Hash, "in_use", set.Hash)
		return nil
	}
	d.before = set
	d.live.Try(dir, t.Share, t.Salt)
	d.base, d.trial = d.rate(ctx, t.Against, t.Since), d.rate(ctx, t.Hash, t.Since)
	d.o.Log.Info("the canary goes on", "hash", t.Hash, "until", t.Until)
	return nil
}

// began writes what is in use from the start on, when that is news.
func (d *Desk) began(ctx context.Context, set *rules.Set) error {
	if d.state.InUse == set.Hash {
		d.goOn(ctx)
		return nil
	}
	e := rulebook.Event{What: rulebook.Start, Hash: set.Hash, Before: d.state.InUse}
	return d.write(ctx, e, set, rulebook.State{InUse: set.Hash})
}

// goOn resumes the watch over a set that was reloaded before the restart.
func (d *Desk) goOn(ctx context.Context) {
	t := d.state.Trial
	if t == nil {
		return
	}
	before, err := d.kept(ctx, t.Against)
	if err != nil || t.Canary {
		d.state.Trial = nil
		return
	}
	d.before = before
	d.base, d.trial = d.rate(ctx, t.Against, t.Since.Add(-lookBack)), d.rate(ctx, t.Hash, t.Since)
}

// lookBack is how far back the set before is looked at.
const lookBack = 24 * time.Hour

func (d *Desk) rate(ctx context.Context, hash string, since time.Time) canary.Arm {
	a, err := d.o.Rate(ctx, hash, since)
	if err != nil {
		d.o.Log.Warn("what a rule set has judged is not known", "hash", hash, "error", err)
		return canary.Arm{}
	}
	return a
}

// Live returns what is in use, and the directory with the files that it began with.
func (d *Desk) Live() (*rules.Live, string) { return d.live, d.dir }

// kept loads a set out of the book, by way of files of our own.
func (d *Desk) kept(ctx context.Context, hash string) (*rules.Set, error) {
	dir, err := d.lay(ctx, hash)
	if err != nil {
		return nil, err
	}
	s := d.o.Source
	s.Dir = dir
	set, err := s.Load()
	if err != nil {
		return nil, err
	}
	if set.Hash != hash {
		return nil, fmt.Errorf("ruledesk: %s holds another set than its name says", dir)
	}
	return set, nil
}

// lay puts a kept set into a directory of our own and returns that.
func (d *Desk) lay(ctx context.Context, hash string) (string, error) {
	dir := filepath.Join(d.o.Dir, hash)
	if have, err := rules.ReadFiles(dir); err == nil && have.Hash() == hash {
		return dir, nil
	}
	files, err := d.o.Book.Files(ctx, hash)
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil { // a crash has left half of it
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, rules.Files(files).Write(dir)
}

// scan takes the YARA rules of a directory into use.
func (d *Desk) scan(ctx context.Context, dir string) error {
	if d.o.Scan == nil {
		return nil
	}
	return d.o.Scan(ctx, dir)
}

// write notes an event with what is different, and makes the state the one that counts.
func (d *Desk) write(ctx context.Context, e rulebook.Event, set *rules.Set, s rulebook.State) error {
	e.At = d.o.Now()
	var files map[string][]byte
	if set != nil {
		files = set.Files
	}
	if old, err := d.o.Book.Files(ctx, e.Before); err == nil && files != nil {
		for _, c := range rules.Diff(old, files) {
			e.Changes = append(e.Changes, c.String())
		}
	}
	kept, err := d.o.Book.Write(ctx, e, files, s)
	if err != nil {
		return err
	}
	if !kept {
		d.o.Log.Warn("the rule set is too large to be kept: there will be no way back to it", "hash", e.Hash)
	}
	d.mu.Lock()
	d.state = s
	d.mu.Unlock()
	d.o.Log.Info("rules: "+e.What, "hash", e.Hash, "before", e.Before, "actor", e.Actor, "changes", len(e.Changes), "why", e.Why.In(lang.EN))
	d.o.Event(e)
	return nil
}

// Count takes note of a letter that was judged. A letter that was put off counts as
// nothing but that: it comes again.
func (d *Desk) Count(m *msg.Message, held, deferred bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.state.Trial
	if t == nil {
		return
	}
	var arm *canary.Arm
	switch {
	case m.Rules == t.Hash:
		arm = &d.trial
	case t.Canary && m.Rules == t.Against:
		arm = &d.base
	default:
		return
	}
	switch {
	case deferred:
		arm.Deferred++
		return
	case held:
		arm.Held++
	}
	arm.Letters++
}

// Status says what is in use and how a trial does.
func (d *Desk) Status() rulebook.Status {
	files, err := rules.ReadFiles(d.o.Source.Dir)
	d.mu.Lock()
	defer d.mu.Unlock()
	s := rulebook.Status{
		State: d.state, Baseline: d.base, OnTrial: d.trial, Enough: d.o.Bounds.Enough(d.base, d.trial),
		FallBack: d.o.FallBack, MaxRise: d.o.Bounds.MaxRise, MinEach: d.o.Bounds.MinLetters,
	}
	if err == nil {
		s.Dir = files.Hash()
	}
	return s
}

// Trial returns the trial that goes on, or nil.
func (d *Desk) Trial() *rulebook.Trial {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Trial
}

// Fell returns the hash of the set that the gateway went back from and that still lies in
// the rules directory, or "".
func (d *Desk) Fell() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Fell
}
