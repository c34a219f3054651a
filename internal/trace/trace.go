// Package trace leaves one trail per message: a log line that says what was found,
// decided and answered, and counters for Prometheus. It is told; it decides nothing.
package trace

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// Event is the end of a message's way through the gateway.
type Event struct {
	Message   *msg.Message
	Outcomes  []msg.Outcome
	Decisions []msg.Decision
	Reply     msg.Reply
	Queued    bool
	Hop       msg.Reply // why the next hop did not take it at once; the zero Reply: it did, or was not asked
	DupRisk   bool      // a recipient may get it twice
	Err       error
	Took      time.Duration
}

// Trail writes events to a log and to metrics.
type Trail struct {
	log     *slog.Logger
	metrics *Metrics
}

// New returns a trail; metrics may be nil.
func New(log *slog.Logger, metrics *Metrics) *Trail { return &Trail{log: log, metrics: metrics} }

// Record writes one event. Text from outside is escaped, so a subject or a HELO
// cannot write a log line of its own.
func (t *Trail) Record(ctx context.Context, e Event) {
	t.metrics.record(e)
	level := slog.LevelInfo
	if e.Err != nil || anyBlind(e.Outcomes) {
		level = slog.LevelWarn
	}
	t.log.LogAttrs(ctx, level, "message", e.attrs()...)
	for _, o := range e.Outcomes {
		if o.Err != nil {
			t.log.LogAttrs(ctx, slog.LevelWarn, "could not look", slog.String("id", e.Message.ID), slog.String("inspector", o.Inspector), slog.String("error", lang.Safe(o.Err.Error(), 500)))
		}
	}
}

func (e Event) attrs() []slog.Attr {
	m := e.Message
	out := []slog.Attr{
		slog.String("id", m.ID),
		slog.String("client", m.Session.Remote.Addr().String()),
		slog.String("helo", lang.Safe(m.Session.Helo, 255)),
		slog.String("from", lang.Safe(m.Envelope.From.Raw, 320)),
		slog.Int("recipients", len(m.Envelope.To)),
		slog.Int("size", len(m.Raw)),
		slog.String("fate", Fate(e.Decisions, e.Reply)),
		slog.String("reason", reasons(e.Decisions)),
		slog.String("symbols", strings.Join(Symbols(e.Decisions), ",")),
		slog.String("reply", lang.Safe(e.Reply.String(), 300)),
		slog.Bool("queued", e.Queued),
		slog.Duration("took", e.Took),
	}
	if who := m.Session.Identity; who.Named() {
		out = append(out, slog.String("agency", who.Agency), slog.String("account", who.Account))
	}
	if len(e.Decisions) > 0 {
		out = append(out, slog.Float64("score", e.Decisions[0].Why.Score))
	}
	if e.Queued && e.Hop != (msg.Reply{}) {
		out = append(out, slog.String("hop", lang.Safe(e.Hop.String(), 300)))
	}
	if e.DupRisk {
		out = append(out, slog.Bool("dup_risk", true))
	}
	if e.Err != nil {
		out = append(out, slog.String("error", lang.Safe(e.Err.Error(), 500)))
	}
	return out
}

// Fate is one word for what became of the message: the actions of its decisions, or
// "defer" and "reject" when the answer says so.
func Fate(ds []msg.Decision, r msg.Reply) string {
	switch {
	case r.Temporary():
		return msg.Defer.String()
	case r.Permanent():
		return msg.Reject.String()
	}
	var words []string
	for _, d := range ds {
		if w := d.Action.String(); !strings.Contains(strings.Join(words, "+"), w) {
			words = append(words, w)
		}
	}
	return strings.Join(words, "+")
}

// Symbols lists what was found, each once, in order.
func Symbols(ds []msg.Decision) []string {
	var out []string
	seen := map[string]bool{}
	for _, d := range ds {
		for _, c := range d.Why.Counted {
			if !seen[c.Symbol] {
				seen[c.Symbol] = true
				out = append(out, c.Symbol)
			}
		}
	}
	return out
}

func reasons(ds []msg.Decision) string {
	var out []string
	for _, d := range ds {
		if d.Reason != "" {
			out = append(out, d.Reason)
		}
	}
	return strings.Join(out, ",")
}

func anyBlind(os []msg.Outcome) bool {
	for _, o := range os {
		if o.Err != nil {
			return true
		}
	}
	return false
}
