package rules

import (
	"hash/fnv"
	"slices"
	"sync/atomic"

	"congthu/internal/msg"
)

// Live is what is in use: one set, and beside it another one while that is on trial. A
// letter is judged by one set from its first look to its decision (Pin), whatever is
// taken into use meanwhile. Readers need no lock; those who change what is in use take
// turns among themselves.
type Live struct {
	source Source
	state  atomic.Pointer[state]
}

// state is replaced as a whole.
type state struct {
	set    *Set
	trial  *Set
	share  int    // of 10,000 letters so many are judged by trial
	salt   uint64 // so that nobody can pick a set by the name of a letter
	before []*Set // sets that letters under way may still need
}

// kept is how many sets are remembered for letters under way: a letter takes a minute,
// nobody reloads eight times meanwhile.
const kept = 8

// Open loads the first set.
func Open(s Source) (*Live, error) {
	set, err := s.Load()
	if err != nil {
		return nil, err
	}
	return Use(s, set), nil
}

// Use makes a set that was loaded the one in use.
func Use(s Source, set *Set) *Live {
	l := &Live{source: s}
	l.state.Store(&state{set: set})
	return l
}

// Get returns the set in use; for letters, For.
func (l *Live) Get() *Set { return l.state.Load().set }

// Trial returns the set on trial and its share of 10,000 letters; nil and 0: none is.
func (l *Live) Trial() (*Set, int) {
	s := l.state.Load()
	return s.trial, s.share
}

// Pin settles which set judges the letter. While one is on trial the choice is by the
// letter's own id: no two letters of a burst hang together in it, so both groups see the
// same mail, which a choice by sender would not give; and the id is ours, so no sender
// can choose. A letter that was deferred and comes again may meet the other set: each
// coming is judged whole.
func (l *Live) Pin(m *msg.Message) {
	s := l.state.Load()
	m.Rules = s.set.Hash
	if s.trial != nil && s.draw(m.ID) < s.share {
		m.Rules = s.trial.Hash
	}
}

// draw is a number below 10,000.
func (s *state) draw(id string) int {
	h := fnv.New64a()
	for i := range 8 {
		_, _ = h.Write([]byte{byte(s.salt >> (8 * i))}) // a hash takes everything
	}
	_, _ = h.Write([]byte(id))
	x := h.Sum64()
	x ^= x >> 31 // the low bits of FNV follow the last octet
	return int(x % 10_000)
}

// For returns the set that judges the letter: the one it is pinned to, else the one in
// use.
func (l *Live) For(m *msg.Message) *Set {
	s := l.state.Load()
	if m.Rules == "" || m.Rules == s.set.Hash {
		return s.set
	}
	if s.trial != nil && m.Rules == s.trial.Hash {
		return s.trial
	}
	for _, b := range s.before {
		if b.Hash == m.Rules {
			return b
		}
	}
	return s.set
}

// Names tells whether a set in use has a block that speaks of the type of a file.
func (l *Live) Names(fileType string) bool {
	s := l.state.Load()
	return s.set.Policy.Names(fileType) || s.trial != nil && s.trial.Policy.Names(fileType)
}

// Take makes the set the one in use, and ends a trial.
func (l *Live) Take(set *Set) {
	s := l.state.Load()
	l.state.Store(&state{set: set, before: s.remembered()})
}

// Try puts a set on trial for a share of 10,000 letters; the one in use stays.
func (l *Live) Try(set *Set, share int, salt uint64) {
	s := l.state.Load()
	l.state.Store(&state{set: s.set, trial: set, share: share, salt: salt, before: s.remembered()})
}

// End ends a trial: the set in use judges all letters again.
func (l *Live) End() { l.Take(l.Get()) }

func (s *state) remembered() []*Set {
	out := slices.Clone(s.before)
	for _, set := range []*Set{s.set, s.trial} {
		if set != nil {
			out = append(out, set)
		}
	}
	return out[max(0, len(out)-kept):]
}
