package attach

import (
	"bytes"
	"crypto/sha256"
	"sync"

	"congthu/internal/msg"
)

// suspects remembers messages at which a worker failed, so that the same message counts
// again when its sender comes back after our 451: maybe in another session, with other
// fields on top. It is known by what stands under its header. Only so many are kept,
// the oldest go first; one that is forgotten has its first try again.
type suspects struct {
	mu    sync.Mutex
	known map[fingerprint]bool
	order []fingerprint // the oldest first
}

type fingerprint [16]byte

const mostSuspects = 1024

// again notes a failure and tells whether it was not the first.
func (s *suspects) again(m *msg.Message) bool {
	f := fingerprintOf(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[f] {
		return true
	}
	if s.known == nil {
		s.known = map[fingerprint]bool{}
	}
	if len(s.order) >= mostSuspects {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	s.known[f] = true
	s.order = append(s.order, f)
	return false
}

// clear takes a message off the list that was looked at after all.
func (s *suspects) clear(m *msg.Message) {
	s.mu.Lock()
	empty := len(s.known) == 0
	s.mu.Unlock()
	if empty { // nearly always, and then nothing is hashed
		return
	}
	f := fingerprintOf(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known[f] {
		return
	}
	delete(s.known, f)
	for i, o := range s.order {
		if o == f {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			return
		}
	}
}

func fingerprintOf(m *msg.Message) fingerprint {
	body := m.Raw
	if _, after, ok := bytes.Cut(body, []byte("\r\n\r\n")); ok {
		body = after
	}
	sum := sha256.Sum256(body)
	return fingerprint(sum[:16])
}
