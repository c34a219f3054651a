package faults

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/quarantine"
	"congthu/internal/review"
)

// did is what came of acts on held letters: those that were done, and those that were not.
type did struct{ done, refused []string }

func (d *did) note(id string, err error) {
	if err == nil {
		d.done = append(d.done, id)
	} else {
		d.refused = append(d.refused, id)
	}
}

// The disk runs full while people act on held letters. What cannot be recorded is not done:
// not released, not deleted, not shown; what is answered is done and on record, and mail is
// put off with 452. With room again all goes on, and the chain is whole.
func TestDiskFullActs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "disk")
	mount(t, dir, "-t", "tmpfs", "-o", "size=24m", "none")
	must(t, os.Chmod(dir, 0o700))
	r := newRig(t, Options{Data: filepath.Join(dir, "data"), Config: "[limits]\nmessage_size = 1200000\ndisk_reserve = 0\n"})
	must(t, r.Start())
	holds(t, r, 60)
	ctx, cl := t.Context(), admin.Dial(filepath.Join(r.Data, "admin.sock"))
	page, err := cl.Page(ctx, quarantine.Filter{Limit: 1000})
	must(t, err)
	fillUp(t, filepath.Join(dir, "ballast"), 256<<10) // the first acts have room
	r.Fault()
	var shown, released, deleted did
	for i, it := range page.Items[1:] {
		if i%2 == 0 {
			_, err := cl.Release(ctx, it.ID, review.Order{})
			released.note(it.ID, err)
		} else {
			deleted.note(it.ID, cl.Delete(ctx, it.ID))
		}
	}
	first := page.Items[0].ID
	for range 20_000 {
		_, err := cl.View(ctx, first)
		if shown.note(first, err); err != nil {
			if !strings.Contains(err.Error(), "disk is full") {
				t.Errorf("refused without saying why: %v", err)
			}
			break
		}
	}
	if len(released.done)+len(deleted.done) == 0 || len(shown.refused) == 0 || len(released.refused) == 0 || len(deleted.refused) == 0 {
		t.Fatalf("the disk did not run full in the middle: %d done; %d looks, %d releases, %d deletions were refused", len(released.done)+len(deleted.done), len(shown.refused), len(released.refused), len(deleted.refused))
	}
	within(t, "mail is put off", func() bool {
		l, err := r.Ledger.Begin("a.gov.test", 1<<10)
		must(t, err)
		c, err := dial(r.Addr)
		must(t, err)
		defer c.Close()           //nolint:errcheck // all was said
		reply, _ := c.transact(l) // "" is no reply, and none is 452
		must(t, r.Ledger.Said(l.N, reply))
		return strings.HasPrefix(reply, "452 4.3.1")
	})
	onlyFull(t, r)

	must(t, os.Remove(filepath.Join(dir, "ballast")))
	within(t, "acts are done again", func() bool { _, err := cl.View(ctx, first); return err == nil })
	takesAgain(t, r, 30*time.Second)
	must(t, r.Drain(time.Minute))
	report, err := cl.AuditVerify(ctx)
	if err != nil || report.Broken != nil {
		t.Errorf("the chain: %+v %v", report, err)
	}
	onRecord(t, cl, map[string]did{"quarantine.release": released, "quarantine.delete": deleted})
	stillHeld(t, cl, slices.Concat(released.refused, deleted.refused), slices.Concat(released.done, deleted.done))
	for _, id := range released.refused {
		_, err := cl.Release(ctx, id, review.Order{})
		must(t, err)
	}
	for _, id := range deleted.done {
		must(t, cl.Undelete(ctx, id))
	}
	t.Logf("%d looks, %d releases and %d deletions done, %d and %d refused", len(shown.done), len(released.done), len(deleted.done), len(released.refused), len(deleted.refused))
	finish(t, r, nil)
}

// fillUp takes all room that a disk has but for some octets.
func fillUp(t *testing.T, name string, left int64) {
	t.Helper()
	f, err := os.Create(name)
	must(t, err)
	defer f.Close() //nolint:errcheck // it is full, as it should be
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	info, err := f.Stat()
	must(t, err)
	must(t, f.Truncate(info.Size()-left))
}

// onRecord wants each act on record exactly if it was done.
func onRecord(t *testing.T, cl *admin.Client, acts map[string]did) {
	t.Helper()
	list, err := cl.Audit(context.Background(), audit.Filter{Limit: 100_000})
	must(t, err)
	count := map[string]int{}
	for _, e := range list {
		count[e.Act+" "+e.Object]++
	}
	for act, d := range acts {
		for _, id := range d.done {
			if n := count[act+" "+id]; n != 1 {
				t.Errorf("%s %s was done, and is %d times on record", act, id, n)
			}
		}
		for _, id := range d.refused {
			if n := count[act+" "+id]; n != 0 {
				t.Errorf("%s %s was refused, and is %d times on record", act, id, n)
			}
		}
	}
}

// stillHeld wants some letters held, and others not.
func stillHeld(t *testing.T, cl *admin.Client, there, gone []string) {
	t.Helper()
	page, err := cl.Page(context.Background(), quarantine.Filter{Limit: 1000})
	must(t, err)
	held := map[string]bool{}
	for _, it := range page.Items {
		held[it.ID] = true
	}
	for _, id := range there {
		if !held[id] {
			t.Errorf("%s is gone, and what would have taken it away was refused", id)
		}
	}
	for _, id := range gone {
		if held[id] {
			t.Errorf("%s is held, and was released or deleted", id)
		}
	}
}
