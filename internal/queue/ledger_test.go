package queue

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

// ledger is what children have said.
type ledger struct {
	acked map[string]bool
	sent  map[string]uint32 // "id rcpt": checksum
	other []string

	round        map[string]bool // sent by the child that speaks
	again, twice int             // sent again by a later child, by the same
}

func (l *ledger) read(r io.Reader) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		f := strings.Fields(s.Text())
		switch {
		case len(f) == 2 && f[0] == "ack":
			l.acked[f[1]] = true
		case len(f) == 4 && f[0] == "sent":
			l.send(f[1]+" "+f[2], f[3])
		default:
			l.other = append(l.other, s.Text())
		}
	}
}

// send takes down that a recipient was sent to. Twice by one child has no excuse.
func (l *ledger) send(key, sum string) {
	if _, sent := l.sent[key]; sent {
		l.again++
	}
	if l.round[key] {
		l.twice++
	}
	n, _ := strconv.ParseUint(sum, 10, 32)
	l.sent[key] = uint32(n)
	if l.round != nil {
		l.round[key] = true
	}
}

// TestNoLoss sends many messages through a hop that answers at random, stops and
// starts the queue in between, and accounts for every recipient: it leaves
// the queue exactly once, and without a crash nothing is delivered twice.
func TestNoLoss(t *testing.T) {
	var mu sync.Mutex
	taken := map[string]int{} // 250 said for it
	r := newRig(t, func(o *Options) { o.Attempt = 5 * time.Second; o.Drain = 30 * time.Millisecond })
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		switch rand.IntN(12) {
		case 0:
			panic("at random")
		case 1:
			return nil
		case 2:
			<-ctx.Done()
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		out := make([]msg.Reply, len(t.To))
		for i, to := range t.To {
			if out[i] = []msg.Reply{ok250, ok250, try450, no550, {}}[rand.IntN(5)]; out[i].Code == 250 {
				taken[t.ID+" "+to.Raw]++
			}
		}
		return out
	})
	const messages = 30
	var put []string
	for i := range messages {
		m := letter(fmt.Sprint("m", i), "a@x.test", "b@x.test", "c@y.test")
		if i%5 == 0 {
			m.From = msg.Path{}
		}
		m.NextHop = []string{"hop:25", "other:25", "mx"}[i%3]
		put = append(put, m.ID)
		r.put(m)
	}
	for n := 0; r.scalar(`SELECT COUNT(*) FROM queue WHERE state <> 'dead'`) > 0; n++ {
		if n > 300 {
			t.Fatalf("does not end:\n%s", r.list())
		}
		stop := r.run()
		r.pass(10 * time.Minute)
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		stop()
	}
	account(t, r, put, taken)
}

// account compares what the hop took with what the queue says became of it.
func account(t *testing.T, r *rig, put []string, taken map[string]int) {
	t.Helper()
	ends := map[string]int{}
	for _, e := range strings.Split(strings.TrimSpace(r.log()), "\n") {
		event, who, _ := strings.Cut(e, " ")
		switch event {
		case "delivered":
			if taken[who] != 1 {
				t.Errorf("%s: said delivered, was taken %d times", who, taken[who])
			}
			ends[who]++
		case "failed", "dead":
			ends[who]++
		}
	}
	for who, n := range taken {
		if n != 1 {
			t.Errorf("%s was delivered %d times", who, n)
		}
	}
	for i, id := range put {
		for _, to := range []string{"a@x.test", "b@x.test", "c@y.test"} {
			who := id + " " + to
			if i%3 == 2 && to == "c@y.test" { // "mx" splits by domain
				who = id + "-2 " + to
			}
			if ends[who] != 1 {
				t.Errorf("%s ended %d times", who, ends[who])
			}
		}
	}
	dead := r.scalar(`SELECT COUNT(*) FROM queue WHERE state = 'dead'`)
	if bodies := r.scalar(`SELECT COUNT(*) FROM body`); bodies > dead {
		t.Errorf("%d bodies for %d dead letters", bodies, dead)
	}
}

// TestOutcomeIsRecordedOnce: while the store cannot record an outcome the message
// is not sent again, and the outcome is recorded when it can.
func TestOutcomeIsRecordedOnce(t *testing.T) {
	r := newRig(t)
	m := letter("m", "no@x.test", "ok@x.test", "later@x.test")
	m.Content[0] = []byte("Long: " + strings.Repeat(strings.Repeat("x", 70)+"\r\n ", 800) + "\r\n") // its notice needs many pages
	r.put(m)
	limit := func(more string) {
		err := r.db.Update(t.Context(), func(tx store.Tx) error {
			var n int
			if err := tx.QueryRow(t.Context(), `PRAGMA page_count`).Scan(&n); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), fmt.Sprintf(`PRAGMA max_page_count(%d%s)`, n, more)).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("")
	r.hop.set(func(ctx context.Context, t *msg.Transfer) []msg.Reply {
		if t.From.IsNull() {
			return all(ok250)(ctx, t)
		}
		return []msg.Reply{no550, ok250, try450}
	})
	r.run()
	r.wait(func() bool { return r.db.Healthy() != nil })
	r.wantList("m no@x.test trying 0 0\nm ok@x.test trying 0 0\nm later@x.test trying 0 0")
	limit("000")
	r.until("delivered m-dsn1 sender@so-mau.gov.test")
	r.until("delivered m ok@x.test")
	if n := len(r.hop.transfers()); n != 2 {
		t.Errorf("%d deliveries, want the message and its notice", n)
	}
	r.wantList("m later@x.test waiting 1 450")
}

// BenchmarkPut measures durable 10 KB messages a second with both engines.
func BenchmarkPut(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, url string) {
		for _, n := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("producers=%d", n), func(b *testing.B) { benchPut(b, url, n) })
		}
	})
}

func benchPut(b *testing.B, url string, producers int) {
	db, err := store.Open(b.Context(), store.Options{URL: url, Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	q := New(Options{Store: db})
	body := childLetter("bench").Content[1]
	run := rand.Int() // a shared store keeps what an earlier round put
	b.ResetTimer()
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := p; i < b.N; i += producers {
				t := letter(fmt.Sprint("m", run, "-", i), "a@x.test")
				t.Content[1] = body
				if err := q.Put(context.Background(), t); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
