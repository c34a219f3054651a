package yarascan

import (
	"fmt"
	"slices"
	"time"

	"github.com/hillu/go-yara/v4"
)

// The symbols of this package.
const (
	Malware    = "YARA_MALWARE"
	Suspicious = "YARA_SUSPICIOUS"
)

// symbol is what a rule's tags say that its match means; the graver one wins.
func symbol(tags []string) string {
	switch {
	case slices.Contains(tags, "malware"):
		return Malware
	case slices.Contains(tags, "suspicious"):
		return Suspicious
	}
	return ""
}

// Match is one rule that an object meets.
type Match struct{ Symbol, Rule string }

// Scanner scans one object at a time. It is for one goroutine.
type Scanner struct{ s *yara.Scanner }

// Scanner makes a scanner, which is reused from object to object.
func (r *Rules) Scanner() (*Scanner, error) {
	s, err := yara.NewScanner(r.compiled)
	if err != nil {
		return nil, fmt.Errorf("yara: %w", err)
	}
	s.SetFlags(yara.ScanFlagsFastMode)
	return &Scanner{s}, nil
}

// Scan returns the rules that the octets meet. The timeout is rounded up to whole
// seconds: libyara takes less than one as no limit at all. Any trouble is an error:
// an object that was not wholly scanned is not clean.
func (s *Scanner) Scan(data []byte, timeout time.Duration) ([]Match, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var hits matches
	s.s.SetTimeout(max(time.Second, (timeout + time.Second - 1).Truncate(time.Second)))
	s.s.SetCallback(&hits)
	if err := s.s.ScanMem(data); err != nil {
		return hits, fmt.Errorf("yara: %w", err)
	}
	return hits, nil
}

// matches implements yara.ScanCallbackMatch.
type matches []Match

// RuleMatching takes a match.
func (m *matches) RuleMatching(_ *yara.ScanContext, r *yara.Rule) (bool, error) {
	if s := symbol(r.Tags()); s != "" && !r.IsPrivate() {
		*m = append(*m, Match{s, r.Identifier()})
	}
	return false, nil
}
