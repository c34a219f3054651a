package review_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/internal/audit"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// Two tokens of one person are one person, by whatever names, and so is a user of the machine
// of that name; another person is another.
func TestSecondPerson(t *testing.T) { storetest.Each(t, testSecondPerson) }

func testSecondPerson(t *testing.T, url string) {
	r := rigAt(t, url)
	ctx := t.Context()
	with := func(name, person, id string) *review.Reviewer {
		w := admin(name)
		w.Person, w.Token, w.Via = person, id, "192.0.2.9"
		return r.For(w)
	}
	desk, phone := with("lan-may-ban", "Nguyễn Lan", "t1"), with("lan-dien-thoai", "nguyễn  lan", "t2")
	for n, c := range []struct {
		approves, releases *review.Reviewer
		want               string
	}{
		{desk, desk, "same-person"},
		{desk, phone, "same-person"},
		{phone, desk, "same-person"},
		{desk, with("renamed", "Trần Mai", "t1"), "same-person"},
		{r.For(admin("Nguyễn Lan")), desk, "same-person"},
		{desk, r.For(admin("nguyễn lan")), "same-person"},
		{desk, with("mai", "Trần Mai", "t3"), ""},
		{with("mai", "", "t3"), desk, ""},
		{r.For(admin("root")), desk, ""},
		{desk, r.For(admin("root")), ""},
	} {
		id := fmt.Sprintf("MAL%05dAAAA%04d", n, n)
		r.hold(id, "YARA_MALWARE", "a@yte.test")
		if err := c.approves.Approve(ctx, id); err != nil {
			t.Fatal(err)
		}
		if _, err := c.releases.Release(ctx, id, review.Order{}); code(err) != c.want {
			t.Errorf("%d: %v, want %q", n, err, c.want)
		}
	}
	list, err := r.log.List(ctx, audit.Filter{Actor: "nguyễn  lan"})
	if err != nil || len(list) != 1 || list[0].Actor != "lan-dien-thoai" {
		t.Errorf("on record: %+v %v", list, err)
	}
	if i, _, err := desk.Show(ctx, "MAL00000AAAA0000", true); err != nil || !slices.Equal(i.Approved, []string{"lan-may-ban (Nguyễn Lan)"}) {
		t.Errorf("%q %v", i.Approved, err)
	}
}

func TestUndo(t *testing.T) {
	r := newRig(t)
	r.hold("YTE00000AAAA1111", "SCORE", "a@yte.test")
	ctx, lan := t.Context(), r.For(admin("lan"))
	if err := lan.Delete(ctx, "AAAA1111"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := lan.Show(ctx, "AAAA1111", true); code(err) != "not found" {
		t.Error(err)
	}
	if p, err := lan.List(ctx, quarantine.Filter{Deleted: true}); err != nil || p.Total != 1 || p.Items[0].Deleted.IsZero() {
		t.Errorf("%+v %v", p, err)
	}
	r.now = r.now.Add(24*time.Hour - time.Second)
	if _, err := r.held.Expire(ctx); err != nil {
		t.Fatal(err)
	}
	if err := lan.Undo(ctx, "AAAA1111"); err != nil {
		t.Fatal(err)
	}
	if err := lan.Delete(ctx, "AAAA1111"); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(24 * time.Hour)
	if got := code(lan.Undo(ctx, "AAAA1111")); got != "not found" {
		t.Error("too late:", got)
	}
	if _, err := r.held.Expire(ctx); err != nil {
		t.Fatal(err)
	}
	var rows, bodies int
	err := r.db.View(ctx, func(tx store.Tx) error {
		return errors.Join(tx.QueryRow(ctx, `SELECT COUNT(*) FROM quarantine`).Scan(&rows), tx.QueryRow(ctx, `SELECT COUNT(*) FROM body`).Scan(&bodies))
	})
	if err != nil || rows != 0 || bodies != 0 {
		t.Error(rows, bodies, err)
	}
}

// A released letter cannot be called back: who released it, or may see that it was, is told so
// and how what was taught with it is taken back; to others it never was.
func TestUndoOfWhatWasReleased(t *testing.T) {
	r := newRig(t)
	r.hold("YTE00000AAAA1111", "SCORE", "a@yte.test")
	ctx, yte, gtvt := t.Context(), r.For(reviewer("lan", "yte.test")), r.For(reviewer("mai", "gtvt.test"))
	if _, err := yte.Release(ctx, "AAAA1111", review.Order{}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"YTE00000AAAA1111", "aaaa1111", "YTE00000"} {
		err := yte.Undo(ctx, part)
		if code(err) != "released" || !strings.Contains(err.Error(), "released by lan") || !strings.Contains(err.Error(), "learn undo") {
			t.Errorf("%s: %v", part, err)
		}
		for name, p := range map[string]*review.Reviewer{"another agency": gtvt, "a recipient": r.ForRecipient("a@yte.test")} {
			if got := code(p.Undo(ctx, part)); got != "not found" {
				t.Errorf("%s by %s: %s", part, name, got)
			}
		}
	}
	for _, part := range []string{"ZZZZ9999", "111", ""} {
		if got := code(r.For(admin("root")).Undo(ctx, part)); got != "not found" {
			t.Errorf("%q: %s", part, got)
		}
	}
	if got := code(r.For(admin("root")).Undo(ctx, "AAAA1111")); got != "released" {
		t.Error(got)
	}
}
