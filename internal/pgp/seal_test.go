package pgp_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/pgp"
)

// A revocation arrives as the same key with one more signature; an older copy does not
// bring the key back, in whichever order they come.
func TestMerge(t *testing.T) {
	e := entity(t, "a@x.test", nil)
	old := key(t, public(t, e))
	if err := e.Revoke(packet.KeyCompromised, "lost", nil); err != nil {
		t.Fatal(err)
	}
	gone := key(t, public(t, e))
	for _, pair := range [][2]*pgp.Key{{old, gone}, {gone, old}} {
		m, err := pgp.Merge(pair[0], pair[1])
		if err != nil || m.Info(time.Now()).Code != pgp.Revoked {
			t.Errorf("%v", err)
		}
	}
	if m, err := pgp.Merge(old, old); err != nil || !bytes.Equal(m.Bytes(), old.Bytes()) {
		t.Errorf("a key merged with itself is another: %v", err)
	}
	if _, err := pgp.Merge(old, key(t, public(t, entity(t, "a@x.test", nil)))); err == nil {
		t.Error("two keys are one")
	}
}

func signer(t testing.TB, e *openpgp.Entity) *pgp.Signer {
	t.Helper()
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
		t.Fatal(err)
	}
	kept, pub, err := pgp.ProtectSecret(b.Bytes(), nil, []byte("mat khau dai"))
	if err != nil || pub.Info(time.Now()).Code != pgp.OK {
		t.Fatal(pub, err)
	}
	if _, err := pgp.ReadKeys(kept); err == nil {
		t.Error("a secret key passes for a public one")
	}
	if _, err := pgp.OpenSigner(kept, []byte("khac"), time.Now()); err == nil {
		t.Error("another passphrase opens it")
	}
	if _, err := pgp.OpenSigner(kept, nil, time.Now()); err == nil {
		t.Error("no passphrase opens it")
	}
	s, err := pgp.OpenSigner(kept, []byte("mat khau dai"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A signed letter verifies over exactly the octets of its first part; one of eight bits is
// encoded first, and says the same.
func TestSign(t *testing.T) {
	e := entity(t, "so@x.test", nil)
	by := signer(t, e)
	raw, ok := pgp.Canonical([]byte(letter))
	if !ok {
		t.Fatal("not to be signed")
	}
	var out bytes.Buffer
	if err := by.Sign(&out, [][]byte{raw}, time.Now()); err != nil {
		t.Fatal(err)
	}
	root := mimetree.Parse(out.Bytes(), mimetree.DefaultLimits())
	if pgp.Protection(root) != pgp.PGPSigned || len(root.Children) != 2 || root.Params["micalg"] == "" || strings.TrimSpace(root.Children[0].Text) != "Nội dung mật.\r\n-- \r\n." && !strings.Contains(root.Children[0].Text, "Nội dung mật.") {
		t.Fatalf("%s", out.Bytes())
	}
	_, rest, _ := bytes.Cut(out.Bytes(), []byte("--"+root.Params["boundary"]+"\r\n"))
	part, _, _ := bytes.Cut(rest, []byte("\r\n--"+root.Params["boundary"]))
	if bytes.ContainsFunc(part, func(r rune) bool { return r >= 0x80 }) {
		t.Error("signed is what relays may change")
	}
	block, err := armor.Decode(bytes.NewReader(root.Children[1].Decoded))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := openpgp.VerifyDetachedSignature(openpgp.EntityList{e}, bytes.NewReader(part), block.Body, nil); err != nil {
		t.Errorf("%v\n%s", err, out.Bytes())
	}
	to := entity(t, "a@x.test", nil)
	both := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public(t, to))}, Signer: by}, letter)
	if open(t, both, to, e) != inner {
		t.Error("signed and encrypted does not open")
	}
	if _, ok := pgp.Canonical([]byte("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")); ok {
		t.Error("what somebody else has signed is signed again")
	}
}

// around puts parts into a multipart/mixed.
func around(parts ...string) string {
	return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
}

