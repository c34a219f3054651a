package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"congthu/internal/inspect"
	"congthu/internal/inspect/clamav"
	"congthu/internal/lessons"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/token"
)

// heldIndex is how much memory the index of held mail may take: some 130,000 messages.
const heldIndex = 64 << 20

func (g *gateway) quarantineOptions() quarantine.Options {
	k := g.cfg.Quarantine.KeepClass
	return quarantine.Options{
		Room: g.cfg.Quarantine.Room, Index: heldIndex,
		KeepClass: map[quarantine.Class]time.Duration{
			quarantine.Malware: k.Malware.Std(), quarantine.Unscannable: k.Unscannable.Std(), quarantine.FileType: k.Type.Std(), quarantine.Phishing: k.Phishing.Std(),
			quarantine.Spam: k.Spam.Std(), quarantine.Encryption: k.Encryption.Std(), quarantine.Authentication: k.Authentication.Std(), quarantine.Other: k.Other.Std(),
		},
		Store: g.db, Requeue: sealer{g.queue, g.judge}, Keep: g.cfg.Quarantine.Keep.Std(), Undo: g.cfg.Quarantine.Undo.Std(),
		OfAgency: g.ofAgency, NextHop: g.hop, Log: g.log,
	}
}

// ofAgency tells whether a domain belongs to an agency, which is called by its name in
// the settings or by a domain.
func (g *gateway) ofAgency(agency, domain string) bool {
	if token.Covers(agency, domain) {
		return true
	}
	for _, a := range g.cfg.Agency {
		if strings.EqualFold(a.Name, agency) {
			return slices.ContainsFunc(a.Domains, func(p string) bool { return token.Covers(p, domain) })
		}
	}
	return false
}

func (g *gateway) newReview() *review.Desk {
	again := g.judge.newRescan()
	return review.New(review.Options{
		Quarantine: g.held, Audit: g.audit,
		Allowed: g.judge.allowed, AllowFor: g.judge.allowFor(), Agency: g.agencyOf,
		Rescan: func(ctx context.Context, it quarantine.Item, raw []byte) (review.Today, error) {
			m, walk := again.judge(ctx, it, raw)
			t := today(walk)
			t.Beyond = again.beyond(m, walk)
			return t, ctx.Err()
		},
		Explain: func(ctx context.Context, it quarantine.Item, raw []byte, now bool) (any, error) {
			if now {
				return again.explain(ctx, it, raw), ctx.Err()
			}
			weights, then := g.weightsOf(ctx, it.Rules)
			return explainedHeld(it, weights, then), nil
		},
		Teach: func(ctx context.Context, raw []byte, l review.Lesson) (lessons.Lesson, error) {
			return g.judge.teach(ctx, raw, lessons.Report{Spam: l.Spam, Actor: l.Actor, Source: l.Source, With: l.Record})
		},
	})
}

// weightsOf returns the weights of the set that judged a letter; then is false when that
// set is not kept and they are today's.
func (g *gateway) weightsOf(ctx context.Context, hash string) (w policy.Weights, then bool) {
	live := g.judge.rules.Get()
	if live.Hash == hash {
		return live.Policy.Weights, true
	}
	if files, err := book(g.db, g.cfg.Rules.History).Files(ctx, hash); err == nil {
		if w, err := weightsIn(g.cfg, files); err == nil {
			return w, true
		}
	}
	return live.Policy.Weights, false
}

// rescan judges held letters with the rules of today, beside the mail that comes. Those
// who count, remember or ask others are not asked: they would take an old letter for one
// that came just now. Authentication is replayed.
type rescan struct {
	j     *judge
	looks []inspect.Timed
}

func (j *judge) newRescan() *rescan {
	looks := []inspect.Timed{
		{Inspector: j.perSet("header", j.header), Timeout: 10 * time.Second},
		{Inspector: j.perSet("link", j.link), Timeout: 10 * time.Second},
		{Inspector: j.perSet("content", j.content), Timeout: 15 * time.Second},
		{Inspector: j.perSet("classify", j.classify), Timeout: 10 * time.Second},
		{Inspector: clamav.New(clamOptions(j.cfg)), Timeout: j.cfg.ClamAV.Timeout.Std() + 5*time.Second},
	}
	if !j.skips("attach") {
		looks = append(looks, inspect.Timed{Inspector: j.scan.Inspector(j.names), Timeout: j.cfg.Scan.Timeout.Std() + 15*time.Second})
	}
	return &rescan{j, j.switchedOn(looks)}
}

// judge judges one letter.
func (r *rescan) judge(ctx context.Context, it quarantine.Item, raw []byte) (*msg.Message, pipeline.Walk) {
	m, then := held(it, raw)
	p := pipeline.Pipeline{
		Pin: r.j.pin, Parse: func(m *msg.Message) *msg.Part { return mimetree.Parse(m.Raw, mimetree.DefaultLimits()) }, Read: r.j.read(),
		Authenticate: []inspect.Timed{{Inspector: then}}, Inspect: r.looks,
		Decide: func(m *msg.Message, o []msg.Outcome) []msg.Decision {
			return r.j.rules.For(m).Policy.Decide(policy.Input{Message: m, Outcomes: o}, r.j.routes)
		},
	}
	return m, p.Judge(ctx, m)
}

func (r *rescan) explain(ctx context.Context, it quarantine.Item, raw []byte) explained {
	m, walk := r.judge(ctx, it, raw)
	out := explanation(m, walk, r.j, inspect.Explain(ctx, m, r.looks))
	out.Allowed = nil // "known" is not among those who look
	return out
}

// today is what was found, with the reason of whoever would be refused most.
func today(w pipeline.Walk) review.Today {
	var t review.Today
	for _, o := range w.Outcomes {
		if o.Err != nil {
			t.Blind = append(t.Blind, o.Inspector)
		}
	}
	for _, d := range w.Decisions {
		t.Findings = d.Why.Counted // the same for all
		if d.Action != msg.Deliver && quarantine.ClassOf(d.Reason, nil) == quarantine.Malware || t.Reason == "" {
			t.Reason = d.Reason
		}
	}
	return t
}
