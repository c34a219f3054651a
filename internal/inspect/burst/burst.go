// Package burst looks at what our own senders do in an hour: a stolen account writes to
// many people that it has never written to, the same letter, faster than it ever did, and
// to many addresses that are not there.
//
// One such sign and the sender's mail is held, this letter and what follows, until
// somebody has looked and lets it go: the thief has the password and would come again.
// The look happens before the letter leaves, from memory, so the letter that crosses a
// limit is the first that is held.
package burst

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"sync"
	"time"

	"congthu/internal/msg"
)

// The symbols.
const (
	NewRecipients = "OUTBOUND_NEW_RECIPIENTS"
	Rate          = "OUTBOUND_RATE"
	Rejected      = "OUTBOUND_REJECTED"
	SameBody      = "OUTBOUND_SAME_BODY"
	Held          = "OUTBOUND_HELD"
)

// Symbols lists all symbols this inspector can report.
func Symbols() []string { return []string{NewRecipients, Rate, Rejected, SameBody, Held} }

// Limits are what one sender may do in an hour before its mail is held; 0 or less: no
// limit.
type Limits struct {
	New       int // recipients that it has never written to, if they are more than half of all
	SameBody  int // new recipients of one and the same letter, sent in several
	Rejected  int // recipients that were refused, if they are more than a third of all
	RateTimes int // as many times the most that it had in an hour of the last month
	RateFrom  int // and at least so many recipients
}

// Options are what the inspector is told by the rest of the house.
type Options struct {
	Name    func(msg.Identity) string       // whom a letter is counted to; "": nobody
	Limits  func(msg.Identity) Limits       //
	Known   func(name, address string) bool // the sender has written to the address before
	Usual   func(name string) (most int, days int)
	Held    func(name string) (why string, held bool) // its mail is held already
	Tripped func(name, symbol, evidence string)       // a limit was crossed; called once a letter
	Now     func() time.Time
}

// Guard is the inspector "burst". Its counts are of this process: after a restart an hour
// begins anew, and what it had held stays held.
type Guard struct {
	o    Options
	seed maphash.Seed

	mu      sync.Mutex
	senders map[string]*hour
}

// New returns the guard.
func New(o Options) *Guard {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Guard{o: o, seed: maphash.MakeSeed(), senders: map[string]*hour{}}
}

// Name returns "burst".
func (*Guard) Name() string { return "burst" }

// Inspect counts the letter and says what the last hour looks like with it.
func (g *Guard) Inspect(_ context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	name := ""
	if m.Session.Outbound {
		name = g.o.Name(m.Session.Identity)
	}
	if name == "" {
		return nil, nil, nil
	}
	if why, held := g.o.Held(name); held {
		return []msg.Finding{{Symbol: Held, Evidence: name + ": " + why}}, nil, nil
	}
	found := g.judge(name, g.o.Limits(m.Session.Identity), g.count(name, m))
	if len(found) > 0 {
		g.o.Tripped(name, found[0].Symbol, found[0].Evidence)
	}
	return found, nil, nil
}

// count adds a letter to its sender's hour and returns what the hour then holds.
func (g *Guard) count(name string, m *msg.Message) totals {
	now := g.o.Now()
	body := maphash.Bytes(g.seed, bodyOf(m))
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hour(name, now)
	for _, to := range m.Envelope.To {
		key := to.Key()
		h.add(recipient{to: maphash.String(g.seed, key), body: body}, now, func() bool { return !g.o.Known(name, key) })
	}
	h.letter(body, maphash.String(g.seed, m.ID), now)
	return h.totals(body)
}

// Refused counts a recipient of a sender that was refused.
func (g *Guard) Refused(who msg.Identity) {
	name := g.o.Name(who)
	if name == "" {
		return
	}
	now := g.o.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hour(name, now)
	h.refused = append(h.refused, now.Unix())
	if len(h.refused) > maxRefused {
		h.refused = h.refused[1:]
	}
}

// Most returns the recipients that each sender had in the last hour, for what becomes its
// habit. Those whose mail is held have none.
func (g *Guard) Most() map[string]int {
	now := g.o.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string]int{}
	for name := range g.senders {
		if _, held := g.o.Held(name); held {
			continue
		}
		if n := len(g.hour(name, now).seen); n > 0 {
			out[name] = n
		}
	}
	return out
}

// Forget begins a sender's hour anew: somebody has looked at it.
func (g *Guard) Forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.senders, name)
}

