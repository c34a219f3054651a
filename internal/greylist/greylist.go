// Package greylist asks strangers whose letters are doubtful to come again: a server does,
// most programs that send spam do not, and a list in the DNS has learnt of them when they
// do.
//
// It concerns only letters whose score lies between two bounds, from an author whom nothing
// proves and nobody knows. Everybody else is never put off: a letter that an agency waits
// for is worth more than what this stops, which is why it is off unless asked for.
package greylist

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"congthu/internal/msg"
)

// Reason is what a decision says that it rests on.
const Reason = "GREYLIST"

// Options are the settings, and the memory that is used.
type Options struct {
	From, Below float64       // scores from which and below which a letter is doubtful
	Delay       time.Duration // how long a stranger waits
	Exempt      []string      // symbols of which one is enough not to be put off
	Seen        func(names ...string) (first time.Time, ok bool)
	Note        func(names ...string)
	Now         func() time.Time // nil: the clock
}

// List decides who is asked to come again.
type List struct{ o Options }

// New returns a list.
func New(o Options) *List {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &List{o}
}

// Apply turns deliveries of doubtful letters into "come again". Other decisions stay.
func (l *List) Apply(m *msg.Message, ds []msg.Decision) []msg.Decision {
	for i := range ds {
		if l.doubtful(m, ds[i]) && !l.returned(m, ds[i].To) {
			ds[i].Action, ds[i].Reason, ds[i].Reply = msg.Defer, Reason, l.reply()
		}
	}
	return ds
}

func (l *List) reply() msg.Reply {
	n := max(1, int(l.o.Delay.Round(time.Minute)/time.Minute))
	return msg.Reply{Code: 451, Detail: "7.1", Text: fmt.Sprintf("Xin gui lai sau %d phut / Please send it again in %d minutes", n, n)}
}

// doubtful tells whether a delivery is one that may be put off.
func (l *List) doubtful(m *msg.Message, d msg.Decision) bool {
	if d.Action != msg.Deliver || m.Session.Outbound || d.Why.Score < l.o.From || d.Why.Score >= l.o.Below {
		return false
	}
	if slices.ContainsFunc(m.Auth, vouches) {
		return false
	}
	return !slices.ContainsFunc(d.Why.Counted, func(c msg.Weighed) bool { return slices.Contains(l.o.Exempt, c.Symbol) })
}

// vouches tells whether a result says that somebody stands behind the letter.
func vouches(a msg.AuthResult) bool {
	return a.Status == "pass" && (a.Method == "dmarc" || a.Method == "dkim" || a.Method == "spf" && a.Property == "smtp.mailfrom")
}

// returned tells whether the same sender came from the same net to all of these before,
// long enough ago. Each that is new is noted.
func (l *List) returned(m *msg.Message, to []msg.Path) bool {
	all := true
	net, from := netOf(m.Session.Remote.Addr()).String(), m.Envelope.From.Key()
	for _, p := range to {
		all = l.pass(net, from, p.Key()) && all
	}
	return all
}

// pass tells whether one recipient's letter may pass. A knock holds for the day it falls
// on and the one after; one that was answered by coming again is remembered as passed.
func (l *List) pass(net, from, to string) bool {
	if _, ok := l.o.Seen("passed", net, from, to); ok {
		l.o.Note("passed", net, from, to)
		return true
	}
	now := l.o.Now()
	today := now.Unix() / 86400
	knocked := false
	for _, day := range []int64{today - 1, today} {
		first, ok := l.o.Seen(strconv.FormatInt(day, 10), net, from, to)
		knocked = knocked || ok
		if ok && now.Sub(first) >= l.o.Delay {
			l.o.Note("passed", net, from, to)
			return true
		}
	}
	if !knocked {
		l.o.Note(strconv.FormatInt(today, 10), net, from, to)
	}
	return false
}

// netOf is what counts as the same place: senders with many servers come back from a
// neighbour.
func netOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		p, _ := a.Prefix(24)
		return p
	}
	return msg.ClientNet(a)
}
