package digest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/audit"
	"congthu/internal/digest"
	"congthu/internal/lang"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

const childDir = "CONGTHU_TEST_DIR" // set: this process is the child

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), dir); err != nil {
		fmt.Println("fail", err)
		os.Exit(1)
	}
}

// office is digests, replies, review, quarantine, queue and audit on one store, as the
// daemon has them, with a clock that the test turns.
type office struct {
	db      *store.DB
	now     time.Time
	mu      sync.Mutex // of now
	ids     func() string
	log     *audit.Log
	held    *quarantine.Quarantine
	sender  *digest.Sender
	replies *digest.Replies
}

// birth is the first day of the office.
var birth = time.Date(2026, 1, 1, 7, 0, 0, 0, hanoi)

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) turn(t time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = t
}

func openOffice(ctx context.Context, dir string) (*office, error) {
	db, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	o := &office{db: db, now: birth}
	n := 0
	var mu sync.Mutex
	o.ids = func() string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("%XA%d", time.Now().UnixNano(), n)
	}
	out := queue.New(queue.Options{Store: db})
	hop := func(string) (string, bool) { return "hop:25", true }
	o.held = quarantine.New(quarantine.Options{Store: db, Requeue: out, Keep: 10 * 365 * 24 * time.Hour, Now: o.clock})
	o.log = audit.New(audit.Options{Store: db, Gateway: "gw.test", Anchor: filepath.Join(dir, "audit.head"), Now: o.clock})
	desk := review.New(review.Options{Quarantine: o.held, Audit: o.log, Rescan: func(context.Context, quarantine.Item, []byte) (review.Today, error) { return review.Today{}, nil }})
	x, err := shippedTexts()
	if err != nil {
		return nil, err
	}
	codes := digest.Codes{Tags: db.Tags}
	o.sender = digest.New(digest.Options{
		Store: db, Queue: out, Held: o.held.Between, NextHop: hop, Texts: x, Codes: codes,
		Box: func(a string) (digest.Box, bool) { return digest.Box{To: path(a)}, true }, Reason: func(quarantine.Item) lang.Text { return lang.T("Thư rác.", "Spam.") },
		May: func(quarantine.Item) (bool, bool) { return true, false }, Address: "cong-thu@gw.test", Hostname: "gw.test", Reply: true,
		Entries: 50, Life: 100 * 365 * 24 * time.Hour, NewID: o.ids, Now: o.clock, Log: slog.New(slog.DiscardHandler),
	})
	o.replies = &digest.Replies{
		Store: db, Queue: out, Codes: codes, Texts: x, NextHop: hop, Address: "cong-thu@gw.test", Hostname: "gw.test", PerHour: 1 << 30, NewID: o.ids, Now: o.clock,
		Log: slog.New(slog.DiscardHandler),
		Release: func(ctx context.Context, a msg.Path, id string, with *store.Change) error {
			_, err := desk.ForRecipient(a.Key()).Release(ctx, id, review.Order{With: with})
			if errors.Is(err, quarantine.ErrNotFound) {
				return digest.ErrGone
			}
			return err
		},
	}
	return o, nil
}

// people are who has a digest each day, and what is held for each of them in a day.
const people, letters = 8, 3

// child lives day after day: it sends the digests, has people ask for every second letter,
// some of them twice at once, and holds new letters. It goes on where the one before was
// killed, and says what it was asked.
func child(ctx context.Context, dir string) error {
	o, err := openOffice(ctx, dir)
	if err != nil {
		return err
	}
	day, err := o.day(ctx)
	if err != nil {
		return err
	}
	for ; ; day = day.AddDate(0, 0, 1) {
		o.turn(day)
		if _, err := o.sender.Send(ctx); err != nil {
			return err
		}
		if err := o.ask(ctx); err != nil {
			return err
		}
		o.turn(day.Add(time.Hour))
		for i := range people * letters {
			id := o.ids()
			m := &msg.Message{ID: id, Envelope: msg.Envelope{From: path("x@evil.test")}, Raw: []byte("Subject: s\r\n\r\nx\r\n")}
			to := []msg.Path{path(fmt.Sprintf("u%d@so.test", i%people))}
			if err := o.held.Hold(ctx, m, msg.Decision{Action: msg.Quarantine, NextHop: "hop:25", Reason: "SCORE", To: to}, [][]byte{m.Raw}); err != nil {
				return err
			}
			fmt.Println("held", id, to[0].Raw)
		}
	}
}