// hour returns the sender's hour as it is now. g.mu is held. Senders are accounts and
// agencies of the settings; those that were still for an hour are forgotten.
func (g *Guard) hour(name string, now time.Time) *hour {
	h := g.senders[name]
	if h == nil {
		for other, o := range g.senders {
			if now.Unix()-o.last > window {
				delete(g.senders, other)
			}
		}
		h = &hour{seen: map[uint64]sight{}, bodies: map[uint64][]uint64{}}
		g.senders[name] = h
	}
	h.turn(now)
	return h
}

// judge compares an hour with what is allowed.
func (g *Guard) judge(name string, l Limits, t totals) []msg.Finding {
	var out []msg.Finding
	add := func(symbol, format string, args ...any) {
		out = append(out, msg.Finding{Symbol: symbol, Evidence: name + ": " + fmt.Sprintf(format, args...)})
	}
	if l.New > 0 && t.fresh > l.New && 2*t.fresh > t.all {
		add(NewRecipients, "%d of %d recipients in an hour are new to it, limit %d", t.fresh, t.all, l.New)
	}
	if l.SameBody > 0 && t.letters > 1 && t.same > l.SameBody {
		add(SameBody, "one letter went to %d new recipients in %d messages, limit %d", t.same, t.letters, l.SameBody)
	}
	if l.Rejected > 0 && t.refused > l.Rejected && 3*t.refused > t.all+t.refused {
		add(Rejected, "%d recipients in an hour do not exist or were refused, limit %d", t.refused, l.Rejected)
	}
	if most, days := g.o.Usual(name); l.RateTimes > 0 && days >= minDays && t.all > l.RateFrom && t.all > l.RateTimes*most {
		add(Rate, "%d recipients in an hour, the most of the last month was %s", t.all, strconv.Itoa(most))
	}
	return out
}

// minDays is how many days of habit there must be before one is said to have been broken.
const minDays = 5

// bodyOf is what makes two letters the same: the text as it is read, or the octets after
// the header.
func bodyOf(m *msg.Message) []byte {
	if m.Text != nil && len(m.Text.Bare) > 0 {
		return []byte(m.Text.Bare[len(m.Text.Bare)-min(len(m.Text.Bare), 2000):])
	}
	_, body, _ := bytes.Cut(m.Raw, []byte("\r\n\r\n"))
	return body
}

// hour is what a sender did in the last hour.
type hour struct {
	last    int64
	seen    map[uint64]sight    // recipients, each once
	bodies  map[uint64][]uint64 // letters by what they say
	refused []int64
}

// sight is a recipient in the hour.
type sight struct {
	at    int64
	fresh bool
	body  uint64
}

type recipient struct{ to, body uint64 }

const (
	window        = 3600 // seconds
	maxRecipients = 20_000
	maxRefused    = 2_000
	maxBodies     = 1_000
	maxLetters    = 200 // of one body that are told apart
)

// turn drops what is older than an hour.
func (h *hour) turn(now time.Time) {
	oldest := now.Unix() - window
	if h.last != now.Unix() {
		for k, s := range h.seen {
			if s.at <= oldest {
				delete(h.seen, k)
			}
		}
		h.refused = slices.DeleteFunc(h.refused, func(at int64) bool { return at <= oldest })
		if len(h.seen) == 0 {
			clear(h.bodies)
		}
	}
	h.last = now.Unix()
}

// add notes a recipient, once: a letter that comes again is no other.
func (h *hour) add(r recipient, now time.Time, fresh func() bool) {
	s, seen := h.seen[r.to]
	if !seen {
		if len(h.seen) >= maxRecipients {
			return
		}
		s.fresh = fresh()
	}
	s.at, s.body = now.Unix(), r.body
	h.seen[r.to] = s
}

// letter notes that a letter says this.
func (h *hour) letter(body, id uint64, _ time.Time) {
	if len(h.bodies) >= maxBodies {
		clear(h.bodies)
	}
	if l := h.bodies[body]; len(l) < maxLetters && !slices.Contains(l, id) {
		h.bodies[body] = append(l, id)
	}
}

// totals is an hour in figures.
type totals struct{ all, fresh, same, letters, refused int }

func (h *hour) totals(body uint64) totals {
	t := totals{all: len(h.seen), letters: len(h.bodies[body]), refused: len(h.refused)}
	for _, s := range h.seen {
		if s.fresh {
			t.fresh++
			if s.body == body {
				t.same++
			}
		}
	}
	return t
}
