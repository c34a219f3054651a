package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// hop is a next hop whose answers a test writes.
type hop struct {
	mu     sync.Mutex
	got    []*msg.Transfer
	answer func(ctx context.Context, t *msg.Transfer) []msg.Reply
}

func (h *hop) Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply {
	h.mu.Lock()
	h.got = append(h.got, t)
	answer := h.answer
	h.mu.Unlock()
	return answer(ctx, t)
}

func (h *hop) set(answer func(context.Context, *msg.Transfer) []msg.Reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func (h *hop) transfers() []*msg.Transfer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*msg.Transfer(nil), h.got...)
}

// all answers every recipient alike.
func all(r msg.Reply) func(context.Context, *msg.Transfer) []msg.Reply {
	return func(_ context.Context, t *msg.Transfer) []msg.Reply {
		out := make([]msg.Reply, len(t.To))
		for i := range out {
			out[i] = r
		}
		return out
	}
}

var (
	ok250  = msg.Reply{Code: 250, Detail: "0.0", Text: "queued"}
	try450 = msg.Reply{Code: 450, Detail: "2.0", Text: "mailbox busy"}
	no550  = msg.Reply{Code: 550, Detail: "1.1", Text: "no such user, see https://evil.example/login"}
)

// rig is a queue with its store, hop, clock and events.
type rig struct {
	*Queue
	t     *testing.T
	db    *store.DB
	hop   *hop
	clock *clock

	mu     sync.Mutex
	events []string
	seen   chan struct{} // nudged by each event
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &rig{t: t, db: db, hop: &hop{answer: all(ok250)}, clock: &clock{now: t0}, seen: make(chan struct{}, 1)}
	o := Options{
		Store: db, Deliver: r.hop, Hostname: "gw.haiduong.test", Now: r.clock.Now, Event: r.event,
		Backoff: func(n int) time.Duration { return time.Duration(n) * time.Minute }, Attempt: 5 * time.Second,
		NextHop: func(domain string) (string, bool) { return "home:25", domain != "unroutable.test" },
	}
	for _, c := range change {
		c(&o)
	}
	r.Queue = New(o)
	return r
}

func (r *rig) event(event, id string, to msg.Path, _ msg.Reply) {
	r.mu.Lock()
	r.events = append(r.events, fmt.Sprintf("%s %s %s", event, id, to))
	r.mu.Unlock()
	select {
	case r.seen <- struct{}{}:
	default:
	}
}

func (r *rig) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.events, "\n") + "\n"
}

// until waits until the log of events has the line.
func (r *rig) until(line string) {
	r.t.Helper()
	deadline := time.After(10 * time.Second)
	for !strings.Contains(r.log(), line+"\n") {
		select {
		case <-r.seen:
		case <-deadline:
			r.t.Fatalf("no %q in\n%s", line, r.log())
		}
	}
}

// run starts the queue and returns what stops it.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				r.t.Error(err)
			}
		})
	}
	r.t.Cleanup(stop)
	return stop
}

// pass moves the clock and lets the queue look at it.
func (r *rig) pass(d time.Duration) {
	r.clock.add(d)
	r.nudge()
}

func (r *rig) put(ts ...*msg.Transfer) {
	r.t.Helper()
	if err := r.Put(r.t.Context(), ts...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) list() string {
	r.t.Helper()
	es, err := r.List(r.t.Context(), 0)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, fmt.Sprintf("%s %s %s %d %d", e.ID, e.To, e.State, e.Attempts, e.LastReply.Code))
	}
	return strings.Join(out, "\n")
}

func (r *rig) wantList(want string) {
	r.t.Helper()
	if got := r.list(); got != want {
		r.t.Errorf("queue:\n%s\nwant:\n%s", got, want)
	}
}

