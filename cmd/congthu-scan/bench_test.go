package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/inspect/attach"
	"congthu/internal/msg"
)

// BenchmarkThroughWorker puts the way through the worker beside libyara's own time for
// the same octets and rules, the published ones where they are: each letter is looked at
// in both ways, one right after the other. "added-us" is the median of the differences,
// "of-libyara-%" the share of libyara's throughput that is left.
func BenchmarkThroughWorker(b *testing.B) {
	extra := extraRules()
	scanner := ownScanner(b, extra)
	inspector := throughWorker(b, extra)
	for _, c := range []struct {
		name string
		size int
	}{{"4K", 4 << 10}, {"10K", 10 << 10}, {"1M", 1 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			text := []byte(strings.Repeat("Kinh gui quy co quan, day la mot la thu.\r\n", c.size/42))
			m := &msg.Message{Raw: append([]byte("Subject: x\r\n\r\n"), text...), Root: &msg.Part{Path: "0", MediaType: "text/plain", Decoded: text}}
			var own, added []time.Duration
			for b.Loop() {
				alone := timed(b, func() error { return scanBoth(scanner, m.Raw, text) })
				through := timed(b, func() error {
					_, _, err := inspector.Inspect(b.Context(), m)
					return err
				})
				own, added = append(own, alone), append(added, through-alone)
			}
			base, more := median(own), median(added)
			b.ReportMetric(float64(more.Microseconds()), "added-us")
			b.ReportMetric(100*float64(base)/float64(base+more), "of-libyara-%")
		})
	}
}

func extraRules() string {
	suite := os.Getenv("CONGTHU_SUITES")
	if suite == "" {
		suite = "../../../shared/suites"
	}
	if _, err := os.Stat(suite + "/yara"); err != nil {
		return ""
	}
	return suite + "/yara"
}

func ownScanner(b *testing.B, extra string) *yarascan.Scanner {
	r, problems, err := yarascan.Load(yarascan.Source{Dir: "../../rules/yara", Extra: extra})
	if err != nil || len(problems) > 0 {
		b.Fatal(problems, err)
	}
	s, err := r.Scanner()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func throughWorker(b *testing.B, extra string) msg.Inspector {
	bin := filepath.Join(b.TempDir(), "congthu-scan")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	p, err := attach.Start(b.Context(), attach.Options{Worker: bin, Rules: "../../rules/yara", Extra: extra, Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close() })
	return p.Inspector(func(string) bool { return false })
}

func scanBoth(s *yarascan.Scanner, objects ...[]byte) error {
	s.Begin()
	for _, data := range objects {
		if _, err := s.Scan(yarascan.Object{Data: data}, time.Minute); err != nil {
			return err
		}
	}
	return nil
}

func timed(b *testing.B, do func() error) time.Duration {
	start := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
