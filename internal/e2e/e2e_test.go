package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"congthu/internal/e2e"
)

const (
	cases = "../../testdata/cases"
	rules = "../../rules"

	// forgeries begins the names of the cases in which somebody poses as somebody else (the
	// attacks of "Composition Kills"): whatever else they want, nothing in them may pass.
	forgeries = "C24-"
)

// programs are the programs under test, built from this source when first asked for.
var programs struct {
	dir   string
	build sync.Once
	err   error
}

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(programs.dir) // it lies where the system keeps such files
	os.Exit(status)
}

// build makes the programs under test, once for all tests.
func build(t testing.TB) e2e.Programs {
	t.Helper()
	programs.build.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "congthu-e2e-"); programs.err != nil {
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
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return e2e.Programs{Congthu: filepath.Join(programs.dir, "congthu")}
}

// forCases is how many numbers x of loopback are for the cases; those above are for the
// other tests.
const forCases = 199

// loopback is an address of this process alone, so that two checkouts on one machine can
// be tested at once.
func loopback(x, y int) string { return fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()%160, x, y) }

var spares atomic.Int32

// spare is an x that no other test has at the same time: many of them run together.
func spare() int { return forCases + 1 + int(spares.Add(1))%(255-forCases-1) }

func TestCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(cases, "*.txtar"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d cases in %s (%v): the set is not whole", len(files), cases, err)
	}
	programs := build(t)
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			run(t, programs, file, loopback(1+i%forCases, 1+i/forCases))
		})
	}
}

func run(t *testing.T, programs e2e.Programs, file, ip string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e2e.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	g, err := programs.Start(t.Context(), c, t.TempDir(), rules, ip)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Play(c); err != nil {
		t.Errorf("dialogue: %v", err)
	}
	if err := g.Check(c); err != nil {
		t.Errorf("want: %v", err)
	}
	if strings.HasPrefix(filepath.Base(file), forgeries) {
		for _, h := range g.Believed() {
			t.Errorf("a forgery was delivered as if it were authenticated:\n%s", h)
		}
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("%s\nlog:\n%s", c.Shows, g.Log())
	}
}
