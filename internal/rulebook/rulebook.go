// Package rulebook keeps the rule sets that are and were in use, with who took them into
// use, when, and what was different: the memory of `congthu rules history`. It knows
// files and hashes; what they mean is the business of others.
//
// A set is kept in the same transaction as the event that made it the one in use, so a
// crash leaves a book that reads. The number of sets and their size are bounded.
package rulebook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"congthu/internal/canary"
	"congthu/internal/lang"
	"congthu/internal/store"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrUnknown   = errors.New("rulebook: no such set is kept")
	ErrAmbiguous = errors.New("rulebook: several sets begin so")
)

// maxSet is the largest set that is kept, packed; a larger one is used, but no way leads
// back to it.
const maxSet = 8 << 20

// What an event may be.
const (
	Start    = "start"    // in use since the gateway started
	Reload   = "reload"   // taken into use by an operator
	Canary   = "canary"   // on trial for a share of the letters
	Promote  = "promote"  // a canary became the set in use
	Abort    = "abort"    // a canary was ended
	FallBack = "fallback" // the gateway went back to the set before, by itself
	Rollback = "rollback" // an operator went back to an older set
	Edited   = "edited"   // files that were never in use, kept before a rollback replaced them
)

// Event is what was done with a set.
type Event struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Gateway string    `json:"gateway,omitempty"`
	What    string    `json:"what"`
	Hash    string    `json:"hash"`
	Actor   string    `json:"actor"`             // "" is the gateway itself
	Before  string    `json:"before,omitempty"`  // hash of the set in use until then
	Changes []string  `json:"changes,omitempty"` // by file, against that
	Why     lang.Text `json:"why"`
	Kept    bool      `json:"kept"` // its files are still there
}

// Trial is a set that is on trial: a canary, or one that was taken into use lately.
type Trial struct {
	Hash   string    `json:"hash"`
	Canary bool      `json:"canary"`
	Share  int       `json:"share"` // of 10,000 letters
	Salt   uint64    `json:"salt"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Actor  string    `json:"actor"`
	// Against is the set that it is compared with, and that the gateway goes back to.
	Against string `json:"against"`
}

// State is what a gateway has in use; it survives a restart.
type State struct {
	InUse string    `json:"in_use"` // hash
	Trial *Trial    `json:"trial,omitempty"`
	Fell  string    `json:"fell,omitempty"` // hash of a set that is not used although it lies in rules_dir
	At    time.Time `json:"at"`             // when it fell
	Why   lang.Text `json:"why"`
}

// Status is a State with the figures, for people.
type Status struct {
	State
	Baseline canary.Arm `json:"before"` // the set in use, or for a set that judges all: the one before
	OnTrial  canary.Arm `json:"after"`  // the set on trial
	Enough   bool       `json:"enough"` // there are letters enough to compare
	FallBack bool       `json:"fall_back"`
	MaxRise  float64    `json:"max_rise"` // in a hundred letters
	MinEach  int        `json:"min_letters"`
	Dir      string     `json:"dir"` // hash of what lies in rules_dir now, "" when it cannot be read
}

// Book is the history of one gateway, or of several that share the store.
type Book struct {
	Store *store.DB
	Keep  int // sets
	NewID func() string
}

// note is what stands in an event beside its columns.
type note struct {
	Before  string    `json:"before,omitempty"`
	Changes []string  `json:"changes,omitempty"`
	Why     lang.Text `json:"why"`
}

// Write notes an event, keeps the files of its set and the state that it has led to, all
// or nothing. Files may be nil when they are kept already. kept is false when the set is
// too large.
func (b *Book) Write(ctx context.Context, e Event, files map[string][]byte, s State) (kept bool, err error) {
	text, err := json.Marshal(note{e.Before, e.Changes, e.Why})
	if err != nil {
		return false, fmt.Errorf("rulebook: %w", err)
	}
	state, err := json.Marshal(s)
	if err != nil {
		return false, fmt.Errorf("rulebook: %w", err)
	}
	packed, size, err := pack(files)
	if err != nil {
		return false, err
	}
	kept = files == nil || len(packed) <= maxSet
	err = b.Store.Update(ctx, func(tx store.Tx) error {
		if files != nil && kept {
			if _, err := tx.Exec(ctx, `INSERT INTO rules_set (hash, size, files) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING`, e.Hash, size, packed); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO rules_event (id, at, gateway, what, hash, actor, note) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			b.NewID(), e.At.UnixMilli(), b.Store.Name(), e.What, e.Hash, e.Actor, string(text)); err != nil {
			return err
		}
		if err := setState(ctx, tx, b.Store.Name(), string(state)); err != nil {
			return err
		}
		return b.trim(ctx, tx)
	})
	if err != nil {
		return false, fmt.Errorf("rulebook: %w", err)
	}
	return kept, nil
}

func setState(ctx context.Context, tx store.Tx, gateway, state string) error {
	_, err := tx.Exec(ctx, `INSERT INTO rules_use (gateway, state) VALUES ($1, $2) ON CONFLICT (gateway) DO UPDATE SET state = excluded.state`, gateway, state)
	return err
}

// SetState writes the state alone.
func (b *Book) SetState(ctx context.Context, s State) error {
	text, err := json.Marshal(s)
	if err == nil {
		err = b.Store.Update(ctx, func(tx store.Tx) error { return setState(ctx, tx, b.Store.Name(), string(text)) })
	}
	if err != nil {
		return fmt.Errorf("rulebook: state: %w", err)
	}
	return nil
}

// eventsASet is how many events are kept for each set that is.
const eventsASet = 10

// trim removes the events that are too many, and the sets that no event of the last
// Keep sets is about.
func (b *Book) trim(ctx context.Context, tx store.Tx) error {
	if _, err := tx.Exec(ctx, `DELETE FROM rules_event WHERE id NOT IN (SELECT id FROM rules_event ORDER BY at DESC, id DESC LIMIT $1)`, b.Keep*eventsASet); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM rules_set WHERE hash NOT IN
		(SELECT hash FROM rules_event GROUP BY hash ORDER BY MAX(at) DESC LIMIT $1)`, b.Keep)
	return err
}

