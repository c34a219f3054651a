package lessons

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Proposal is a letter that users say was judged wrongly. Nothing is learned from it until
// a reviewer confirms it.
type Proposal struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Spam      bool      `json:"spam"` // what the reporters say
	State     string    `json:"state"`
	Sender    string    `json:"sender,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Reporters []string  `json:"reporters"`
	Decided   time.Time `json:"decided,omitzero"`
	DecidedBy string    `json:"decided_by,omitempty"`
}

// States of a proposal.
const (
	Waiting   = "open"
	Confirmed = "confirmed"
	Refused   = "refused"
)

// Heard is what came of a report.
type Heard string

// What comes of reports.
const (
	HeardFirst   Heard = "first"    // it made a proposal
	HeardAlso    Heard = "also"     // others have reported the letter: they are counted together
	HeardAgain   Heard = "again"    // the same reporter has
	HeardDecided Heard = "decided"  // a reviewer has decided on the letter before
	HeardTooMany Heard = "too many" // of this reporter today, or of all that wait: it was not recorded
	HeardTooBig  Heard = "too big"  // likewise
)

// Bounds of what waits for a reviewer.
const (
	maxReported = 1 << 20 // octets of a letter
	maxOpen     = 1000    // proposals
	keepOpen    = 30 * day
	keepDecided = 90 * day
)

// ErrDecided says that somebody has decided on a proposal before.
var ErrDecided = errors.New("lessons: the proposal was decided on already")

// Propose records that a reporter takes a letter for spam, or for wanted. The same letter
// makes one proposal, whoever and however many report it. with commits together with what
// is recorded, and not when nothing new is.
func (l *Lessons) Propose(ctx context.Context, m *msg.Message, spam bool, reporter string, perDay int, with *store.Change) (id string, heard Heard, err error) {
	if len(m.Raw) > maxReported {
		return "", HeardTooBig, nil
	}
	x := Lesson{ID: l.o.NewID(), At: l.o.Now().UTC(), Spam: spam, Content: content(m), Actor: reporter}
	if m.Root != nil {
		x.Sender = cut(m.Root.Get("From"), 200)
	}
	if m.Text != nil {
		x.Subject = cut(m.Text.Subject, 200)
	}
	changes := []*store.Change{{Apply: func(ctx context.Context, tx store.Tx) (err error) {
		id, heard, err = l.propose(ctx, tx, x, m.Raw, perDay)
		return err
	}}}
	if with != nil {
		changes = append(changes, unless(with, func() bool { return heard == HeardTooMany || heard == HeardAgain }))
	}
	if err := l.o.Store.Commit(ctx, changes...); err != nil {
		return "", "", fmt.Errorf("lessons: propose: %w", err)
	}
	l.o.Log.Info("a letter was reported", "id", id, "spam", spam, "reporter", reporter, "outcome", string(heard))
	return id, heard, nil
}

// unless is a change that does not happen when, by then, there is no reason for it.
func unless(c *store.Change, not func() bool) *store.Change {
	call := func(f func()) func() {
		return func() {
			if f != nil && !not() {
				f()
			}
		}
	}
	return &store.Change{Done: call(c.Done), Undo: call(c.Undo), Apply: func(ctx context.Context, tx store.Tx) error {
		if not() {
			return nil
		}
		return c.Apply(ctx, tx)
	}}
}

// propose is Propose's transaction. It may be run more than once.
func (l *Lessons) propose(ctx context.Context, tx store.Tx, x Lesson, raw []byte, perDay int) (id string, heard Heard, err error) {
	if _, err := next(ctx, tx); err != nil { // others who write here wait
		return "", "", err
	}
	var mine, all int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM proposal_by WHERE reporter = $1 AND at > $2`, x.Actor, x.At.Add(-day).UnixMilli()).Scan(&mine); err != nil {
		return "", "", err
	}
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM proposal WHERE state = 'open'`).Scan(&all); err != nil {
		return "", "", err
	}
	if mine >= perDay {
		return "", HeardTooMany, nil
	}
	var state string
	err = tx.QueryRow(ctx, `SELECT id, state FROM proposal WHERE content = $1 AND spam = $2 ORDER BY at DESC LIMIT 1`, x.Content, number(x.Spam)).Scan(&id, &state)
	switch {
	case err == nil && state == Waiting:
		heard, err = also(ctx, tx, id, x)
		return id, heard, err
	case err == nil:
		heard, err = also(ctx, tx, id, x) // counts toward the day of the reporter
		if heard == HeardAlso {
			heard = HeardDecided
		}
		return id, heard, err
	case !errors.Is(err, sql.ErrNoRows):
		return "", "", err
	case all >= maxOpen:
		return "", HeardTooMany, nil
	}
	about, err := l.seal(x)
	if err != nil {
		return "", "", err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO proposal (id, at, spam, content, state, about, decided, decided_by, letter) VALUES ($1, $2, $3, $4, 'open', $5, 0, '', $6)`,
		x.ID, x.At.UnixMilli(), number(x.Spam), x.Content, about, l.o.Store.Seal(letterName(x.ID), raw)); err != nil {
		return "", "", err
	}
	_, err = also(ctx, tx, x.ID, x)
	return x.ID, HeardFirst, err
}

