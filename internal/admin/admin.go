// Package admin is the operators' API: HTTP and JSON. On a Unix socket that only the
// gateway's user and root can open, whoever opens it is an administrator, under the name
// that the kernel says. Over TLS, if that is configured, callers have tokens, each with a
// role ([congthu/internal/token]). The commands of congthu speak it on both.
//
// What there is to call is one table of routes ([Route]): the server, the rights, the
// record of who did what and the OpenAPI description are made from it.
package admin

import (
	"context"
	"log/slog"

	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/token"
)

// Services are the parts of the gateway that operators reach. A part that is nil is not
// there: its routes are not found.
type Services struct {
	Review    func(token.Who) Reviewer
	Queue     Queue
	Keys      Keys
	Accounts  Accounts
	Lessons   Lessons
	Proposals Proposals
	Reports   Reports
	Rules     Rules
	Tokens    Tokens
	Audit     Audit
	NotFound  func(error) bool // tells a wrong id from a fault; nil: none
	Health    func() lang.Text // what is wrong with the gateway; the zero Text: nothing

	// Record puts an act on record before it is done; without that it is not done. nil: no
	// record is kept, for tests.
	Record func(context.Context, audit.Entry) error
	Log    *slog.Logger // nil: none
}

// Count is how many entries a command touched.
type Count struct {
	Count int `json:"count"`
}

// Health is how the gateway is.
type Health struct {
	What lang.Text `json:"what"` // what is wrong and what to do; both empty: nothing
}

// Problem is an error as the API says it.
type Problem struct {
	Status int       `json:"status"`
	What   lang.Text `json:"what"`
}

// Error returns the English sentence.
func (p *Problem) Error() string { return p.What.EN }

// routes is the table. What is not there is left out.
func (s Services) routes() []Route {
	var out []Route
	for _, group := range []struct {
		there  bool
		routes []Route
	}{
		{s.Review != nil, s.quarantineRoutes()},
		{s.Queue != nil, s.queueRoutes()},
		{s.Rules != nil, s.ruleRoutes()},
		{s.Keys != nil, s.keyRoutes()},
		{s.Accounts != nil, s.accountRoutes()},
		{s.Lessons != nil, s.lessonRoutes()},
		{s.Proposals != nil, s.proposalRoutes()},
		{s.Reports != nil, s.reportRoutes()},
		{s.Tokens != nil, s.tokenRoutes()},
		{s.Audit != nil, s.auditRoutes()},
		{s.Health != nil, s.healthRoutes()},
	} {
		if group.there {
			out = append(out, group.routes...)
		}
	}
	return out
}
