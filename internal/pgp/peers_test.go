package pgp_test

import (
	"os"
	"path/filepath"
	"testing"

	"congthu/internal/peer"
	"congthu/internal/pgp"
)

// GnuPG makes the keys, we encrypt, GnuPG opens.
func TestGnuPG(t *testing.T) {
	gpg := peer.GnuPG(t, peer.Home(t))
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
	peer.Need(t, "sq")
	dir := t.TempDir()
	secret, cert := filepath.Join(dir, "key.pgp"), filepath.Join(dir, "cert.pgp")
	peer.Run(t, nil, "sq", "key", "generate", "--userid", "Mau <sq@x.test>", "--export", secret)
	peer.Run(t, nil, "sq", "key", "extract-cert", "--output", cert, secret)
	public, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	out := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public)}}, letter)
	if got := peer.Run(t, sealed(t, out), "sq", "decrypt", "--recipient-key", secret); string(got) != inner {
		t.Errorf("sq opens it to %q", got)
	}
}
