package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"congthu/internal/account"
	"congthu/internal/acquaint"
	"congthu/internal/config"
	"congthu/internal/greylist"
	"congthu/internal/inspect/burst"
	"congthu/internal/inspect/known"
	"congthu/internal/lookalike"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/rules"
)

// people is what the daemon remembers of senders and recipients. explain has none of it:
// it judges a letter as if nobody knew anybody.
type people struct {
	memory *acquaint.Memory
	watch  *account.Watch
	guard  *burst.Guard
	grey   *greylist.List // nil: switched off
}

// nobody remembers nothing.
func nobody() *people {
	return &people{guard: burst.New(burst.Options{Name: func(msg.Identity) string { return "" }})}
}

// newPeople reads what is remembered.
func (g *gateway) newPeople(ctx context.Context) (*people, error) {
	p := &people{memory: acquaint.New(g.db, g.log), watch: account.NewWatch(g.db, g.log)}
	if err := p.memory.Load(ctx); err != nil {
		return nil, err
	}
	if err := p.watch.Load(ctx); err != nil {
		return nil, err
	}
	p.guard = burst.New(burst.Options{
		Name: quotaOf, Limits: burstLimits(g.cfg, p.memory.Since), Usual: p.watch.Usual, Held: p.watch.Held,
		Known: func(name, address string) bool { // official mail within the province goes to everybody
			_, domain, _ := strings.Cut(address, "@")
			return g.judge.routes.Local(domain) || p.times(acquaint.Pair, name, address) > 0
		},
		Tripped: g.senderTripped,
	})
	p.watch.Busiest, p.watch.Released = p.guard.Most, p.guard.Forget
	if c := g.cfg.Greylist; c.On {
		p.grey = greylist.New(greylist.Options{
			From: c.From, Below: c.Below, Delay: c.Delay.Std(), Exempt: []string{known.Correspondent, known.Allowed},
			Seen: func(names ...string) (time.Time, bool) {
				e := p.memory.Get(p.memory.Key(acquaint.Knock, names...))
				return e.First, e.N > 0
			},
			Note: func(names ...string) { p.memory.Add(p.memory.Key(acquaint.Knock, names...)) },
		})
	}
	g.metrics.Gauge("allowed_senders", "Allowances of senders that reviewers have given.", func() float64 { n, _ := g.judge.allowed.Len(); return float64(n) })
	g.metrics.Gauge("acquaintances", "Entries of the memory of senders and recipients.", func() float64 { return float64(p.memory.Len()) })
	return p, nil
}

// evHeldSender counts senders whose mail the gateway began to hold by itself.
const evHeldSender = "sender_held"

// senderTripped holds the mail of a sender that behaves as if it were stolen, and tells
// whoever reads logs or metrics.
func (g *gateway) senderTripped(name, symbol, evidence string) {
	if !g.judge.holds(symbol) {
		return // the house has decided otherwise
	}
	g.people.watch.Hold(name, evidence)
	g.metrics.SMTP(evHeldSender)
	g.log.Warn("sender behaves as if its password were stolen: its mail is held until `congthu account unhold`", "sender", name, "symbol", symbol, "why", evidence)
}

// holds tells whether the rules in use keep a letter of ours with the symbol from leaving.
func (j *judge) holds(symbol string) bool {
	return slices.ContainsFunc(j.rules.Get().Policy.Forces, func(f policy.Force) bool {
		return slices.Contains(f.Symbols, symbol) && f.Action != msg.Deliver && f.Direction != "inward"
	})
}

// A server of an agency sends for all who work there: it may do more than an account, and
// nothing is said of whom it never wrote to until there was time to learn it.
const (
	serverTimes = 5
	learning    = 7 * 24 * time.Hour
)

// burstLimits are the limits of the settings, by who sends; since tells from when on is
// remembered who wrote to whom.
func burstLimits(c *config.Config, since func() time.Time) func(msg.Identity) burst.Limits {
	return func(id msg.Identity) burst.Limits {
		r := c.Relay
		l := burst.Limits{New: r.NewRecipients, SameBody: r.SameBody, Rejected: r.Refused, RateTimes: r.RateTimes, RateFrom: max(r.NewRecipients, r.SameBody, 1)}
		if id.Account == "" {
			l.New, l.SameBody = serverTimes*l.New, serverTimes*l.SameBody
			if time.Since(since()) < learning {
				l.New, l.SameBody = 0, 0
			}
		}
		for _, a := range c.Agency {
			if a.Name == id.Agency {
				l.New, l.SameBody = cmp.Or(a.NewRecipients, l.New), cmp.Or(a.SameBody, l.SameBody)
			}
		}
		return l
	}
}