func (r *rig) depth() int {
	r.t.Helper()
	n, err := r.Depth(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func path(s string) msg.Path {
	local, domain, _ := strings.Cut(s, "@")
	return msg.Path{Raw: s, Local: local, Domain: domain}
}

const header = "X-Spam-Status: No, score=1\r\nReceived: from a by b;\r\n\tTue, 24 Nov 2026 08:00:00 +0000\r\n"

func letter(id string, to ...string) *msg.Transfer {
	t := &msg.Transfer{
		ID: id, NextHop: "hop:25", From: path("sender@so-mau.gov.test"), EightBit: true,
		Content: [][]byte{[]byte(header), []byte("Subject: a\r\n\r\nbody " + id + "\r\n")},
	}
	for _, a := range to {
		t.To = append(t.To, path(a))
	}
	return t
}

func whole(t *msg.Transfer) string { return string(bytes.Join(t.Content, nil)) }

func TestDeliver(t *testing.T) {
	r := newRig(t)
	want := letter("m1", "a@x.test", "b@x.test")
	want.SMTPUTF8 = true
	r.run()
	r.put(want)
	r.until("delivered m1 b@x.test")
	got := r.hop.transfers()[0]
	if got.ID != "m1" || got.From != want.From || fmt.Sprint(got.To) != fmt.Sprint(want.To) || !got.SMTPUTF8 || !got.EightBit ||
		got.NextHop != "hop:25" || whole(got) != whole(want) {
		t.Errorf("%+v", got)
	}
	r.wantList("")
	if want := "queued m1 a@x.test\nqueued m1 b@x.test\ndelivered m1 a@x.test\ndelivered m1 b@x.test\n"; r.log() != want {
		t.Errorf("events:\n%s", r.log())
	}
}

func TestPutRefuses(t *testing.T) {
	r := newRig(t)
	tests := map[string]func(*msg.Transfer){
		"no id":        func(t *msg.Transfer) { t.ID = "" },
		"no hop":       func(t *msg.Transfer) { t.NextHop = "" },
		"no recipient": func(t *msg.Transfer) { t.To = nil },
		"bad octets":   func(t *msg.Transfer) { t.To[0].Raw = "a\xff@x.test" },
		"line end":     func(t *msg.Transfer) { t.From.Raw = "a@x.test>\r\nDATA" },
		"zero":         func(t *msg.Transfer) { t.To[0].Local = "a\x00" },
	}
	for name, spoil := range tests {
		bad := letter("bad", "a@x.test")
		spoil(bad)
		good := letter("good", "a@x.test")
		good.Content = [][]byte{make([]byte, 1<<20)}
		if err := r.Put(t.Context(), good, bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if r.depth() != 0 {
		t.Error("half of a Put was kept")
	}
}

func TestPutNamesAndShares(t *testing.T) {
	r := newRig(t)
	raw := bytes.Repeat([]byte("x"), 1<<20)
	a, b := letter("m", "a@x.test"), letter("m", "b@y.test", "c@z.test")
	a.Content = [][]byte{[]byte("for a\r\n"), raw}
	b.Content = [][]byte{[]byte("for b\r\n"), raw}
	b.NextHop = "mx"
	r.put(a, b)
	r.put(letter("m", "d@x.test"))
	r.wantList("m a@x.test waiting 0 0\nm-2 b@y.test waiting 0 0\nm-3 c@z.test waiting 0 0\nm-4 d@x.test waiting 0 0")
	if n := r.scalar(`SELECT COUNT(*) FROM body`); n != 2 {
		t.Errorf("%d bodies, want one that is shared and one that is not", n)
	}
	r.run()
	for _, l := range []string{"m a@x.test", "m-2 b@y.test", "m-3 c@z.test", "m-4 d@x.test"} {
		r.until("delivered " + l)
	}
	for _, got := range r.hop.transfers() {
		want := map[string]string{"m": "for a\r\n" + string(raw), "m-2": "for b\r\n" + string(raw), "m-3": "for b\r\n" + string(raw), "m-4": whole(letter("m"))}[got.ID]
		if whole(got) != want {
			t.Errorf("%s got %.40q…", got.ID, whole(got))
		}
	}
	if n := r.scalar(`SELECT COUNT(*) FROM body`); n != 0 {
		t.Errorf("%d bodies left", n)
	}
}

func (r *rig) scalar(query string) int {
	r.t.Helper()
	var n int
	if err := r.db.View(r.t.Context(), func(tx store.Tx) error { return tx.QueryRow(r.t.Context(), query).Scan(&n) }); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func TestRetryAndMixedReplies(t *testing.T) {
	r := newRig(t)
	r.hop.set(func(_ context.Context, t *msg.Transfer) []msg.Reply {
		return []msg.Reply{ok250, try450, no550, {}}
	})
	r.run()
	r.put(letter("m", "ok@x.test", "later@x.test", "no@x.test", "silent@x.test"))
	r.until("queued m-dsn1 sender@so-mau.gov.test")
	r.until("deferred m silent@x.test")
	r.hop.set(all(ok250))
	r.until("delivered m-dsn1 sender@so-mau.gov.test")
	r.wantList("m later@x.test waiting 1 450\nm silent@x.test waiting 1 0")
	r.pass(59 * time.Second)
	r.pass(2 * time.Second)
	r.until("delivered m silent@x.test")
	last := r.hop.transfers()
	if got := fmt.Sprint(last[len(last)-1].To); got != "[later@x.test silent@x.test]" {
		t.Errorf("second attempt to %s", got)
	}
	r.wantList("")
}

func TestExpiry(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Life, o.Warn, o.Backoff = 5*time.Hour, 4*time.Hour, func(int) time.Duration { return time.Hour }
	})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.From.IsNull() {
			return all(ok250)(ctx, t)
		}
		return all(try450)(ctx, t)
	})
	r.run()
	r.put(letter("m", "a@x.test"))
	for range 4 {
		r.attempt("deferred m a@x.test")
		r.pass(time.Hour)
	}
	r.until("delivered m-dsn5 sender@so-mau.gov.test")
	r.until("delayed m sender@so-mau.gov.test")
	r.attempt("deferred m a@x.test")
	r.pass(time.Hour)
	r.until("expired m a@x.test")
	r.until("delivered m-dsn6 sender@so-mau.gov.test")
	r.wantList("")
	var notices []string
	for _, got := range r.hop.transfers() {
		if got.From.IsNull() {
			notices = append(notices, whole(got))
		}
	}
	if len(notices) != 2 || !strings.Contains(notices[0], "Action: delayed\r\nStatus: 4.2.0") || !strings.Contains(notices[0], "Will-Retry-Until: Tue, 24 Nov 2026 13:00:00 +0000") ||
		!strings.Contains(notices[1], "Action: failed\r\nStatus: 4.4.7\r\nDiagnostic-Code: smtp; 450 4.2.0 mailbox busy") {
		t.Errorf("%d notices:\n%s", len(notices), strings.Join(notices, "\n"))
	}
}

// attempt waits for an event of the attempt under way and forgets it.
func (r *rig) attempt(line string) {
	r.t.Helper()
	r.until(line)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, e := range r.events {
		if e == line {
			r.events = append(r.events[:i], r.events[i+1:]...)
			return
		}
	}
}

func (r *rig) wait(done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain; queue:\n%s\nevents:\n%s", r.list(), r.log())
		}
	}
}

