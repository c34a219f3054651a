// Package rules reads the directory that administrators edit (weights.toml,
// policy.toml, content/*.toml, lists/*) into one immutable set, all or nothing: a
// mistake anywhere leaves the set in use as it was, and every mistake is reported
// with file, line, column and what to do.
package rules

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"congthu/internal/inspect/adlaw"
	"congthu/internal/inspect/auth"
	"congthu/internal/inspect/content"
	"congthu/internal/inspect/header"
	"congthu/internal/inspect/link"
	"congthu/internal/policy"
	"congthu/internal/tomlfile"
)

// Set is one consistent reading of the rules directory.
type Set struct {
	Hash       string // of Files
	Files      Files
	Policy     *policy.Policy
	Content    *content.Set
	Brands     []link.Brand
	Agencies   []header.Agency
	Shorteners []string
	FreeHosts  []string
	Freemail   []string        // domains of which anybody may have a mailbox
	Words      []string        // abbreviations of agencies
	Mailers    []string        // programs that write to the whole world
	AdLaw      adlaw.Law       // what the law asks of advertising
	Overrides  []auth.Override // of DMARC
	Sealers    []string        // domains whose ARC seals are believed
}

// Source says where the rules are and which symbols and inspectors the program
// itself has; the content rules bring their own symbols.
type Source struct {
	Dir        string
	Symbols    []string
	Inspectors []string
}

// Load reads everything. The error is tomlfile.Problems naming every mistake. A
// directory that is edited in the same moment is read again, so that the hash names
// what was read.
func (s Source) Load() (*Set, error) {
	for tries := 1; ; tries++ {
		before, err := ReadFiles(s.Dir)
		if err != nil {
			return nil, add(nil, err)
		}
		set, err := s.read()
		if err != nil {
			return nil, err
		}
		after, err := ReadFiles(s.Dir)
		if err != nil {
			return nil, add(nil, err)
		}
		if set.Hash, set.Files = after.Hash(), after; before.Hash() == set.Hash {
			return set, nil
		}
		if tries == 5 {
			return nil, add(nil, errBusy)
		}
	}
}

var errBusy = errors.New("rules: the files change while they are read; try again")

func (s Source) read() (*Set, error) {
	var set Set
	var ps tomlfile.Problems
	var err error
	set.Content, err = content.Load(filepath.Join(s.Dir, "content"), filepath.Join(s.Dir, "local", "content"))
	ps = add(ps, err)
	set.Brands, err = link.LoadBrands(filepath.Join(s.Dir, "lists", "brands.toml"))
	ps = add(ps, err)
	set.Agencies, err = header.LoadAgencies(filepath.Join(s.Dir, "lists", "agencies.toml"))
	ps = add(ps, err)
	set.Shorteners, err = link.LoadList(filepath.Join(s.Dir, "lists", "shorteners.txt"))
	ps = add(ps, err)
	set.FreeHosts, err = optional(filepath.Join(s.Dir, "lists", "free-hosts.txt"), link.LoadPlaces)
	ps = add(ps, err)
	set.Freemail, err = optional(filepath.Join(s.Dir, "lists", "freemail.txt"), link.LoadList)
	ps = add(ps, err)
	set.Words, err = optional(filepath.Join(s.Dir, "lists", "agency-words.txt"), header.LoadAgencyWords)
	ps = add(ps, err)
	set.Mailers, err = optional(filepath.Join(s.Dir, "lists", "mailers.txt"), header.LoadWords)
	ps = add(ps, err)
	set.AdLaw, err = adlaw.Load(filepath.Join(s.Dir, "lists", "ad-law.toml"))
	ps = add(ps, err)
	set.Overrides, err = auth.LoadOverrides(filepath.Join(s.Dir, "lists", "dmarc-overrides.toml"))
	ps = add(ps, err)
	set.Sealers, err = optional(filepath.Join(s.Dir, "lists", "arc-sealers.txt"), link.LoadList)
	ps = add(ps, err)
	w, err := loadWeights(s.Dir, s.known(set.Content), set.Content.Rules())
	ps = add(ps, err)
	if len(w.Symbols) > 0 { // without weights every symbol named in policy.toml would look wrong
		set.Policy, err = loadPolicy(s.Dir, w, s.Inspectors)
		ps = add(ps, err)
		if set.Policy != nil {
			set.Policy.Composites, err = composites(set.Content.Composites(), w)
			ps = add(ps, err)
		}
	}
	if err := ps.Err(); err != nil {
		return nil, err
	}
	return &set, nil
}

// optional reads a list that need not be there.
func optional(name string, load func(string) ([]string, error)) ([]string, error) {
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return load(name)
}

// known are the symbols that can be found, or nil when the content rules could not be
// read: their weights would all look wrong.
func (s Source) known(c *content.Set) []string {
	if c == nil {
		return nil
	}
	known := slices.Clone(s.Symbols)
	for _, r := range c.Rules() {
		known = append(known, r.Symbol)
	}
	return known
}

func add(ps tomlfile.Problems, err error) tomlfile.Problems {
	var more tomlfile.Problems
	switch {
	case err == nil:
	case errors.As(err, &more):
		ps = append(ps, more...)
	default:
		ps = append(ps, tomlfile.Plain(err))
	}
	return ps
}
