package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"congthu/internal/audit"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/pipeline"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/recipients"
	"congthu/internal/record"
	"congthu/internal/relay"
	"congthu/internal/review"
	"congthu/internal/ruledesk"
	"congthu/internal/smtpd"
	"congthu/internal/store"
	"congthu/internal/trace"
)

type serveCmd struct{}

// Run is the daemon. It ends with the context (SIGTERM, SIGINT): running DATA is
// finished, idle sessions are told to come back.
func (serveCmd) Run(a *app) error {
	c, err := a.settings()
	if err != nil {
		return err
	}
	if err := noCore(); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level(c.Log.Level)}))
	g, err := build(a.ctx, c, log)
	if err != nil {
		return err
	}
	defer g.close()
	g.file = a.config
	return g.serve(a.ctx)
}

// gateway is the daemon, its parts in the order of the path.
type gateway struct {
	cfg     *config.Config
	file    string     // that cfg was read from
	seen    sync.Mutex // of the file settingsSeen
	log     *slog.Logger
	server  *smtpd.Server // accept
	judge   *judge        // authenticate, inspect, scan, decide, encrypt
	desk    *ruledesk.Desk
	relay   *relay.Client // deliver
	book    *recipients.Book
	db      *store.DB
	queue   *queue.Queue
	held    *quarantine.Quarantine // hold
	audit   *audit.Log             // who did what
	chain   auditState
	review  *review.Desk // what people may do with held mail
	metrics *trace.Metrics
	senders *senders // who may send, as whom, how much
	disk    *diskGuard
	reports *reports
	people  *people
	post    *post            // what the gateway writes, and takes, itself
	record  *record.Recorder // of past letters, for rules simulate
}

