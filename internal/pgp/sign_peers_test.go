package pgp_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/mimetree"
	"congthu/internal/peer"
	"congthu/internal/pgp"
)

// opened is a signer as the gateway has one: protected by its own passphrase.
func opened(t *testing.T, secret []byte) *pgp.Signer {
	t.Helper()
	kept, _, err := pgp.ProtectSecret(secret, nil, []byte("mot mat khau dai"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := pgp.OpenSigner(kept, []byte("mot mat khau dai"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signedLetter is multipart/signed; what was signed and the signature are what a mail
// program takes out of it.
func signedLetter(t *testing.T, by *pgp.Signer, raw string) (part, sig []byte) {
	t.Helper()
	content, ok := pgp.Canonical([]byte(raw))
	if !ok {
		t.Fatal("it cannot be signed")
	}
	var out bytes.Buffer
	if err := by.Sign(&out, [][]byte{content}, time.Now()); err != nil {
		t.Fatal(err)
	}
	root := mimetree.Parse(out.Bytes(), mimetree.DefaultLimits())
	if root.MediaType != "multipart/signed" || len(root.Children) != 2 || len(root.Ambiguities) > 0 || root.Children[1].MediaType != "application/pgp-signature" {
		t.Fatalf("not RFC 3156:\n%s", out.Bytes())
	}
	first := root.Children[0]
	return out.Bytes()[first.Start:first.End], root.Children[1].Decoded
}

// inTwo are a signature and what it is of, as files.
func inTwo(t *testing.T, part, sig []byte) (partFile, sigFile string) {
	t.Helper()
	dir := t.TempDir()
	partFile, sigFile = filepath.Join(dir, "part"), filepath.Join(dir, "part.sig")
	for name, data := range map[string][]byte{partFile: part, sigFile: sig} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return partFile, sigFile
}

// GnuPG finds our signatures good, beside the text and inside of the encryption, and finds a
// changed octet.
func TestSignaturesByGnuPG(t *testing.T) {
	gpg := peer.GnuPG(t, peer.Home(t))
	for name, algorithm := range map[string]string{"rsa": "default", "curve": "future-default"} {
		address := name + "@x.test"
		gpg(nil, "--quick-generate-key", "Co quan <"+address+">", algorithm, "default")
		by := opened(t, gpg(nil, "--export-secret-keys", address))
		part, sig := signedLetter(t, by, letter)
		partFile, sigFile := inTwo(t, part, sig)
		if out := gpg(nil, "--status-fd", "1", "--verify", sigFile, partFile); !bytes.Contains(out, []byte("GOODSIG")) {
			t.Errorf("%s: %s", name, out)
		}
		changed, _ := inTwo(t, bytes.Replace(part, []byte("dung"), []byte("Dung"), 1), sig)
		if out, _ := exec.Command("gpg", "--homedir", t.TempDir(), "--batch", "--status-fd", "1", "--verify", sigFile, changed).Output(); bytes.Contains(out, []byte("GOODSIG")) {
			t.Errorf("%s: a changed text verifies", name)
		}
		both := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, gpg(nil, "--export", address))}, Signer: by}, letter)
		out := gpg(sealed(t, both), "--status-fd", "1", "--decrypt")
		for _, word := range []string{"GOODSIG", "GOODMDC", strings.SplitN(inner, "\r\n", 2)[0]} {
			if !bytes.Contains(out, []byte(word)) {
				t.Errorf("%s, signed and encrypted: no %s in\n%s", name, word, out)
			}
		}
	}
}

// The same by Sequoia.
func TestSignaturesBySequoia(t *testing.T) {
	peer.Need(t, "sq")
	dir := t.TempDir()
	for _, suite := range []string{"cv25519", "rsa3k"} {
		secretFile, cert := filepath.Join(dir, suite+".key"), filepath.Join(dir, suite+".cert")
		peer.Run(t, nil, "sq", "key", "generate", "--cipher-suite", suite, "--userid", "Co quan <so@x.test>", "--export", secretFile)
		peer.Run(t, nil, "sq", "key", "extract-cert", "--output", cert, secretFile)
		secret, err := os.ReadFile(secretFile)
		if err != nil {
			t.Fatal(err)
		}
		public, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		by := opened(t, secret)
		part, sig := signedLetter(t, by, letter)
		partFile, sigFile := inTwo(t, part, sig)
		peer.Run(t, nil, "sq", "verify", "--signer-cert", cert, "--detached", sigFile, partFile)
		changed, _ := inTwo(t, append(bytes.Clone(part), '.'), sig)
		if err := exec.Command("sq", "verify", "--signer-cert", cert, "--detached", sigFile, changed).Run(); err == nil {
			t.Error("a changed text verifies")
		}
		both := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public)}, Signer: by}, letter)
		if got := peer.Run(t, sealed(t, both), "sq", "decrypt", "--recipient-key", secretFile, "--signer-cert", cert, "--signatures", "1"); string(got) != inner {
			t.Errorf("%s: sq opens it to %q", suite, got)
		}
	}
}

// Version 6 keys, which neither of the two knows yet: the library that is the reference for
// them verifies.
func TestSignaturesOfVersion6(t *testing.T) {
	e := entity(t, "v6@x.test", &packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519, AEADConfig: &packet.AEADConfig{}})
	var secret bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&secret, nil); err != nil {
		t.Fatal(err)
	}
	by := opened(t, secret.Bytes())
	part, sig := signedLetter(t, by, letter)
	if bytes.Contains(sig, []byte("\n=")) {
		t.Error("the armor of a version 6 signature has a checksum (RFC 9580 section 6.1)")
	}
	block, err := armor.Decode(bytes.NewReader(sig))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := openpgp.VerifyDetachedSignature(openpgp.EntityList{e}, bytes.NewReader(part), block.Body, nil)
	if err != nil || s.Version != 6 {
		t.Errorf("%v %+v", err, s)
	}
	both := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public(t, e))}, Signer: by}, letter)
	if open(t, both, e) != inner {
		t.Error("signed and encrypted does not open")
	}
}
