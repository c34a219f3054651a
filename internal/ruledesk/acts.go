package ruledesk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"congthu/internal/canary"
	"congthu/internal/lang"
	"congthu/internal/rulebook"
	"congthu/internal/rules"
)

// Refusal is why an act was not done, for the operator.
type Refusal struct{ What lang.Text }

// Error returns the English sentence.
func (r *Refusal) Error() string { return r.What.EN }

// In returns the sentence in that language.
func (r *Refusal) In(l lang.Lang) string { return r.What.In(l) }

func refuse(vi, en string) error { return &Refusal{lang.T(vi, en)} }

// Reload takes the rules directory into use. A mistake leaves everything as it was. The
// new set is watched for a while.
func (d *Desk) Reload(ctx context.Context, actor string) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	set, err := d.o.Source.Load()
	if err != nil {
		return err
	}
	if err := d.scan(ctx, d.o.Source.Dir); err != nil {
		return err
	}
	old := d.live.Get()
	if set.Hash == old.Hash {
		return d.same(ctx, set, actor)
	}
	e := rulebook.Event{What: rulebook.Reload, Hash: set.Hash, Before: old.Hash, Actor: actor}
	s := rulebook.State{InUse: set.Hash, Trial: d.watch(set.Hash, old.Hash, actor)}
	return d.take(ctx, e, set, old, s)
}

// same ends what was not the rules directory: a canary, a set that was gone back from.
func (d *Desk) same(ctx context.Context, set *rules.Set, actor string) error {
	s := d.Status().State
	if s.Fell == "" && (s.Trial == nil || !s.Trial.Canary) {
		return nil
	}
	s.Fell, s.Why, s.At = "", lang.Text{}, time.Time{}
	if s.Trial != nil && s.Trial.Canary {
		s.Trial = nil
		d.live.End()
	}
	return d.write(ctx, rulebook.Event{What: rulebook.Reload, Hash: set.Hash, Before: set.Hash, Actor: actor}, set, s)
}

// watch is the trial of a set that judges all letters from now on, or nil.
func (d *Desk) watch(hash, against, actor string) *rulebook.Trial {
	if d.o.Watch <= 0 {
		return nil
	}
	now := d.o.Now()
	return &rulebook.Trial{Hash: hash, Against: against, Share: everything, Since: now, Until: now.Add(d.o.Watch), Actor: actor}
}

// everything is the share of a set that judges all letters.
const everything = 10_000

// take writes the event and makes the set the one in use; old is what it is watched
// against.
func (d *Desk) take(ctx context.Context, e rulebook.Event, set, old *rules.Set, s rulebook.State) error {
	var base canary.Arm
	if s.Trial != nil {
		base = d.rate(ctx, old.Hash, d.o.Now().Add(-lookBack))
	}
	if err := d.write(ctx, e, set, s); err != nil {
		return err
	}
	d.live.Take(set)
	d.mu.Lock()
	d.before, d.base, d.trial, d.next = old, base, canary.Arm{}, 0
	d.mu.Unlock()
	return nil
}

// Canary puts the rules directory on trial for a share of the letters, in a hundred. The
// YARA rules stay those in use: the workers have one set.
func (d *Desk) Canary(ctx context.Context, percent float64, long time.Duration, actor string) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	share := int(math.Round(percent * 100))
	if !(percent > 0 && percent < 100) || share < 1 || long <= 0 {
		return refuse("tỷ lệ thử phải trên 0 % và dưới 100 %, thời gian thử phải lớn hơn 0", "the share of a canary is above 0 % and below 100 %, its time above 0")
	}
	set, err := d.o.Source.Load()
	if err != nil {
		return err
	}
	old := d.live.Get()
	if set.Hash == old.Hash {
		return refuse("các tệp trong rules_dir chính là bộ đang dùng, không có gì để thử", "what lies in rules_dir is the set in use: there is nothing to try")
	}
	now := d.o.Now()
	t := &rulebook.Trial{Hash: set.Hash, Against: old.Hash, Canary: true, Share: share, Salt: rand.Uint64(), Since: now, Until: now.Add(long), Actor: actor}
	e := rulebook.Event{What: rulebook.Canary, Hash: set.Hash, Before: old.Hash, Actor: actor, Why: lang.T(fmt.Sprintf("thử trên %g %% số thư trong %v", percent, long), fmt.Sprintf("on trial for %g %% of the letters for %v", percent, long))}
	if err := d.write(ctx, e, set, rulebook.State{InUse: old.Hash, Trial: t}); err != nil {
		return err
	}
	d.mu.Lock()
	d.before, d.base, d.trial, d.next = old, canary.Arm{}, canary.Arm{}, 0
	d.mu.Unlock()
	d.live.Try(set, share, t.Salt)
	return nil
}

// running returns the canary, or says that there is none.
func (d *Desk) running() (*rules.Set, rulebook.State, error) {
	s := d.Status().State
	set, _ := d.live.Trial()
	if set == nil || s.Trial == nil || !s.Trial.Canary {
		return nil, s, refuse("không có bộ quy tắc nào đang thử; `congthu rules reload` đưa rules_dir vào dùng", "no rule set is on trial; `congthu rules reload` takes rules_dir into use")
	}
	return set, s, nil
}

