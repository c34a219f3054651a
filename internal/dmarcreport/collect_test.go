package dmarcreport

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"congthu/internal/mailauth/dmarc"
	"congthu/internal/msg"
	"congthu/internal/store/storetest"
)

// What is not for a report is not counted.
func TestNotCounted(t *testing.T) {
	db := open(t, storetest.SQLite)
	c := collector(db)
	wanted := seen("a.test", "192.0.2.1", "mailto:d@a.test", true)
	for name, change := range map[string]func(*Seen){
		"nobody wants it":                    func(s *Seen) { r := *s.Result.Record; r.RUA = "https://a.test/r"; s.Result.Record = &r },
		"a name with more than a name in it": func(s *Seen) { s.Result.PolicyAt = "a\x01\x00.test" },
		"no policy":                          func(s *Seen) { s.Result.Record = nil },
		"could not look":                     func(s *Seen) { s.Result.Status = dmarc.TempError },
		"no author to name":                  func(s *Seen) { s.Result.Status = dmarc.PermError },
	} {
		s := wanted
		change(&s)
		count(c, 1, s, msg.Deliver, false)
		if len(c.rows)+len(c.pending) > 0 {
			t.Errorf("%s: counted", name)
		}
	}
	c.Done("unknown", msg.Deliver, false)
	c.Note("never done", wanted)
	c.Now = func() time.Time { return noon.Add(time.Hour) }
	flush(t, c)
	if len(c.pending) != 0 {
		t.Error("a message that never ended is kept for ever")
	}
}

func TestDisposition(t *testing.T) {
	reject := seen("a.test", "192.0.2.1", "mailto:d@a.test", false)
	trial := reject
	trial.Result.Testing = true
	passes := seen("a.test", "192.0.2.1", "mailto:d@a.test", true)
	for _, c := range []struct {
		name    string
		s       Seen
		action  msg.Action
		byDMARC bool
		want    string
	}{
		{"as asked", reject, msg.Reject, true, "reject []"},
		{"milder", reject, msg.Quarantine, true, "quarantine [{local_policy }]"},
		{"let through", reject, msg.Deliver, false, "none [{local_policy }]"},
		{"refused for a virus", reject, msg.Reject, false, "none [{local_policy }]"},
		{"on trial", trial, msg.Quarantine, true, "quarantine [{policy_test_mode }]"},
		{"passes", passes, msg.Deliver, false, "pass []"},
		{"passes, and is spam", passes, msg.Quarantine, false, "pass []"},
	} {
		d, why := c.s.disposition(c.action, c.byDMARC)
		if got := fmt.Sprint(d, " ", why); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A flood of different senders costs a bounded number of rows, and the report says how
// many messages are not in them.
func TestBoundedRows(t *testing.T) { storetest.Each(t, testBoundedRows) }

func testBoundedRows(t *testing.T, url string) {
	db, o := open(t, url), &outbox{}
	c, s := collector(db), sending(db, o)
	for i := range maxRows + 50 {
		count(c, 1, seen("a.test", fmt.Sprintf("10.0.%d.%d", i/250, i%250), "mailto:d@a.test", false), msg.Reject, true)
	}
	flush(t, c)
	list, err := s.Send(t.Context(), DayOf(noon))
	if err != nil || len(list) != 1 || list[0].Records != maxRows {
		t.Fatalf("%+v %v", list, err)
	}
	r, err := Read(o.sent[0].Content[0])
	if err != nil || len(r.Errors) != 1 || !strings.HasPrefix(r.Errors[0], "50 messages are not listed") {
		t.Errorf("%v %v", r.Errors, err)
	}
}

func TestBoundedMemory(t *testing.T) {
	c := collector(open(t, storetest.SQLite))
	s := seen("a.test", "192.0.2.1", "mailto:d@a.test", true)
	for i := range maxPending + 10 {
		c.Note(fmt.Sprint(i), s)
	}
	if len(c.pending) != maxPending || c.lost != 10 {
		t.Errorf("%d wait, %d lost", len(c.pending), c.lost)
	}
}

// Figures that the store does not take are kept, and not counted twice.
func TestFlushKeepsWhatIsNotWritten(t *testing.T) {
	db, o := open(t, storetest.SQLite), &outbox{}
	c := collector(db)
	count(c, 4, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Flush(gone); err == nil {
		t.Fatal("written with a context that has ended")
	}
	count(c, 1, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
	flush(t, c)
	flush(t, c)
	list, err := sending(db, o).Send(t.Context(), DayOf(noon))
	if err != nil || len(list) != 1 || list[0].Messages != 5 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestRunFlushesAtItsEnd(t *testing.T) {
	db := open(t, storetest.SQLite)
	c := collector(db)
	count(c, 1, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Run(ctx)
	if list, err := sending(db, &outbox{}).Rehearse(t.Context(), DayOf(noon)); err != nil || len(list) != 1 || !strings.Contains(list[0].XML, "<count>1</count>") {
		t.Errorf("%+v %v", list, err)
	}
}

func TestDays(t *testing.T) {
	d, err := ParseDay("2026-11-24")
	if err != nil || d != DayOf(noon) || d.String() != "2026-11-24" || d.End().Sub(d.Begin()) != 24*time.Hour-time.Second {
		t.Errorf("%v %v %v", d, d.End(), err)
	}
	if _, err := ParseDay("24/11/2026"); err == nil {
		t.Error("a date in another order")
	}
	midnight := d.Begin()
	for _, c := range []struct {
		now  time.Time
		want []Day
	}{
		{noon, []Day{d - 3, d - 2, d - 1}},
		{midnight.Add(time.Minute), []Day{d - 4, d - 3, d - 2}}, // other gateways have not flushed
		{midnight.Add(settle), []Day{d - 3, d - 2, d - 1}},
	} {
		if got := Due(c.now); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, want %v", c.now, got, c.want)
		}
	}
}

func TestExpire(t *testing.T) { storetest.Each(t, testExpire) }

func testExpire(t *testing.T, url string) {
	db := open(t, url)
	c := collector(db)
	count(c, 1, seen("a.test", "192.0.2.1", "mailto:d@a.test", true), msg.Deliver, false)
	flush(t, c)
	s := sending(db, &outbox{})
	for _, step := range []struct{ days, want int }{{keepDays, 1}, {keepDays + 1, 0}} {
		if err := Expire(t.Context(), db, noon.AddDate(0, 0, step.days)); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Rehearse(t.Context(), DayOf(noon)); err != nil || len(list) != step.want {
			t.Errorf("after %d days: %v %v", step.days, list, err)
		}
	}
}

// What counting costs on the path of a message.
func BenchmarkCount(b *testing.B) {
	c := NewCollector(nil, slog.New(slog.DiscardHandler))
	s := seen("a.test", "192.0.2.1", "mailto:d@a.test", true)
	b.ReportAllocs()
	for b.Loop() {
		c.Note("M1", s)
		c.Done("M1", msg.Deliver, false)
	}
}
