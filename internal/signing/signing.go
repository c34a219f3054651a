// Package signing puts the DKIM signatures of the agencies on their outgoing mail (RFC
// 6376, RFC 8463), and keeps the private keys for that.
//
// A key is a file, DOMAIN/SELECTOR.pem (PKCS #8, mode 0600), and does nothing until
// there is a file SELECTOR.active beside it, which says since when it signs: an
// operator publishes the record first and activates the key then. Of the active keys of
// a domain the newest of each algorithm signs. The older ones stay published until mail
// signed with them has arrived, and are then deleted. What ls shows is all there is.
//
// A domain that has active keys is never sent unsigned: when one cannot be read, that is
// an error, and the sender keeps the message. Its owner may have told the world to
// refuse what is not signed.
package signing

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"congthu/internal/mailauth/dkim"
)

// Store is the directory of the keys. It is safe for concurrent use and sees what
// another process changes there.
type Store struct {
	dir string
	now func() time.Time

	mu    sync.Mutex
	known map[string]reading // by domain
}

// reading is what was read of one domain's directory.
type reading struct {
	stamp time.Time // of the directory
	fresh bool      // it had only just changed: another change could have the same stamp
	keys  []dkim.Key
	err   error
}

// Open returns the store in that directory, which need not be there: then nothing is
// signed.
func Open(dir string) *Store {
	return &Store{dir: dir, now: time.Now, known: map[string]reading{}}
}

// Forget makes the store read every key again.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.known)
}

// For returns the keys that sign for the domain of an author (A-labels, lower case):
// its own, else those of the nearest domain above it that has any. None is no error.
func (s *Store) For(domain string) ([]dkim.Key, error) {
	for d := domain; strings.Contains(d, "."); _, d, _ = strings.Cut(d, ".") {
		if !validName(d) {
			return nil, nil
		}
		if keys, err := s.of(d); err != nil || len(keys) > 0 {
			return keys, err
		}
	}
	return nil, nil
}

// settle is how long a directory must have been left alone for its time stamp to tell
// the next change; file systems count in steps of some milliseconds.
const settle = 2 * time.Second

// of returns the keys of this one domain.
func (s *Store) of(domain string) ([]dkim.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := os.Stat(filepath.Join(s.dir, domain))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(s.known, domain)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("signing: %w", err)
	}
	r, ok := s.known[domain]
	if !ok || r.fresh || r.err != nil || !r.stamp.Equal(st.ModTime()) {
		r = reading{stamp: st.ModTime(), fresh: s.now().Sub(st.ModTime()) < settle}
		r.keys, r.err = s.read(domain)
		s.known[domain] = r
	}
	return r.keys, r.err
}

// read loads the keys of the domain that sign now.
func (s *Store) read(domain string) ([]dkim.Key, error) {
	infos, signers, err := s.inspect(domain)
	if err != nil {
		return nil, err
	}
	var keys []dkim.Key
	for i, k := range infos {
		switch k.State {
		case Broken:
			if !k.Activated.IsZero() {
				return nil, fmt.Errorf("signing: the active key %s of %s: %w", k.Selector, domain, k.err)
			}
		case Signing:
			keys = append(keys, dkim.Key{Domain: domain, Selector: k.Selector, Signer: signers[i]})
		}
	}
	slices.SortFunc(keys, func(a, b dkim.Key) int { // RSA on top: every verifier knows it
		return strings.Compare(algorithm(b.Signer), algorithm(a.Signer))
	})
	return keys, nil
}

// inspect reads all keys of a domain and what each is doing; signers are parallel, nil
// for the broken ones.
func (s *Store) inspect(domain string) ([]Info, []crypto.Signer, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, domain))
	if err != nil {
		return nil, nil, fmt.Errorf("signing: %w", err)
	}
	var infos []Info
	var signers []crypto.Signer
	for _, e := range entries {
		if selector, ok := strings.CutSuffix(e.Name(), keySuffix); ok && validName(selector) {
			k, signer := s.examine(domain, selector)
			infos, signers = append(infos, k), append(signers, signer)
		}
		if selector, ok := strings.CutSuffix(e.Name(), activeSuffix); ok && !s.has(domain, selector) {
			infos = append(infos, Info{Domain: domain, Selector: selector, State: Broken, Activated: s.now(), err: errNoKey})
			signers = append(signers, nil)
		}
	}
	choose(infos)
	return infos, signers, nil
}

// choose marks the newest active key of each algorithm as the one that signs.
func choose(infos []Info) {
	newest := map[string]int{}
	for i, k := range infos {
		if k.State != Retired {
			continue
		}
		if n, ok := newest[k.Algorithm]; !ok || k.Activated.After(infos[n].Activated) {
			newest[k.Algorithm] = i
		}
	}
	for _, i := range newest {
		infos[i].State = Signing
	}
}
