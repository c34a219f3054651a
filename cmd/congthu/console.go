package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"congthu/internal/admin"
	"congthu/internal/console"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/record"
	"congthu/internal/review"
	"congthu/internal/token"
)

// queueShown is how many waiting messages the console lists.
const queueShown = 500

// newConsole makes the web pages. check says whose a token is.
func (g *gateway) newConsole(check func(r *http.Request, presented string) (token.Who, error)) http.Handler {
	kept := &dayBook{g: g, kept: map[string]console.Day{}}
	return console.New(console.Options{
		Check: check, Log: g.log, Day: kept.of,
		Desk: func(w token.Who) console.Desk { return seat{g.review.For(w), g} },
		Queue: func(ctx context.Context, w token.Who) ([]queue.Entry, error) {
			return g.queue.List(ctx, queue.Filter{Limit: queueShown, Scope: admin.ScopeOf(w)})
		},
	}).Handler()
}

// seat is a reviewer as the console asks for one.
type seat struct {
	*review.Reviewer
	g *gateway
}

// Explain implements console.Desk.
func (s seat) Explain(ctx context.Context, id string) (console.Why, error) {
	doc, err := s.Reviewer.Explain(ctx, id, false)
	h, ok := doc.(heldExplained)
	if err != nil || !ok {
		return console.Why{}, err
	}
	why := console.Why{Item: quarantine.Item{ID: h.ID, To: h.To, Reason: h.Reason, Rule: h.Rule, Score: h.Score, Required: h.Required, Auth: h.Auth, Blind: h.Blind}}
	symbols := s.g.judge.rules.Get().Policy.Weights.Symbols
	for _, f := range h.Findings {
		why.Lines = append(why.Lines, line(f, symbols))
	}
	return why, nil
}

func line(f policy.Step, symbols map[string]policy.Weight) console.Line {
	return console.Line{Step: f, Sentence: sentence(f.Finding, symbols[f.Symbol])}
}

// dayBook keeps the figures of the day for a minute: they are counted from the record, letter
// by letter.
type dayBook struct {
	g    *gateway
	mu   sync.Mutex
	kept map[string]console.Day
	at   time.Time // of the oldest
}

const daysFor = time.Minute

// of returns the figures since midnight, as far as they are somebody's to see.
func (d *dayBook) of(ctx context.Context, w token.Who) (console.Day, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); now.Sub(d.at) >= daysFor {
		clear(d.kept)
		d.at = now
	}
	key := string(w.Role) + " " + strings.Join(w.Domains, " ")
	if day, ok := d.kept[key]; ok {
		return day, nil
	}
	y, m, n := time.Now().Date()
	day := console.Day{Since: time.Date(y, m, n, 0, 0, 0, 0, time.Local)}
	var err error
	if day.Day, err = record.Count(ctx, d.g.db, day.Since, w.Sees); err != nil {
		return day, err
	}
	page, err := d.g.held.Within(w.Sees).Page(ctx, quarantine.Filter{Limit: 1})
	if err == nil {
		day.Held = page.Total
		d.kept[key] = day
	}
	return day, err
}
