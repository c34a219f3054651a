// Package recipients remembers which recipients a next hop takes and which it refuses,
// so that a stranger hears at RCPT that there is nobody of that name, and the gateway
// never becomes the one who has to return the letter (backscatter).
//
// What it says no to, the next hop has said no to, for good and about the address itself.
// Anything else (no answer, a busy server, a refusal for another reason) is a yes: the
// letter then goes the usual way.
package recipients

import (
	"container/list"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// Options are the parts of a Book; zero values have defaults.
type Options struct {
	// Ask asks a next hop about a recipient without sending anything. Code 0: could not.
	Ask     func(ctx context.Context, nextHop string, to msg.Path) msg.Reply
	Timeout time.Duration      // for one question: 5 s; a client waits for it
	Asking  int                // questions at a time: 32
	Size    int                // recipients remembered: 50,000
	Refused time.Duration      // how long a refusal is believed: 15 min, new mailboxes are waited for
	Taken   time.Duration      // how long the contrary: 1 h
	Quiet   time.Duration      // a next hop that did not answer is not asked again for: 30 s
	Event   func(event string) // counts: recipient_refused, recipient_taken, recipient_unasked
	Log     *slog.Logger
}

// Book is what is known. It is safe for concurrent use.
type Book struct {
	o      Options
	now    func() time.Time
	asking chan struct{}

	mu     sync.Mutex
	known  map[key]*list.Element // of *entry
	recent *list.List            // most recently used first
	quiet  map[string]time.Time  // next hop: not asked until then
}

// key names a recipient at a next hop. The local part is kept as it is written: whether
// case matters is for the next hop to say.
type key struct{ hop, local, domain string }

type entry struct {
	key   key
	reply msg.Reply // the refusal; the zero Reply: taken
	until time.Time
}

// New returns an empty book.
func New(o Options) *Book {
	def(&o.Timeout, 5*time.Second)
	def(&o.Refused, 15*time.Minute)
	def(&o.Taken, time.Hour)
	def(&o.Quiet, 30*time.Second)
	def(&o.Asking, 32)
	def(&o.Size, 50_000)
	if o.Event == nil {
		o.Event = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Book{
		o: o, now: time.Now, asking: make(chan struct{}, o.Asking),
		known: map[key]*list.Element{}, recent: list.New(), quiet: map[string]time.Time{},
	}
}

func def[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Check answers RCPT: the zero Reply, or the next hop's refusal.
func (b *Book) Check(ctx context.Context, nextHop string, to msg.Path) msg.Reply {
	k := key{nextHop, to.Local, to.Domain}
	r, known := b.look(k)
	if !known {
		r = b.ask(ctx, k, to)
	}
	if r.Code != 0 {
		b.o.Event("recipient_refused")
		return passedOn(r)
	}
	return r
}

// passedOn marks a refusal as the next hop's own.
func passedOn(r msg.Reply) msg.Reply {
	if r.Detail == "" {
		r.Detail = "1.1"
	}
	r.Text = "May chu nhan khong co nguoi nhan nay / No such recipient, says the receiving server: " + r.Text
	return r
}

// look returns what is known of a recipient.
func (b *Book) look(k key) (msg.Reply, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	el := b.known[k]
	if el == nil {
		return msg.Reply{}, false
	}
	e := el.Value.(*entry)
	if !b.now().Before(e.until) {
		b.recent.Remove(el)
		delete(b.known, k)
		return msg.Reply{}, false
	}
	b.recent.MoveToFront(el)
	return e.reply, true
}

// ask asks the next hop, unless too many do already or it did not answer just now.
func (b *Book) ask(ctx context.Context, k key, to msg.Path) msg.Reply {
	if b.isQuiet(k.hop) {
		b.o.Event("recipient_unasked")
		return msg.Reply{}
	}
	select {
	case b.asking <- struct{}{}:
		defer func() { <-b.asking }()
	default:
		b.o.Event("recipient_unasked")
		return msg.Reply{}
	}
	ctx, cancel := context.WithTimeout(ctx, b.o.Timeout)
	defer cancel()
	r := b.o.Ask(ctx, k.hop, to)
	switch {
	case r.Positive():
		b.o.Event("recipient_taken")
		b.keep(k, msg.Reply{}, b.o.Taken)
		return msg.Reply{}
	case aboutTheAddress(r) || r.Detail == "" && (r.Code == 550 || r.Code == 551 || r.Code == 553):
		b.keep(k, r, b.o.Refused)
		return r
	case r.Code == 0:
		b.hush(k.hop)
	}
	b.o.Event("recipient_unasked")
	b.o.Log.Info("recipient could not be asked about; taken", "hop", k.hop, "to", lang.Safe(to.Raw, 320), "reply", lang.Safe(r.String(), 200))
	return msg.Reply{}
}

// Learn notes what a next hop has answered to RCPT in a delivery. There the sender was
// not the null sender, so a refusal that does not plainly speak of the recipient may have
// been about the sender: that is not believed for others.
func (b *Book) Learn(nextHop string, to msg.Path, r msg.Reply) {
	k := key{nextHop, to.Local, to.Domain}
	switch {
	case r.Positive():
		b.keep(k, msg.Reply{}, b.o.Taken)
	case aboutTheAddress(r) && r.Detail != "1.0":
		b.keep(k, r, b.o.Refused)
	}
}

// aboutTheAddress tells whether a refusal is for good and about the recipient's address:
// 5.1.x of RFC 3463 section 3.2, less what is said of senders (5.1.7, 5.1.8).
func aboutTheAddress(r msg.Reply) bool {
	return r.Permanent() && strings.HasPrefix(r.Detail, "1.") && r.Detail != "1.7" && r.Detail != "1.8"
}

// keep notes an answer, at the expense of the one not used for longest.
func (b *Book) keep(k key, r msg.Reply, life time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	until := b.now().Add(life)
	if el := b.known[k]; el != nil {
		e := el.Value.(*entry)
		e.reply, e.until = r, until
		b.recent.MoveToFront(el)
		return
	}
	b.known[k] = b.recent.PushFront(&entry{k, r, until})
	if b.recent.Len() > b.o.Size {
		last := b.recent.Back()
		delete(b.known, last.Value.(*entry).key)
		b.recent.Remove(last)
	}
}

func (b *Book) isQuiet(hop string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now().Before(b.quiet[hop])
}

// hush leaves a next hop alone for a while, so that not every recipient waits in vain.
// Next hops are those of the routes: there are few.
func (b *Book) hush(hop string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.quiet[hop] = b.now().Add(b.o.Quiet)
}