// State returns what this gateway had in use; the zero State: nothing yet.
func (b *Book) State(ctx context.Context) (s State, err error) {
	var text string
	err = b.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT state FROM rules_use WHERE gateway = $1`, b.Store.Name()).Scan(&text)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		return s, fmt.Errorf("rulebook: state: %w", err)
	}
	return s, nil
}

// Events lists what was done, the newest first.
func (b *Book) Events(ctx context.Context, limit int) ([]Event, error) {
	var out []Event
	err := b.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, at, gateway, what, hash, actor, note, EXISTS (SELECT 1 FROM rules_set WHERE rules_set.hash = rules_event.hash)
			FROM rules_event ORDER BY at DESC, id DESC LIMIT $1`, limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			e, err := scan(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("rulebook: %w", err)
	}
	return out, nil
}

func scan(into func(...any) error) (e Event, err error) {
	var at int64
	var text string
	if err := into(&e.ID, &at, &e.Gateway, &e.What, &e.Hash, &e.Actor, &text, &e.Kept); err != nil {
		return e, err
	}
	e.At = time.UnixMilli(at)
	var n note
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return e, fmt.Errorf("%w: event %s: %w", store.ErrCorrupt, e.ID, err)
	}
	e.Before, e.Changes, e.Why = n.Before, n.Changes, n.Why
	return e, nil
}

// Find returns the whole hash of the kept set whose hash begins so.
func (b *Book) Find(ctx context.Context, begins string) (string, error) {
	var found []string
	err := b.Store.View(ctx, func(tx store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT hash FROM rules_set WHERE SUBSTR(hash, 1, $1) = $2 LIMIT 2`, len(begins), begins)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err below tells
		for rows.Next() {
			var h string
			if err := rows.Scan(&h); err != nil {
				return err
			}
			found = append(found, h)
		}
		return rows.Err()
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("rulebook: %w", err)
	case len(found) == 0 || begins == "":
		return "", fmt.Errorf("%w: %s", ErrUnknown, begins)
	case len(found) > 1:
		return "", fmt.Errorf("%w: %s", ErrAmbiguous, begins)
	}
	return found[0], nil
}

// Files returns the files of a kept set.
func (b *Book) Files(ctx context.Context, hash string) (map[string][]byte, error) {
	var packed []byte
	err := b.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT files FROM rules_set WHERE hash = $1`, hash).Scan(&packed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("rulebook: %w", err)
	}
	return unpack(packed)
}
