// Package allowance remembers whose letters a reviewer lets through although they look like
// spam: one sender, for one recipient or one domain of an agency, until a time.
//
// What an allowance is worth is said in rules/weights.toml, and whether a letter is of that
// sender at all is for the inspector to prove; here is only what people have said. It is
// kept in the store and looked up in memory, so that no letter waits for the store. Each
// change takes a turn; a gateway that sees a new turn reads the table again, so one that
// shares its store knows within seconds what was allowed or taken back elsewhere. Whoever
// has not been able to look for staleAfter lets nobody through.
package allowance

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"congthu/internal/msg"
	"congthu/internal/store"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrNotFound = errors.New("allowance: there is none with this id")
	ErrFull     = errors.New("allowance: there are as many as can be")
	ErrAddress  = errors.New("allowance: not an address that can be kept")
)

// Allowance is one of them.
type Allowance struct {
	ID     string    `json:"id"`
	Sender string    `json:"sender"` // the address in From, in lower case
	For    string    `json:"for"`    // an address, or a domain, in lower case
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
	Letter string    `json:"letter"` // the held message that it was given with
}

// Domain is the domain that the allowance is for: whose it is.
func (a Allowance) Domain() string { return a.For[strings.LastIndexByte(a.For, '@')+1:] }

// covers tells whether mail to a recipient is meant.
func (a Allowance) covers(to msg.Path) bool {
	if strings.Contains(a.For, "@") {
		return a.For == to.Key()
	}
	return to.Domain != "" && strings.EqualFold(a.For, to.Domain)
}

// ID is the id of the allowance of a sender for a recipient: saying the same again is one
// allowance, with another end.
func ID(sender, to string) string {
	sum := sha256.Sum256([]byte(sender + "\x00" + to))
	return base32.StdEncoding.EncodeToString(sum[:])[:idLength]
}

const idLength = 12 // 60 bits

// Max is how many allowances there may be, of all reviewers together: some 5 MB in memory.
const Max = 10_000

const (
	poll       = 3 * time.Second
	tidyEvery  = 10 * time.Minute
	staleAfter = 10 * time.Minute
)

// Options are the parts of a Book.
type Options struct {
	Store *store.DB // nil: nothing is allowed, until Keep
	Max   int       // allowances; 0: Max
	Now   func() time.Time
	Log   *slog.Logger
}

// Book is what is allowed. It is safe for concurrent use.
type Book struct {
	o      Options
	follow sync.Mutex // one at a time reads
	known  atomic.Pointer[known]
	runs   atomic.Bool // somebody looks every so often; a command looks once
}

// known is the table as it was read.
type known struct {
	turn     int64
	bySender map[string][]Allowance
	at       time.Time // when it was last seen to be so; monotonic
	n        int
}

// New returns a book in which nothing stands until Follow.
func New(o Options) *Book {
	if o.Max == 0 {
		o.Max = Max
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o}
	b.known.Store(&known{turn: -1})
	return b
}

// Keep gives the book its store, before Follow and Run.
func (b *Book) Keep(db *store.DB) { b.o.Store = db }

// Len is how many allowances are in memory, with those that have ended and are not tidied
// away; read tells whether the table has been read at all.
func (b *Book) Len() (n int, read bool) {
	k := b.known.Load()
	return k.n, k.turn >= 0
}

// For returns the allowances by which a letter of a proven sender is let through to all of
// the recipients; none when there is a recipient for whom nobody has allowed it.
func (b *Book) For(sender string, to []msg.Path) []Allowance {
	k := b.known.Load()
	list := k.bySender[sender]
	if len(list) == 0 || len(to) == 0 {
		return nil
	}
	now := b.o.Now()
	if b.runs.Load() && now.Sub(k.at) > staleAfter {
		return nil
	}
	var out []Allowance
	for _, p := range to {
		i := slices.IndexFunc(list, func(a Allowance) bool { return now.Before(a.Until) && a.covers(p) })
		if i < 0 {
			return nil
		}
		if !slices.ContainsFunc(out, func(a Allowance) bool { return a.ID == list[i].ID }) {
			out = append(out, list[i])
		}
	}
	return out
}

// Give is what commits allowances of one sender, together with the release that they come
// with. ErrFull and ErrAddress say that it cannot be.
func (b *Book) Give(sender string, to []string, by, letter string, life time.Duration) ([]Allowance, *store.Change, error) {
	if !kept(sender) || len(to) == 0 {
		return nil, nil, ErrAddress
	}
	at := b.o.Now().UTC().Truncate(time.Millisecond)
	var list []Allowance
	for _, t := range to {
		t = strings.ToLower(t)
		if !kept(t) {
			return nil, nil, ErrAddress
		}
		list = append(list, Allowance{ID: ID(sender, t), Sender: sender, For: t, By: by, At: at, Until: at.Add(life), Letter: letter})
	}
	return list, &store.Change{
		Apply: func(ctx context.Context, tx store.Tx) error { return b.insert(ctx, tx, list) },
		Done:  b.see,
	}, nil
}

// longest is how many octets an address may have: 64 and 255 around an @ (RFC 5321 section 4.5.3.1).
const longest = 320

// kept tells whether a text is one that the table keeps and that can be shown.
func kept(s string) bool {
	return s != "" && len(s) <= longest && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// see reads what was changed just now, so that the next letter meets it.
func (b *Book) see() {
	ctx, cancel := context.WithTimeout(context.Background(), poll)
	defer cancel()
	if err := b.Follow(ctx); err != nil {
		b.o.Log.Warn("allowed senders: what was changed is not in use yet", "error", err)
	}
}
