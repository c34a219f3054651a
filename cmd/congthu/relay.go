package main

import (
	"crypto/x509"
	"os"
	"time"

	"congthu/internal/config"
	"congthu/internal/msg"
	"congthu/internal/mtasts"
	"congthu/internal/recipients"
	"congthu/internal/relay"
)

// judging is how long a letter may be looked at, at most: what the inspectors' own
// time-outs leave room for. It stands before the next hop's times in the sender's wait.
const judging = 90 * time.Second

// openRelay builds the client that speaks to next hops.
func (g *gateway) openRelay() error {
	roots, err := rootsOf(g.cfg.Relay)
	if err != nil {
		return err
	}
	o := relay.Options{
		Hostname: g.cfg.Hostname, Resolver: g.judge.dns, Rule: g.rule, Log: g.log,
		Heard: func(hop string, to msg.Path, r msg.Reply) { g.book.Learn(hop, to, r) },
		TLS:   relay.TLSPolicy{Default: relay.TLSMode(g.cfg.Relay.TLS), Roots: roots},
	}
	if g.cfg.Relay.MTASTS {
		o.Policies = mtasts.NewCache(g.judge.dns, mtasts.HTTPClient(g.judge.dns), g.log)
	}
	g.relay = relay.New(o)
	g.book = recipients.New(recipients.Options{Ask: g.relay.Ask, Event: g.metrics.SMTP, Log: g.log})
	return nil
}

// rule says what the route of a domain asks of delivery. It is asked at each attempt, so
// letters that wait in the queue follow the settings of today.
func (g *gateway) rule(domain string) relay.Rule {
	r, _, _ := g.judge.routes.Route(g.judge.routes.DomainOf(msg.Path{Domain: domain})) // without a route there is nothing special
	return relay.Rule{TLS: relay.TLSMode(r.TLS), XForward: r.XForward, Learn: r.VerifyRecipients}
}

// cutThrough is the relay as the sender's DATA uses it.
func (g *gateway) cutThrough() *relay.Client {
	return g.relay.CutThrough(g.cfg.Relay.Timeout.Std(), g.cfg.Relay.Final.Std())
}

// rootsOf reads the certificate authorities for tls = "verify"; nil: the system's.
func rootsOf(r config.Relay) (*x509.CertPool, error) {
	if r.Roots == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(r.Roots)
	if err != nil {
		return nil, fail(exitConfig, "không đọc được relay.roots: %v", "cannot read relay.roots: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fail(exitConfig, "relay.roots %s không có chứng thư PEM nào", "relay.roots %s holds no PEM certificate", r.Roots)
	}
	return pool, nil
}
