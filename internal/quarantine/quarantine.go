// Package quarantine holds messages for a person to judge: hold, list, show,
// release, delete, expire.
//
// A message is held when Hold has returned nil: content and facts are then in
// the store, committed and synced, and the sender may be told 250. What is kept
// are the octets as received, and what is to be delivered if they are released,
// octet by octet; nothing is made anew at the release but what a Requeue makes of
// encryption and signatures, by the policy of that day.
//
// A release moves recipients from here to the queue in one transaction, so
// releasing twice delivers once and a crash leaves them in exactly one of the
// two. That holds between gateways that share the store as well: each locks the row
// before it changes what belongs to it. The sender hears nothing of all this, neither of the holding nor of a
// deletion nor of a released message that cannot be delivered: its address may
// be forged, and the notice would be an answer to the forger.
package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound  = errors.New("quarantine: no such message")           // or it was released, deleted or expired
	ErrRecipient = errors.New("quarantine: not held for this address") // or released for it already
	ErrNoRoute   = errors.New("quarantine: no next hop for this message")
	ErrApproval  = errors.New("quarantine: somebody else must agree to this release first")
	// ErrSamePerson is an ErrApproval where the only one who has agreed is the one who releases.
	ErrSamePerson = fmt.Errorf("%w: the one who has agreed is the same person", ErrApproval)
	ErrCursor     = errors.New("quarantine: no such place in a list")
)

// Requeue takes what is released. The change commits together with the removal
// from quarantine; "quiet" means that the sender is never told of a failure.
type Requeue interface {
	PrepareQuiet(ctx context.Context, t ...*msg.Transfer) (*store.Change, error)
}

// Options are the parts of a quarantine.
type Options struct {
	Store     *store.DB
	Requeue   Requeue
	Keep      time.Duration           // how long a message is held: 30 days
	KeepClass map[Class]time.Duration // of a class of its own; else Keep
	Undo      time.Duration           // how long a deletion can be taken back; 0: it cannot
	Now       func() time.Time        // the time of day
	// Steady is the time since some moment, and nobody can set it; nil: the
	// monotonic reading of Now. Nothing expires that has not been held so long by it.
	Steady func() time.Duration
	Log    *slog.Logger
	// Event is told what happened to a message, after it is durable: held,
	// released (once for each address, in detail), deleted, expired.
	Event func(event, id, actor, detail string)
	// Room is how many octets of mail are kept; 0: as many as come. Beyond it the oldest of
	// the class that is missed least go before their time, see makeRoom.
	Room int64
	// Index is how many octets of memory what is searched for may take; 0: it is read from
	// the store each time.
	Index int64
	// OfAgency tells whether a domain belongs to an agency, as somebody calls it who
	// looks for its mail; nil: it is called by its domain.
	OfAgency func(agency, domain string) bool
	// NextHop is the route for a message that was held without one.
	NextHop func(domain string) (string, bool)
}

// Quarantine is the set of held messages.
type Quarantine struct {
	o     Options
	began time.Time
	index *index
}

// New returns the quarantine of a store.
func New(o Options) *Quarantine {
	if o.Keep <= 0 {
		o.Keep = 30 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Event == nil {
		o.Event = func(string, string, string, string) {}
	}
	if o.OfAgency == nil {
		o.OfAgency = strings.EqualFold
	}
	began := o.Now()
	if o.Steady == nil {
		o.Steady = func() time.Duration { return o.Now().Sub(began) }
	}
	return &Quarantine{o: o, began: began, index: newIndex()}
}

// Item is a held message without its content.
type Item struct {
	ID       string           `json:"id"`
	Short    string           `json:"short"`   // Short(ID)
	Message  string           `json:"message"` // id of the message, which may be held in several copies
	From     string           `json:"from"`
	To       []string         `json:"to"` // those it is still held for
	Subject  string           `json:"subject"`
	Class    Class            `json:"class"`
	Reason   string           `json:"reason"`
	Rule     string           `json:"rule,omitempty"`  // where that stands, such as "policy.toml:57"
	Rules    string           `json:"rules,omitempty"` // hash of the rule set that judged it
	Score    float64          `json:"score"`
	Required float64          `json:"required"`
	Findings []msg.Weighed    `json:"findings"`
	Blind    []string         `json:"blind,omitempty"` // required inspectors that could not look
	Auth     []msg.AuthResult `json:"auth"`
	Held     time.Time        `json:"held"`
	Expires  time.Time        `json:"expires"`
	Size     int64            `json:"size"`
	Remote   string           `json:"remote"`
	Helo     string           `json:"helo"`
	TLS      string           `json:"tls,omitempty"`
	Outbound bool             `json:"outbound,omitempty"`
	Agency   string           `json:"agency,omitempty"`  // that sent it through us, "" none
	Account  string           `json:"account,omitempty"` // and with which account
	NextHop  string           `json:"next_hop"`
	Approved []string         `json:"approved,omitempty"` // who has agreed to its release
	Deleted  time.Time        `json:"deleted,omitzero"`   // last, of what can still be had back

	senderDomain string
	raw          string
	all          []addressee
}

// Hold keeps the message for the recipients of the decision. When it returns
// nil it is durable. content is what they are sent if it is released.
func (q *Quarantine) Hold(ctx context.Context, m *msg.Message, d msg.Decision, content [][]byte) error {
	c, err := q.Prepare(ctx, m, d, content)
	if err != nil {
		return err
	}
	return q.o.Store.Commit(ctx, c)
}

// Prepare does the slow part of Hold and returns the rest as a change, so that
// it commits together with other changes: store.Commit(ctx, changes...).
func (q *Quarantine) Prepare(_ context.Context, m *msg.Message, d msg.Decision, content [][]byte) (*store.Change, error) {
	h, err := q.hold(m, d, content)
	if err != nil {
		return nil, err
	}
	return &store.Change{
		Apply: h.insert,
		Done: func() {
			q.o.Log.Info("held", "id", h.item.ID, "reason", h.item.Reason)
			q.o.Event("held", h.item.ID, "", h.item.Reason)
		},
		Undo: func() { h.head.Discard(); h.raw.Discard() },
	}, nil
}

// Delete removes a held message, as Within.Delete does.
func (q *Quarantine) Delete(ctx context.Context, id, actor string) error {
	_, err := q.All().Delete(ctx, id, Act{Actor: actor})
	return err
}

// remove deletes the rows of a held message and its contents. It returns false when
// they are gone: another gateway may do the same at the same moment.
func (q *Quarantine) remove(ctx context.Context, tx store.Tx, id string) (bool, error) {
	var head, raw string
	err := tx.QueryRow(ctx, `SELECT head, raw FROM quarantine WHERE id = $1 {lock}`, id).Scan(&head, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = q.o.Store.Shred(tx, func() error {
		if _, err := tx.Exec(ctx, `DELETE FROM quarantine WHERE id = $1`, id); err != nil {
			return err
		}
		return errors.Join(q.o.Store.Unref(ctx, tx, head), q.o.Store.Unref(ctx, tx, raw))
	})
	if err != nil {
		return false, err
	}
	return true, q.changed(ctx, tx, id)
}

// texts runs a query of one text column.
func texts(ctx context.Context, tx store.Tx, query string, args ...any) (out []string, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
