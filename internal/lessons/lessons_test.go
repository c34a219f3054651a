package lessons_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"congthu/internal/learn"
	"congthu/internal/lessons"
	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// letter is a message of words, parsed and read.
func letter(from, subject, body string) *msg.Message {
	raw := "From: " + from + "\r\nSubject: " + subject + "\r\n\r\n" + body + "\r\n"
	folded := strings.ToLower(subject + "\n" + body)
	return &msg.Message{
		Raw:  []byte(raw),
		Root: &msg.Part{Path: "0", MediaType: "text/plain", Text: body, Header: []msg.Field{{Name: "From", Value: from}, {Name: "Subject", Value: subject}}},
		Text: &msg.Text{Subject: subject, Body: body, Folded: folded, Bare: folded},
	}
}

func spam(n int) *msg.Message {
	return letter("a@shop.example", fmt.Sprint("trung thuong ", n), fmt.Sprintf("ban da trung %d trieu, bam vao day de nhan qua %d", n, n))
}

func ham(n int) *msg.Message {
	return letter("vt@so.example", fmt.Sprint("cong van ", n), fmt.Sprintf("kinh gui quy phong, bao cao thang %d ve cong tac %d", n, n))
}

// base is a model that has learned a little of both.
func base() (*learn.Model, error) {
	m := learn.New()
	for i := range 30 {
		m.Train(learn.Read(learn.Of(spam(i))), true)
		m.Train(learn.Read(learn.Of(ham(i))), false)
	}
	return m, nil
}

type rig struct {
	*lessons.Lessons
	t   *testing.T
	now *time.Time
	ids *int
}

func open(t *testing.T, db *store.DB, change ...func(*lessons.Options)) rig {
	t.Helper()
	now, ids := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC), 0
	o := lessons.Options{
		Store: db, Base: base, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		NewID: func() string { ids++; return fmt.Sprintf("L%p-%d", &ids, ids) },
	}
	for _, c := range change {
		c(&o)
	}
	l, err := lessons.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	return rig{l, t, &now, &ids}
}

func db(t *testing.T, url string) *store.DB {
	t.Helper()
	d, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir(), Key: storetest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func (r rig) teach(m *msg.Message, spam bool, actor string) lessons.Lesson {
	r.t.Helper()
	x, err := r.Teach(context.Background(), m, lessons.Report{Spam: spam, Actor: actor, Source: "test"})
	if err != nil {
		r.t.Fatal(err)
	}
	return x
}

// odds are what the model says of some letters: the same to the bit, or another model.
func (r rig) odds() string {
	var out []string
	for i := 100; i < 110; i++ {
		out = append(out, fmt.Sprint(r.Judge(spam(i)), r.Judge(ham(i)), r.Judge(strange(i))))
	}
	return strings.Join(out, "\n")
}

// strange is a letter that the base has no opinion of.
func strange(n int) *msg.Message {
	return letter("x@y.example", fmt.Sprint("hoi thao ", n), fmt.Sprintf("moi tham du hoi thao khoa hoc lan thu %d", n))
}

func TestTeachUndoAndReopen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d := db(t, url)
		r := open(t, d)
		before := r.odds()
		first := r.teach(strange(1), true, "an")
		second := r.teach(strange(2), true, "an")
		if !first.Counts || r.Judge(strange(100)).Spam() < 0.5 {
			t.Errorf("nothing was learned: %+v %v", first, r.Judge(strange(100)))
		}
		taught := r.odds()
		// Whoever comes later, after a crash or at another gateway, knows the same.
		if again := open(t, d).odds(); again != taught {
			t.Error("a gateway started later judges otherwise")
		}
		if err := r.Undo(t.Context(), second.ID, "binh"); err != nil {
			t.Fatal(err)
		}
		if err := r.Undo(t.Context(), second.ID, "binh"); !errors.Is(err, lessons.ErrUndone) {
			t.Errorf("undone twice: %v", err)
		}
		if err := r.Undo(t.Context(), first.ID, "binh"); err != nil {
			t.Fatal(err)
		}
		if err := r.Undo(t.Context(), "none", "binh"); !errors.Is(err, lessons.ErrNotFound) {
			t.Errorf("undone what is not there: %v", err)
		}
		if r.odds() != before {
			t.Error("what was undone has left traces")
		}
		list, err := r.List(t.Context(), 10)
		if err != nil || len(list) != 2 || list[0].ID != second.ID || list[0].UndoneBy != "binh" || list[0].Undone.IsZero() || list[1].Actor != "an" || list[1].Subject != "hoi thao 1" {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func TestTheSameLetterCountsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := open(t, db(t, url))
		x := r.teach(strange(1), true, "an")
		once := r.odds()
		other := strange(1)
		other.Raw = append([]byte("Received: from elsewhere\r\n"), other.Raw...)
		if y := r.teach(other, true, "binh"); !y.Known || y.ID != x.ID || y.Actor != "an" || r.odds() != once {
			t.Errorf("counted twice: %+v", y)
		}
		z := r.teach(strange(1), false, "binh")
		if z.Replaces != x.ID || z.Known {
			t.Errorf("%+v", z)
		}
		only := open(t, db(t, storetest.SQLite))
		only.teach(strange(1), false, "binh")
		if r.odds() != only.odds() {
			t.Error("the lesson that was replaced still counts")
		}
	})
}

