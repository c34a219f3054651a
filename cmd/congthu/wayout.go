package main

import (
	"context"
	"strings"

	"congthu/internal/msg"
	"congthu/internal/queue"
	"congthu/internal/relay"
)

// queueOptions are the settings of the queue, in its own words.
func (g *gateway) queueOptions(hop func(domain string) (string, bool)) queue.Options {
	c := g.cfg.Queue
	warn := c.Warn.Std()
	if warn == 0 {
		warn = -1 // never, says queue.Options
	}
	return queue.Options{
		Store: g.db, Deliver: g.relay, Hostname: g.cfg.Hostname, Route: hop, NextHop: hop, Log: g.log,
		Life: c.Life.Std(), Warn: warn, DeadKeep: c.DeadKeep.Std(), Concurrency: c.Concurrency, PerHop: c.PerHop, Lease: c.Lease.Std(),
		Event: func(event, _ string, _ msg.Path, _ msg.Reply) { g.metrics.Queue(event) },
	}
}

// answerable tells whether the envelope sender is who it says, so that a failure may
// be told to it. A notice to a forged sender is spam of our own making (backscatter):
// such a letter becomes a dead letter instead. Our own senders may be told; of others
// SPF must have passed for the envelope's domain, or DKIM for it or one above it.
func answerable(m *msg.Message) bool {
	if m.Session.Outbound {
		return true
	}
	domain := m.Envelope.From.Domain
	for _, a := range m.Auth {
		switch {
		case a.Status != "pass":
		case a.Method == "spf" && a.Property == "smtp.mailfrom":
			return true
		case a.Method == "dkim" && a.Property == "header.d" && within(domain, a.Value):
			return true
		}
	}
	return false
}

// within tells whether a domain is that one or below it.
func within(domain, above string) bool {
	domain, above = strings.ToLower(domain), strings.ToLower(above)
	return above != "" && (domain == above || strings.HasSuffix(domain, "."+above))
}

// patient spares a sender the wait for a next hop that the queue knows to be down:
// the letter goes to the queue at once.
type patient struct {
	relay *relay.Client
	queue *queue.Queue
}

// Deliver implements pipeline.Relay.
func (p patient) Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply {
	if !p.queue.Down(t.NextHop, t.To[0].Domain) {
		return p.relay.Deliver(ctx, t)
	}
	out := make([]msg.Reply, len(t.To))
	for i := range out {
		out[i] = msg.Reply{Code: 451, Detail: "4.1", Text: "not sent: the next hop is down", Own: true}
	}
	return out
}
