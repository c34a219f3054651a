package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func path(local, domain string) msg.Path {
	return msg.Path{Raw: local + "@" + domain, Local: local, Domain: strings.ToLower(domain)}
}

// passed is a letter at the end of its way.
func passed(n int, at time.Time, action msg.Action) Event {
	m := &msg.Message{
		ID: fmt.Sprintf("M%06d", n), Received: at, Rules: "set1", Raw: make([]byte, 4096),
		Envelope: msg.Envelope{From: path("a", "x.test"), To: []msg.Path{path("b", "Gov.test"), path("c", "gov.test")}},
		Auth:     []msg.AuthResult{{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "x.test"}},
	}
	var found []msg.Finding
	for _, s := range []string{"SPF_PASS", "DKIM_PASS", "DMARC_PASS", "CONTENT_LOAN", "LINK_SHORTENER", "HTML_HIDDEN_TEXT"} {
		found = append(found, msg.Finding{Symbol: s, Evidence: "vay tiền nhanh, lãi suất 0%", Part: "1.2", Percent: 50})
	}
	return Event{
		Message: m, Reply: msg.Reply{Code: 250}, Answer: msg.Reply{Code: 250}, HasKey: func(p msg.Path) bool { return p.Local == "c" }, Sealed: "pgp-signed", Took: time.Millisecond,
		Outcomes:  []msg.Outcome{{Inspector: "content", Findings: found}, {Inspector: "header"}, {Inspector: "attach", Err: errors.New("x")}},
		Decisions: []msg.Decision{{Action: action, To: m.Envelope.To, Reason: "SCORE", Rule: "policy.toml:13", Why: msg.Verdict{Score: 6.5, Required: 6}}},
	}
}

// bench is a recorder on a store of its own whose clock the test sets.
func bench(t testing.TB, url string) (*Recorder, *time.Time) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	var n atomic.Int64
	return New(Options{
		Store: db, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, Keep: 24 * time.Hour, Letters: 1_000_000,
		NewID: func() string { return fmt.Sprintf("C%08d", n.Add(1)) },
	}), &now
}

func all(t testing.TB, r *Recorder, since time.Time) (out []*Letter) {
	t.Helper()
	if err := Read(t.Context(), r.o.Store, since, func(l *Letter) error { out = append(out, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is read is what was noted.
func TestWhatIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r, now := bench(t, url)
		r.Note(passed(1, *now, msg.Quarantine))
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := all(t, r, now.Add(-time.Hour))
		if len(got) != 1 {
			t.Fatalf("%d letters", len(got))
		}
		text, _ := json.Marshal(got[0])
		for _, want := range []string{
			`"id":"M000001"`, `"to":[{"a":"b@Gov.test","d":"gov.test"},{"a":"c@gov.test"}]`, `"keys":[1]`, `"sealed":"pgp-signed"`, `{"i":"attach","x":true}`, `"size":4096`,
			`{"a":"quarantine","s":6.5,"q":6,"r":"SCORE","w":"policy.toml:13","t":[0,1]}`, `"reply":250`, `"rules":"set1"`, `"symbol":"CONTENT_LOAN","evidence":"vay tiền nhanh, lãi suất 0%","part":"1.2","percent":50`,
		} {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("lacks %s:\n%s", want, text)
			}
		}
		if p := got[0].To[0].Path(); p.Key() != "b@gov.test" || p.Raw != "b@Gov.test" {
			t.Errorf("%+v", p)
		}
		if got := all(t, r, now.Add(time.Second)); len(got) != 0 {
			t.Errorf("%d letters that came before", len(got))
		}
		rate, err := RateOf(t.Context(), r.o.Store, "set1", now.Add(-time.Hour))
		if err != nil || rate != (Rate{Letters: 1, Held: 1}) {
			t.Errorf("%+v, %v", rate, err)
		}
	})
}

