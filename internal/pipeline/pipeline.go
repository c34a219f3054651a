// Package pipeline is the path of a message: it names the stages in their order
// and does nothing else.
//
//	accept -> authenticate -> inspect -> scan -> decide -> encrypt -> deliver | hold
//
// accept lies before it (smtpd calls Handle); every other stage is handed in, so the
// path can be walked in a test without a socket or a disk.
package pipeline

import (
	"context"
	"errors"
	"time"

	"congthu/internal/inspect"
	"congthu/internal/msg"
	"congthu/internal/policy"
)

// Relay hands a copy to the next hop inside the sender's own DATA; one reply per
// recipient, Code 0 when nothing is known.
type Relay interface {
	Deliver(ctx context.Context, t *msg.Transfer) []msg.Reply
}

// ErrNoSpace is what a Keeper's error wraps when there is no room.
var ErrNoSpace = errors.New("no space left")

// Keeper makes copies and held messages durable, all or none; nil means synced.
type Keeper interface {
	Keep(ctx context.Context, m *msg.Message, transfers []*msg.Transfer, holds []Hold) error
}

// Hold is one decision to quarantine and the octets that a release will deliver.
type Hold struct {
	Decision msg.Decision
	Content  [][]byte
	Stripped []msg.Finding // the recipients have got it, without the parts of these
}

// Pipeline is the path with its stages. All fields are required but Pin, Read, Open and Trail.
type Pipeline struct {
	Pin          func(*msg.Message)           // settles which rule set judges the message; nil: there is one
	Parse        func(*msg.Message) *msg.Part // nil when nobody looks at the parts
	Read         func(*msg.Part) *msg.Text    // as the reader sees them; nil when nobody looks at the text
	Authenticate []inspect.Timed
	Open         func(context.Context, *msg.Message) ([]*msg.Message, msg.Outcome) // what is encrypted in it; nil: nobody looks
	Inspect      []inspect.Timed                                                   // inspect and scan run side by side
	Decide       func(*msg.Message, []msg.Outcome) []msg.Decision
	Stamp        func(*msg.Message, msg.Decision) [][]byte                                // header block, then the message less forged copies of ours
	Strip        func(*msg.Message, msg.Decision) ([]byte, error)                         // the message without what the decision takes out
	Encrypt      func(m *msg.Message, d msg.Decision, content [][]byte) ([][]byte, error) // encrypts and signs as the decision says, or fails; never falls back to clear text
	Sign         func(*msg.Transfer) error                                                // puts our signature on top of what is of our own senders
	Relay        Relay
	Keeper       Keeper
	CutThrough   time.Duration // how long the next hop may take before the queue takes over
	Trail        func(context.Context, *msg.Message, Walk)
}

// Walk is what a message met on its way: enough to explain it.
type Walk struct {
	Outcomes  []msg.Outcome
	Decisions []msg.Decision
	Reply     msg.Reply
	Queued    bool      // some copy went to the durable queue
	Hop       msg.Reply // why the next hop did not take it at once
	DupRisk   bool      // a recipient may get it twice
	Err       error     // what went wrong inside, for the log only
	Took      time.Duration
}

// Handle takes the message along the path and returns what the sender is told.
func (p *Pipeline) Handle(ctx context.Context, m *msg.Message) msg.Reply {
	start := time.Now()
	w := p.Judge(ctx, m)
	if w.Reply.Positive() {
		p.dispatch(ctx, m, &w)
	}
	w.Took = time.Since(start)
	if p.Trail != nil {
		p.Trail(ctx, m, w)
	}
	return w.Reply
}

// Judge goes as far as the decision: parse and read, authenticate what came, open what is
// encrypted, inspect and scan both, decide. explain uses it alone.
func (p *Pipeline) Judge(ctx context.Context, m *msg.Message) Walk {
	if p.Pin != nil {
		p.Pin(m)
	}
	m.Root = p.Parse(m)
	if p.Read != nil {
		m.Text = p.Read(m.Root)
	}
	outcomes := inspect.Run(ctx, m, p.Authenticate)
	m.Auth = results(outcomes)
	if p.Open != nil {
		outcomes = append(outcomes, p.open(ctx, m))
	}
	outcomes = append(outcomes, inspect.Run(ctx, m, p.Inspect)...)
	decisions := p.Decide(m, outcomes)
	reply := policy.Answer(decisions)
	return Walk{Outcomes: outcomes, Decisions: policy.Settle(decisions), Reply: reply}
}

// open makes what is encrypted in the message ready to be inspected beside it.
func (p *Pipeline) open(ctx context.Context, m *msg.Message) msg.Outcome {
	var o msg.Outcome
	m.Opened, o = p.Open(ctx, m)
	m.Auth = append(m.Auth, o.Auth...)
	for _, inner := range m.Opened {
		inner.Auth = m.Auth
		if p.Read != nil {
			inner.Text = p.Read(inner.Root)
		}
	}
	return o
}

func results(outcomes []msg.Outcome) []msg.AuthResult {
	var out []msg.AuthResult
	for _, o := range outcomes {
		out = append(out, o.Auth...)
	}
	return out
}