// TestClockJump: a clock that jumps ahead by a week expires nothing untried.
func TestClockJump(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(try450))
	r.run()
	r.put(letter("m", "a@x.test"))
	r.attempt("deferred m a@x.test")
	r.pass(7 * 24 * time.Hour)
	r.attempt("deferred m a@x.test")
	if strings.Contains(r.log(), "expired") {
		t.Error(r.log())
	}
}

func TestNobodyMayBeTold(t *testing.T) {
	tests := map[string]func(r *rig, m *msg.Transfer){
		"null sender": func(_ *rig, m *msg.Transfer) { m.From = msg.Path{} },
		"no route":    func(_ *rig, m *msg.Transfer) { m.From = path("s@unroutable.test") },
		"no routes":   func(r *rig, _ *msg.Transfer) { r.o.NextHop = nil },
		"forbidden":   func(r *rig, _ *msg.Transfer) { r.o.Notify = func(*msg.Transfer) bool { return false } },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			m := letter("m", "a@x.test", "b@x.test")
			do(r, m)
			r.hop.set(func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{no550, try450} })
			r.run()
			r.put(m)
			r.until("deferred m b@x.test")
			r.wantList("m b@x.test waiting 1 450\nm-dead1 a@x.test dead 1 550")
			r.hop.set(all(no550))
			r.pass(time.Hour)
			r.until("dead m b@x.test")
			r.wantList("m b@x.test dead 2 550\nm-dead1 a@x.test dead 1 550")
			if n := len(r.hop.transfers()); n != 2 {
				t.Errorf("%d attempts: a notice was sent, or a dead letter tried", n)
			}
			// An operator may try again; "all" does not mean the dead.
			if n, err := r.Retry(t.Context(), All); n != 0 || err != nil {
				t.Errorf("retry all: %d %v", n, err)
			}
			r.hop.set(all(ok250))
			if n, err := r.Retry(t.Context(), "m-dead1"); n != 1 || err != nil {
				t.Errorf("retry: %d %v", n, err)
			}
			r.until("delivered m-dead1 a@x.test")
			r.clock.add(31 * 24 * time.Hour)
			r.bury(t.Context())
			r.until("dropped m b@x.test")
			if r.depth() != 0 || r.scalar(`SELECT COUNT(*) FROM body`) != 0 {
				t.Error("something is left")
			}
		})
	}
}

