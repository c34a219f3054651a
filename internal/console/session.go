package console

import (
	"crypto/rand"
	"sync"
	"time"

	"congthu/internal/lang"
)

const (
	idle     = 30 * time.Minute // after which a session that does nothing ends
	longest  = 8 * time.Hour    // that a session lives in all
	sessions = 1000             // that live at one time
)

// session is a person who has signed in. It is kept in memory only: a restart signs
// everybody out. The token is kept as it was presented and asked about at each request,
// so that one that is revoked or has expired ends at once.
type session struct {
	token string
	form  string // what every form must carry
	began time.Time
	used  time.Time
	note  note
}

// note is what the next page says above everything else, once.
type note struct {
	What lang.Text
	Bad  bool
}

// book is the sessions that live.
type book struct {
	mu   sync.Mutex
	byID map[string]*session
	now  func() time.Time
}

func newBook(now func() time.Time) *book { return &book{byID: map[string]*session{}, now: now} }

// begin signs somebody in and returns the session's id. When there are too many the one
// that has been idle for longest makes room.
func (b *book) begin(token string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tidy()
	id := rand.Text()
	b.byID[id] = &session{token: token, form: rand.Text(), began: b.now(), used: b.now()}
	return id
}

func (b *book) tidy() {
	for id, s := range b.byID {
		if b.over(s) {
			delete(b.byID, id)
		}
	}
	for len(b.byID) >= sessions {
		delete(b.byID, b.idlest())
	}
}

func (b *book) idlest() (id string) {
	for other, s := range b.byID {
		if id == "" || s.used.Before(b.byID[id].used) {
			id = other
		}
	}
	return id
}

func (b *book) over(s *session) bool {
	now := b.now()
	return now.Sub(s.used) >= idle || now.Sub(s.began) >= longest
}

// find returns a copy of the session that lives under an id, and notes that it was used.
func (b *book) find(id string) (session, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.byID[id]
	if !ok || b.over(s) {
		delete(b.byID, id)
		return session{}, false
	}
	s.used = b.now()
	return *s, true
}

// end signs out.
func (b *book) end(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.byID, id)
}

// say leaves a note for the next page of a session.
func (b *book) say(id string, n note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.byID[id]; ok {
		s.note = n
	}
}

// heard takes the note away.
func (b *book) heard(id string) note {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.byID[id]
	if !ok {
		return note{}
	}
	n := s.note
	s.note = note{}
	return n
}
