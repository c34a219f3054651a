package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// build makes the programs under test from this source.
func build(t testing.TB) e2e.Programs {
	t.Helper()
	dir := t.TempDir()
	for name, cgo := range map[string]string{"congthu": "0", "congthu-scan": "1"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), "congthu/cmd/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	return e2e.Programs{Congthu: filepath.Join(dir, "congthu")}
}

// forCases is how many numbers x of loopback are for the cases; those above are for the
// other tests.
const forCases = 199

// loopback is an address of this process alone, so that two checkouts on one machine can
// be tested at once.
func loopback(x, y int) string { return fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()%160, x, y) }

var spares atomic.Int32

// spare is an x that no other test has: many of them run at the same time.
func spare() int { return forCases + int(spares.Add(1)) }

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
