package faults

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"congthu/internal/sink"
)

// Arrival is one letter at a next hop.
type Arrival struct {
	Helo string
	N    int // of the letter; 0 for mail that is not of a ledger, such as a notice
	To   []string
	From string
	Sum  string // SHA-256 of the letter, without what the gateway has put on top
	Data []byte // of mail that is not of a ledger
	At   time.Time

	Unsure bool // kept, but acknowledged late or never: another copy is right
}

// Hop is a next hop that can be switched off and on, and told to misbehave. What
// arrived stays.
type Hop struct {
	Addr string

	mu       sync.Mutex
	arrivals []Arrival
	breaks   []time.Time // when it has hung up on whoever spoke to it
	stop     func()
}

// Up starts the hop, or starts it again, with a script (internal/sink).
func (h *Hop) Up(script string) error {
	h.Down()
	sc, err := sink.ParseScript(script)
	if err != nil {
		return err
	}
	l, err := listen(h.Addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s := sink.New(sink.Options{Script: sc, OnDelivery: h.keep, Forget: true})
	go func() {
		_ = s.Serve(ctx, l) // ends with ctx
		close(done)
	}()
	h.stop = func() {
		cancel()
		<-done
	}
	return nil
}

// listen listens; the listener before it on the same address may still be closing.
func listen(addr string) (l net.Listener, err error) {
	for range 100 {
		if l, err = net.Listen("tcp", addr); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return l, err
}

// Down ends the hop and its sessions.
func (h *Hop) Down() {
	if h.stop == nil {
		return
	}
	h.stop()
	h.stop = nil
	h.mu.Lock()
	defer h.mu.Unlock()
	h.breaks = append(h.breaks, time.Now())
}

// keep takes down an arrival before it is acknowledged.
func (h *Hop) keep(d sink.Delivery) {
	a := Arrival{Helo: d.Helo, To: d.To, From: d.From, At: time.Now(), Unsure: d.Unsure}
	if i := bytes.Index(d.Data, []byte("\r\n"+numberField)); i >= 0 && d.From != "" { // a notice returns the header of a letter and is none
		line, _, _ := bytes.Cut(d.Data[i+2+len(numberField):], []byte("\r\n"))
		a.N, _ = strconv.Atoi(string(line)) // 0: not one of ours
	}
	if a.N == 0 {
		a.Data = append([]byte(nil), d.Data...)
	} else {
		a.Sum = Sum(fromHeader(d.Data))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.arrivals = append(h.arrivals, a)
}

// fromHeader returns the message from its own first field on, without the block that
// the gateway has put on top.
func fromHeader(data []byte) []byte {
	const first = "From: Van thu <van-thu@so.test>\r\n"
	if i := bytes.Index(data, []byte(first)); i >= 0 {
		return data[i:]
	}
	return data
}

// Arrivals returns what has arrived, in order.
func (h *Hop) Arrivals() []Arrival {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Arrival(nil), h.arrivals...)
}

// Breaks returns when the hop has hung up: what was being sent then may come twice.
func (h *Hop) Breaks() []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]time.Time(nil), h.breaks...)
}

// Count returns how many have arrived.
func (h *Hop) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.arrivals)
}
