package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/queue"
	"congthu/internal/relay"
	"congthu/internal/sink"
	"congthu/internal/smtpd"
	"congthu/internal/stamp"
	"congthu/internal/store"
)

// octetSeed makes the bodies the same in every run.
const octetSeed = 20261124

// What arrives is what was sent, octet for octet, whatever the octets: random bodies go
// through the real edge, the pipeline, the client and, in the second half, the durable
// queue. Each is known again by its number and compared by SHA-256.
func TestBodiesArriveAsTheyWere(t *testing.T) {
	t.Logf("seed %d", octetSeed)
	for name, c := range map[string]struct {
		letters int
		queued  bool
	}{"cut through": {10_000, false}, "by the queue": {1_600, true}} {
		t.Run(name, func(t *testing.T) {
			w := newOctetWorld(t, c.queued)
			start := time.Now()
			const clients = 8
			var wg sync.WaitGroup
			for i := range clients {
				wg.Go(func() { w.client(t, i, c.letters/clients, rand.New(rand.NewSource(octetSeed+int64(i)))) })
			}
			wg.Wait()
			want := c.letters / clients * clients
			for deadline := time.Now().Add(60 * time.Second); !t.Failed() && int(w.arrived.Load()) < want && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			if n := w.arrived.Load(); int(n) != want || w.wrong.Load() != 0 || w.octets.Load() == 0 {
				t.Errorf("%d of %d arrived, %d of them changed", n, want, w.wrong.Load())
			}
			t.Logf("%d letters, %d octets, %d changed, %v", want, w.octets.Load(), w.wrong.Load(), time.Since(start).Round(time.Millisecond))
		})
	}
}

// octetWorld is a gateway that inspects nothing and a next hop that compares.
type octetWorld struct {
	addr string

	mu   sync.Mutex
	sums map[string][sha256.Size]byte

	arrived, wrong, octets atomic.Int64
}

