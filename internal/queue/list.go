package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Entry is one recipient of one queued message, as an operator sees it.
type Entry struct {
	ID        string    `json:"id"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	NextHop   string    `json:"next_hop"`
	Attempts  int       `json:"attempts"`
	NextTry   time.Time `json:"next_try"` // of a dead letter: when it is dropped
	Created   time.Time `json:"created"`
	LastReply msg.Reply `json:"last_reply"`
	Size      int64     `json:"size"`
	State     string    `json:"state"` // waiting, trying, held, dead or corrupt

	senderDomain, rcptDomain string
	outbound                 bool // one of ours has sent it
}

// Scope tells whether mail of a domain is somebody's to see; nil: all mail is.
type Scope func(domain string) bool

// sees tells whether an entry is: mail for such a domain, and mail that such a domain has
// sent itself. Of what others sent, the sender is a claim.
func (s Scope) sees(e Entry) bool {
	return s == nil || s(e.rcptDomain) || e.outbound && s(e.senderDomain)
}

// Filter chooses entries. Empty fields choose all.
type Filter struct {
	Hop   string // part of the next hop, or of the recipient's domain where MX records decide
	From  string // part of the sender's address
	To    string // part of the recipient's
	State string // as Entry.State
	Limit int    // 0: no limit
	Scope Scope  // entries that it does not see are not there
}

// States are what Filter.State may be.
func States() []string {
	return []string{stateWaiting, stateTrying, stateHeld, stateDead, stateCorrupt}
}

const listed = `SELECT q.id, q.sender, r.rcpt, q.next_hop, q.attempts, q.next_try, q.created, r.code, r.detail, r.reply, q.size, q.state, q.sender_domain, r.rcpt_domain, q.outbound
	FROM queue q JOIN queue_rcpt r ON r.id = q.id
	WHERE (LOWER(q.next_hop) LIKE $1 ESCAPE '!' OR (q.next_hop = 'mx' AND LOWER(r.rcpt_domain) LIKE $1 ESCAPE '!'))
		AND LOWER(q.sender) LIKE $2 ESCAPE '!' AND LOWER(r.rcpt) LIKE $3 ESCAPE '!' AND ($4 = '' OR q.state = $4)
	ORDER BY q.created, q.id, r.n LIMIT $5`

// List returns the recipients that the filter chooses, the oldest message first.
func (q *Queue) List(ctx context.Context, f Filter) ([]Entry, error) {
	state, limit := f.State, f.Limit
	if limit <= 0 {
		limit = 1 << 30
	}
	most := limit
	if f.Scope != nil {
		most = 1 << 30 // what is left out does not count
	}
	if f.State == stateTrying || f.State == stateWaiting {
		state, most = stateWaiting, 1<<30 // which of the two it is, only the plan knows
	}
	hop := f.Hop
	if q.o.Route != nil && hop != "" {
		hop, most = "", 1<<30 // where it goes today, the row does not say
	}
	out, err := q.entries(ctx, f.Scope, listed, part(hop), part(f.From), part(f.To), state, most)
	if err != nil {
		return nil, fmt.Errorf("queue: list: %w", err)
	}
	return f.cut(out, limit), nil
}

// cut keeps what has the wanted state, and no more than wanted.
func (f Filter) cut(es []Entry, limit int) []Entry {
	var out []Entry
	for _, e := range es {
		if (f.State == "" || e.State == f.State) && strings.Contains(strings.ToLower(hopKey(e.NextHop, domainOf(e.To))), strings.ToLower(f.Hop)) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out
}

// part is the LIKE pattern of a part of a text.
func part(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(s)) + "%"
}

// entries runs a query for entries, keeps what is in the scope, and lays over them what only the plan knows.
func (q *Queue) entries(ctx context.Context, s Scope, query string, args ...any) ([]Entry, error) {
	var out []Entry
	err := q.o.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			e, err := scanEntry(rows)
			if err != nil {
				return err
			}
			if !s.sees(e) {
				continue
			}
			e.NextHop = q.routed(e.NextHop, domainOf(e.To))
			out = append(out, e)
		}
		return rows.Err()
	})
	q.overlay(out)
	return out, err
}

func scanEntry(rows *sql.Rows) (Entry, error) {
	var e Entry
	var next, created int64
	err := rows.Scan(&e.ID, &e.From, &e.To, &e.NextHop, &e.Attempts, &next, &created, &e.LastReply.Code, &e.LastReply.Detail, &e.LastReply.Text, &e.Size, &e.State, &e.senderDomain, &e.rcptDomain, &e.outbound)
	e.NextTry, e.Created = time.UnixMilli(next), time.UnixMilli(created)
	return e, err
}

// overlay says what the rows do not: which messages are being tried, and when the
// others really will be.
func (q *Queue) overlay(es []Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, steady := q.o.Now(), q.steady()
	for i := range es {
		j := q.plan.jobs[es[i].ID]
		if j == nil || es[i].State != stateWaiting {
			continue
		}
		es[i].Attempts += j.passed
		if j.running {
			es[i].State = stateTrying
		} else if q.running {
			es[i].NextTry = now.Add(max(j.due.Sub(steady), 0)).Truncate(time.Millisecond)
		}
		if l := q.plan.hops[j.hop]; l.down() && j.passed > 0 {
			es[i].LastReply = l.said
		}
	}
}
