// Package admin is the operators' API: HTTP and JSON on a Unix socket that only the
// gateway's user and root can open. The commands of congthu speak it; whoever may
// open the socket may review the quarantine, so no password travels.
package admin

import (
	"context"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
)

// Quarantine is what the API needs of the quarantine.
type Quarantine interface {
	List(ctx context.Context, f quarantine.Filter) ([]quarantine.Item, error)
	Show(ctx context.Context, id string) (quarantine.Item, []byte, error)
	Release(ctx context.Context, id string, to []string, actor string) (released []string, err error)
	Delete(ctx context.Context, id, actor string) error
}

// Queue is what the API needs of the queue.
type Queue interface {
	List(ctx context.Context, f queue.Filter) ([]queue.Entry, error)
	Show(ctx context.Context, id string) (queue.Detail, error)
	Hold(ctx context.Context, id string) (int, error)
	Release(ctx context.Context, id string) (int, error)
	Retry(ctx context.Context, id string) (int, error)
	Drop(ctx context.Context, id string) (int, error)
}

// Services are the parts of the gateway that operators reach.
type Services struct {
	Quarantine Quarantine
	Queue      Queue
	Keys       Keys
	Accounts   Accounts // nil: none
	Lessons    Lessons  // nil: none
	Reports    Reports
	Rules      Rules
	NotFound   func(error) bool // tells a wrong id from a fault
	Health     func() lang.Text // what is wrong with the gateway; the zero Text: nothing
}

// Held is a held message with its octets, as `quarantine show` gets it.
type Held struct {
	Item quarantine.Item `json:"item"`
	Raw  []byte          `json:"raw"` // base64 in JSON
}

// Release asks for a release; no recipients means all.
type Release struct {
	To    []string `json:"to,omitempty"`
	Actor string   `json:"actor"`
}

// Released is whom a release has sent the message to.
type Released struct {
	To []string `json:"to"`
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
