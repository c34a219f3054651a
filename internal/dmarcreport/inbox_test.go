package dmarcreport

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"congthu/internal/mailauth/aggregate"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func inbox(db *store.DB) *Inbox {
	return &Inbox{Store: db, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }}
}

// A letter is read at most three times, then given up; one that was read is forgotten.
func TestInbox(t *testing.T) { storetest.Each(t, testInbox) }

func testInbox(t *testing.T, url string) {
	b, ctx := inbox(open(t, url)), t.Context()
	raw := []byte("the letter")
	b.Keep("M1", raw)
	copy(raw, "recycled!!")
	b.Keep("M2", make([]byte, maxLetter+1))
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range maxTries {
		l, err := b.Next(ctx)
		if err != nil || l == nil || l.ID != "M1" || string(l.Content) != "the letter" {
			t.Fatalf("try %d: %+v %v", i, l, err)
		}
	}
	if l, err := b.Next(ctx); err != nil || l != nil {
		t.Errorf("still tried: %+v %v", l, err)
	}
	b.Keep("M3", []byte("three"))
	b.Keep("M3", []byte("three")) // a copy
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.Forget(ctx, "M3"); err != nil {
		t.Fatal(err)
	}
	if l, err := b.Next(ctx); err != nil || l != nil {
		t.Errorf("not forgotten: %+v %v", l, err)
	}
}

func TestInboxIsBounded(t *testing.T) {
	b := inbox(open(t, storetest.SQLite))
	for i := range maxLetters + 20 {
		b.Keep(fmt.Sprint(i), []byte("x"))
	}
	for i := range 9 {
		b.Keep(fmt.Sprint("large", i), make([]byte, maxLetter))
	}
	if b.size > maxWaiting {
		t.Errorf("%d octets wait in memory", b.size)
	}
	b.fresh = b.fresh[:maxLetters+20]
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	err := b.Store.View(t.Context(), func(tx store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM dmarc_letter`).Scan(&n)
	})
	if err != nil || n != maxLetters {
		t.Errorf("%d letters wait, %v", n, err)
	}
}

// However many come, a day takes a bounded number; the next one takes as many again.
func TestInboxDay(t *testing.T) {
	b := inbox(open(t, storetest.SQLite))
	for range maxDaily + 5 {
		b.Keep("M", nil)
	}
	if len(b.fresh) != maxDaily {
		t.Errorf("%d taken", len(b.fresh))
	}
	b.Now = func() time.Time { return noon.AddDate(0, 0, 1) }
	if b.Keep("M", nil); len(b.fresh) != maxDaily+1 {
		t.Error("the next day takes none")
	}
}

// A report is counted once, however often it comes; sources that fail come first.
func TestImportAndShow(t *testing.T) { storetest.Each(t, testImportAndShow) }

func testImportAndShow(t *testing.T, url string) {
	db, ctx := open(t, url), t.Context()
	reports := []*aggregate.Report{
		report("one.test", "gov.test", "1", record(90, "192.0.2.1", "pass", "pass", "pass"), record(5, "203.0.113.9", "reject", "fail", "fail"), record(5, "203.0.113.9", "reject", "fail", "fail")),
		report("one.test", "gov.test", "1", record(90, "192.0.2.1", "pass", "pass", "pass")), // again
		report("two.test", "gov.test", "1", record(10, "192.0.2.1", "none", "fail", "pass"), record(1, "203.0.113.9", "quarantine", "fail", "fail")),
		report("two.test", "xa.gov.test", "2", record(3, "192.0.2.8", "none", "fail", "fail")),
		report("two.test", "notgov.test", "3", record(1, "192.0.2.8", "none", "pass", "fail")),
	}
	for i, want := range []bool{true, false, true, true, true} {
		if fresh, err := Import(ctx, db, reports[i], noon); err != nil || fresh != want {
			t.Fatalf("report %d: new %v, %v", i, fresh, err)
		}
	}
	o, err := Show(ctx, db, "gov.test", noon.AddDate(0, 0, -30))
	want := &Overview{Reports: 3, Sources: []Source{
		{Domain: "gov.test", Source: "203.0.113.9", Messages: 11, Rejected: 10, Quarantined: 1, Reporters: 2},
		{Domain: "xa.gov.test", Source: "192.0.2.8", Messages: 3, Reporters: 1},
		{Domain: "gov.test", Source: "192.0.2.1", Messages: 100, SPF: 100, DKIM: 90, Authentic: 100, Reporters: 2},
	}}
	if err != nil || !reflect.DeepEqual(o, want) {
		t.Errorf("got  %+v %v\nwant %+v", o, err, want)
	}
	if o, err := Show(ctx, db, "", noon); err != nil || o.Reports != 0 || len(o.Sources) != 0 {
		t.Errorf("of today: %+v %v", o, err)
	}
	if err := ExpireReports(ctx, db, noon.Add(keepReports+24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if o, err := Show(ctx, db, "", time.Unix(0, 0)); err != nil || o.Reports != 0 {
		t.Errorf("not expired: %+v %v", o, err)
	}
}

// What comes from the reading process is checked again, and a flood of sources is
// added up.
func TestImportTrustsNobody(t *testing.T) {
	db := open(t, storetest.SQLite)
	for _, change := range []func(*aggregate.Report){
		func(r *aggregate.Report) { r.Org = "" },
		func(r *aggregate.Report) { r.Policy.Domain = "a b" },
		func(r *aggregate.Report) { r.Records[0].Disposition = "eaten" },
	} {
		r := report("one.test", "gov.test", "1", record(1, "192.0.2.1", "pass", "pass", "pass"))
		change(r)
		var m *aggregate.Malformed
		if _, err := Import(t.Context(), db, r, noon); !errors.As(err, &m) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	var many []aggregate.Record
	for i := range maxSources + 500 {
		many = append(many, record(1, fmt.Sprintf("2001:db8::%x", i), "none", "fail", "fail"))
	}
	c := Condense(report("one.test", "gov.test", "9", many...))
	last := c.Records[len(c.Records)-1]
	if len(c.Records) != maxSources || c.Messages() != maxSources+500 || last.Source != others || last.Messages != 501 {
		t.Errorf("%d records, %d messages, last %+v", len(c.Records), c.Messages(), last)
	}
	if fresh, err := Import(t.Context(), db, c, noon); err != nil || !fresh {
		t.Errorf("%v %v", fresh, err)
	}
	o, err := Show(t.Context(), db, "", time.Unix(0, 0))
	if err != nil || len(o.Sources) != maxShown || o.More != maxSources-maxShown || !strings.Contains(fmt.Sprint(o.Sources[0]), others) {
		t.Errorf("%d shown, %d more, %v", len(o.Sources), o.More, err)
	}
}
