package pgp_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
)

const letter = "Received: from a by b; Mon, 16 Nov 2026 08:30:00 +0700\r\nFrom: <a@x.test>\r\nSubject: Cong van\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\ncontent-transfer-encoding: 8bit\r\nMessage-ID: <1@x.test>\r\n\r\nNội dung mật.\r\n-- \r\n.\r\n"

const inner = "Content-Type: text/plain;\r\n charset=utf-8\r\ncontent-transfer-encoding: 8bit\r\n\r\nNội dung mật.\r\n-- \r\n.\r\n"

func entity(t testing.TB, address string, c *packet.Config) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Mau", "", address, c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func armoured(t testing.TB, kind string, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		err = errors.Join(write(w), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func public(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	return armoured(t, openpgp.PublicKeyType, e.Serialize)
}

func store(t testing.TB) *pgp.Store {
	t.Helper()
	s, err := pgp.OpenStore(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func imported(t testing.TB, s *pgp.Store, key []byte) pgp.KeyInfo {
	t.Helper()
	ks, err := s.Import(bytes.NewReader(key))
	if err != nil || len(ks) != 1 {
		t.Fatalf("%v %v", ks, err)
	}
	return ks[0]
}

// sealed takes the PGP message out of an encrypted letter as a mail program would: by
// its MIME structure.
func sealed(t testing.TB, raw []byte) []byte {
	t.Helper()
	root := mimetree.Parse(raw, mimetree.DefaultLimits())
	if len(root.Children) != 2 || root.MediaType != "multipart/encrypted" || root.Params["protocol"] != "application/pgp-encrypted" ||
		root.Children[0].MediaType != "application/pgp-encrypted" || !strings.HasPrefix(string(root.Children[0].Decoded), "Version: 1") || len(root.Ambiguities) > 0 {
		t.Fatalf("not RFC 3156:\n%s", raw)
	}
	return root.Children[1].Decoded
}

func open(t testing.TB, raw []byte, keys ...*openpgp.Entity) string {
	t.Helper()
	block, err := armor.Decode(bytes.NewReader(sealed(t, raw)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := openpgp.ReadMessage(block.Body, openpgp.EntityList(keys), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	clear, err := io.ReadAll(m.UnverifiedBody)
	if err != nil {
		t.Fatal(err)
	}
	return string(clear)
}

func TestEncryptKeepsTheEntityOctetForOctet(t *testing.T) {
	s, e := store(t), entity(t, "mat@x.test", nil)
	k := imported(t, s, public(t, e))
	out, err := s.Encrypt([]byte(letter), []string{k.Fingerprint})
	if err != nil {
		t.Fatal(err)
	}
	if got := open(t, out, e); got != inner {
		t.Errorf("inside:\n%q\nwant\n%q", got, inner)
	}
	head, _, _ := bytes.Cut(out, []byte("\r\n\r\n"))
	for _, field := range []string{"Received: from a by b; Mon, 16 Nov 2026 08:30:00 +0700\r\nFrom: <a@x.test>\r\nSubject: Cong van\r\nMessage-ID: <1@x.test>\r\n"} {
		if !bytes.HasPrefix(head, []byte(field)) {
			t.Errorf("the fields outside:\n%s", head)
		}
	}
	if bytes.Contains(out, []byte("mật")) || bytes.Contains(head, []byte("charset")) {
		t.Error("clear text is left")
	}
	if bytes.Contains(bytes.ReplaceAll(out, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a bare LF")
	}
}

func TestEncryptToSeveralKeysAndNeverToFewer(t *testing.T) {
	s, a, b := store(t), entity(t, "a@x.test", nil), entity(t, "b@x.test", nil)
	fa, fb := imported(t, s, public(t, a)).Fingerprint, imported(t, s, public(t, b)).Fingerprint
	out, err := s.Encrypt([]byte(letter), []string{fa, fb})
	if err != nil {
		t.Fatal(err)
	}
	if open(t, out, a) != inner || open(t, out, b) != inner {
		t.Error("one of two cannot read it")
	}
	for name, fprs := range map[string][]string{"none": nil, "an unknown one": {fa, strings.Repeat("A", 40)}, "a path": {"../" + fa}} {
		if out, err := s.Encrypt([]byte(letter), fprs); err == nil || out != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	now := func() time.Time { return time.Now().Add(-48 * time.Hour) }
	expired := entity(t, "old@x.test", &packet.Config{Time: now, KeyLifetimeSecs: 3600})
	weak := entity(t, "weak@x.test", &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 1024})
	revoked := entity(t, "gone@x.test", nil)
	if err := revoked.RevokeKey(packet.KeyCompromised, "", nil); err != nil {
		t.Fatal(err)
	}
	signOnly := entity(t, "sign@x.test", nil)
	signOnly.Subkeys = nil
	secret := entity(t, "secret@x.test", nil)
	for name, key := range map[string][]byte{
		"garbage":   []byte("this is no key"),
		"nothing":   nil,
		"empty":     []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n"),
		"too large": bytes.Repeat([]byte("a"), 1<<20+1),
		"secret":    armoured(t, openpgp.PrivateKeyType, func(w io.Writer) error { return secret.SerializePrivate(w, nil) }),
		"expired":   public(t, expired),
		"weak":      public(t, weak),
		"revoked":   public(t, revoked),
		"sign only": public(t, signOnly),
	} {
		s := store(t)
		ks, err := s.Import(bytes.NewReader(key))
		var p *pgp.Problem
		if !errors.As(err, &p) || p.What.VI == "" || p.What.EN == "" {
			t.Errorf("%s: %v %v", name, ks, err)
		}
		if len(s.List()) != 0 {
			t.Errorf("%s: something was kept", name)
		}
	}
}

func TestAnAddressIsPinned(t *testing.T) {
	s := store(t)
	mine, other := entity(t, "mat@x.test", nil), entity(t, "MAT@X.TEST", nil)
	k := imported(t, s, public(t, mine))
	if _, err := s.Import(bytes.NewReader(public(t, other))); err == nil || !strings.Contains(err.Error(), k.Fingerprint) {
		t.Fatalf("another key took the address: %v", err)
	}
	if got, ok := s.Lookup("mat@x.test"); !ok || got.Fingerprint != k.Fingerprint {
		t.Errorf("lookup: %v %v", got, ok)
	}
	imported(t, s, public(t, mine)) // the same key again, with fresh signatures perhaps
	if err := s.Remove(k.Fingerprint); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Lookup("mat@x.test"); ok {
		t.Error("the removed key is found")
	}
	imported(t, s, public(t, other))
	if err := s.Remove("../x"); err == nil {
		t.Error("a path was removed")
	}
}

// A revocation arrives as the same key with one more signature; an older copy of the
// file must not bring the key back.
func TestRevocationStays(t *testing.T) {
	s, e := store(t), entity(t, "mat@x.test", nil)
	before := public(t, e)
	k := imported(t, s, before)
	if err := e.RevokeKey(packet.KeyCompromised, "lost", nil); err != nil {
		t.Fatal(err)
	}
	if ks, err := s.Import(bytes.NewReader(public(t, e))); err != nil || ks[0].Usable {
		t.Fatalf("the revocation: %v %v", ks, err)
	}
	if _, err := s.Import(bytes.NewReader(before)); err == nil {
		t.Error("the older copy was taken")
	}
	if _, ok := s.Lookup("mat@x.test"); ok {
		t.Error("a revoked key is found")
	}
	if out, err := s.Encrypt([]byte(letter), []string{k.Fingerprint}); err == nil {
		t.Errorf("encrypted to a revoked key: %d octets", len(out))
	}
}

// An address that the key's holder never signed for is not the key's.
func TestAddressWithoutSelfSignature(t *testing.T) {
	s, e, victim := store(t), entity(t, "evil@x.test", nil), entity(t, "boss@x.test", nil)
	for name, id := range victim.Identities {
		e.Identities[name] = id // grafted: signed by another key
	}
	ks, err := s.Import(bytes.NewReader(public(t, e)))
	if _, ok := s.Lookup("boss@x.test"); ok {
		t.Errorf("a grafted address is believed: %v %v", ks, err)
	}
}

func TestStoreSeesOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	a, err := pgp.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pgp.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	imported(t, a, public(t, entity(t, "mat@x.test", nil)))
	deadline := time.Now().Add(10 * time.Second) // far above the tenth of a second that it may take
	for _, ok := b.Lookup("mat@x.test"); !ok; _, ok = b.Lookup("mat@x.test") {
		if time.Now().After(deadline) {
			t.Fatal("the other process's key is not seen")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.Repeat("B", 40)+".asc"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for _, k := range b.List() {
		if !k.Usable && k.Why.VI != "" && k.Why.EN != "" {
			damaged++
		}
	}
	if damaged != 1 || len(b.List()) != 2 {
		t.Errorf("a damaged file: %+v", b.List())
	}
}

func TestProtection(t *testing.T) {
	for raw, want := range map[string]string{
		"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":   pgp.PGPSigned,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n": pgp.SMIMESigned,
		"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                        pgp.PGPEncrypted,
		"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n":                                             pgp.SMIMESigned,
		"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n":                                        pgp.SMIMEEncrypted,
		"\r\n-----BEGIN PGP MESSAGE-----\r\n":                   pgp.PGPInlineEncrypted,
		"\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n":            pgp.PGPInlineSigned,
		"\r\nthey write -----BEGIN PGP MESSAGE----- on top\r\n": "",
		letter: "",
	} {
		if got := pgp.Protection(mimetree.Parse([]byte(raw), mimetree.DefaultLimits())); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	if pgp.Protection((*msg.Part)(nil)) != "" {
		t.Error("no tree")
	}
}

func FuzzEncrypt(f *testing.F) {
	s, e := store(f), entity(f, "mat@x.test", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}) // quick to make
	k := imported(f, s, public(f, e))
	f.Add([]byte(letter))
	f.Add([]byte("\r\nno header"))
	f.Add([]byte("no header at all"))
	f.Add([]byte("Content-Type: a/b\r\nX: y"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := s.Encrypt(raw, []string{k.Fingerprint})
		if err != nil {
			t.Fatal(err)
		}
		_, body, found := bytes.Cut(raw, []byte("\r\n\r\n"))
		if i := bytes.Index(out, []byte("-----BEGIN PGP MESSAGE-----")); found && i >= 0 && len(body) > 0 {
			block, err := armor.Decode(bytes.NewReader(out[i:]))
			if err != nil {
				t.Fatal(err)
			}
			m, err := openpgp.ReadMessage(block.Body, openpgp.EntityList{e}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			clear, err := io.ReadAll(m.UnverifiedBody)
			if err != nil || !bytes.HasSuffix(clear, body) {
				t.Errorf("the body is not inside: %v", err)
			}
		}
	})
}

func FuzzImport(f *testing.F) {
	f.Add(public(f, entity(f, "mat@x.test", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})))
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxjMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"))
	s := store(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = s.Import(bytes.NewReader(data))
	})
}
