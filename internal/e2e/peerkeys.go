package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// peerKey makes a key pair as one of the real programs does, and writes both halves as
// KEYPAIR does:
//
//	PEERKEY KIND ADDRESS
//
// KIND is gpg-rsa, gpg-curve, sq-rsa, sq-curve, or v6: a key of RFC 9580, which neither of the
// two knows, by the library.
func (p *player) peerKey(rest string) error {
	kind, address, _ := strings.Cut(rest, " ")
	by := map[string]func(string) (secret, public []byte, err error){
		"gpg-rsa": byGnuPG("rsa3072"), "gpg-curve": byGnuPG("future-default"),
		"sq-rsa": p.bySequoia("rsa3k"), "sq-curve": p.bySequoia("cv25519"), "v6": byLibrary,
	}[kind]
	if by == nil || address == "" {
		return errors.New("PEERKEY gpg-rsa|gpg-curve|sq-rsa|sq-curve|v6 ADDRESS")
	}
	secret, public, err := by(address)
	if err != nil {
		return err
	}
	name := filepath.Join(p.g.Dir, address)
	return errors.Join(os.WriteFile(name+".sec.asc", secret, 0o600), os.WriteFile(name+".asc", public, 0o600))
}

func byGnuPG(algorithm string) func(string) (secret, public []byte, err error) {
	return func(address string) (secret, public []byte, err error) {
		home, err := os.MkdirTemp("", "g") // short: gpg-agent's socket lies in it
		if err != nil {
			return nil, nil, err
		}
		defer func() {
			_, _ = output(nil, "gpgconf", "--homedir", home, "--kill", "all") // best effort
			_ = os.RemoveAll(home)
		}()
		gpg := func(args ...string) ([]byte, error) {
			return output(nil, "gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--armor", "--passphrase", "", "--pinentry-mode", "loopback"}, args...)...)
		}
		if _, err := gpg("--quick-generate-key", "Mau <"+address+">", algorithm, "default"); err != nil {
			return nil, nil, err
		}
		if algorithm == "rsa3072" { // by its name it makes a key that signs alone
			out, err := gpg("--with-colons", "--list-keys", address)
			if err != nil {
				return nil, nil, err
			}
			_, out, _ = bytes.Cut(out, []byte("\nfpr:::::::::"))
			fpr, _, _ := bytes.Cut(out, []byte(":"))
			if _, err := gpg("--quick-add-key", string(fpr), algorithm, "encr"); err != nil {
				return nil, nil, err
			}
		}
		secret, err = gpg("--export-secret-keys", address)
		public, more := gpg("--export", address)
		return secret, public, errors.Join(err, more)
	}
}

func (p *player) bySequoia(suite string) func(string) (secret, public []byte, err error) {
	return func(address string) (secret, public []byte, err error) {
		file := filepath.Join(p.g.Dir, address+".sq")
		if _, err := output(nil, "sq", "key", "generate", "--cipher-suite", suite, "--userid", "Mau <"+address+">", "--export", file); err != nil {
			return nil, nil, err
		}
		secret, err = os.ReadFile(file)
		public, more := output(nil, "sq", "key", "extract-cert", file)
		return secret, public, errors.Join(err, more)
	}
}

func byLibrary(address string) (secret, public []byte, err error) {
	e, err := openpgp.NewEntity("Mau", "", address, &packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519, AEADConfig: &packet.AEADConfig{}})
	if err != nil {
		return nil, nil, err
	}
	secret, err = armored(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) })
	public, more := armored(openpgp.PublicKeyType, e.Serialize)
	return secret, public, errors.Join(err, more)
}

// output runs a program and returns what it prints.
func output(stdin []byte, program string, args ...string) ([]byte, error) {
	var out, complaint bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", program, err, complaint.String())
	}
	return out.Bytes(), nil
}
