package pgp_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/pgp"
)

// need skips when a real counterpart is not installed; `make test` installs it.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs %s: make test installs it", program)
	}
}

func run(t *testing.T, stdin []byte, program string, args ...string) []byte {
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

// GnuPG makes the keys, we encrypt, GnuPG opens.
func TestGnuPG(t *testing.T) {
	need(t, "gpg")
	home, err := os.MkdirTemp("", "g") // short: gpg-agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() // best effort
		_ = os.RemoveAll(home)
	})
	base := []string{"--homedir", home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", "--trust-model", "always"}
	gpg := func(stdin []byte, args ...string) []byte { return run(t, stdin, "gpg", append(base, args...)...) }
	for name, algorithm := range map[string][]string{"rsa": {"default", "default"}, "curve": {"future-default", "default"}} {
		address := name + "@x.test"
		gpg(nil, append([]string{"--quick-generate-key", "Mau <" + address + ">"}, algorithm...)...)
		k := key(t, gpg(nil, "--armor", "--export", address))
		out := seal(t, pgp.Sealing{To: []*pgp.Key{k}}, letter)
		if got := gpg(sealed(t, out), "--decrypt"); string(got) != inner {
			t.Errorf("%s: gpg opens it to %q", name, got)
		}
	}
}

// The same with Sequoia.
func TestSequoia(t *testing.T) {
	need(t, "sq")
	dir := t.TempDir()
	secret, cert := filepath.Join(dir, "key.pgp"), filepath.Join(dir, "cert.pgp")
	run(t, nil, "sq", "key", "generate", "--userid", "Mau <sq@x.test>", "--export", secret)
	run(t, nil, "sq", "key", "extract-cert", "--output", cert, secret)
	public, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	out := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public)}}, letter)
	if got := run(t, sealed(t, out), "sq", "decrypt", "--recipient-key", secret); string(got) != inner {
		t.Errorf("sq opens it to %q", got)
	}
}