// Many small rows become few, nothing is lost or twice, and the figures stay.
func TestTidyPutsTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r, now := bench(t, url)
		for i := range 450 {
			e := passed(i, now.Add(time.Duration(i)*time.Second), []msg.Action{msg.Deliver, msg.Quarantine, msg.Defer}[i%3])
			if i%2 == 0 {
				e.Message.Rules = "set2"
			}
			if i%3 == 2 {
				e.Answer = msg.Reply{Code: 451}
			}
			r.Note(e)
			if i%2 == 1 {
				if err := r.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		begun := *now
		*now = now.Add(time.Hour)
		if err := r.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, l := range all(t, r, begun) {
			if seen[l.ID] {
				t.Errorf("%s is there twice", l.ID)
			}
			seen[l.ID] = true
		}
		var rows int
		if err := r.o.Store.View(t.Context(), func(tx store.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM record`).Scan(&rows)
		}); err != nil || rows > 2 || len(seen) != 450 {
			t.Errorf("%d letters in %d rows, %v", len(seen), rows, err)
		}
		sum := Rate{}
		for _, set := range []string{"set1", "set2"} {
			rate, err := RateOf(t.Context(), r.o.Store, set, begun)
			if err != nil {
				t.Fatal(err)
			}
			sum.Letters, sum.Held, sum.Deferred = sum.Letters+rate.Letters, sum.Held+rate.Held, sum.Deferred+rate.Deferred
		}
		if sum != (Rate{Letters: 300, Held: 150, Deferred: 150}) {
			t.Errorf("%+v", sum)
		}
	})
}

// What is too old goes, and then the oldest until the number fits.
func TestTidyRemoves(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r, now := bench(t, url)
		begun := *now
		for hour := range 10 {
			for i := range 600 {
				r.Note(passed(hour*1000+i, now.Add(time.Duration(i)*time.Millisecond), msg.Deliver))
			}
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			*now = now.Add(time.Hour)
		}
		*now = begun.Add(26*time.Hour + time.Minute) // two of the hours are past keeping
		r.o.Letters = 3000
		if err := r.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := all(t, r, begun)
		if len(got) != 3000 || got[0].ID < "M005000" {
			t.Errorf("%d letters from %s", len(got), got[0].ID)
		}
	})
}

// Memory is bounded, a store that fails costs the record and nothing else, and both are
// counted.
func TestDroppedIsCounted(t *testing.T) {
	r, now := bench(t, storetest.SQLite)
	for i := range maxPending + 5 {
		r.Note(passed(i, *now, msg.Deliver))
	}
	if got := r.Dropped(); got != 5 {
		t.Errorf("%d dropped", got)
	}
	if err := r.o.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(t.Context()); err == nil {
		t.Error("a closed store took it")
	}
	if got := r.Dropped(); got != maxPending+5 {
		t.Errorf("%d dropped", got)
	}
	r.o.Keep = 0
	if r.Note(passed(1, *now, msg.Deliver)); len(r.pending) != 0 {
		t.Error("recorded although it is switched off")
	}
}

// A letter of a thousand recipients, or with findings without end, is kept in part and
// says so.
func TestBoundsOfALetter(t *testing.T) {
	e := passed(1, time.Now(), msg.Deliver)
	for i := range 1000 {
		e.Message.Envelope.To = append(e.Message.Envelope.To, path(fmt.Sprint(i), "gov.test"))
		e.Outcomes[0].Findings = append(e.Outcomes[0].Findings, msg.Finding{Symbol: "X", Evidence: strings.Repeat("ế", 1000)})
	}
	e.Decisions[0].To = e.Message.Envelope.To
	l := e.letter()
	plain := encode([]*Letter{l})
	if !l.Cut || len(l.To) != maxRecipients || len(plain) > 64<<10 || !utf8.Valid([]byte(l.Outcomes[0].Findings[maxFindings-1].Evidence)) {
		t.Errorf("cut %v, %d recipients, %d octets", l.Cut, len(l.To), len(plain))
	}
	if err := decode(plain, map[string]string{}, func(*Letter) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestAction(t *testing.T) {
	for _, c := range []struct {
		d      msg.Decision
		answer int
		want   string
	}{
		{msg.Decision{Action: msg.Deliver}, 250, "deliver"},
		{msg.Decision{Action: msg.Deliver, Strip: []msg.Finding{{}}}, 250, "strip"},
		{msg.Decision{Action: msg.Deliver}, 451, "defer"},
		{msg.Decision{Action: msg.Quarantine}, 550, "reject"},
		{msg.Decision{Action: msg.Quarantine}, 250, "quarantine"},
	} {
		if got := Action(c.d, msg.Reply{Code: c.answer}); got != c.want {
			t.Errorf("%+v: %s, want %s", c, got, c.want)
		}
	}
}

// What is written is what is read, whatever is in it; what is damaged is an error, never
// a list of letters that is shorter.
func TestDamage(t *testing.T) {
	letters := []*Letter{passed(1, time.Now(), msg.Deliver).letter(), {ID: "2"}}
	plain := encode(letters)
	read := func(content []byte) (out []*Letter, err error) {
		err = decode(content, map[string]string{}, func(l *Letter) error { out = append(out, l); return nil })
		return out, err
	}
	got, err := read(plain)
	if err != nil || !reflect.DeepEqual(got, letters) {
		t.Fatalf("%+v, %v", got, err)
	}
	for n := range len(plain) {
		whole := n == 1 || n == len(plain)-len(encode(letters[1:]))+1 // between two letters
		if _, err := read(plain[:n]); !whole && !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("cut after %d octets: %v", n, err)
		}
	}
	bad := *letters[0]
	bad.Keys = []int{2}
	for name, content := range map[string][]byte{"no zstd": []byte("plain"), "key of nobody": must(pack(encode([]*Letter{&bad}))), "other form": must(pack([]byte{9}))} {
		plain, err := unpack(content)
		if err == nil {
			_, err = read(plain)
		}
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// FuzzDecode: what is read can be written, and is then the same; places stay inside of
// their lists.
func FuzzDecode(f *testing.F) {
	f.Add(encode([]*Letter{passed(1, time.UnixMilli(1), msg.Deliver).letter(), {ID: "2"}}))
	f.Add([]byte{form, 3, 1, 'x', 0})
	f.Fuzz(func(t *testing.T, plain []byte) {
		var got []*Letter
		if decode(plain, map[string]string{}, func(l *Letter) error { got = append(got, l); return nil }) != nil {
			return
		}
		for _, l := range got {
			for _, fate := range l.Fates {
				for _, to := range fate.To {
					_ = l.To[to].Path().Key()
				}
			}
			for _, k := range l.Keys {
				_ = l.To[k]
			}
		}
		n := 0
		if err := decode(encode(got), map[string]string{}, func(l *Letter) error {
			if a, b := fmt.Sprintf("%+v", *l), fmt.Sprintf("%+v", *got[n]); a != b {
				t.Errorf("%s\n%s", a, b)
			}
			n++
			return nil
		}); err != nil || n != len(got) {
			t.Errorf("%d of %d, %v", n, len(got), err)
		}
	})
}

// Run writes what was noted within a second, and what is left when it is told to end.
func TestRun(t *testing.T) {
	r, now := bench(t, storetest.SQLite)
	r.o.Now = time.Now
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	r.Note(passed(1, *now, msg.Deliver))
	for deadline := time.Now().Add(10 * time.Second); len(all(t, r, now.Add(-time.Hour))) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was written in ten seconds")
		}
	}
	r.Note(passed(2, *now, msg.Deliver))
	cancel()
	<-done
	if got := len(all(t, r, now.Add(-time.Hour))); got != 2 {
		t.Errorf("%d letters", got)
	}
}

// The end may come while something is written: what was noted meanwhile is written as well.
func TestRunEndsWhileItWrites(t *testing.T) {
	r, now := bench(t, storetest.SQLite)
	r.o.Now = time.Now
	ctx, cancel := context.WithCancel(t.Context())
	r.Note(passed(1, *now, msg.Deliver))
	r.o.Room = sync.OnceValue(func() bool { // asked when the first letter was taken
		r.Note(passed(2, *now, msg.Deliver))
		cancel()
		return true
	})
	r.Run(ctx)
	if got := len(all(t, r, now.Add(-time.Hour))); got != 2 {
		t.Errorf("%d letters", got)
	}
}

// BenchmarkNote is what recording costs the path of a letter, BenchmarkFlush what it
// costs beside it, a letter.
func BenchmarkNote(b *testing.B) {
	r, now := bench(b, storetest.SQLite)
	e := passed(1, *now, msg.Deliver)
	b.ReportAllocs()
	for i := range b.N {
		if r.Note(e); i%1000 == 0 {
			r.pending = r.pending[:0]
		}
	}
}

func BenchmarkFlush(b *testing.B) {
	r, now := bench(b, storetest.SQLite)
	e := passed(1, *now, msg.Deliver)
	b.ReportAllocs()
	for i := range b.N {
		if r.Note(e); i%1000 == 999 || i == b.N-1 {
			if err := r.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	r, now := bench(b, storetest.SQLite)
	for i := range 10_000 {
		r.Note(passed(i, *now, msg.Deliver))
	}
	if err := r.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		all(b, r, now.Add(-time.Hour))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/letter")
}
