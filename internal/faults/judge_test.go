package faults

import (
	"strings"
	"testing"
	"time"
)

var began = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

// evidence of one letter that was acknowledged and has arrived; change spoils it.
func judgeOne(change func(c *Case, r *Record)) *Verdict {
	l := Letter{N: 1, To: []string{"x@a.test"}, Size: 1000}
	r := &Record{Letter: l, Sum: Sum(l.Octets()), Sent: at(0), Said: at(1), Reply: "250 ok", Confirmed: true}
	c := Case{
		Records: map[int]*Record{1: r}, Kept: map[string]bool{}, Faults: []time.Time{at(5)},
		Arrivals: []Arrival{{N: 1, To: l.To, Sum: r.Sum, At: at(2)}},
	}
	change(&c, r)
	return Judge(c)
}

// A judge that does not see a loss proves nothing.
func TestJudge(t *testing.T) {
	again := func(c *Case, seconds int) {
		a := c.Arrivals[0]
		a.At = at(seconds)
		c.Arrivals = append(c.Arrivals, a)
	}
	for name, f := range map[string]struct {
		change                    func(*Case, *Record)
		acked, lost, dups, causes int
	}{
		"arrived":          {func(*Case, *Record) {}, 1, 0, 0, 0},
		"nowhere":          {func(c *Case, _ *Record) { c.Arrivals = nil }, 1, 1, 0, 0},
		"kept":             {func(c *Case, _ *Record) { c.Arrivals = nil; c.Kept["x@a.test"] = true }, 1, 0, 0, 0},
		"another's":        {func(c *Case, _ *Record) { c.Arrivals[0].To = []string{"y@a.test"} }, 1, 1, 0, 0},
		"changed":          {func(c *Case, _ *Record) { c.Arrivals[0].Sum = Sum(nil) }, 1, 2, 0, 0},
		"never sent":       {func(c *Case, _ *Record) { c.Arrivals[0].N = 9 }, 1, 2, 0, 0},
		"a notice":         {func(c *Case, _ *Record) { c.Arrivals = append(c.Arrivals, Arrival{Data: []byte("x")}) }, 1, 0, 0, 0},
		"not acknowledged": {func(c *Case, r *Record) { c.Arrivals = nil; r.Confirmed, r.Reply = false, "" }, 0, 0, 0, 0},
		"deferred":         {func(c *Case, r *Record) { c.Arrivals = nil; r.Confirmed, r.Reply = false, "451 x" }, 0, 0, 0, 0},
		"refused":          {func(c *Case, r *Record) { c.Arrivals = nil; r.Confirmed, r.Reply = false, "554 x" }, 0, 1, 0, 0},
		"refused, as it may": {func(c *Case, r *Record) {
			c.Arrivals, c.Permits = nil, func(string) bool { return true }
			r.Confirmed, r.Reply = false, "554 x"
		}, 0, 0, 0, 0},
		"after the cut":        {func(c *Case, _ *Record) { c.Arrivals, c.Until = nil, at(1) }, 0, 0, 0, 0},
		"before the cut":       {func(c *Case, _ *Record) { c.Arrivals, c.Until = nil, at(2) }, 1, 1, 0, 0},
		"twice, with a fault":  {func(c *Case, _ *Record) { again(c, 9) }, 1, 0, 1, 0},
		"twice, without":       {func(c *Case, _ *Record) { again(c, 4) }, 1, 0, 1, 1},
		"twice, and unsure":    {func(c *Case, _ *Record) { again(c, 4); c.Arrivals[0].Unsure = true }, 1, 0, 1, 0},
		"twice, late":          {func(c *Case, _ *Record) { again(c, 4); c.Arrivals[1].Unsure = true }, 1, 0, 1, 0},
		"thrice, with a fault": {func(c *Case, _ *Record) { again(c, 9); again(c, 12) }, 1, 0, 2, 1},
	} {
		v := judgeOne(f.change)
		if v.Acknowledged != f.acked || v.Lost != f.lost || v.Duplicates != f.dups || v.Unexplained != f.causes {
			t.Errorf("%s: %+v %v", name, v.Figures, v.Problems)
		}
		if (v.Lost+v.Unexplained > 0) != (len(v.Problems) > 0) {
			t.Errorf("%s: in words: %v", name, v.Problems)
		}
	}
}

func TestLedgerReadsWhatItWrote(t *testing.T) {
	l, err := NewLedger(t.TempDir() + "/ledger")
	must(t, err)
	for i := range 3 {
		letter, err := l.Begin("a.test", i)
		must(t, err)
		if i > 0 {
			must(t, l.Said(letter.N, []string{"", "250 2.0.0 ok", "451 4.3.0 a b"}[i]))
		}
	}
	got, err := l.Records()
	must(t, err)
	if len(got) != 3 || got[1].Confirmed || got[1].Reply != "" || !got[2].Confirmed || got[3].Reply != "451 4.3.0 a b" || got[3].Confirmed ||
		got[2].Sum != Sum(got[2].Octets()) || strings.Join(got[3].To, " ") != "n3a@a.test n3b@a.test" || got[2].Said.Before(got[2].Sent) {
		t.Errorf("%+v %+v %+v", got[1], got[2], got[3])
	}
	for _, bad := range []string{"send", "said 7 1 250 ok", "send 1 x y z 1", "lost 1 2 3 4 5"} {
		if _, err := ReadLedger(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// FuzzReadLedger: whatever stands in the file, reading it ends.
func FuzzReadLedger(f *testing.F) {
	f.Add("send 1 1000 ab x@y,z@y 5\nsaid 1 7 250 2.0.0 ok\n")
	f.Add("said 1 7 250 ok")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := ReadLedger(strings.NewReader(text))
		if err == nil {
			Judge(Case{Records: records})
		}
	})
}
