// Package keyring keeps OpenPGP keys and says which key is whose: a key is pinned, by its
// fingerprint, to an address or to a whole domain, and only a pinned key is ever used. Who
// has which key is changed by an administrator alone. A key that comes from elsewhere (the
// sender's server, a file that names an address which has a key already) is a proposal: it
// is shown, and does nothing.
//
// The tables are in the store, so that gateways which share it share the keys. What the path
// of a message asks is answered from memory.
package keyring

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"congthu/internal/lang"
	"congthu/internal/pgp"
	"congthu/internal/store"
)

// Problem is a reason for the operator, in both languages.
type Problem = lang.Problem

func problem(err error, vi, en string, args ...any) error {
	return &Problem{What: lang.T(fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...)), Err: err}
}

// Store is what the keys need of the store.
type Store interface {
	Update(ctx context.Context, fn func(store.Tx) error) error
	View(ctx context.Context, fn func(store.Tx) error) error
	Shared() bool
}

// Options of a Ring.
type Options struct {
	Store      Store                  // nil: nothing but the directory, and no changes
	Dir        string                 // key files, one a key: read by Migrate, or by Open where there is no store
	Passphrase func() ([]byte, error) // of the secret keys; nil: none
	Log        *slog.Logger
	Now        func() time.Time // nil: time.Now
}

// Pin says whose key a key is.
type Pin struct {
	Subject     string    `json:"subject"` // an address as msg.Path.Key spells it, or @domain
	Fingerprint string    `json:"fingerprint"`
	Forced      bool      `json:"forced,omitempty"` // although the key does not name it
	Pinned      time.Time `json:"pinned"`
	Actor       string    `json:"actor"`
}

// Proposal is a key that somebody offers for an address.
type Proposal struct {
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint"`
	Source      string    `json:"source"` // such as file or wkd
	Seen        time.Time `json:"seen"`
}

// Entry is a key with what is known of it.
type Entry struct {
	pgp.KeyInfo
	Source    string     `json:"source"`
	Added     time.Time  `json:"added,omitzero"`
	Pins      []Pin      `json:"pins"`
	Proposals []Proposal `json:"proposals"`
}

// Ring is the keys. Its methods are safe for concurrent use.
type Ring struct {
	o       Options
	now     func() time.Time
	state   atomic.Pointer[state]
	reading sync.Mutex // one Reload at a time

	signers sync.Mutex
	open    map[string]opened                 // by domain
	openers map[[sha256.Size]byte]*pgp.Opener // by the octets of the record
}

// state is one reading of the tables, never changed.
type state struct {
	version   int64
	keys      map[string]*held
	pins      map[string]Pin
	proposals []Proposal
	secrets   map[string]secret
	openings  []opening
}

// held is a key in memory.
type held struct {
	key    *pgp.Key
	source string
	added  time.Time
}

func newState() *state {
	return &state{keys: map[string]*held{}, pins: map[string]Pin{}, secrets: map[string]secret{}}
}

// clone is a state that may be changed.
func (s *state) clone() *state {
	return &state{version: s.version, keys: maps.Clone(s.keys), pins: maps.Clone(s.pins), proposals: slices.Clone(s.proposals), secrets: maps.Clone(s.secrets), openings: slices.Clone(s.openings)}
}

// Open reads the keys.
func Open(ctx context.Context, o Options) (*Ring, error) {
	r := &Ring{o: o, now: o.Now, open: map[string]opened{}, openers: map[[sha256.Size]byte]*pgp.Opener{}}
	if r.now == nil {
		r.now = time.Now
	}
	if r.o.Log == nil {
		r.o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Store != nil {
		return r, r.Reload(ctx)
	}
	s := newState()
	for _, f := range readDir(o.Dir) {
		if f.key == nil {
			continue
		}
		s.keys[f.key.Fingerprint()] = &held{key: f.key, source: "directory"}
		for _, a := range f.key.Info(r.now()).Addresses {
			if _, taken := s.pins[a]; !taken {
				s.pins[a] = Pin{Subject: a, Fingerprint: f.key.Fingerprint()}
			}
		}
	}
	r.state.Store(s)
	return r, nil
}

// Found is what is known of a recipient.
type Found struct {
	Fingerprint string // "": no key is pinned
	Code        pgp.Code
	Why         lang.Text // why it cannot be used
	Proposed    bool      // no key is pinned, and one waits for an administrator
}

// Usable tells whether the recipient's letters can be encrypted.
func (f Found) Usable() bool { return f.Fingerprint != "" && f.Code == pgp.OK }

// Lookup says which key an address has; addr is as msg.Path.Key gives it. A pin of the
// address goes before one of its domain.
func (r *Ring) Lookup(addr string) Found {
	s := r.state.Load()
	pin, ok := s.pin(addr)
	if !ok {
		return Found{Proposed: slices.ContainsFunc(s.proposals, func(p Proposal) bool { return p.Subject == addr })}
	}
	i := r.judged(s, pin)
	return Found{Fingerprint: pin.Fingerprint, Code: i.Code, Why: i.Why}
}

func (s *state) pin(addr string) (Pin, bool) {
	if p, ok := s.pins[addr]; ok {
		return p, true
	}
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return Pin{}, false
	}
	p, ok := s.pins[addr[i:]]
	return p, ok
}