func (p *people) times(k acquaint.Kind, names ...string) int64 {
	return p.memory.Get(p.memory.Key(k, names...)).N
}

// past is what is remembered of an author.
func (p *people) past(address, domain string) known.Past {
	if p.memory == nil {
		return known.Past{}
	}
	heard := p.memory.Get(p.memory.Key(acquaint.Heard, address))
	return known.Past{
		Written: p.times(acquaint.Written, address) > 0, WrittenDomain: p.times(acquaint.WrittenDomain, domain) > 0,
		Heard: int(heard.N), Since: heard.Last.Sub(heard.First),
	}
}

func (j *judge) known(s *rules.Set) msg.Inspector {
	free := map[string]bool{}
	for _, d := range s.Freemail {
		free[d] = true
	}
	return known.New(known.Memory{
		Past: j.people.past, Allowed: j.allowedBy,
		Shared: func(domain string) bool { return free[domain] || free[lookalike.Organisation(domain)] },
	}, known.Usual())
}

// run keeps what is remembered in step with the store.
func (p *people) run(ctx context.Context, note func(string, error)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		note("held senders", p.watch.Run(ctx))
	}()
	note("acquaintances", p.memory.Run(ctx))
	<-done
}

// learn remembers a letter that was delivered or is on its way: whom our people write to,
// and what strangers wrote who are proven and were found clean.
func (p *people) learn(m *msg.Message, w pipeline.Walk) {
	if !w.Reply.Positive() {
		p.refused(m, w)
		return
	}
	for _, d := range w.Decisions {
		if d.Action != msg.Deliver {
			continue
		}
		if m.Session.Outbound && byHand(m) {
			p.wrote(quotaOf(m.Session.Identity), d.To)
		} else if !m.Session.Outbound && clean(d) {
			p.heard(m)
			return
		}
	}
}

// refused counts the recipients of a letter of ours that the next hop refused. What the
// rules refuse says nothing about recipients.
func (p *people) refused(m *msg.Message, w pipeline.Walk) {
	ours := func(d msg.Decision) bool { return d.Action != msg.Deliver }
	if !m.Session.Outbound || !w.Reply.Permanent() || slices.ContainsFunc(w.Decisions, ours) {
		return
	}
	for range m.Envelope.To {
		p.guard.Refused(m.Session.Identity)
	}
}

// byHand tells whether somebody wrote a letter of ours. A notice or an answer of a machine
// goes to whoever is named in From, which may be forged: it makes nobody an acquaintance.
func byHand(m *msg.Message) bool {
	if m.Envelope.From.IsNull() || m.Root == nil {
		return false
	}
	auto := strings.ToLower(strings.TrimSpace(m.Root.Get("Auto-Submitted")))
	return (auto == "" || strings.HasPrefix(auto, "no")) && m.Root.Get("X-Autoreply") == "" && !strings.EqualFold(strings.TrimSpace(m.Root.Get("Precedence")), "auto_reply")
}

func (p *people) wrote(name string, to []msg.Path) {
	for _, a := range to {
		if a.Domain == "" {
			continue
		}
		p.memory.Add(p.memory.Key(acquaint.Written, a.Key()))
		p.memory.Add(p.memory.Key(acquaint.WrittenDomain, a.Domain))
		if name != "" {
			p.memory.Add(p.memory.Key(acquaint.Pair, name, a.Key()))
		}
	}
}

// cleanBelow is the score below which a letter speaks for its author.
const cleanBelow = 2.0

// clean tells whether a letter was found clean. One that a reviewer lets through was not:
// it makes its author no acquaintance, who would be one still when that is taken back.
func clean(d msg.Decision) bool {
	allowed := func(w msg.Weighed) bool { return w.Symbol == known.Allowed }
	return d.Why.Score < cleanBelow && len(d.Why.Blind) == 0 && len(d.Strip) == 0 && !slices.ContainsFunc(d.Why.Counted, allowed)
}

// heard counts a proven author once a day: many letters of one day are no acquaintance.
func (p *people) heard(m *msg.Message) {
	if m.Root == nil {
		return
	}
	address, _, ok := known.Author(m)
	if !ok {
		return
	}
	k := p.memory.Key(acquaint.Heard, address)
	if e := p.memory.Get(k); e.N == 0 || m.Received.Sub(e.Last) >= 24*time.Hour {
		p.memory.Add(k)
	}
}
