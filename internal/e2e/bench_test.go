package e2e_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"congthu/internal/e2e"
)

// rounds is how often each server is measured, in turn: machines are noisy, and a ratio
// is taken within a round.
const rounds = 3

// BenchmarkBesidePostfix measures the real gateway, inspection switched off, against a
// plain Postfix relay with its defaults: the same letters from the same client to the
// same next hop, one server after the other, three times. It reports medians, and the
// median of the ratios. The time per operation means nothing.
//
//   - accept: the next hop is down, so a 250 stands for a letter that is synced to disk
//   - relay: from the first octet sent to the last letter at the next hop
func BenchmarkBesidePostfix(b *testing.B) {
	programs := build(b)
	for i, c := range []struct {
		name     string
		size     int
		sessions int
		letters  [2]int // congthu, postfix
		up       bool
	}{
		{"accept-4KB-64", 4 << 10, 64, [2]int{20_000, 3000}, false},
		{"relay-4KB-16", 4 << 10, 16, [2]int{20_000, 3000}, true},
		{"relay-40KB-16", 40 << 10, 16, [2]int{10_000, 2000}, true},
		{"relay-1MB-16", 1 << 20, 16, [2]int{1000, 300}, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			var ours, theirs, ratio []float64
			for round := range rounds {
				hop := newHop(b, c.up)
				letter := newLetter(c.size)
				ours = append(ours, measure(b, startCongthu(b, programs, hop.addr, loopback(200+i, round+1)), hop, letter, c.letters[0], c.sessions))
				theirs = append(theirs, measure(b, startPostfix(b, hop.addr), hop, letter, c.letters[1], c.sessions))
				ratio = append(ratio, ours[round]/theirs[round])
			}
			b.ReportMetric(median(ours), "congthu-msg/s")
			b.ReportMetric(median(theirs), "postfix-msg/s")
			b.ReportMetric(median(ratio), "ratio")
		})
	}
}

func median(xs []float64) float64 {
	xs = slices.Clone(xs)
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// server is a mail server under measurement.
type server struct {
	addr string
	stop func()
}

// measure sends letters and returns how many a second were accepted, or, where the next
// hop takes them, arrived.
func measure(b *testing.B, s server, hop *hop, letter []byte, letters, sessions int) float64 {
	b.Helper()
	defer s.stop()
	flood(b, s.addr, letter, 2*sessions, sessions) // warm
	hop.await(b, 2*sessions)
	hop.reset()
	start := time.Now()
	flood(b, s.addr, letter, letters, sessions)
	hop.await(b, letters)
	return float64(letters) / time.Since(start).Seconds()
}

func startCongthu(b *testing.B, p e2e.Programs, hop, ip string) server {
	b.Helper()
	c := &e2e.Case{Config: fmt.Sprintf(`
[inspect]
skip = ["auth", "header", "adlaw", "link", "content", "classify", "dnsbl", "known", "burst", "attach"]
[limits]
per_client = 1000
[[route]]
domains = ["gov.test"]
next_hop = %q
`, hop)}
	g, err := p.Start(b.Context(), c, b.TempDir(), rules, ip)
	if err != nil {
		b.Fatal(err)
	}
	return server{g.Addr, func() {
		if err := g.Stop(); err != nil {
			b.Error(err)
		}
	}}
}

// free returns a loopback address that nobody listens on.
func free(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// publicDir is a directory that another account may enter; a test's own is not.
func publicDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "congthu-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	return filepath.Clean(dir)
}
