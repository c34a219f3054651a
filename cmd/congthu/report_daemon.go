package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"congthu/internal/dmarcreport"
	"congthu/internal/inspect/auth"
	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/mailauth/arc"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/queue"
	"congthu/internal/signing"
	"congthu/internal/store"
)

// reports is the daemon's part in DMARC reports: it counts what passes by, sends once a
// day, and has the reports of others read.
type reports struct {
	db      *store.DB
	log     *slog.Logger
	routes  policy.Routes
	receive []string // addresses, as msg.Path.Key gives them
	counts  *dmarcreport.Collector
	inbox   *dmarcreport.Inbox
	sending *dmarcreport.Sending // nil: no identity to report as
	daily   bool
}

func (g *gateway) newReports() *reports {
	c := g.cfg.Report
	r := &reports{
		db: g.db, log: g.log, routes: g.judge.routes, daily: c.DMARC,
		counts: dmarcreport.NewCollector(g.db, g.log),
		inbox:  &dmarcreport.Inbox{Store: g.db, Log: g.log, Now: time.Now},
	}
	for _, a := range c.Receive {
		r.receive = append(r.receive, strings.ToLower(a))
	}
	if c.From == "" {
		return r
	}
	r.sending = &dmarcreport.Sending{
		Store: g.db, Resolver: g.judge.dns, Queue: signed{g.queue, g.judge.signer}, NewID: newID, Log: g.log, Now: time.Now,
		Identity: dmarcreport.Identity{Hostname: g.cfg.Hostname, From: c.From, Org: c.Org, Contact: c.Contact},
		NextHop: func(domain string) (string, bool) {
			next, _, ok := g.judge.routes.Find(domain)
			return next, ok
		},
	}
	return r
}

// signed signs what the gateway itself writes, as it signs what its senders do.
type signed struct {
	queue  *queue.Queue
	signer *signing.Store
}

// Prepare implements dmarcreport.Queue.
func (s signed) Prepare(ctx context.Context, ts ...*msg.Transfer) (*store.Change, error) {
	for _, t := range ts {
		if err := s.signer.Sign(t); err != nil {
			return nil, err
		}
	}
	return s.queue.Prepare(ctx, ts...)
}

// seen is what authentication tells us, or nil when nothing is to be counted.
func (r *reports) seen() func(*msg.Message, auth.Evidence) {
	if r.sending == nil {
		return nil
	}
	return func(m *msg.Message, e auth.Evidence) {
		s := dmarcreport.Seen{Client: m.Session.Remote.Addr(), EnvelopeFrom: m.Envelope.From.Domain, Result: e.Author}
		s.Sender = senderResult(e.Sender)
		if e.Chain.Status == arc.Pass {
			s.Note = "arc=pass" // RFC 8617 section 7.2.2
		}
		for _, k := range e.Signatures {
			s.Keys = append(s.Keys, aggregate.Key{Domain: k.Domain, Selector: k.Selector, Result: k.Status})
		}
		r.counts.Note(m.ID, s)
	}
}

// senderResult is SPF's result. With the null sender the HELO name stands in for MAIL
// FROM (RFC 7208 section 2.4), so the scope is always that.
func senderResult(a msg.AuthResult) aggregate.Sender {
	return aggregate.Sender{Domain: a.Value[strings.LastIndexByte(a.Value, '@')+1:], Scope: "mfrom", Result: a.Status}
}

// done counts a message whose fate is known, and keeps it when it carries a report for
// us.
func (r *reports) done(m *msg.Message, w pipeline.Walk) {
	action, byDMARC := outcome(w)
	r.counts.Done(m.ID, action, byDMARC)
	if len(r.receive) > 0 && w.Reply.Positive() && r.forUs(w.Decisions) {
		r.keep(m)
	}
}

// outcome is what became of a message, and whether DMARC decided it for some recipient.
func outcome(w pipeline.Walk) (msg.Action, bool) {
	if w.Reply.Temporary() || len(w.Decisions) == 0 {
		return msg.Defer, false
	}
	for _, d := range w.Decisions {
		if d.Reason == auth.DMARCReject || d.Reason == auth.DMARCQuarantine {
			return d.Action, true
		}
	}
	return w.Decisions[0].Action, false
}

func (r *reports) forUs(ds []msg.Decision) bool {
	return slices.ContainsFunc(ds, func(d msg.Decision) bool {
		return d.Action == msg.Deliver && slices.ContainsFunc(d.To, func(p msg.Path) bool { return slices.Contains(r.receive, p.Key()) })
	})
}

