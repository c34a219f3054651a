// Package pgp encrypts letters for recipients whose OpenPGP key is known (RFC 9580,
// RFC 3156) and keeps those keys: one file a key, named by its fingerprint, so that
// what a key is pinned to can be seen with ls and checked over the phone.
package pgp

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/lang"
)

// suffix is that of key files.
const suffix = ".asc"

// Store is a directory of public keys. It is safe for concurrent use and sees keys
// that another process has put there.
type Store struct {
	dir string
	now func() time.Time

	mu     sync.Mutex
	stamp  time.Time // of the directory when it was read
	looked time.Time // when it was last looked at
	keys   map[string]*openpgp.Entity
	broken []KeyInfo // files that could not be read, for List
}

// OpenStore opens the directory and makes it if it is not there.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem(err, "không tạo được kho khoá", "cannot make the key store")
	}
	s := &Store{dir: dir, now: time.Now}
	return s, s.refresh()
}

// staleness is how long Lookup takes the keys in memory for those of the directory
// without a look at it: the path asks for every recipient of every letter.
const staleness = 100 * time.Millisecond

func (s *Store) refreshNowAndThen() error {
	if s.keys != nil && time.Since(s.looked) < staleness {
		return nil
	}
	return s.refresh()
}

// refresh reads the directory again when it has changed.
func (s *Store) refresh() error {
	s.looked = time.Now()
	st, err := os.Stat(s.dir)
	if err != nil {
		return problem(err, "không đọc được kho khoá", "cannot read the key store")
	}
	if s.keys != nil && st.ModTime().Equal(s.stamp) {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil {
		return err
	}
	keys := map[string]*openpgp.Entity{}
	var broken []KeyInfo
	for _, name := range names {
		fpr := strings.TrimSuffix(filepath.Base(name), suffix)
		e, err := readKey(name, fpr)
		if err != nil {
			broken = append(broken, KeyInfo{Fingerprint: lang.Safe(fpr, 64), Why: lang.T("tệp khoá hỏng: "+err.Error(), "damaged key file: "+err.Error())})
			continue
		}
		keys[fpr] = e
	}
	s.keys, s.broken, s.stamp = keys, broken, st.ModTime()
	return nil
}

var errOtherKey = errors.New("the file holds another key than its name says")

func readKey(name, fpr string) (*openpgp.Entity, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	es, err := openpgp.ReadArmoredKeyRing(f)
	if err != nil {
		return nil, err
	}
	if len(es) != 1 || fingerprint(es[0]) != fpr {
		return nil, errOtherKey
	}
	return es[0], nil
}

// List describes every key, usable or not, by fingerprint.
func (s *Store) List() []KeyInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.refresh() // the keys in memory are still what was read last
	out := slices.Clone(s.broken)
	for _, e := range s.keys {
		out = append(out, describe(e, s.now()))
	}
	slices.SortFunc(out, func(a, b KeyInfo) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return out
}

// Lookup finds the usable key of an address; addr is as msg.Path.Key gives it. Of
// several keys the one made last is taken.
func (s *Store) Lookup(addr string) (KeyInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refreshNowAndThen(); err != nil {
		slog.Default().Warn("pgp: key store", "error", err)
	}
	var best KeyInfo
	for _, e := range s.keys {
		if !claims(e, addr) {
			continue
		}
		if k := describe(e, s.now()); k.Usable && k.Created.After(best.Created) {
			best = k
		}
	}
	return best, best.Usable
}

// Remove deletes a key. It is the way to give an address another key.
func (s *Store) Remove(fpr string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return err
	}
	if s.keys[fpr] == nil {
		return &Problem{What: lang.T("không có khoá "+lang.Safe(fpr, 64), "there is no key "+lang.Safe(fpr, 64))}
	}
	if err := os.Remove(s.path(fpr)); err != nil {
		return problem(err, "không xoá được khoá", "cannot delete the key")
	}
	s.keys = nil
	return errors.Join(syncDir(s.dir), s.refresh())
}

func (s *Store) path(fpr string) string { return filepath.Join(s.dir, fpr+suffix) }

// entity returns a usable key, or says why there is none.
func (s *Store) entity(fpr string) (*openpgp.Entity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return nil, err
	}
	e := s.keys[fpr]
	if e == nil {
		return nil, fmt.Errorf("pgp: no key %s", fpr)
	}
	if k := describe(e, s.now()); !k.Usable {
		return nil, fmt.Errorf("pgp: key %s: %s", fpr, k.Why.EN)
	}
	return e, nil
}
