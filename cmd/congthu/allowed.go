package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"congthu/internal/inspect/known"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/store"
	"congthu/internal/token"
)

// keep gives what people have said its store. Whom they allow is known before the first
// letter comes; what they have taught is read by and by.
func (j *judge) keep(ctx context.Context, db *store.DB) error {
	j.lessons.Keep(db)
	j.allowed.Keep(db)
	return j.allowed.Follow(ctx)
}

// follow keeps what people have said in step with the store until the context ends.
func (j *judge) follow(ctx context.Context, note func(string, error)) {
	var wg sync.WaitGroup
	wg.Go(func() { note("lessons", j.lessons.Run(ctx)) })
	wg.Go(func() { note("allowed senders", j.allowed.Run(ctx)) })
	wg.Wait()
}

// allowedBy says who lets letters of a proven sender through to all of these recipients,
// and since when. Of several people no names are told, nor for whom: the letter may be
// seen by who must not know to whom else it goes.
func (j *judge) allowedBy(sender string, to []msg.Path) string {
	list := j.allowed.For(sender, to)
	if len(list) == 0 {
		return ""
	}
	since, by := list[0].At, list[0].By
	for _, a := range list[1:] {
		if a.By != by {
			by = fmt.Sprint(len(list), " reviewers")
		}
		if a.At.After(since) {
			since = a.At
		}
	}
	return "allowed by " + by + ", " + since.Local().Format(time.DateOnly)
}

// allowFor is how long a sender is allowed; 0 where nobody would look whether it is, or
// prove that it is the sender.
func (j *judge) allowFor() time.Duration {
	if j.skips("auth") || j.skips("known") {
		return 0
	}
	return j.cfg.Quarantine.Allow.Std()
}

// agencyOf lists the domains of the agency that has a domain.
func (g *gateway) agencyOf(domain string) []string {
	for _, a := range g.cfg.Agency {
		if slices.ContainsFunc(a.Domains, func(p string) bool { return token.Covers(p, domain) }) {
			return a.Domains
		}
	}
	return nil
}

// beyond is why a letter like this one would be held although its sender is allowed; "": it
// would not.
func (r *rescan) beyond(m *msg.Message, w pipeline.Walk) string {
	allowed := msg.Outcome{Inspector: "known", Findings: []msg.Finding{{Symbol: known.Allowed}}}
	in := policy.Input{Message: m, Outcomes: append(slices.Clone(w.Outcomes), allowed)}
	reason := ""
	for _, d := range r.j.rules.For(m).Policy.Decide(in, r.j.routes) {
		if d.Action != msg.Deliver {
			reason = cmp.Or(reason, d.Reason)
		}
	}
	return reason
}