func letterName(id string) string { return "proposal.letter." + id }

// also adds a reporter to a proposal.
func also(ctx context.Context, tx store.Tx, id string, x Lesson) (Heard, error) {
	r, err := tx.Exec(ctx, `INSERT INTO proposal_by (id, reporter, at) VALUES ($1, $2, $3) ON CONFLICT (id, reporter) DO NOTHING`, id, x.Actor, x.At.UnixMilli())
	if err != nil {
		return "", err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return HeardAgain, err
	}
	return HeardAlso, nil
}

// Proposals returns those that wait for a decision, the oldest first; with all also those
// that were decided on. mine keeps those that somebody of a domain has reported; nil: all.
func (l *Lessons) Proposals(ctx context.Context, limit int, all bool, mine func(domain string) bool) (out []Proposal, err error) {
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		list, err := l.proposals(ctx, tx, proposed+`WHERE state = 'open' OR $1 = 1 ORDER BY at, id`, number(all))
		for _, p := range list {
			if len(out) < limit && p.of(mine) {
				out = append(out, p)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lessons: proposals: %w", err)
	}
	return out, nil
}

// of tells whether one of the reporters is of a domain that mine takes.
func (p Proposal) of(mine func(domain string) bool) bool {
	return mine == nil || slices.ContainsFunc(p.Reporters, func(r string) bool { return mine(domainOf(r)) })
}

func domainOf(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return ""
}

const proposed = `SELECT id, at, spam, state, about, decided, decided_by FROM proposal `

func (l *Lessons) proposals(ctx context.Context, tx store.Tx, query string, args ...any) (out []Proposal, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	for rows.Next() {
		var p Proposal
		var at, decided int64
		var sealed string
		if err := rows.Scan(&p.ID, &at, &p.Spam, &p.State, &sealed, &decided, &p.DecidedBy); err != nil {
			return nil, err
		}
		x := Lesson{ID: p.ID}
		if err := l.unseal(&x, sealed); err != nil {
			return nil, err
		}
		p.At, p.Sender, p.Subject = time.UnixMilli(at).UTC(), x.Sender, x.Subject
		if decided != 0 {
			p.Decided = time.UnixMilli(decided).UTC()
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Reporters, err = reporters(ctx, tx, out[i].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func reporters(ctx context.Context, tx store.Tx, id string) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT reporter FROM proposal_by WHERE id = $1 ORDER BY at, reporter`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	out := []string{}
	for rows.Next() {
		var r string
		if err := rows.Scan(&r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Proposal returns one that waits, with its letter. ErrNotFound also for one that nobody of
// a domain that mine takes has reported.
func (l *Lessons) Proposal(ctx context.Context, id string, mine func(domain string) bool) (p Proposal, raw []byte, err error) {
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		list, err := l.proposals(ctx, tx, proposed+`WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 || !list[0].of(mine) {
			return ErrNotFound
		}
		p = list[0]
		var sealed []byte
		if err := tx.QueryRow(ctx, `SELECT letter FROM proposal WHERE id = $1`, id).Scan(&sealed); err != nil || sealed == nil {
			return err
		}
		raw, err = l.o.Store.Unseal(letterName(id), sealed)
		return err
	})
	if err != nil {
		return Proposal{}, nil, fmt.Errorf("%w: %s", err, id)
	}
	return p, raw, nil
}

// Decide returns the change that confirms or refuses a proposal. It commits together with
// what is done because of it: the lesson, the record. ErrDecided undoes them.
func (l *Lessons) Decide(id, state, actor string) *store.Change {
	return &store.Change{Apply: func(ctx context.Context, tx store.Tx) error {
		r, err := tx.Exec(ctx, `UPDATE proposal SET state = $1, decided = $2, decided_by = $3, letter = NULL WHERE id = $4 AND state = 'open'`, state, l.o.Now().UnixMilli(), actor, id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrDecided, err)
		}
		return nil
	}}
}

// Refuse decides that nothing is learned from a proposal.
func (l *Lessons) Refuse(ctx context.Context, id, actor string, with ...*store.Change) error {
	if err := l.o.Store.Commit(ctx, append(with, l.Decide(id, Refused, actor))...); err != nil {
		return fmt.Errorf("%w: %s", err, id)
	}
	return nil
}

// ExpireProposals removes what nobody has decided on in a month, and what was decided on
// long ago.
func (l *Lessons) ExpireProposals(ctx context.Context) error {
	now := l.o.Now()
	return l.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM proposal WHERE state = 'open' AND at < $1 OR state <> 'open' AND decided < $2`, now.Add(-keepOpen).UnixMilli(), now.Add(-keepDecided).UnixMilli())
		return err
	})
}
