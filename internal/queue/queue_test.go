package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
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
	return rigAt(t, storetest.For(t), t.TempDir(), change...)
}

// rigAt is one gateway of perhaps several at that store.
func rigAt(t *testing.T, url, dir string, change ...func(*Options)) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key(t), Dir: dir})
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
	for range 10_000 {
		if r.started() {
			break
		}
		time.Sleep(time.Millisecond) // what is put before may be tried at once
	}
	return stop
}

// settled tells whether all that was due has been tried.
func (r *rig) settled() bool {
	r.Queue.mu.Lock()
	defer r.Queue.mu.Unlock()
	due, more := r.plan.next()
	return r.plan.count == 0 && len(r.plan.ring) == 0 && (!more || due.After(r.steady()))
}

func (r *rig) started() bool {
	r.Queue.mu.Lock()
	defer r.Queue.mu.Unlock()
	return r.running
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
	es, err := r.List(r.t.Context(), Filter{})
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
