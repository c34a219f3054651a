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
// at a moment by chance after its first line, and returns its lines. What the child does
// when it finds the settings is for its TestMain.
func KillSelf(t testing.TB, within time.Duration, env ...string) (lines []string) {
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
	for s := bufio.NewScanner(out); s.Scan(); {
		if lines = append(lines, s.Text()); len(lines) == 1 {
			time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // killed
	return lines
}