func TestQuiet(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(no550))
	c, err := r.PrepareQuiet(t.Context(), letter("m", "a@x.test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.db.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.until("dead m a@x.test")
	r.wantList("m a@x.test dead 1 550")
}

// TestNoticeOfNotice: a notice that is refused stays; it causes no other.
func TestNoticeOfNotice(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(no550))
	r.run()
	r.put(letter("m", "a@x.test"))
	r.until("dead m-dsn1 sender@so-mau.gov.test")
	r.wantList("m-dsn1 sender@so-mau.gov.test dead 1 550")
}

// TestBadDeliverers: none of them stops the queue or loses a recipient.
func TestBadDeliverers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tests := map[string]func(context.Context, *msg.Transfer) []msg.Reply{
		"panics":    func(context.Context, *msg.Transfer) []msg.Reply { panic("no") },
		"nil":       func(context.Context, *msg.Transfer) []msg.Reply { return nil },
		"too few":   func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{{}} },
		"too many":  func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{{}, {}, ok250, ok250} },
		"nonsense":  func(context.Context, *msg.Transfer) []msg.Reply { return []msg.Reply{{Code: 354}, {Code: -250}} },
		"until end": func(ctx context.Context, _ *msg.Transfer) []msg.Reply { <-ctx.Done(); return nil },
		"for ever":  func(context.Context, *msg.Transfer) []msg.Reply { <-release; return nil },
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Attempt = 20 * time.Millisecond })
			r.hop.set(answer)
			r.run()
			r.put(letter("m", "a@x.test", "b@x.test"))
			r.attempt("deferred m a@x.test")
			r.attempt("deferred m b@x.test")
			r.hop.set(all(ok250))
			r.pass(time.Minute)
			r.until("delivered m b@x.test")
			r.until("delivered m a@x.test")
		})
	}
}

// TestLateAnswer: what a deliverer knows after its deadline still counts.
func TestLateAnswer(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Attempt = 200 * time.Millisecond })
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply { <-ctx.Done(); return all(ok250)(ctx, t) })
	r.run()
	r.put(letter("m", "a@x.test"))
	r.until("delivered m a@x.test")
}

// TestSlowHopHoldsUpNobody: a hop that hangs keeps only its own mail waiting.
func TestSlowHopHoldsUpNobody(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Concurrency, o.PerHop = 4, 2 })
	release := make(chan struct{})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.To[0].Domain == "slow.test" {
			<-release
		}
		return all(ok250)(ctx, t)
	})
	r.run()
	for i := range 20 {
		slow := letter(fmt.Sprint("s", i), "a@slow.test")
		slow.NextHop = "mx"
		r.put(slow)
	}
	for i := range 20 {
		fast := letter(fmt.Sprint("f", i), "a@fast.test")
		fast.NextHop = "mx"
		r.put(fast)
	}
	for i := range 20 {
		r.until(fmt.Sprintf("delivered f%d a@fast.test", i))
	}
	if strings.Contains(r.log(), "delivered s") {
		t.Error("slow was not slow")
	}
	close(release)
	for i := range 20 {
		r.until(fmt.Sprintf("delivered s%d a@slow.test", i))
	}
}

func TestRestartMakesAllDue(t *testing.T) {
	r := newRig(t)
	r.hop.set(all(try450))
	stop := r.run()
	r.put(letter("m", "a@x.test"))
	r.until("deferred m a@x.test")
	stop()
	r.hop.set(all(ok250))
	r.put(letter("n", "b@x.test")) // while it does not run
	stop = r.run()
	r.until("delivered m a@x.test")
	r.until("delivered n b@x.test")
	if err := r.Run(t.Context()); !errors.Is(err, errAlready) {
		t.Errorf("second Run: %v", err)
	}
	stop()
}

