package pgp

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// GnuPG reads armor of every length: whether the octets divide by three or not.
func TestArmorOfEveryLength(t *testing.T) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		t.Skip("gpg is not installed: make test installs gnupg")
	}
	for n := 90; n < 100; n++ {
		data := append([]byte{0xcb, byte(n - 2), 'b', 0, 0, 0, 0, 0}, bytes.Repeat([]byte("x"), n-8)...) // a literal packet
		for _, sum := range []bool{true, false} {
			var out bytes.Buffer
			a := newArmor(&out, "PGP MESSAGE", "\r\n", sum)
			for rest := data; len(rest) > 0; {
				k := min(len(rest), 7)
				_, _ = a.Write(rest[:k])
				rest = rest[k:]
			}
			if err := a.Close(); err != nil || strings.Contains(out.String(), "\r\n=") != sum {
				t.Fatal(err, out.String())
			}
			if !sum {
				continue
			}
			b, err := armor.Decode(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			var back bytes.Buffer
			if _, err := back.ReadFrom(b.Body); err != nil || back.Len() != n {
				t.Errorf("%d octets: %d %v", n, back.Len(), err)
			}
			cmd := exec.Command(gpg, "--homedir", t.TempDir(), "--batch", "--list-packets")
			cmd.Stdin = bytes.NewReader(append(out.Bytes(), "\r\n--boundary--\r\n"...))
			if said, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(said), "invalid") || !strings.Contains(string(said), "literal data packet") {
				t.Errorf("%d octets: %v %s", n, err, said)
			}
		}
	}
}
