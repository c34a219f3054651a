// Package audit keeps the record of who did what: every look into a held message, every
// release and deletion, every change of rules, keys and settings. Entries are added and
// never changed.
//
// Each entry carries its number and the hash of the one before, so that an entry that is
// altered, taken out or moved breaks the chain from there on. Each hash is marked with the
// data key, so that who can write to the database, and does not have the key, cannot make
// a chain of their own. What both leave open is an end cut off, or a database put back as
// it was last week: against these each gateway keeps the last number and hash that it has
// written in a file beside the database (the anchor), and they are logged.
//
// An entry commits together with what it tells of, or before it: an act without an entry
// does not happen. A crash leaves both or none.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"congthu/internal/store"
)

// Entry is one act.
type Entry struct {
	N       int64     `json:"n"`                 // its number, given by the log
	At      time.Time `json:"at"`                // given by the log when zero
	Gateway string    `json:"gateway,omitempty"` // given by the log
	Actor   string    `json:"actor"`             // who: a user of the machine, a token's name; "congthu" the gateway itself
	Person  string    `json:"person,omitempty"`  // whose token it is, when its name does not say it
	Role    string    `json:"role,omitempty"`
	Via     string    `json:"via,omitempty"`    // socket, https, mail
	Act     string    `json:"act"`              // noun and verb: quarantine.release
	Object  string    `json:"object,omitempty"` // what it was done to: an id, a fingerprint, a file
	Agency  string    `json:"agency,omitempty"` // whose it is
	Detail  string    `json:"detail,omitempty"`
}

// use is what hashes are marked for.
const use = "audit"

// Log is the chain of a store.
type Log struct {
	o  Options
	mu sync.Mutex // of the anchor file
}

// Options are the parts of a log.
type Options struct {
	Store   *store.DB
	Gateway string           // its hostname
	Anchor  string           // file; "": none
	Now     func() time.Time // nil: the clock
	Log     *slog.Logger
}

// New returns the log of a store.
func New(o Options) *Log {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Log{o: o}
}

// Record adds an entry; it is durable when Record returns nil.
func (l *Log) Record(ctx context.Context, e Entry) error {
	if err := l.o.Store.Commit(ctx, l.Change(e)); err != nil {
		return fmt.Errorf("audit: %s: %w", e.Act, err)
	}
	return nil
}

// Change adds an entry together with other changes: store.Commit(ctx, act, entry).
func (l *Log) Change(e Entry) *store.Change {
	if e.At.IsZero() {
		e.At = l.o.Now()
	}
	e.At, e.Gateway = e.At.UTC().Truncate(time.Millisecond), l.o.Gateway
	var done link
	return &store.Change{
		Apply: func(ctx context.Context, tx store.Tx) (err error) {
			done, err = l.add(ctx, tx, e)
			return err
		},
		Done: func() { l.anchor(done) },
	}
}

// link is a place in the chain.
type link struct {
	N    int64  `json:"n"`
	Hash string `json:"hash"`
}

func (l *Log) add(ctx context.Context, tx store.Tx, e Entry) (link, error) {
	var head link
	if err := tx.QueryRow(ctx, `SELECT n, hash FROM audit_head WHERE one = 1 {lock}`).Scan(&head.N, &head.Hash); err != nil {
		return head, fmt.Errorf("audit: head: %w", err)
	}
	e.N = head.N + 1
	text, err := json.Marshal(e)
	if err != nil {
		return head, fmt.Errorf("audit: %w", err)
	}
	next := link{e.N, hash(head.Hash, text)}
	mark := l.o.Store.Mark(use, next.octets())
	if _, err := tx.Exec(ctx, `INSERT INTO audit (n, at, entry, hash, seal) VALUES ($1, $2, $3, $4, $5)`, next.N, e.At.UnixMilli(), string(text), next.Hash, mark); err != nil {
		return head, fmt.Errorf("audit: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE audit_head SET n = $1, hash = $2 WHERE one = 1`, next.N, next.Hash); err != nil {
		return head, fmt.Errorf("audit: %w", err)
	}
	return next, nil
}

// octets is what a mark is of.
func (l link) octets() []byte { return []byte(strconv.FormatInt(l.N, 10) + " " + l.Hash) }

// hash is SHA-256 over the hash before, in hexadecimal, a line feed, and the entry.
func hash(before string, entry []byte) string {
	h := sha256.New()
	_, _ = h.Write(append([]byte(before), '\n')) // never fails, by its documentation
	_, _ = h.Write(entry)
	return hex.EncodeToString(h.Sum(nil))
}

// Head returns the number and the hash of the last entry, to be kept where nobody who
// can reach the database can write.
func (l *Log) Head(ctx context.Context) (n int64, hash string, err error) {
	err = l.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT n, hash FROM audit_head WHERE one = 1`).Scan(&n, &hash)
	})
	if err != nil {
		return 0, "", fmt.Errorf("audit: head: %w", err)
	}
	return n, hash, nil
}

// Expire removes entries of before a time, oldest first, and returns how many. What is
// left still begins where they ended, which is marked like an entry.
func (l *Log) Expire(ctx context.Context, before time.Time) (removed int64, err error) {
	err = l.o.Store.Update(ctx, func(tx store.Tx) error {
		removed = 0
		var last link
		var mark string
		err := tx.QueryRow(ctx, `SELECT n, hash, seal FROM audit WHERE n < COALESCE((SELECT MIN(n) FROM audit WHERE at >= $1), 0) ORDER BY n DESC LIMIT 1`, before.UnixMilli()).
			Scan(&last.N, &last.Hash, &mark)
		if errors.Is(err, errNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE audit_base SET n = $1, hash = $2, seal = $3 WHERE one = 1`, last.N, last.Hash, mark); err != nil {
			return err
		}
		r, err := tx.Exec(ctx, `DELETE FROM audit WHERE n <= $1`, last.N)
		if err != nil {
			return err
		}
		removed, err = r.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("audit: expire: %w", err)
	}
	return removed, nil
}