func TestProtection(t *testing.T) {
	for raw, want := range map[string]string{
		"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                                                      pgp.PGPSigned,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                                                    pgp.SMIMESigned,
		"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                                                                                           pgp.PGPEncrypted,
		"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n":                                                                                                                pgp.SMIMESigned,
		"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n":                                                                                                           pgp.SMIMEEncrypted,
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--b--\r\n": pgp.PGPEncrypted,
		around("Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--", "\r\nfooter of a list"):                                          pgp.PGPSigned,
		around("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--", "\r\nfooter of a list"):                                        pgp.SMIMESigned,
		around("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx", "\r\nfooter"):                                                                                              pgp.SMIMESigned,
		around("Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--", "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"):                                             pgp.PGPEncrypted,
		around("Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--", "\r\n-----BEGIN PGP MESSAGE-----"):                                                                       pgp.PGPInlineEncrypted,
		around("Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--", "\r\na letter that is attached"):                                     "",
		"\r\n-----BEGIN PGP MESSAGE-----\r\n":                   pgp.PGPInlineEncrypted,
		"\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n":            pgp.PGPInlineSigned,
		"\r\nthey write -----BEGIN PGP MESSAGE----- on top\r\n": "",
		letter: "",
	} {
		root := mimetree.Parse([]byte(raw), mimetree.DefaultLimits())
		if got := pgp.Protection(root); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
		if pgp.Sealed(root) {
			t.Errorf("%q passes for encrypted", raw)
		}
	}
	if pgp.Protection((*msg.Part)(nil)) != "" || pgp.Sealed(nil) {
		t.Error("no tree")
	}
}

// What is encrypted in fact is seen in odd structures, and nothing beside it is missed.
func TestSealed(t *testing.T) {
	e := entity(t, "a@x.test", nil)
	armored := string(sealed(t, seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public(t, e))}}, letter)))
	text := func(s string) string { return "Content-Type: text/plain\r\n\r\n" + s }
	octets := "Content-Type: application/octet-stream\r\n\r\n"
	version := "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
	for raw, want := range map[string]bool{
		text(armored):                                             true,
		text(armored + "\r\nP.S. bi mat"):                         false,
		text("bi mat\r\n" + armored):                              false,
		around(text(""), version, octets+armored):                 true,
		around(text("bi mat"), version, octets+armored):           false,
		around(version+"bi mat", octets+armored):                  false,
		around(version, octets+"bi mat"):                          false,
		around(version):                                           false,
		around(text(armored), text(armored)):                      true,
		around(text(armored), "Content-Type: image/png\r\n\r\nx"): false,
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CA\r\n": true,
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAqCA\r\n": false,
	} {
		if got := pgp.Sealed(mimetree.Parse([]byte(raw), mimetree.DefaultLimits())); got != want {
			t.Errorf("%v, want %v:\n%.400s", got, want, raw)
		}
	}
}

func FuzzSeal(f *testing.F) {
	e := entity(f, "mat@x.test", nil)
	k := key(f, public(f, e))
	f.Add([]byte(letter), 10)
	f.Add([]byte("\r\nno header"), 1)
	f.Add([]byte("no header at all"), 0)
	f.Add([]byte("Content-Type: a/b\r\nX: y"), 3)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		cut = min(max(cut, 0), len(raw))
		var b bytes.Buffer
		if err := (pgp.Sealing{To: []*pgp.Key{k}, Now: time.Now(), HideSubject: true, Tags: []string{"[mahoa]"}}).Seal(&b, [][]byte{raw[:cut], raw[cut:]}); err != nil {
			t.Fatal(err)
		}
		out := b.Bytes()
		_, body, found := bytes.Cut(raw, []byte("\r\n\r\n"))
		if i := bytes.LastIndex(out, []byte("-----BEGIN PGP MESSAGE-----")); found && i >= 0 && len(body) > 0 {
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

func FuzzReadKeys(f *testing.F) {
	f.Add(public(f, entity(f, "mat@x.test", nil)))
	f.Add(pgp.Armor(public(f, entity(f, "mat@x.test", nil))))
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxjMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ks, err := pgp.ReadKeys(data)
		if err != nil {
			return
		}
		for _, k := range ks {
			k.Info(time.Now())
			if again, err := pgp.ReadKeys(k.Bytes()); err == nil && again[0].Fingerprint() != k.Fingerprint() {
				t.Error("what is kept is another key")
			}
		}
	})
}

func FuzzSealed(f *testing.F) {
	f.Add([]byte("-----BEGIN PGP MESSAGE-----\n\nwV4D\n-----END PGP MESSAGE-----"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		pgp.Sealed(&msg.Part{MediaType: "text/plain", Decoded: data})
		pgp.Sealed(&msg.Part{MediaType: "application/pkcs7-mime", Decoded: data})
	})
}

func FuzzCanonical(f *testing.F) {
	f.Add([]byte(letter))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if out, ok := pgp.Canonical(raw); ok {
			if again, ok := pgp.Canonical(out); !ok || !bytes.Equal(again, out) {
				t.Errorf("not canonical: %q", out)
			}
		}
	})
}
