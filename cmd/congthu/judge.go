package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"congthu/internal/allowance"
	"congthu/internal/config"
	"congthu/internal/decrypt"
	"congthu/internal/dns"
	"congthu/internal/inspect"
	"congthu/internal/inspect/adlaw"
	"congthu/internal/inspect/attach"
	"congthu/internal/inspect/auth"
	"congthu/internal/inspect/burst"
	"congthu/internal/inspect/clamav"
	"congthu/internal/inspect/classify"
	"congthu/internal/inspect/content"
	"congthu/internal/inspect/dnsbl"
	"congthu/internal/inspect/header"
	"congthu/internal/inspect/known"
	"congthu/internal/inspect/link"
	"congthu/internal/inspect/sender"
	"congthu/internal/keyring"
	"congthu/internal/lessons"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/rules"
	"congthu/internal/signing"
	"congthu/internal/stamp"
	"congthu/internal/strip"
	"congthu/internal/text"
)

// judge is the part of the gateway that looks and decides: everything from parsing
// to the decision. serve and explain build the same one.
type judge struct {
	cfg     *config.Config
	rules   *rules.Live
	routes  policy.Routes
	dns     *dns.Resolver
	scan    *attach.Pool
	keys    *keyring.Ring
	signer  *signing.Store
	lessons *lessons.Lessons // the classifier with what it was taught
	allowed *allowance.Book  // whose letters reviewers let through; empty until it is given a store
	links   *perSet          // the inspector "link", which also judges links that are found elsewhere

	ads      *adlaw.Counter                    // advertising a day, by house and mailbox
	policies *dmarc.Memory                     // which domains ask for rejection
	people   *people                           // what is remembered of them; in explain: nothing
	lists    *dnsbl.Inspector                  // lists in the DNS
	counted  func(string)                      // counts for the metrics; nil: nobody counts
	seen     func(*msg.Message, auth.Evidence) // for the aggregate reports; nil: none
}

// source says what rule files may speak of.
func source(c *config.Config) rules.Source {
	return rules.Source{
		Dir:        c.RulesDir,
		Symbols:    slices.Concat(auth.Symbols(), sender.Symbols(), header.Symbols(), adlaw.Symbols(), link.Symbols(), content.Symbols(), classify.Symbols(), dnsbl.Symbols(), known.Symbols(), burst.Symbols(), attach.Symbols(), clamav.Symbols(), decrypt.Symbols(), keyring.Symbols(), policy.Symbols()),
		Inspectors: config.Inspectors(),
	}
}

// newJudge starts the scan workers and reads rules and keys.
func newJudge(ctx context.Context, c *config.Config, log *slog.Logger) (*judge, error) {
	live, err := rules.Open(source(c))
	if err != nil {
		return nil, err
	}
	return judgeBy(ctx, c, live, c.RulesDir, log)
}

// judgeBy is newJudge with rules that were read; those of YARA are below dir.
func judgeBy(ctx context.Context, c *config.Config, live *rules.Live, dir string, log *slog.Logger) (*judge, error) {
	j := &judge{cfg: c, rules: live, routes: routes(c), policies: dmarc.NewMemory(), ads: adlaw.NewCounter(), allowed: allowance.New(allowance.Options{Log: log}), signer: signing.Open(c.DKIM.Keys)}
	var err error
	if j.dns, err = dns.New(dns.Options{Servers: c.DNS.Servers, Timeout: c.DNS.Timeout.Std(), TrustAD: c.DNS.TrustAD}); err != nil {
		return nil, fail(exitConfig, "DNS: %v", "DNS: %v", err)
	}
	if j.lists, err = j.dnsbl(log); err != nil {
		return nil, fail(exitConfig, "dnsbl: %v", "dnsbl: %v", err)
	}
	if j.keys, err = peekRing(ctx, c); err != nil {
		return nil, err
	}
	if err = j.newLessons(log); err != nil {
		return nil, err
	}
	if j.skips("attach") {
		return j, nil
	}
	o := scanOptions(c, log)
	o.Rules = yaraDir(dir)
	if !j.skips("link") {
		o.Links = j.linksInside
	}
	j.scan, err = attach.Start(ctx, o)
	return j, err
}

// linksInside judges where attachments and codes in pictures lead to.
func (j *judge) linksInside(ctx context.Context, m *msg.Message, found []attach.Link) []msg.Finding {
	judges, ok := j.links.of(m).(*link.Inspector)
	if !ok {
		return nil
	}
	links := make([]link.Found, len(found))
	for i, f := range found {
		links[i] = link.Found{URL: f.URL, Text: f.Text, Part: f.Part, Source: f.How}
	}
	return judges.Judge(ctx, links)
}

// skips tells whether the administrator has switched an inspector off.
func (j *judge) skips(name string) bool { return slices.Contains(j.cfg.Inspect.Skip, name) }

func scanOptions(c *config.Config, log *slog.Logger) attach.Options {
	return attach.Options{Worker: worker(c), Rules: yaraDir(c.RulesDir), Extra: c.Scan.Extra, Workers: c.Scan.Workers, Timeout: c.Scan.Timeout.Std(), Strict: c.Scan.Strict, Log: log}
}