// judged is the key of a pin as it is now, with what the pin asks of it.
func (r *Ring) judged(s *state, p Pin) pgp.KeyInfo {
	h := s.keys[p.Fingerprint]
	if h == nil {
		return pgp.KeyInfo{Fingerprint: p.Fingerprint, Code: pgp.Damaged, Why: pgp.Damaged.Sentence(time.Time{})}
	}
	i := h.key.Info(r.now())
	if i.Usable && !p.Forced && !names(i, p.Subject) {
		i.Usable, i.Code, i.Why = false, pgp.WrongUserID, pgp.WrongUserID.Sentence(time.Time{})
	}
	return i
}

// names tells whether the key's holder has signed the address, or one in the domain.
func names(i pgp.KeyInfo, subject string) bool {
	return slices.ContainsFunc(i.Addresses, func(a string) bool {
		return a == subject || strings.HasPrefix(subject, "@") && strings.HasSuffix(a, subject)
	})
}

// Key returns a key that may be encrypted to now, by its fingerprint.
func (r *Ring) Key(fpr string) (*pgp.Key, error) {
	h := r.state.Load().keys[fpr]
	if h == nil {
		return nil, fmt.Errorf("keyring: no key %s", fpr)
	}
	if i := h.key.Info(r.now()); !i.Usable {
		return nil, fmt.Errorf("keyring: key %s: %s", fpr, i.Why.EN)
	}
	return h.key, nil
}

// List describes every key, by fingerprint.
func (r *Ring) List(context.Context) ([]Entry, error) {
	s := r.state.Load()
	var out []Entry
	for fpr := range s.keys {
		out = append(out, r.entry(s, fpr))
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return out, nil
}

// Show describes one key, by its fingerprint, the end of it, or an address.
func (r *Ring) Show(_ context.Context, name string) (Entry, error) {
	s := r.state.Load()
	fpr, err := s.find(name)
	if err != nil {
		return Entry{}, err
	}
	return r.entry(s, fpr), nil
}

func (r *Ring) entry(s *state, fpr string) Entry {
	h := s.keys[fpr]
	e := Entry{KeyInfo: h.key.Info(r.now()), Source: h.source, Added: h.added, Pins: []Pin{}, Proposals: []Proposal{}}
	for _, p := range s.pins {
		if p.Fingerprint != fpr {
			continue
		}
		e.Pins = append(e.Pins, p)
		if i := r.judged(s, p); i.Code == pgp.WrongUserID {
			e.Usable, e.Code, e.Why = false, i.Code, i.Why
		}
	}
	slices.SortFunc(e.Pins, func(a, b Pin) int { return cmp.Compare(a.Subject, b.Subject) })
	for _, p := range s.proposals {
		if p.Fingerprint == fpr {
			e.Proposals = append(e.Proposals, p)
		}
	}
	return e
}

// errNoKey is about a key that is not there.
func errNoKey(name string) error {
	return problem(nil, "không có khoá %s", "there is no key %s", lang.Safe(name, 120))
}

// find resolves what an operator writes for a key.
func (s *state) find(name string) (string, error) {
	if strings.Contains(name, "@") {
		if p, ok := s.pins[Subject(name)]; ok && s.keys[p.Fingerprint] != nil {
			return p.Fingerprint, nil
		}
		return "", errNoKey(name)
	}
	want := strings.ToUpper(strings.TrimPrefix(strings.ReplaceAll(name, " ", ""), "0x"))
	var found []string
	for fpr := range s.keys {
		if fpr == want || len(want) >= 16 && strings.HasSuffix(fpr, want) {
			found = append(found, fpr)
		}
	}
	switch len(found) {
	case 0:
		return "", errNoKey(name)
	case 1:
		return found[0], nil
	}
	return "", problem(nil, "có nhiều khoá kết thúc bằng %s; ghi cả vân tay", "several keys end in %s; write the whole fingerprint", lang.Safe(name, 120))
}

// Subject spells what a key is pinned to: an address, or @domain. What is neither is "".
func Subject(s string) string {
	if domain, ok := strings.CutPrefix(s, "@"); ok {
		if a := pgp.Normal("x@" + domain); a != "" && isDomain(a[2:]) {
			return a[1:]
		}
		return ""
	}
	a := pgp.Normal(s)
	if strings.ContainsAny(s, " \t\r\n<>,") || !isDomain(a[strings.LastIndexByte(a, '@')+1:]) {
		return ""
	}
	return a
}

// isDomain tells whether the name may be one in the DNS, as far as a slip of the pen shows.
func isDomain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x80 && (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-._", r)
	})
}

// ErrReadOnly is the answer to a change where there is no store.
var ErrReadOnly = errors.New("keyring: opened for reading only")

// Count is how many keys there are.
func (r *Ring) Count() int { return len(r.state.Load().keys) }
