// Package peer is how tests speak with the real counterparts: programs of others that a
// clean machine gets from `make test`. Where one is missing the test is skipped and says so.
package peer

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Need skips the test when a program is not installed.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: make test installs it", p)
		}
	}
}

// Run runs a program and returns what it prints; it must succeed.
func Run(t testing.TB, stdin []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	var trouble bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, trouble.String())
	}
	return out
}

// Home makes a home for gpg, with nothing in it; its agent ends with the test.
func Home(t testing.TB) string {
	t.Helper()
	Need(t, "gpg")
	home, err := os.MkdirTemp("", "g") // short: gpg-agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() // best effort
		_ = os.RemoveAll(home)
	})
	return home
}

// GnuPG returns gpg in a home; it trusts every key and asks nobody.
func GnuPG(t testing.TB, home string) func(stdin []byte, args ...string) []byte {
	base := []string{"--homedir", home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", "--trust-model", "always"}
	return func(stdin []byte, args ...string) []byte {
		t.Helper()
		return Run(t, stdin, "gpg", append(base[:len(base):len(base)], args...)...)
	}
}