// day is the last on which a digest was sent.
func (o *office) day(ctx context.Context) (day time.Time, err error) {
	day = birth
	err = o.db.View(ctx, func(tx store.Tx) error {
		var last string
		if err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(day), '') FROM digest`).Scan(&last); err != nil || last == "" {
			return err
		}
		day, err = time.ParseInLocation("2006-01-02 15", last+" 07", hanoi)
		return err
	})
	return day, err
}

// ask sends the replies for every second letter that is held: each twice at the same time,
// as a server does that did not hear the 250, and once more in a letter of its own.
func (o *office) ask(ctx context.Context) error {
	items, err := o.held.Between(ctx, birth, o.clock(), nil, 1000)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make(chan error, 3*len(items)+1)
	for i, it := range items {
		if i%2 == 1 {
			continue
		}
		wg.Go(func() {
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { errs <- o.take(ctx, it, "first") })
			}
			both.Wait()
			errs <- o.take(ctx, it, "second")
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *office) take(ctx context.Context, it quarantine.Item, which string) error {
	code := digest.Codes{Tags: o.db.Tags}.Make(it.To[0], it.ID, it.Expires)
	raw := []byte(fmt.Sprintf("From: <%s>\r\nMessage-ID: <%s.%s@so.test>\r\n\r\nNHAN %s\r\n", it.To[0], it.ID, which, code))
	m := &msg.Message{ID: o.ids(), Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits()), Envelope: msg.Envelope{From: path(it.To[0])}}
	if err := o.replies.Take(ctx, m, path(it.To[0])); err != nil {
		return err
	}
	fmt.Println("took", it.ID, which)
	return nil
}

// TestKillInDigestsAndReplies: a gateway is killed at moments by chance while it writes
// digests, releases and answers. Whatever was under way, each letter is told of once, is
// either held or on its way and never both, its code is used exactly if it is on its way,
// each reply that was taken is answered once, and the chain of the record is whole.
func TestKillInDigestsAndReplies(t *testing.T) {
	kills := 8
	if os.Getenv("CONGTHU_FAULTS") == "long" {
		kills = 150
	}
	dir := t.TempDir()
	said := map[string]string{} // what a child has said: of letters for whom
	for range kills {
		// the first lines of a child are of one day and the next
		for _, line := range storetest.KillSelf(t, people*letters*3, 40*time.Millisecond, childDir+"="+dir) {
			w := strings.Fields(line)
			if len(w) != 3 {
				t.Fatal(line)
			}
			said[w[0]+" "+w[1]+" "+w[2]] = w[0]
		}
	}
	o, err := openOffice(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.db.Close() }()
	b := o.after(t)
	for line, what := range said {
		w := strings.Fields(line)
		switch what {
		case "held":
			if b.told[w[1]] != 1 {
				t.Errorf("%s was told of %d times", w[1], b.told[w[1]])
			}
			if b.sent[w[1]]+b.there[w[1]] != 1 || b.used[w[1]] != b.sent[w[1]] || b.recorded[w[1]] != b.sent[w[1]] {
				t.Errorf("%s: %d sent on, %d held; code used %d, on record %d", w[1], b.sent[w[1]], b.there[w[1]], b.used[w[1]], b.recorded[w[1]])
			}
		case "took":
			if id := w[1] + "." + w[2]; b.answers[id] != 1 || b.sent[w[1]] != 1 {
				t.Errorf("reply %s: %d answers, %d sent on", id, b.answers[id], b.sent[w[1]])
			}
		}
	}
	for _, m := range []map[string]int{b.sent, b.there, b.told, b.answers, b.days} { // also of what a child has not come to say
		for id, n := range m {
			if n != 1 {
				t.Errorf("%s: %d times", id, n)
			}
		}
	}
	if len(b.sent) < kills || len(b.days) < people || len(b.answers) < kills {
		t.Errorf("%d sent on, %d digests, %d answers: too little was done", len(b.sent), len(b.days), len(b.answers))
	}
	t.Logf("%d kills: %d letters told of in %d digests, %d sent on, %d held, %d answers, %d entries on record",
		kills, len(b.told), len(b.days), len(b.sent), len(b.there), len(b.answers), len(b.recorded))
}

// books are what is found on the disk in the end, by letter or reply.
type books struct {
	told, sent, there, used, recorded, answers map[string]int
	days                                       map[string]int // digests, by address and day
}

var (
	digestCode = regexp.MustCompile(`Mã / Code: ([0-9A-Z]+)-(\S+)`)
	digestDay  = regexp.MustCompile(`(?m)^Date: (.*)$`)
	answered   = regexp.MustCompile(`(?m)^In-Reply-To: <(.*)@so.test>`)
)

// after sends the digests of the day on which the last was killed and of two more, has
// all delivered, and reads everything.
func (o *office) after(t *testing.T) books {
	t.Helper()
	last, err := o.day(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		o.turn(last.AddDate(0, 0, n))
		if _, err := o.sender.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b := books{told: map[string]int{}, used: map[string]int{}, sent: map[string]int{}, answers: map[string]int{}, days: map[string]int{}}
	for _, tr := range o.deliver(t) {
		text := string(bytes.Join(tr.Content, nil))
		root := mimetree.Parse([]byte(text), mimetree.DefaultLimits())
		re := answered.FindStringSubmatch(text)
		switch {
		case !tr.From.IsNull():
			b.sent[tr.ID]++
		case re != nil:
			b.answers[re[1]]++
		default:
			b.days[tr.To[0].Raw+" "+digestDay.FindStringSubmatch(text)[1]]++
			for _, m := range digestCode.FindAllStringSubmatch(root.Text, -1) {
				b.told[m[1]]++
				b.used[m[1]] = o.used(t, m[1]+"-"+m[2])
			}
		}
	}
	items, err := o.held.Between(t.Context(), birth, o.clock().AddDate(1, 0, 0), nil, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	b.there = map[string]int{}
	for _, it := range items {
		b.there[it.ID]++
	}
	b.recorded = o.record(t)
	return b
}

// used tells whether a code was used: 1, or 0.
func (o *office) used(t *testing.T, code string) (n int) {
	t.Helper()
	sum := sha256.Sum256([]byte(code))
	if err := o.db.View(t.Context(), func(tx store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM digest_used WHERE code = $1`, hex.EncodeToString(sum[:16])).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// deliver has the queue deliver all that waits and returns it.
func (o *office) deliver(t *testing.T) []*msg.Transfer {
	t.Helper()
	var mu sync.Mutex
	var got []*msg.Transfer
	q := queue.New(queue.Options{Store: o.db, Deliver: deliverer(func(tr *msg.Transfer) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, tr)
	}), Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if n, err := q.Depth(t.Context()); err != nil || n == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the queue does not run empty")
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	return got
}

type deliverer func(*msg.Transfer)

func (d deliverer) Deliver(_ context.Context, t *msg.Transfer) []msg.Reply {
	d(t)
	return slices.Repeat([]msg.Reply{{Code: 250}}, len(t.To))
}

// record is how often each letter was released by the record, whose chain must be whole.
func (o *office) record(t *testing.T) map[string]int {
	t.Helper()
	if v, err := o.log.Verify(t.Context()); err != nil || v.Broken != nil {
		t.Errorf("the chain: %+v %v", v, err)
	}
	list, err := o.log.List(t.Context(), audit.Filter{Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, e := range list {
		if e.Act == "quarantine.release" {
			out[e.Object]++
		}
	}
	return out
}
