package archive_test

import (
	"bytes"
	"context"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/internal/conformance"
)

// expected is what the listing beside a RAR file says of one member.
type expected struct {
	name      string
	size      string
	directory bool
}

var (
	rarEntry = regexp.MustCompile(`^(R5_)?FILE: .* is=([A-Z-]+)`)
	rarSize  = regexp.MustCompile(` dec=(\d+) `)
)

// listing reads the members from the listing of a RAR file.
func listing(text string) []expected {
	var out []expected
	for _, line := range strings.Split(text, "\n") {
		switch m := rarEntry.FindStringSubmatch(line); {
		case m != nil:
			out = append(out, expected{directory: strings.Contains(m[2], "D")})
		case len(out) == 0:
		case strings.HasPrefix(line, "  name="):
			out[len(out)-1].name = strings.TrimPrefix(line, "  name=")
		default:
			if m := rarSize.FindStringSubmatch(line); m != nil {
				out[len(out)-1].size = m[1]
			}
		}
	}
	return out
}

// TestConformanceContainers opens the archives of two libraries' tests. A RAR file has
// the members of its listing; a 7z file opens without a trouble.
func TestConformanceContainers(t *testing.T) {
	s := conformance.Open(t, "containers", "docs")
	for _, name := range s.Glob("rarfile/test/files/*") {
		if !strings.HasSuffix(name, ".exp") {
			s.Case(path.Base(name), openRar(s, name), wanted(name), name)
		}
	}
	for _, name := range s.Glob("sevenzip/testdata/*") {
		if strings.Contains(path.Base(name), ".7z") {
			m := open(s.File(name), (*archive.Budget).SevenZip, "password", "876")
			s.Case(path.Base(name), state(m), wanted(name), strings.Join(m.evidence, "; "))
		}
	}
	s.Done(90)
}

// wanted is what is to come of a file: most are whole; one of several volumes is said
// to be so; one is broken, and of one nobody tells the password.
func wanted(name string) []string {
	switch base := path.Base(name); {
	case strings.Contains(base, "vols.part"), strings.HasPrefix(base, "rar3-old."), strings.HasPrefix(base, "multi.7z."):
		return []string{"volume"}
	case base == "COMPRESS-492.7z":
		return []string{"damaged"}
	case base == "pr472.7z":
		return []string{"locked"}
	}
	return []string{"whole"}
}

func openRar(s *conformance.Suite, name string) string {
	m := open(s.File(name), (*archive.Budget).Rar, "password")
	if got := state(m); got != "whole" {
		return got
	}
	var got, want []string
	for _, x := range m.seen {
		n, _, _ := strings.Cut(x, "=")
		got = append(got, strings.Trim(n, "/"))
	}
	if len(s.Glob(name+".exp")) == 0 {
		return "whole"
	}
	for _, e := range listing(string(s.File(name + ".exp"))) {
		want = append(want, strings.Trim(e.name, "/"))
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			return "without " + w + " of " + strings.Join(want, " ") + ": " + strings.Join(got, " ")
		}
	}
	return "whole"
}

func open(data []byte, with func(*archive.Budget, []byte, archive.Visit) []archive.Remark, passwords ...string) *members {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b := archive.NewBudget(ctx, archive.DefaultLimits())
	b.Passwords = func() []string { return passwords }
	m := &members{}
	return m.done(with(b, bytes.Clone(data), m.visit))
}

// state tells in a word how it went.
func state(m *members) string {
	for _, t := range m.troubles {
		switch t {
		case archive.Unlocked:
		case archive.Volumes:
			return "volume"
		case archive.Encrypted:
			return "locked"
		case archive.Method:
			return "method"
		case archive.Limit:
			return "limit"
		default:
			return "damaged"
		}
	}
	return "whole"
}
