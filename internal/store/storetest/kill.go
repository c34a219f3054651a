package storetest

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"
)

// KillSelf runs this test program once more with these settings in its environment, kills it
// at a moment by chance within the given time after one of its first lines, also by chance,
// and returns its lines: by lines, because a slow machine may do nothing at all within any
// given time. What the child does when it finds the settings is for its TestMain.
func KillSelf(t testing.TB, first int, within time.Duration, env ...string) (lines []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := 1 + rand.N(first)
	for s := bufio.NewScanner(out); s.Scan(); {
		if lines = append(lines, s.Text()); len(lines) == last {
			time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // killed
	return lines
}