// Promote makes the canary the set in use.
func (d *Desk) Promote(ctx context.Context, actor string) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	set, _, err := d.running()
	if err != nil {
		return err
	}
	dir, err := d.lay(ctx, set.Hash) // rules_dir may have been edited meanwhile
	if err != nil {
		return err
	}
	if err := d.scan(ctx, dir); err != nil {
		return err
	}
	old := d.live.Get()
	e := rulebook.Event{What: rulebook.Promote, Hash: set.Hash, Before: old.Hash, Actor: actor, Why: d.figures()}
	return d.take(ctx, e, set, old, rulebook.State{InUse: set.Hash, Trial: d.watch(set.Hash, old.Hash, actor)})
}

// Abort ends the canary; the set in use judges all letters again.
func (d *Desk) Abort(ctx context.Context, actor string) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	if _, _, err := d.running(); err != nil {
		return err
	}
	return d.endCanary(ctx, rulebook.Abort, actor, d.figures())
}

func (d *Desk) endCanary(ctx context.Context, what, actor string, why lang.Text) error {
	set, s, err := d.running()
	if err != nil {
		return err
	}
	after := rulebook.State{InUse: s.InUse, Fell: set.Hash, At: d.o.Now(), Why: why}
	e := rulebook.Event{What: what, Hash: set.Hash, Before: s.InUse, Actor: actor, Why: why}
	if err := d.write(ctx, e, nil, after); err != nil {
		return err
	}
	d.live.End()
	return nil
}

// Rollback goes back to a kept set, the one before for "". The files in rules_dir are
// kept as an event of their own when they were never in use, and then replaced one by
// one. Where the directory cannot be written, read-only or full, the set is used all the same, and written
// says so.
func (d *Desk) Rollback(ctx context.Context, begins, actor string) (hash string, written bool, err error) {
	d.acting.Lock()
	defer d.acting.Unlock()
	if hash, err = d.target(ctx, begins); err != nil {
		return "", false, err
	}
	set, err := d.kept(ctx, hash)
	if err != nil {
		return "", false, err
	}
	if err := d.keepEdits(ctx, actor); err != nil {
		return "", false, err
	}
	if err := d.scan(ctx, filepath.Join(d.o.Dir, hash)); err != nil {
		return "", false, err
	}
	why := lang.Text{}
	failed := set.Files.Replace(d.o.Source.Dir)
	old := d.live.Get()
	s := rulebook.State{InUse: hash}
	if failed != nil {
		now, _ := rules.ReadFiles(d.o.Source.Dir) // what cannot be read has no hash that could be avoided
		s.Fell, s.At = now.Hash(), d.o.Now()
		why = lang.T("không ghi được hết vào rules_dir, các tệp ở đó không được dùng: "+failed.Error(), "rules_dir cannot be written as a whole, its files are not used: "+failed.Error())
		s.Why = why
	}
	e := rulebook.Event{What: rulebook.Rollback, Hash: hash, Before: old.Hash, Actor: actor, Why: why}
	return hash, failed == nil, d.take(ctx, e, set, old, s)
}

// target is the hash to go back to.
func (d *Desk) target(ctx context.Context, begins string) (string, error) {
	inUse := d.live.Get().Hash
	if begins != "" {
		hash, err := d.o.Book.Find(ctx, begins)
		switch {
		case errors.Is(err, rulebook.ErrUnknown):
			return "", refuse("không còn lưu bộ quy tắc nào có mã "+lang.Safe(begins, 64)+"; xem `congthu rules history`", "no set with the hash "+lang.Safe(begins, 64)+" is kept; see `congthu rules history`")
		case errors.Is(err, rulebook.ErrAmbiguous):
			return "", refuse("nhiều bộ quy tắc có mã bắt đầu như vậy; ghi dài hơn", "several sets have a hash that begins so; write more of it")
		}
		return hash, err
	}
	events, err := d.o.Book.Events(ctx, 1000)
	if err != nil {
		return "", err
	}
	for _, e := range events {
		if e.Kept && e.Hash != inUse && wasInUse(e.What) {
			return e.Hash, nil
		}
	}
	return "", refuse("chưa có bộ quy tắc nào trước bộ đang dùng", "there is no set before the one in use")
}

func wasInUse(what string) bool {
	switch what {
	case rulebook.Start, rulebook.Reload, rulebook.Promote, rulebook.Rollback:
		return true
	}
	return false
}

// keepEdits keeps what lies in rules_dir unless it is kept already: it is about to be
// replaced.
func (d *Desk) keepEdits(ctx context.Context, actor string) error {
	files, err := rules.ReadFiles(d.o.Source.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	hash := files.Hash()
	if _, err := d.o.Book.Files(ctx, hash); err == nil {
		return nil
	}
	e := rulebook.Event{What: rulebook.Edited, Hash: hash, Before: d.live.Get().Hash, Actor: actor}
	if err := d.write(ctx, e, &rules.Set{Hash: hash, Files: files}, d.Status().State); err != nil {
		return err
	}
	if _, err := d.o.Book.Files(ctx, hash); err != nil {
		return refuse("rules_dir quá lớn nên không lưu lại được; hãy tự chép ra chỗ khác rồi thử lại", "rules_dir is too large to be kept; copy it elsewhere yourself and try again")
	}
	return nil
}
