package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/inspect/attach"
	"congthu/internal/msg"
)

// BenchmarkThroughWorker puts the way through the worker beside libyara's own time for
// the same octets and rules, the published ones where they are: each letter is looked at
// in both ways, one right after the other. "added-us" is the median of the differences,
// "of-libyara-%" the share of libyara's throughput that is left. "added-cpu-us" is what both
// processes work more for a letter than libyara does alone: it does not depend on who else
// works on the machine.
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
			var own, added, work []time.Duration
			workers := children(b)
			for b.Loop() {
				start := worked(b, workers)
				alone := timed(b, func() error { return scanBoth(scanner, m.Raw, text) })
				between := worked(b, workers)
				through := timed(b, func() error {
					_, _, err := inspector.Inspect(b.Context(), m)
					return err
				})
				own, added = append(own, alone), append(added, through-alone)
				work = append(work, worked(b, workers)-between-(between-start))
			}
			base, more := median(own), median(added)
			b.ReportMetric(float64(more.Microseconds()), "added-us")
			b.ReportMetric(float64(median(work).Nanoseconds())/1000, "added-cpu-us")
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

// children are the processes that this one has started.
func children(b *testing.B) (pids []int) {
	lists, _ := filepath.Glob("/proc/self/task/*/children") // the pattern is good
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			b.Fatal(err)
		}
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				b.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// worked is the processor time of this process and of those, on all threads.
func worked(b *testing.B, pids []int) time.Duration {
	clocks := []int32{unix.CLOCK_PROCESS_CPUTIME_ID}
	for _, pid := range pids {
		clocks = append(clocks, int32(^pid<<3|2)) // clock_getcpuclockid(3)
	}
	var sum time.Duration
	for _, c := range clocks {
		var t unix.Timespec
		if err := unix.ClockGettime(c, &t); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(t.Nano())
	}
	return sum
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
