package yarascan

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hillu/go-yara/v4"
)

// scanTime is the most that one object may take, in whole seconds: libyara takes less
// than one as no limit at all.
const scanTime = 10 * time.Second

var errNoTime = errors.New("yara: no time is left")

// Object is what is scanned and what is known about it.
type Object struct {
	Data  []byte
	Names []string // every name that it may have; rules that ask for it see each
	Path  string   // of the containers around it, with "/" between
	Type  string   // of its octets, in the words that published rules ask for
}

// Match is one rule that an object meets.
type Match struct {
	Rule string
	File string // under its folder; those of others begin "extra/"
	Judgement
}

// Scanner scans one object at a time. It is for one goroutine.
type Scanner struct {
	rules    *Rules
	scanners []*yara.Scanner // one a set, nil until it is needed
	seed     maphash.Seed
	known    map[uint64][]Match // what the message's objects met so far, by their octets
}

// Scanner makes a scanner, which is reused from object to object.
func (r *Rules) Scanner() (*Scanner, error) {
	s := &Scanner{r, make([]*yara.Scanner, len(r.sets)), maphash.MakeSeed(), map[uint64][]Match{}}
	_, err := s.of(r.plain) // what nearly every message needs
	return s, err
}

func (s *Scanner) of(i int) (*yara.Scanner, error) {
	if s.scanners[i] != nil || s.rules.sets[i].compiled == nil {
		return s.scanners[i], nil
	}
	y, err := yara.NewScanner(s.rules.sets[i].compiled)
	if err != nil {
		return nil, fmt.Errorf("yara: %w", err)
	}
	y.SetFlags(yara.ScanFlagsFastMode)
	s.scanners[i] = y
	return y, nil
}

// choose picks the set by the object's first two octets.
func (r *Rules) choose(data []byte) int {
	if len(data) >= 2 {
		if i, ok := r.byHead[string(data[:2])]; ok {
			return i
		}
	}
	return r.plain
}

// Begin forgets the objects of the last message.
func (s *Scanner) Begin() { clear(s.known) }

// Scan returns the rules that the object meets. One that comes twice in a message is
// scanned once, unless rules ask for more than its octets. Any trouble is an error: an object that
// was not wholly scanned is not clean.
func (s *Scanner) Scan(o Object, timeout time.Duration) ([]Match, error) {
	i := s.rules.choose(o.Data)
	y, err := s.of(i)
	if err != nil || y == nil || len(o.Data) == 0 {
		return nil, err
	}
	if timeout <= 0 {
		return nil, errNoTime
	}
	uses := s.rules.sets[i].uses
	if len(uses) > 0 {
		return s.named(y, uses, o, timeout)
	}
	sum := maphash.Bytes(s.seed, o.Data)
	if ms, ok := s.known[sum]; ok {
		return ms, nil
	}
	hits := matches{book: s.rules.book}
	if err := hits.scan(y, o.Data, timeout); err != nil {
		return hits.of, err
	}
	s.known[sum] = hits.of
	return hits.of, nil
}

// named scans with rules that ask what the object is called: once by each name.
func (s *Scanner) named(y *yara.Scanner, uses []string, o Object, timeout time.Duration) ([]Match, error) {
	names := o.Names
	if len(names) == 0 || !slices.ContainsFunc(uses, func(u string) bool { return u == "filename" || u == "extension" || u == "filepath" }) {
		names = []string{first(o.Names)}
	}
	hits := matches{book: s.rules.book}
	deadline := time.Now().Add(timeout)
	for _, name := range names {
		left := time.Until(deadline)
		if left <= 0 {
			return hits.of, errNoTime
		}
		if err := define(y, uses, o, name); err != nil {
			return hits.of, err
		}
		if err := hits.scan(y, o.Data, left); err != nil {
			return hits.of, err
		}
	}
	return hits.of, nil
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// define sets those of the externals that a rule asks for.
func define(y *yara.Scanner, uses []string, o Object, name string) error {
	for _, u := range uses {
		value := ""
		switch u {
		case "filename":
			value = path.Base("/" + name)
		case "filepath":
			value = path.Join(o.Path, path.Dir("/"+name))
		case "extension": // with its dot, as published rules write it
			value = strings.ToLower(path.Ext(name))
		case "filetype":
			value = o.Type
		case "md5":
			sum := md5.Sum(o.Data)
			value = hex.EncodeToString(sum[:])
		}
		if err := y.DefineVariable(u, strings.ReplaceAll(value, "\x00", "")); err != nil {
			return fmt.Errorf("yara: %s: %w", u, err)
		}
	}
	return nil
}

// matches implements yara.ScanCallback.
type matches struct {
	book map[string]Judgement
	of   []Match
	lost bool // a string matched more often than libyara counts
}

func (m *matches) scan(y *yara.Scanner, data []byte, timeout time.Duration) error {
	y.SetTimeout(max(time.Second, min(timeout, scanTime)+time.Second-1).Truncate(time.Second))
	y.SetCallback(m)
	if err := y.ScanMem(data); err != nil {
		return fmt.Errorf("yara: %w", err)
	}
	if m.lost {
		return errors.New("yara: too many matches of one string")
	}
	return nil
}

// RuleMatching takes a match.
func (m *matches) RuleMatching(_ *yara.ScanContext, r *yara.Rule) (bool, error) {
	name, file := r.Identifier(), r.Namespace()
	j, ok := m.book[key(file, name)]
	if ok && !slices.ContainsFunc(m.of, func(x Match) bool { return x.Rule == name && x.File == file }) {
		m.of = append(m.of, Match{name, file, j})
	}
	return false, nil
}

// ScanFinished is called when the whole object was read.
func (m *matches) ScanFinished(sc *yara.ScanContext) (bool, error) {
	m.lost = m.lost || tooMany(sc)
	return false, nil
}