// build wires the daemon.
func build(ctx context.Context, c *config.Config, log *slog.Logger) (*gateway, error) {
	g := &gateway{cfg: c, log: log}
	if err := g.openStore(ctx); err != nil {
		return nil, err
	}
	if err := g.wire(ctx); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// wire joins the parts in path order.
func (g *gateway) wire(ctx context.Context) (err error) {
	if err = g.openRules(ctx); err != nil {
		return err
	}
	if err = g.judge.keep(ctx, g.db); err != nil {
		return err
	}
	if g.judge.keys, err = openRing(ctx, g.cfg, g.db, g.log); err != nil {
		return err
	}
	g.unlock()
	g.metrics = trace.NewMetrics(g.depth)
	g.keyMetrics()
	g.rulesMetrics()
	g.auditMetrics()
	g.metrics.Gauge("store_healthy", "1 while the store takes mail; 0: the log says what is wrong.", g.healthy)
	if err = g.wayOut(); err != nil {
		return err
	}
	g.judge.counted = g.metrics.SMTP
	g.reports = g.newReports()
	g.record = g.newRecorder()
	g.judge.seen = g.reports.seen()
	if g.people, err = g.newPeople(ctx); err != nil {
		return err
	}
	g.judge.people = g.people
	if g.post, err = g.newPost(); err != nil {
		return err
	}
	g.server, err = g.edge(mailroom{g.path(), g.post})
	return err
}

// path is the way of a letter, and who hears of what became of it.
func (g *gateway) path() *pipeline.Pipeline {
	path := g.judge.pipeline()
	path.Relay, path.Keeper = patient{g.cutThrough(), g.queue}, keeper{g.db, g.queue, g.held, g.post}
	path.CutThrough = (g.cfg.Relay.Timeout + g.cfg.Relay.Final).Std()
	trail := trace.New(g.log, g.metrics)
	path.Trail = func(ctx context.Context, m *msg.Message, w pipeline.Walk) {
		trail.Record(ctx, trace.Event{Message: m, Outcomes: w.Outcomes, Decisions: w.Decisions, Reply: w.Reply, Queued: w.Queued, Hop: w.Hop, DupRisk: w.DupRisk, Err: w.Err, Took: w.Took})
		g.reports.done(m, w)
		g.people.learn(m, w)
		g.record.Note(g.judge.event(m, w))
		g.count(m, w)
	}
	g.post.trail = func(ctx context.Context, m *msg.Message, w pipeline.Walk) {
		trail.Record(ctx, trace.Event{Message: m, Reply: w.Reply, Err: w.Err})
		g.reports.done(m, w)
	}
	return path
}

func (g *gateway) openStore(ctx context.Context) error {
	var err error
	if err = os.MkdirAll(g.cfg.DataDir, 0o700); err != nil {
		return fail(exitNoPerm, "không tạo được data_dir: %v", "cannot make data_dir: %v", err)
	}
	g.db, err = store.Open(ctx, store.Options{URL: g.cfg.Store.URL, Key: g.cfg.Store.Key, Dir: g.cfg.DataDir, Log: g.log})
	if err == nil {
		g.audit = auditLog(g.cfg, g.db, g.log)
	}
	return storeError(err)
}

// storeError gives what is wrong with the store its exit status, in both languages.
func storeError(err error) error {
	var p *store.Problem
	if errors.As(err, &p) {
		return &failure{exitUnavailable, lang.T(p.In(lang.VI), p.In(lang.EN))}
	}
	return err
}

// wayOut builds what delivers and what holds.
func (g *gateway) wayOut() error {
	if err := g.openRelay(); err != nil {
		return err
	}
	g.queue = queue.New(g.queueOptions(g.hop))
	g.held = quarantine.New(g.quarantineOptions())
	g.review = g.newReview()
	g.disk = &diskGuard{db: g.db, percent: g.cfg.Limits.DiskReserve, floor: uint64(g.cfg.Limits.MessageSize) * 3 / 2}
	return nil
}

// hop is where the mail of a domain goes.
func (g *gateway) hop(domain string) (string, bool) {
	next, _, ok := g.judge.routes.Find(domain)
	return next, ok
}

// edge builds the SMTP server.
func (g *gateway) edge(h smtpd.Handler) (*smtpd.Server, error) {
	cert, err := certificate(g.cfg)
	if err != nil {
		return nil, err
	}
	if g.senders, err = newSenders(g.cfg, g.db, g.log, g.metrics.SMTP); err != nil {
		return nil, err
	}
	return smtpd.New(smtpd.Options{
		Hostname: g.cfg.Hostname, TLS: askForCertificates(cert, g.senders.Book), Limits: limits(g.cfg.Limits), Handler: counted{h, g.senders.quota},
		CheckMail: g.checkMail, CheckRcpt: g.checkRcpt, Identify: g.senders.Identify, Authenticate: g.senders.authenticate,
		NewID: newID, GreetDelay: g.cfg.SMTP.GreetDelay.Std(), HandleTimeout: judging + (g.cfg.Relay.Timeout + g.cfg.Relay.Final).Std(),
		Log: g.log, Event: g.metrics.SMTP,
	}), nil
}

// checkMail answers MAIL: there is room, and the sender belongs to whoever sends.
func (g *gateway) checkMail(ctx context.Context, s *msg.Session, from msg.Path) msg.Reply {
	if r := g.disk.check(ctx); r != (msg.Reply{}) {
		return r
	}
	return g.senders.checkMail(ctx, s, from)
}

// checkRcpt answers RCPT: mail for our domains from anywhere, mail for the world only
// from our own networks (RFC 5321 section 3.6.2).
func (g *gateway) checkRcpt(ctx context.Context, s *msg.Session, env msg.Envelope, to msg.Path) msg.Reply {
	if r, ours := g.post.checkRcpt(env, to); ours {
		return r
	}
	if to.Domain == "" {
		return g.senders.count(ctx, s) // <postmaster>
	}
	if r, outward, ok := g.judge.routes.Route(to.Domain); ok && (!outward || s.Outbound) {
		if r.VerifyRecipients {
			if refused := g.book.Check(ctx, r.NextHop, to); refused != (msg.Reply{}) {
				if s.Outbound && refused.Permanent() {
					g.people.guard.Refused(s.Identity)
				}
				return refused
			}
		}
		return g.senders.count(ctx, s)
	}
	return msg.Reply{Code: 550, Detail: "7.1", Text: "Khong chuyen tiep cho ten mien nay / Relaying denied"}
}

// serve runs everything until the context ends.
func (g *gateway) serve(ctx context.Context) error {
	g.recordStart(ctx)
	stop, err := g.serveHTTP() // before it listens: whoever sees the gateway greet may give it orders
	if err != nil {
		return err
	}
	listeners, err := g.listen()
	if err != nil {
		stop()
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx until sessions are done
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { g.note("queue", g.queue.Run(ctx)) }) // stops starting deliveries at once, and lets those that go on end
	wg.Go(func() { g.note("recipient limits", g.senders.quota.Run(run)) })
	wg.Go(func() { g.people.run(run, g.note) })
	wg.Go(func() { g.expire(run) })
	wg.Go(func() { g.note("quarantine", g.held.Run(run)) })
	wg.Go(func() { g.keepAudit(run) })
	wg.Go(func() { g.keepSettings(run) })
	wg.Go(func() { g.judge.follow(run, g.note) })
	wg.Go(func() { g.note("keys", g.judge.keys.Run(run)) })
	wg.Go(func() { g.reports.run(run) })
	if g.post.sender != nil {
		wg.Go(func() { g.post.sender.Run(run) })
	}
	wg.Go(func() { g.record.Run(run) })
	wg.Go(func() { g.desk.Run(run) })
	wg.Go(func() { g.reloadOnHangup(run) })
	for i, l := range listeners {
		cfg := listener(g.cfg.Listen[i])
		wg.Go(func() { g.note("listener", g.server.Serve(run, l, cfg)) })
	}
	if skip := g.cfg.Inspect.Skip; len(skip) > 0 {
		g.log.Warn("some inspectors are switched off by the settings: what they look for is not seen", "inspect.skip", skip)
	}
	g.log.Info("ready", "hostname", g.cfg.Hostname, "listeners", len(listeners))
	notify("READY=1")
	<-ctx.Done()
	notify("STOPPING=1")
	g.shutdown()
	stop()
	cancel()
	wg.Wait()
	g.log.Info("stopped")
	return nil
}

// drain is how long sessions have to end their message when the daemon is told to stop:
// so long that what is under way is done, and the whole takes under half a minute.
const drain = 25 * time.Second

func (g *gateway) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	g.note("shutdown", g.server.Shutdown(ctx))
}