func TestTwoGatewaysLearnFromEachOther(t *testing.T) {
	url := storetest.Postgres(t)
	a, b := open(t, db(t, url)), open(t, db(t, url))
	for i := range 6 {
		x := a.teach(strange(2*i), true, "an")
		b.teach(strange(2*i+1), true, "binh")
		if i == 3 {
			if err := b.Undo(t.Context(), x.ID, "binh"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range []rig{a, b} {
		if err := r.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if a.odds() != b.odds() {
		t.Error("two gateways with one store judge differently")
	}
}

func TestReportsAreBounded(t *testing.T) {
	r := open(t, db(t, storetest.SQLite), func(o *lessons.Options) { o.PerReporter, o.PerDay = 3, 5 })
	for i := range 4 {
		x := r.teach(strange(i), true, "an")
		if x.Counts != (i < 3) || x.Why != map[bool]string{true: "", false: lessons.TooManyOfReporter}[x.Counts] {
			t.Errorf("%d: %+v", i, x)
		}
	}
	r.teach(strange(10), true, "binh")
	r.teach(strange(11), true, "binh")
	if x := r.teach(strange(12), true, "chi"); x.Counts || x.Why != lessons.TooManyToday {
		t.Errorf("%+v", x)
	}
	*r.now = r.now.Add(25 * time.Hour)
	if x := r.teach(strange(13), true, "an"); !x.Counts {
		t.Errorf("the next day: %+v", x)
	}
}

// What an administrator imports is not stopped by the bounds of a day and leaves them to
// those who report; a trusted agency's letters are not learned as spam that way either.
func TestBulkIsOutsideOfTheBounds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d := db(t, url)
		r := open(t, d, func(o *lessons.Options) { o.PerReporter, o.PerDay = 3, 4 })
		for i := range 10 {
			x, err := r.Teach(t.Context(), strange(i), lessons.Report{Spam: true, Actor: "an", Bulk: true})
			if err != nil || !x.Counts || x.Why != lessons.Bulk {
				t.Fatalf("%d: %+v %v", i, x, err)
			}
		}
		for i := range 3 {
			if x := r.teach(strange(100+i), true, "an"); !x.Counts || x.Why != "" {
				t.Errorf("a report after the import: %+v", x)
			}
		}
		if x := r.teach(strange(104), true, "an"); x.Counts {
			t.Errorf("the bound of a reporter is gone: %+v", x)
		}
		if x, err := r.Teach(t.Context(), ham(1), lessons.Report{Spam: true, Actor: "an", Bulk: true, Trusted: true}); err != nil || x.Counts || x.Why != lessons.TrustedSender {
			t.Errorf("a trusted letter in bulk: %+v %v", x, err)
		}
		if n := r.Taught(); n != 13 {
			t.Errorf("%d lessons are in the model, want 13", n)
		}
		list, err := r.List(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Undo(t.Context(), list[len(list)-1].ID, "an"); err != nil {
			t.Fatal(err)
		}
		if n, other := r.Taught(), open(t, d).Taught(); n != 12 || other != 12 {
			t.Errorf("after one was taken back %d lessons are in the model and %d in that of a new start, want 12", n, other)
		}
	})
}

// Two hundred false reports against letters of a trusted agency change nothing.
func TestTrustedLettersAreNotLearnedAsSpam(t *testing.T) {
	r := open(t, db(t, storetest.SQLite))
	before := r.odds()
	for i := range 200 {
		x, err := r.Teach(t.Context(), ham(1000+i), lessons.Report{Spam: true, Actor: fmt.Sprint("reporter ", i), Trusted: true})
		if err != nil || x.Counts || x.Why != lessons.TrustedSender {
			t.Fatalf("%+v %v", x, err)
		}
	}
	if r.odds() != before {
		t.Error("false reports have moved the model")
	}
	x, err := r.Teach(t.Context(), ham(2000), lessons.Report{Actor: "an", Trusted: true})
	if err != nil || !x.Counts {
		t.Errorf("a good word for a trusted sender does not count: %+v %v", x, err)
	}
}

func TestTheOldestAreForgotten(t *testing.T) {
	r := open(t, db(t, storetest.SQLite), func(o *lessons.Options) { o.Keep = 5 })
	for i := range 9 {
		r.teach(strange(i), true, "an")
	}
	list, err := r.List(t.Context(), 100)
	if err != nil || len(list) != 5 || list[4].Subject != "hoi thao 4" {
		t.Errorf("%d %v", len(list), err)
	}
}

func TestWithoutAStoreTheBaseJudges(t *testing.T) {
	r := open(t, nil)
	if r.Judge(spam(99)).Spam() < 0.9 {
		t.Error(r.Judge(spam(99)))
	}
	h, s := r.Seen()
	if h != 30 || s != 30 {
		t.Error(h, s)
	}
}

// What is kept of a letter cannot be read.
func TestNoWordsOfTheLetterAreKept(t *testing.T) {
	packed := learn.Read(learn.Of(strange(1))).Pack()
	if bytes.Contains(packed, []byte("khoa hoc")) || bytes.Contains(packed, []byte("hoi thao")) {
		t.Error("the words stand in the features")
	}
}