func clamOptions(c *config.Config) clamav.Options {
	return clamav.Options{Address: c.ClamAV.Address, Timeout: c.ClamAV.Timeout.Std(), MaxSize: c.ClamAV.MaxSize}
}

func routes(c *config.Config) policy.Routes {
	var out policy.Routes
	for _, r := range c.Route {
		out = append(out, policy.Route(r))
	}
	return out
}

// pipeline returns the path as far as the decision, stamp and encryption; serve adds
// the ways out.
func (j *judge) pipeline() *pipeline.Pipeline {
	j.links = j.perSet("link", j.link)
	if j.people == nil {
		j.people = nobody()
	}
	p := &pipeline.Pipeline{
		Pin:          j.pin,
		Parse:        j.parse,
		Read:         j.read(),
		Authenticate: j.switchedOn([]inspect.Timed{{Inspector: j.perSet("auth", j.auth), Timeout: 25 * time.Second}}),
		Inspect: j.switchedOn([]inspect.Timed{
			{Inspector: sender.New(), Timeout: 10 * time.Second},
			{Inspector: inside{j.perSet("header", j.header), false}, Timeout: 10 * time.Second},
			{Inspector: inside{j.perSet("adlaw", j.adlaw), true}, Timeout: 10 * time.Second},
			{Inspector: inside{j.links, false}, Timeout: 10 * time.Second},
			{Inspector: inside{j.perSet("content", j.content), false}, Timeout: 15 * time.Second},
			{Inspector: inside{j.perSet("classify", j.classify), true}, Timeout: 10 * time.Second},
			{Inspector: inside{j.lists, false}, Timeout: 10 * time.Second},
			{Inspector: j.perSet("known", j.known), Timeout: 10 * time.Second},
			{Inspector: j.people.guard, Timeout: 10 * time.Second},
			{Inspector: inside{j.scan.Inspector(j.names), false}, Timeout: j.cfg.Scan.Timeout.Std() + 15*time.Second},
			{Inspector: inside{clamav.New(clamOptions(j.cfg)), false}, Timeout: j.cfg.ClamAV.Timeout.Std() + 5*time.Second},
		}),
		Decide:  j.decide,
		Stamp:   j.stamp,
		Strip:   j.strip,
		Encrypt: j.encrypt,
		Sign:    j.signer.Sign,
	}
	if !j.skips(opens) {
		p.Open = j.open
	}
	return p
}

// pin settles which rule set judges the message.
func (j *judge) pin(m *msg.Message) { j.rules.Pin(m) }

// names tells whether the rules in use speak of the type of a file.
func (j *judge) names(fileType string) bool { return j.rules.Names(fileType) }

// parse reads the message for those who look at it. Where everything is switched off,
// nobody does but "sender", and that only at what a named client sends; decide parses
// what it must encrypt.
func (j *judge) parse(m *msg.Message) *msg.Part {
	idle := map[string]bool{"sender": true, "burst": true, "known": j.skips("auth"), "dnsbl": len(j.cfg.DNSBL) == 0, opens: !j.keys.Opens(), "clamav": j.cfg.ClamAV.Address == ""} // look at no part, or at nothing
	off := func(name string) bool { return idle[name] || j.skips(name) }
	if !m.Session.Identity.Named() && !slices.ContainsFunc(config.Inspectors(), func(name string) bool { return !off(name) }) {
		return nil
	}
	return mimetree.Parse(m.Raw, mimetree.DefaultLimits())
}

// read is how the text is read once for all who look at it; nil where all of them are
// switched off.
func (j *judge) read() func(*msg.Part) *msg.Text {
	if j.skips("content") && j.skips("adlaw") && j.skips("link") {
		return nil
	}
	return text.Read
}

// switchedOn leaves out what the administrator skips.
func (j *judge) switchedOn(list []inspect.Timed) []inspect.Timed {
	return slices.DeleteFunc(list, func(t inspect.Timed) bool { return j.skips(t.Name()) })
}

func (j *judge) auth(s *rules.Set) msg.Inspector {
	return auth.New(auth.Options{
		Resolver: j.dns, Hostname: j.cfg.Hostname, Memory: j.policies, Overrides: s.Overrides, Sealers: s.Sealers, Seen: j.seen,
	})
}

func (j *judge) header(s *rules.Set) msg.Inspector {
	o := header.Options{
		Local: j.routes.Local, Agencies: s.Agencies, Hostname: j.cfg.Hostname,
		Freemail: s.Freemail, AgencyWords: s.Words, Mailers: s.Mailers,
	}
	o.Domains = j.ownDomains()
	for _, b := range s.Brands {
		o.Brands = append(o.Brands, header.Brand(b))
	}
	return header.New(o)
}

func (j *judge) adlaw(s *rules.Set) msg.Inspector { return adlaw.New(s.AdLaw, j.ads) }

func (j *judge) content(s *rules.Set) msg.Inspector {
	return content.New(func() *content.Set { return s.Content })
}