// keep keeps a letter whose author is authenticated: anybody can write a report, and
// one that nobody stands for is read only by an operator's hand.
func (r *reports) keep(m *msg.Message) {
	passes := func(a msg.AuthResult) bool { return a.Method == "dmarc" && a.Status == "pass" }
	if !slices.ContainsFunc(m.Auth, passes) {
		r.log.Info("DMARC report not read: its sender is not authenticated; see congthu report dmarc import", "id", m.ID)
		return
	}
	r.inbox.Keep(m.ID, m.Raw)
}

// run does the daemon's work on reports until the context ends.
func (r *reports) run(ctx context.Context) {
	done := make(chan struct{})
	go func() { defer close(done); r.counts.Run(ctx) }()
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for next := time.Now(); ctx.Err() == nil; {
		r.readAll(ctx)
		if time.Now().After(next) {
			next = time.Now().Add(10 * time.Minute)
			r.everyDay(ctx)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_ = r.inbox.Flush(last) // it has logged what it could not write
	<-done
}

// everyDay sends the days that are over and tidies up. A day that was sent has nothing
// left to send, so trying again costs a look.
func (r *reports) everyDay(ctx context.Context) {
	now := time.Now()
	if r.daily {
		for _, d := range dmarcreport.Due(now) {
			if _, err := r.sending.Send(ctx, d); err != nil && ctx.Err() == nil {
				r.log.Error("DMARC reports not sent, tried again", "day", d.String(), "error", err)
			}
		}
	}
	if err := errors.Join(dmarcreport.Expire(ctx, r.db, now), dmarcreport.ExpireReports(ctx, r.db, now)); err != nil && ctx.Err() == nil {
		r.log.Warn("DMARC statistics not tidied", "error", err)
	}
}

// readAll has the letters that wait read, one after the other.
func (r *reports) readAll(ctx context.Context) {
	_ = r.inbox.Flush(ctx) // it has logged what it could not write
	for ctx.Err() == nil {
		l, err := r.inbox.Next(ctx)
		if err != nil {
			r.log.Warn("DMARC reports not read", "error", err)
		}
		if l == nil || err != nil {
			return
		}
		if err := r.read(ctx, l); err != nil {
			r.log.Warn("DMARC report not read", "id", l.ID, "error", lang.Safe(err.Error(), 400))
			var bad *aggregate.Malformed
			if !errors.As(err, &bad) {
				return // the reader's trouble, not the letter's: later
			}
		}
		if err := r.inbox.Forget(ctx, l.ID); err != nil {
			r.log.Warn("DMARC report not forgotten", "id", l.ID, "error", err)
			return
		}
	}
}

func (r *reports) read(ctx context.Context, l *dmarcreport.Letter) error {
	rep, err := readReport(ctx, lang.EN, l.Content)
	if err != nil {
		return err
	}
	if !r.routes.Local(rep.Policy.Domain) {
		return &aggregate.Malformed{What: lang.T("báo cáo về "+rep.Policy.Domain+", không phải tên miền của mình", "the report is about "+rep.Policy.Domain+", which is not ours")}
	}
	fresh, err := dmarcreport.Import(ctx, r.db, rep, time.Now())
	if err == nil {
		r.log.Info("DMARC report read", "id", l.ID, "org", lang.Safe(rep.Org, 100), "domain", rep.Policy.Domain, "messages", rep.Messages(), "new", fresh)
	}
	return err
}

// Send implements admin.Reports.
func (r *reports) Send(ctx context.Context, day string, rehearse bool) ([]dmarcreport.Sent, error) {
	d, err := dmarcreport.ParseDay(day)
	if err != nil {
		return nil, refusal{lang.T("'"+day+"' không phải ngày", "'"+day+"' is not a day")}
	}
	if r.sending == nil {
		return nil, refusal{lang.T("chưa cấu hình [report] from: không đếm và không gửi báo cáo DMARC", "[report] from is not set: DMARC reports are neither counted nor sent")}
	}
	if err := r.counts.Flush(ctx); err != nil {
		return nil, err
	}
	if rehearse {
		return r.sending.Rehearse(ctx, d)
	}
	return r.sending.Send(ctx, d)
}

// Import implements admin.Reports.
func (r *reports) Import(ctx context.Context, rep *aggregate.Report) (bool, error) {
	return dmarcreport.Import(ctx, r.db, rep, time.Now())
}

// Show implements admin.Reports. What came in lately is read first.
func (r *reports) Show(ctx context.Context, domain string, since time.Time) (*dmarcreport.Overview, error) {
	r.readAll(ctx)
	return dmarcreport.Show(ctx, r.db, domain, since)
}
