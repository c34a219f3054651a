package faults

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"congthu/internal/figures"
)

const rules = "../../rules"

// programs are the programs under test, built from this source when first asked for.
var programs struct {
	dir   string
	build sync.Once
	err   error
}

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("6") // the tests wait most of the time; the flag is there
	}
	status := m.Run()
	_ = os.RemoveAll(programs.dir) // it lies where the system keeps such files
	os.Exit(status)
}

// congthu returns the path of the program, its scan worker beside it.
func congthu(t *testing.T) string {
	t.Helper()
	programs.build.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "congthu-faults-"); programs.err != nil {
			return
		}
		for name, cgo := range map[string]string{"congthu": "0", "congthu-scan": "1"} {
			cmd := exec.Command("go", "build", "-o", filepath.Join(programs.dir, name), "congthu/cmd/"+name)
			cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
			if out, err := cmd.CombinedOutput(); err != nil {
				programs.err = fmt.Errorf("%s: %w\n%s", name, err, out)
			}
		}
	})
	must(t, programs.err)
	return filepath.Join(programs.dir, "congthu")
}

// long tells whether this is make test-faults.
func long() bool { return os.Getenv("CONGTHU_FAULTS") == "long" }

// times is how often a fault is made: a few times in make test, often in make
// test-faults.
func times(short, more int) int {
	if long() {
		return more
	}
	return short
}

// newRig makes a rig whose hops are willing. The gateway is not started.
func newRig(t *testing.T, o Options) *Rig {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := New(ctx, congthu(t), rules, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		if t.Failed() {
			t.Logf("the log ends:\n%s", tail(r.Log(), 6000))
		}
	})
	must(t, r.Heal())
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// load sends letters over some connections until the returned function is called.
func load(t *testing.T, s Sender, connections int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, connections) }()
	stop = func() {
		cancel()
		if err, ok := <-done; ok && err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(cancel)
	return stop
}

// report says what a judge has found, and hands it on to the closing line of make
// test-faults.
func report(t *testing.T, v *Verdict) {
	t.Helper()
	t.Logf("%v; %d kept, %d letters deferred", v.Figures, v.Kept, v.Denied)
	for _, p := range v.Problems {
		t.Error(p)
	}
	if !v.Good() {
		t.Errorf("not good: %+v", v.Figures)
	}
	must(t, figures.Add(t.Name(), v.Figures))
}

// finish heals everything, judges and reports.
func finish(t *testing.T, r *Rig, permits func(string) bool) *Verdict {
	t.Helper()
	must(t, r.Heal())
	if !r.Alive() {
		r.Wrap = nil
		must(t, r.Start())
	}
	v, err := r.Judge(permits)
	must(t, err)
	report(t, v)
	return v
}

// tracer returns strace with arguments that make a fault, or skips.
func tracer(t *testing.T, args ...string) []string {
	t.Helper()
	name, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace, which makes the kernel fail")
	}
	base := []string{name, "-f", "-qq", "--seccomp-bpf", "-o", os.DevNull}
	if out, err := exec.Command(name, append(base[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", strings.TrimSpace(string(out)))
	}
	return append(base, args...)
}

// Metrics reads what Prometheus would.
func (r *Rig) Metrics(t *testing.T) string {
	t.Helper()
	host, _, _ := net.SplitHostPort(r.Addr)
	resp, err := http.Get("http://" + host + ":9464/metrics")
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(text)
}
