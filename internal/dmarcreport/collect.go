package dmarcreport

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"congthu/internal/lang"
	"congthu/internal/mailauth/aggregate"
	"congthu/internal/mailauth/dmarc"
	"congthu/internal/msg"
	"congthu/internal/store"
)

// Bounds of what waits in memory. What does not fit is not counted, and said so.
const (
	maxPending = 20_000           // messages between the look at them and their end
	maxHeap    = 20_000           // distinct rows until the next flush
	forgotten  = 15 * time.Minute // no message takes as long
)

// Seen is what authentication has found out about one message, as far as a report
// tells of it.
type Seen struct {
	Client       netip.Addr
	EnvelopeFrom string // domain; "" for the null sender
	Result       dmarc.Result
	Keys         []aggregate.Key
	Sender       aggregate.Sender
	Note         string // why something else may be done than is asked for, such as "arc=pass"
}

// Collector counts what was seen, in memory, until Flush. It is safe for concurrent
// use; on the path of a message it takes a lock for a map's access and touches no disk.
type Collector struct {
	Store *store.DB
	Log   *slog.Logger
	Now   func() time.Time

	mu      sync.Mutex
	pending map[string]waiting // by message id
	rows    map[tally]int64
	owners  map[owner]publishedBy
	lost    int64 // messages that found no room
}

type waiting struct {
	seen Seen
	rua  string
	at   time.Time
}

// owner is a day and the domain whose policy applied.
type owner struct {
	day    Day
	domain string
}

// publishedBy is what the owner had in the DNS when last looked at.
type publishedBy struct {
	policy aggregate.Policy
	rua    string
}

// tally is one row; facts is its JSON.
type tally struct {
	owner
	facts string
}

// NewCollector returns an empty collector.
func NewCollector(db *store.DB, log *slog.Logger) *Collector {
	return &Collector{
		Store: db, Log: log, Now: time.Now,
		pending: map[string]waiting{}, rows: map[tally]int64{}, owners: map[owner]publishedBy{},
	}
}

// Note remembers what was seen of a message until Done tells what became of it. Owners
// who want no reports by mail are not counted.
func (c *Collector) Note(id string, s Seen) {
	rua := s.Result.Reportable()
	if rua == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) >= maxPending {
		c.lost++
		return
	}
	c.pending[id] = waiting{s, rua, c.Now()}
}

// Done counts a message. byDMARC tells whether the action was taken because DMARC
// failed. A message that is deferred comes again and is counted then.
func (c *Collector) Done(id string, action msg.Action, byDMARC bool) {
	c.mu.Lock()
	w, ok := c.pending[id]
	delete(c.pending, id)
	c.mu.Unlock()
	if !ok || action == msg.Defer {
		return
	}
	facts, err := json.Marshal(w.seen.row(action, byDMARC))
	if err != nil {
		return // strings and numbers only: cannot happen
	}
	r := w.seen.Result
	k := tally{owner{DayOf(w.at), r.PolicyAt}, string(facts)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.rows[k]; !there && len(c.rows) >= maxHeap {
		c.lost++
		return
	}
	c.rows[k]++
	c.owners[k.owner] = publishedBy{policyOf(r), w.rua}
}

// row is the row that a message belongs to.
func (s Seen) row(action msg.Action, byDMARC bool) aggregate.Row {
	r := s.Result
	row := aggregate.Row{
		Source: s.Client.Unmap().WithZone("").String(), DKIM: aggregate.Passed(r.KeyAligned), SPF: aggregate.Passed(r.SPFAligned),
		HeaderFrom: word(r.Domain), EnvelopeFrom: word(s.EnvelopeFrom),
		Sender: &aggregate.Sender{Domain: word(s.Sender.Domain), Scope: s.Sender.Scope, Result: s.Sender.Result},
	}
	for _, k := range s.Keys {
		row.Keys = append(row.Keys, aggregate.Key{Domain: word(k.Domain), Selector: word(k.Selector), Result: k.Result})
	}
	row.Disposition, row.Reasons = s.disposition(action, byDMARC)
	return row
}

// disposition says what DMARC has brought about (RFC 9990 section 3.1.1.8), and why
// when it is not what the owner asks for. What happened for other reasons, such as a
// virus, is none of the owner's business: DMARC has then done nothing.
func (s Seen) disposition(action msg.Action, byDMARC bool) (string, []aggregate.Reason) {
	r := s.Result
	if r.Status == dmarc.Pass {
		return aggregate.Pass, nil
	}
	done := aggregate.None
	if byDMARC && action != msg.Deliver {
		done = action.String()
	}
	var why []aggregate.Reason
	if r.Testing && r.Policy != r.Applied() {
		why = append(why, aggregate.Reason{Type: "policy_test_mode"})
	}
	if done != r.Applied() {
		why = append(why, aggregate.Reason{Type: "local_policy", Comment: s.Note})
	}
	return done, why
}

func policyOf(r dmarc.Result) aggregate.Policy {
	rec := r.Record
	return aggregate.Policy{
		Domain: r.PolicyAt, P: rec.Policy, SP: rec.Subdomain, NP: rec.Missing, Testing: rec.Testing,
		ADKIM: mode(rec.StrictKey), ASPF: mode(rec.StrictSPF),
	}
}

func mode(strict bool) string {
	if strict {
		return "s"
	}
	return "r"
}

// word makes a domain or a selector from a stranger fit for a report.
func word(s string) string { return lang.Safe(strings.ToLower(s), 253) }

// Run flushes twice a minute until the context ends, and once more then.
func (c *Collector) Run(ctx context.Context) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
		c.flush(context.WithoutCancel(ctx))
	}
}

func (c *Collector) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		c.Log.Warn("DMARC statistics not written, tried again", "error", err)
	}
}

// Flush writes what was counted, some rows a transaction. What could not be written is
// kept for the next time.
func (c *Collector) Flush(ctx context.Context) error {
	items, lost := c.take()
	if lost > 0 {
		c.Log.Warn("DMARC statistics: too much to count", "messages_not_counted", lost)
	}
	for len(items) > 0 {
		n := min(len(items), batch)
		if err := write(ctx, c.Store, items[:n]); err != nil {
			c.putBack(items)
			return err
		}
		items = items[n:]
	}
	return nil
}

// counted is a row with its count and what its owner has published.
type counted struct {
	tally
	publishedBy
	n int64
}

// take empties the collector; rows of one owner stand together.
func (c *Collector) take() ([]counted, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, w := range c.pending {
		if c.Now().Sub(w.at) > forgotten {
			delete(c.pending, id)
		}
	}
	items := make([]counted, 0, len(c.rows))
	for k, n := range c.rows {
		items = append(items, counted{k, c.owners[k.owner], n})
	}
	slices.SortFunc(items, func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.day, b.day), strings.Compare(a.domain, b.domain), strings.Compare(a.facts, b.facts))
	})
	lost := c.lost
	c.rows, c.owners, c.lost = map[tally]int64{}, map[owner]publishedBy{}, 0
	return items, lost
}

func (c *Collector) putBack(items []counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range items {
		c.rows[it.tally] += it.n
		if _, newer := c.owners[it.owner]; !newer {
			c.owners[it.owner] = it.publishedBy
		}
	}
}