func (g *gateway) listen() ([]net.Listener, error) {
	var out []net.Listener
	for _, l := range g.cfg.Listen {
		n, err := net.Listen("tcp", l.Address)
		if err != nil {
			for _, o := range out {
				_ = o.Close()
			}
			return nil, fail(exitUnavailable, "không mở được cổng %s: %v", "cannot listen on %s: %v", l.Address, err)
		}
		out = append(out, n)
	}
	return out, nil
}

func listener(l config.Listen) smtpd.Listener {
	return smtpd.Listener{
		Name: l.Address, XCLIENT: l.XCLIENT, PROXY: l.PROXY,
		ImplicitTLS: l.TLS == "implicit", RequireTLS: l.TLS == "required" || l.Auth == "required",
		Auth: l.Auth != "off", RequireAuth: l.Auth == "required",
	}
}

func (g *gateway) expire(ctx context.Context) {
	tick := time.NewTicker(5 * time.Minute)
	defer tick.Stop()
	for {
		if n, err := g.held.Expire(ctx); err != nil {
			g.note("quarantine expiry", err)
		} else if n > 0 {
			g.log.Info("quarantine expired", "messages", n)
		}
		g.note("old notices", notice.Expire(ctx, g.db, time.Now()))
		g.note("old reports of users", g.judge.lessons.ExpireProposals(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (g *gateway) note(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		g.log.Error(what, "error", err)
	}
}

func (g *gateway) depth() float64 {
	n, err := g.queue.Depth(context.Background())
	if err != nil {
		return -1
	}
	return float64(n)
}

func (g *gateway) close() {
	if g.relay != nil {
		g.note("relay", g.relay.Close())
	}
	if g.judge != nil {
		g.note("scan workers", g.judge.close())
	}
	if g.db != nil {
		g.note("store", g.db.Close())
	}
}

// notify tells systemd what state the service is in (sd_notify(3)).
func notify(state string) {
	if name := os.Getenv("NOTIFY_SOCKET"); name != "" {
		if conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}); err == nil {
			_, _ = conn.Write([]byte(state))
			_ = conn.Close()
		}
	}
}
