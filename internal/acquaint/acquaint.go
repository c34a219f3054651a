// Package acquaint remembers who has to do with whom: to whom our people wrote, who wrote
// to us and was found clean, which stranger has knocked before.
//
// It holds keyed hashes, a count and two times, never an address: a copy of the table
// tells nobody who writes to the province. Everything is looked up in memory, which is
// read from the store at the start; what is new is written behind, in batches. So no
// letter waits for a disk, and a crash forgets what was learnt in the last few seconds
// and nothing else. Several gateways on one store learn from each other with the same
// delay.
package acquaint

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Kind is what an entry is about. The numbers stand in the store.
type Kind uint8

// The kinds.
const (
	Written       Kind = 1 // our people wrote to this address
	WrittenDomain Kind = 2 // our people wrote to this domain
	Pair          Kind = 3 // this sender of ours wrote to this address
	Heard         Kind = 4 // this proven author wrote to us, and the letter was clean
	Knock         Kind = 5 // this stranger was asked to come again
)

// Life is how long an entry of a kind is kept after it was last seen.
func (k Kind) Life() time.Duration {
	const day = 24 * time.Hour
	if k == Knock {
		return 36 * day
	}
	return 200 * day
}

// Key is one entry's name.
type Key struct {
	id   int64
	kind Kind
}

// Entry is what is remembered.
type Entry struct {
	N           int64     // how often; 0: never
	First, Last time.Time // to the second
}

// Memory is the whole of it. It is safe for concurrent use.
type Memory struct {
	db     Store
	log    *slog.Logger
	now    func() time.Time
	limit  int
	secret []byte // set by Load, before anything is looked up

	mu      sync.Mutex
	entries map[Key]entry
	fresh   map[Key]entry // what the store has not been told: counts to add, and the times
	lost    int64         // entries that found no room to wait in
	begun   int64         // Unix seconds from when on something is remembered
	synced  int64         // Unix seconds of the last exchange
}

// entry is Entry in 24 bytes.
type entry struct{ n, first, last int64 }

// Bounds of memory: entries known, about 40 MB with their map, and entries that wait to
// be written.
const (
	maxEntries = 400_000
	maxFresh   = 50_000
)

// New returns an empty memory; Load must come before its use, and Run keeps it in step
// with the store.
func New(db Store, log *slog.Logger) *Memory {
	return &Memory{db: db, log: log, now: time.Now, limit: maxEntries, entries: map[Key]entry{}, fresh: map[Key]entry{}}
}

// Key names the entry of a kind about some names, compared without case.
func (m *Memory) Key(kind Kind, names ...string) Key {
	mac := hmac.New(sha256.New, m.secret)
	mac.Write([]byte{byte(kind)})
	mac.Write([]byte(strings.ToLower(strings.Join(names, "\x00"))))
	return Key{int64(binary.BigEndian.Uint64(mac.Sum(nil))), kind} //nolint:gosec // all 64 bits are the hash
}

// Get returns what is known.
func (m *Memory) Get(k Key) Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[k]
	if e.n == 0 || m.now().Unix()-e.last > int64(k.kind.Life()/time.Second) {
		return Entry{}
	}
	return Entry{e.n, time.Unix(e.first, 0), time.Unix(e.last, 0)}
}

// Add counts once.
func (m *Memory) Add(k Key) {
	now := m.now().Unix()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(k, m.entries[k].and(entry{1, now, now}))
	f, waits := m.fresh[k]
	if !waits && len(m.fresh) >= maxFresh {
		m.lost++
		return
	}
	m.fresh[k] = f.and(entry{1, now, now})
}

// and is both together.
func (e entry) and(o entry) entry {
	if e.n == 0 {
		return o
	}
	return entry{e.n + o.n, min(e.first, o.first), max(e.last, o.last)}
}

// put sets an entry. At the bound another one goes: of some that are drawn, the one that
// was not seen for longest. m.mu is held.
func (m *Memory) put(k Key, e entry) {
	if _, there := m.entries[k]; !there && len(m.entries) >= m.limit {
		m.evict()
	}
	m.entries[k] = e
}

const drawn = 32

func (m *Memory) evict() {
	var oldest Key
	n, last := 0, int64(0)
	for k, e := range m.entries { // the order is drawn anew each time
		if n == 0 || e.last < last {
			oldest, last = k, e.last
		}
		if n++; n == drawn {
			break
		}
	}
	delete(m.entries, oldest)
}

// Since returns from when on something is remembered.
func (m *Memory) Since() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Unix(m.begun, 0)
}

// Len returns how many entries are in memory.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}