func (j *judge) link(s *rules.Set) msg.Inspector {
	o := link.Options{Local: j.routes.Local, Domains: j.ownDomains(), Brands: s.Brands, Shorteners: s.Shorteners, FreeHosts: s.FreeHosts}
	for _, a := range s.Agencies {
		o.Domains = append(o.Domains, a.Domains...)
	}
	return link.New(o)
}

func (j *judge) dnsbl(log *slog.Logger) (*dnsbl.Inspector, error) {
	o := dnsbl.Options{Resolver: j.dns, Local: j.routes.Local, Hosts: link.Hosts, Log: log, Event: func(event string) {
		if j.counted != nil {
			j.counted(event)
		}
	}}
	for _, l := range j.cfg.DNSBL {
		o.Lists = append(o.Lists, dnsbl.List(l))
	}
	return dnsbl.New(o)
}

// ownDomains are the domains of ours, as far as they can be listed.
func (j *judge) ownDomains() []string {
	var out []string
	for _, r := range j.routes {
		for _, d := range r.Domains {
			if d != "*" {
				out = append(out, d)
			}
		}
	}
	return out
}

func (j *judge) decide(m *msg.Message, outcomes []msg.Outcome) []msg.Decision {
	p := j.rules.For(m).Policy
	in := j.encryption(m, p.Encrypt)
	in.Outcomes = outcomes
	in.Opened = j.openedFor(m)
	in.Removable = func(found []msg.Finding) bool {
		_, err := strip.Parts(m.Root, found)
		return err == nil && protection(m) == ""
	}
	ds := p.Decide(in, j.routes)
	if j.people.grey != nil {
		ds = j.people.grey.Apply(m, ds)
	}
	return ds
}

func (j *judge) stamp(m *msg.Message, d msg.Decision) [][]byte {
	block := stamp.Block(stamp.Input{Hostname: j.cfg.Hostname, Message: m, Verdict: d.Why, To: d.To, Stripped: d.Strip, Opened: d.Open, Stamped: m.Received, ReceivedSPF: j.cfg.SMTP.ReceivedSPF})
	return append([][]byte{block}, j.below(m.Raw)...)
}

// below is what stands below our block: the message without what poses as ours.
func (j *judge) below(raw []byte) [][]byte {
	return append([][]byte{stamp.Divider(raw)}, stamp.Strip(raw, j.cfg.Hostname)...)
}

// strip takes out of the message what the decision says, and leaves a notice.
func (j *judge) strip(m *msg.Message, d msg.Decision) ([]byte, error) {
	parts, err := strip.Parts(m.Root, d.Strip)
	if err != nil {
		return nil, err
	}
	return strip.Replace(m.Raw, m.Root, parts, func(p *msg.Part) string {
		n := strip.Notice{ID: m.ID, Name: p.Filename, Size: int64(len(p.Decoded)), Until: m.Received.Add(j.cfg.Quarantine.Keep.Std())}
		for _, f := range d.Strip {
			if f.Part == p.Path || strings.HasPrefix(f.Part, p.Path+".") {
				n.Types = append(n.Types, strings.TrimPrefix(f.Type, "."))
			}
		}
		n.Types = slices.Compact(n.Types)
		return n.Text()
	})
}

// scanBy takes the YARA rules of a rules directory into use. Where nobody scans there is
// nothing to do.
func (j *judge) scanBy(ctx context.Context, dir string) error {
	if j == nil || j.scan == nil {
		return nil
	}
	return j.scan.ReloadFrom(ctx, yaraDir(dir))
}

func (j *judge) close() error {
	if j.scan == nil {
		return nil
	}
	return j.scan.Close()
}

// perSet is an inspector that is built anew for each rule set: a message is judged by
// the set that it is pinned to.
type perSet struct {
	name  string
	live  *rules.Live
	build func(*rules.Set) msg.Inspector
	built [2]atomic.Pointer[builtFor] // of the set in use and of one on trial
}

type builtFor struct {
	set       *rules.Set
	inspector msg.Inspector
}

func (j *judge) perSet(name string, build func(*rules.Set) msg.Inspector) *perSet {
	return &perSet{name: name, live: j.rules, build: build}
}

// Name returns the inspector's name.
func (p *perSet) Name() string { return p.name }

// Inspect looks with the inspector of the message's set.
func (p *perSet) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	return p.of(m).Inspect(ctx, m)
}

// Explain implements msg.Explainer for inspectors that do.
func (p *perSet) Explain(ctx context.Context, m *msg.Message) ([]msg.Note, error) {
	if e, ok := p.of(m).(msg.Explainer); ok {
		return e.Explain(ctx, m)
	}
	return nil, nil
}

func (p *perSet) of(m *msg.Message) msg.Inspector {
	set := p.live.For(m)
	slot := &p.built[0]
	if set != p.live.Get() {
		slot = &p.built[1]
	}
	b := slot.Load()
	if b == nil || b.set != set {
		b = &builtFor{set, p.build(set)}
		slot.Store(b)
	}
	return b.inspector
}

// normalise gives a file from disk the line ends of the wire, so that explain may
// read what an editor saved.
func normalise(raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}

func yaraDir(rules string) string { return filepath.Join(rules, "yara") }