func newOctetWorld(t *testing.T, queued bool) *octetWorld {
	t.Helper()
	w := &octetWorld{sums: map[string][sha256.Size]byte{}}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	hop := listener(t)
	s := sink.New(sink.Options{OnDelivery: w.compare})
	go func() { _ = s.Serve(ctx, hop) }() // ends with ctx
	client := relay.New(relay.Options{Hostname: "gw.test"})
	t.Cleanup(func() { _ = client.Close() })
	path := &pipeline.Pipeline{
		Parse: func(m *msg.Message) *msg.Part { return mimetree.Parse(m.Raw, mimetree.DefaultLimits()) },
		Decide: func(m *msg.Message, _ []msg.Outcome) []msg.Decision {
			return []msg.Decision{{Action: msg.Deliver, To: m.Envelope.To, NextHop: hop.Addr().String(), Reply: msg.Reply{Code: 250}}}
		},
		Stamp: func(m *msg.Message, d msg.Decision) [][]byte {
			block := stamp.Block(stamp.Input{Hostname: "gw.test", Message: m, To: d.To, Stamped: m.Received})
			return append([][]byte{block, stamp.Divider(m.Raw)}, stamp.Strip(m.Raw, "gw.test")...)
		},
		Sign:  func(*msg.Transfer) error { return nil },
		Relay: client, Keeper: nobody{}, CutThrough: time.Minute,
	}
	if queued {
		path.Relay, path.Keeper = busy{}, openQueue(t, ctx, client)
	}
	edge := listener(t)
	w.addr = edge.Addr().String()
	id := atomic.Int64{}
	srv := smtpd.New(smtpd.Options{
		Hostname: "gw.test", Handler: path, Log: slog.New(slog.DiscardHandler),
		NewID: func() string { return "T" + strconv.FormatInt(id.Add(1), 10) },
	})
	go func() { _ = srv.Serve(ctx, edge, smtpd.Listener{Name: "test"}) }() // ends with ctx
	return w
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// busy sends everything to the queue.
type busy struct{}

func (busy) Deliver(_ context.Context, t *msg.Transfer) []msg.Reply {
	return slices.Repeat([]msg.Reply{{Code: 451, Text: "busy"}}, len(t.To))
}

// nobody keeps nothing: what is not cut through is refused and shows.
type nobody struct{}

func (nobody) Keep(context.Context, *msg.Message, []*msg.Transfer, []pipeline.Hold) error {
	return fmt.Errorf("nothing should be kept")
}

// shelf is the durable queue as a pipeline.Keeper.
type shelf struct{ q *queue.Queue }

func (s shelf) Keep(ctx context.Context, _ *msg.Message, ts []*msg.Transfer, _ []pipeline.Hold) error {
	return s.q.Put(ctx, ts...)
}

func openQueue(t *testing.T, ctx context.Context, client *relay.Client) shelf { //nolint:revive // t comes first in tests
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	q := queue.New(queue.Options{Store: db, Deliver: client, Hostname: "gw.test", Log: log, Backoff: func(int) time.Duration { return time.Millisecond }})
	done := make(chan error)
	run, cancel := context.WithCancel(ctx)
	go func() { done <- q.Run(run) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return shelf{q}
}

// compare is told of each delivery.
func (w *octetWorld) compare(d sink.Delivery) {
	at := bytes.Index(d.Data, []byte("X-Number: "))
	if at < 0 {
		w.wrong.Add(1)
		return
	}
	number, _, _ := bytes.Cut(d.Data[at:], []byte("\r\n"))
	w.mu.Lock()
	want, ok := w.sums[string(number)]
	delete(w.sums, string(number)) // once
	w.mu.Unlock()
	if !ok || sha256.Sum256(d.Data[at:]) != want {
		w.wrong.Add(1)
	}
	w.octets.Add(int64(len(d.Data) - at))
	w.arrived.Add(1)
}

// client sends letters over one connection, commands together, as a busy server does.
func (w *octetWorld) client(t *testing.T, n, letters int, rng *rand.Rand) {
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	r := bufio.NewReader(conn)
	if !answered(t, r, "220") || !send(t, conn, "EHLO c.test\r\n") || !answered(t, r, "250") {
		return
	}
	for i := range letters {
		letter := randomLetter(rng, n, i)
		w.mu.Lock()
		number, _, _ := strings.Cut(letter, "\r\n")
		w.sums[number] = sha256.Sum256([]byte(letter))
		w.mu.Unlock()
		if !send(t, conn, "MAIL FROM:<a@c.test>\r\nRCPT TO:<b@d.test>\r\nDATA\r\n") || !answered(t, r, "250", "250", "354") ||
			!send(t, conn, stuffedByLine(letter)+".\r\n") || !answered(t, r, "250") {
			return
		}
	}
}

func send(t *testing.T, conn net.Conn, text string) bool {
	_, err := conn.Write([]byte(text))
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func answered(t *testing.T, r *bufio.Reader, codes ...string) bool {
	for _, code := range codes {
		line, err := r.ReadString('\n')
		for err == nil && strings.HasPrefix(line, code+"-") {
			line, err = r.ReadString('\n')
		}
		if err != nil || !strings.HasPrefix(line, code) {
			t.Errorf("%q (%v), want %s", line, err, code)
			return false
		}
	}
	return true
}

// stuffedByLine is dot-stuffing in the plainest words, so that an error of the gateway's
// is not made twice.
func stuffedByLine(letter string) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(letter, "\r\n") {
		if strings.HasPrefix(line, ".") {
			b.WriteByte('.')
		}
		b.WriteString(line)
	}
	return b.String()
}

// randomLetter has a number in its first field, and then whatever may stand in a body:
// dots at every place, all octets but NUL, bare CR and LF, lines of any length.
func randomLetter(rng *rand.Rand, client, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "X-Number: %d-%d\r\nSubject: random\r\n\r\n", client, n)
	for range rng.Intn(40) {
		randomPiece(&b, rng)
	}
	if b.WriteString("\r\n"); rng.Intn(4) == 0 {
		b.WriteString(".\r\n")
	}
	return b.String()
}

func randomPiece(b *strings.Builder, rng *rand.Rand) {
	switch rng.Intn(8) {
	case 0:
		b.WriteString(".")
	case 1:
		b.WriteString("\r\n.")
	case 2:
		b.WriteString("\r\n.\r\n")
	case 3:
		b.WriteString("\r\n")
	case 4:
		b.WriteString(strings.Repeat(".", rng.Intn(5)))
	case 5:
		if rng.Intn(8) == 0 {
			b.WriteString("\r\n" + strings.Repeat("long ", rng.Intn(4000)) + "\r\n")
		}
	default:
		for range rng.Intn(200) {
			if c := byte(rng.Intn(256)); c != 0 && c != '\r' && c != '\n' {
				b.WriteByte(c)
			}
		}
	}
}