// TestStopIsNoAttempt: what is cut off by the end of Run stays as it was; what
// ends within the time allowed is recorded.
func TestStopIsNoAttempt(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Drain = 50 * time.Millisecond })
	entered := make(chan struct{}, 2)
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		entered <- struct{}{}
		if t.ID == "ends" {
			return all(ok250)(ctx, t)
		}
		<-ctx.Done()
		return nil
	})
	stop := r.run()
	r.put(letter("hangs", "a@x.test"), letter("ends", "a@x.test"))
	<-entered
	<-entered
	stop()
	r.wantList("hangs a@x.test waiting 0 0")
}

func TestOperator(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.hop.set(all(try450))
	r.run()
	r.put(letter("a", "a@x.test", "b@x.test"), letter("b", "a@x.test"))
	r.until("deferred a b@x.test")
	r.until("deferred b a@x.test")
	counts := func(what string, n int, err error, want int) {
		t.Helper()
		if n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", what, n, err, want)
		}
	}
	n, err := r.Hold(ctx, "a")
	counts("hold", n, err, 1)
	r.hop.set(all(ok250))
	n, err = r.Retry(ctx, "b")
	counts("retry", n, err, 1)
	r.until("delivered b a@x.test")
	r.pass(time.Hour)
	r.wantList("a a@x.test held 1 450\na b@x.test held 1 450")
	n, err = r.Retry(ctx, All)
	counts("retry all", n, err, 1)
	r.until("delivered a b@x.test")

	r.hop.set(all(try450))
	r.put(letter("c", "a@x.test"), letter("d", "a@x.test"))
	r.until("deferred c a@x.test")
	r.until("deferred d a@x.test")
	n, err = r.Hold(ctx, All)
	counts("hold all", n, err, 2)
	n, err = r.Drop(ctx, "c")
	counts("drop", n, err, 1)
	n, err = r.Drop(ctx, "c")
	counts("drop again", n, err, 0)
	n, err = r.Drop(ctx, All)
	counts("drop all", n, err, 0)
	n, err = r.Retry(ctx, "none")
	counts("retry none", n, err, 0)
	r.wantList("d a@x.test held 1 450")
	es, err := r.List(ctx, 1)
	if err != nil || len(es) != 1 || es[0].From != "sender@so-mau.gov.test" || es[0].NextHop != "hop:25" || es[0].LastReply.Text != "mailbox busy" ||
		!es[0].Created.Equal(t0.Add(time.Hour)) || es[0].Size == 0 {
		t.Errorf("%+v, %v", es, err)
	}
	n, err = r.Depth(ctx)
	counts("depth", n, err, 1)
}

// TestDropWhileTrying: the row is gone, another has come under its id; the
// outcome of the old attempt must not touch it.
func TestDropWhileTrying(t *testing.T) {
	r := newRig(t)
	entered, release := make(chan struct{}), make(chan struct{})
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		entered <- struct{}{}
		<-release
		return all(ok250)(ctx, t)
	})
	r.run()
	r.put(letter("m", "a@x.test"))
	<-entered
	r.wantList("m a@x.test trying 0 0")
	if n, err := r.Drop(t.Context(), "m"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	r.put(letter("m", "b@x.test"))
	release <- struct{}{}
	<-entered // the second attempt, of the new row
	r.wantList("m b@x.test trying 0 0")
	close(release)
	r.until("delivered m b@x.test")
	if strings.Contains(r.log(), "delivered m a@x.test") {
		t.Errorf("events:\n%s", r.log())
	}
}

func TestDamagedContentIsKept(t *testing.T) {
	for _, query := range []string{`UPDATE body SET content = $1`, `UPDATE queue SET head = $1`} {
		r := newRig(t)
		r.put(letter("m", "a@x.test"))
		err := r.db.Update(t.Context(), func(tx store.Tx) error {
			_, err := tx.Exec(t.Context(), query, []byte("damage"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		r.run()
		r.put(letter("n", "a@x.test"))
		r.until("corrupt m a@x.test")
		r.until("delivered n a@x.test")
		r.wantList("m a@x.test corrupt 0 0")
	}
}

func TestDamagedFileIsKept(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(o *Options) {
		db, err := store.Open(t.Context(), store.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		o.Store = db
	})
	r.db = r.o.Store
	m := letter("m", "a@x.test")
	m.Content[1] = make([]byte, 1<<20)
	r.put(m)
	files, err := filepath.Glob(filepath.Join(dir, "bodies", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 1000); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.until("corrupt m a@x.test")
	if len(r.hop.transfers()) != 0 {
		t.Error("half a message was sent")
	}
}
