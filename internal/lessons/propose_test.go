package lessons_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/lessons"
	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func each(t *testing.T, test func(t *testing.T, r rig)) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		var ids atomic.Int64
		test(t, open(t, db, func(o *lessons.Options) { o.NewID = func() string { return fmt.Sprint("P", ids.Add(1)) } }))
	})
}

func (r rig) propose(m *msg.Message, spam bool, who string, with *store.Change) (string, lessons.Heard) {
	r.t.Helper()
	id, heard, err := r.Propose(r.t.Context(), m, spam, who, 3, with)
	if err != nil {
		r.t.Fatal(err)
	}
	return id, heard
}

// A letter makes one proposal, however many report it; nothing is learned before a reviewer
// has confirmed, and then once.
func TestPropose(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		recorded := 0
		record := &store.Change{Apply: func(context.Context, store.Tx) error { return nil }, Done: func() { recorded++ }}
		_, before := r.Seen()
		id, heard := r.propose(spam(1), true, "a@so.test", record)
		if heard != lessons.HeardFirst {
			t.Fatal(heard)
		}
		if _, heard := r.propose(spam(1), true, "a@so.test", record); heard != lessons.HeardAgain {
			t.Error(heard)
		}
		if other, heard := r.propose(spam(1), true, "b@xa.test", record); heard != lessons.HeardAlso || other != id {
			t.Error(other, heard)
		}
		if recorded != 2 {
			t.Errorf("%d records of two reports", recorded)
		}
		list, err := r.Proposals(t.Context(), 10, false, nil)
		if err != nil || len(list) != 1 || strings.Join(list[0].Reporters, " ") != "a@so.test b@xa.test" || list[0].Sender != "a@shop.example" || list[0].Subject != "trung thuong 1" {
			t.Fatalf("%+v %v", list, err)
		}
		if _, after := r.Seen(); after != before {
			t.Error("it was learned unasked")
		}
		p, raw, err := r.Proposal(t.Context(), id, nil)
		if err != nil || string(raw) != string(spam(1).Raw) || p.State != lessons.Waiting {
			t.Fatalf("%+v %q %v", p, raw, err)
		}
		x, err := r.Teach(t.Context(), spam(1), lessons.Report{Spam: true, Actor: "reviewer", With: r.Decide(id, lessons.Confirmed, "reviewer")})
		if err != nil || !x.Counts {
			t.Fatalf("%+v %v", x, err)
		}
		if _, err := r.Teach(t.Context(), spam(2), lessons.Report{Spam: true, Actor: "reviewer", With: r.Decide(id, lessons.Confirmed, "reviewer")}); !errors.Is(err, lessons.ErrDecided) {
			t.Errorf("decided twice: %v", err)
		}
		if err := r.Refuse(t.Context(), id, "reviewer"); !errors.Is(err, lessons.ErrDecided) {
			t.Errorf("refused after: %v", err)
		}
		if _, after := r.Seen(); after != before+1 {
			t.Errorf("learned %d times", after-before)
		}
		if _, heard := r.propose(spam(1), true, "c@so.test", nil); heard != lessons.HeardDecided {
			t.Error(heard)
		}
		if _, raw, err := r.Proposal(t.Context(), id, nil); err != nil || raw != nil {
			t.Errorf("the letter is still there: %d octets, %v", len(raw), err)
		}
	})
}

// A reviewer of one agency sees nothing of what users of another have reported.
func TestProposalsOfOthers(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id, _ := r.propose(spam(1), true, "a@so.test", nil)
		xa := func(domain string) bool { return domain == "xa.test" }
		if list, err := r.Proposals(t.Context(), 10, true, xa); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
		if _, raw, err := r.Proposal(t.Context(), id, xa); !errors.Is(err, lessons.ErrNotFound) || raw != nil {
			t.Errorf("%v", err)
		}
		_, _, none := r.Proposal(t.Context(), "nothing", xa)
		if _, _, err := r.Proposal(t.Context(), id, xa); strings.ReplaceAll(err.Error(), id, "nothing") != none.Error() {
			t.Errorf("that there is one shows: %v, %v", err, none)
		}
	})
}

func TestProposalsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		for i := range 3 {
			if _, heard := r.propose(spam(i), true, "a@so.test", nil); heard != lessons.HeardFirst {
				t.Error(heard)
			}
		}
		if _, heard := r.propose(spam(4), true, "a@so.test", nil); heard != lessons.HeardTooMany {
			t.Error(heard)
		}
		if _, heard := r.propose(spam(4), true, "b@so.test", nil); heard != lessons.HeardFirst {
			t.Error(heard)
		}
		big := spam(5)
		big.Raw = make([]byte, 1<<20+1)
		if _, heard := r.propose(big, true, "c@so.test", nil); heard != lessons.HeardTooBig {
			t.Error(heard)
		}
		*r.now = r.now.Add(25 * time.Hour)
		if _, heard := r.propose(spam(6), true, "a@so.test", nil); heard != lessons.HeardFirst {
			t.Errorf("the next day: %s", heard)
		}
		*r.now = r.now.Add(31 * 24 * time.Hour)
		if err := r.ExpireProposals(t.Context()); err != nil {
			t.Error(err)
		}
		if list, err := r.Proposals(t.Context(), 10, true, nil); err != nil || len(list) != 0 {
			t.Errorf("after a month: %d, %v", len(list), err)
		}
	})
}

// Many at once, for one letter: one proposal with all of them.
func TestProposedTogether(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		done := make(chan error, 10)
		for i := range 10 {
			go func() {
				_, _, err := r.Propose(t.Context(), spam(1), true, fmt.Sprintf("u%d@so.test", i), 3, nil)
				done <- err
			}()
		}
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if list, err := r.Proposals(t.Context(), 10, false, nil); err != nil || len(list) != 1 || len(list[0].Reporters) != 10 {
			t.Errorf("%+v %v", list, err)
		}
	})
}
