package decrypt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/decrypt"
	"congthu/internal/e2e/sealing"
	"congthu/internal/mimetree"
	"congthu/internal/peer"
	"congthu/internal/pgp"
)

// author is somebody who signs, with the public half as the gateway has it.
func author(t testing.TB, address string) (*openpgp.Entity, *pgp.Key) {
	t.Helper()
	e, err := openpgp.NewEntity("", "", address, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	ks, err := pgp.ReadKeys(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return e, ks[0]
}

// knowing makes keys those of a ring, one of them pinned to an@a.test.
func knowing(o *decrypt.Options, pinned *pgp.Key, others ...*pgp.Key) {
	o.Signers = func(id uint64) (out []*pgp.Key) {
		for _, k := range append([]*pgp.Key{pinned}, others...) {
			if k != nil && k.Has(id) {
				out = append(out, k)
			}
		}
		return out
	}
	o.Pinned = func(addr string) string {
		if addr == "an@a.test" && pinned != nil {
			return pinned.Fingerprint()
		}
		return ""
	}
}

func TestSignatures(t *testing.T) {
	h := holders(t)["v4 Cv25519"]
	an, anKey := author(t, "an@a.test")
	ai, aiKey := author(t, "ai@a.test")
	for name, c := range map[string]struct {
		by     *openpgp.Entity
		pinned *pgp.Key
		others []*pgp.Key
		want   string
		status string
	}{
		"by the author":        {an, anKey, []*pgp.Key{aiKey}, decrypt.SignedGood, "pass"},
		"by somebody else":     {ai, anKey, []*pgp.Key{aiKey}, decrypt.SignedOther, "neutral"},
		"by an unpinned key":   {an, nil, []*pgp.Key{anKey}, decrypt.SignedOther, "neutral"},
		"by an unknown key":    {ai, anKey, nil, decrypt.SignedOdd, "neutral"},
		"by nobody":            {nil, anKey, nil, "", "none"},
		"compressed and by an": {an, anKey, nil, decrypt.SignedGood, "pass"},
	} {
		kind := "signed"
		if strings.HasPrefix(name, "compressed") {
			kind = "signed-compressed"
		}
		o := options(h.opener)
		knowing(&o, c.pinned, c.others...)
		r := open(t, sealing.Mail(head, make1(t, kind, inner, h.public, c.by)), o)
		if symbols(r) != strings.TrimSpace(decrypt.OpenedMsg+" "+c.want) || len(r.Auth) != 1 || r.Auth[0].Status != c.status {
			t.Errorf("%s: %s %+v", name, symbols(r), r.Auth)
		}
	}
}

// A signature that was made for another recipient is not one for us (RFC 9580 section
// 5.2.3.36): somebody may send on to us what was written and signed to him.
func TestSentOn(t *testing.T) {
	hs := holders(t)
	mine, other := hs["v4 Cv25519"], hs["v4 RSA"]
	an, anKey := author(t, "an@a.test")
	toOther, err := pgp.Open(t.Context(), make1(t, "signed", inner, other.public, an), []*pgp.Opener{other.opener}, pgp.DefaultOpenLimits(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	signers := func(id uint64) []*pgp.Key {
		if anKey.Has(id) {
			return []*pgp.Key{anKey}
		}
		return nil
	}
	if s := toOther.Verify(signers, options().Now); s.Standing != pgp.SignatureGood {
		t.Errorf("to its recipient it is %s", s.Standing)
	}
	toOther.Fingerprint = mine.opener.Fingerprint() // encrypted anew to us, packets and all
	if s := toOther.Verify(signers, options().Now); s.Standing != pgp.SignatureBad {
		t.Errorf("sent on it is %s", s.Standing)
	}
	toOther.Octets = append(bytes.Clone(toOther.Octets), '!')
	if s := toOther.Verify(signers, options().Now); s.Standing != pgp.SignatureBad {
		t.Errorf("changed it is %s", s.Standing)
	}
}

// multipart/signed inside of the encryption, as gpg signs it.
func TestSignedPartInside(t *testing.T) {
	home := peer.Home(t)
	gpg := peer.GnuPG(t, home)
	gpg(nil, "--quick-generate-key", "An <an@a.test>", "future-default", "default")
	ks, err := pgp.ReadKeys(gpg(nil, "--armor", "--export"))
	if err != nil {
		t.Fatal(err)
	}
	h := holders(t)["v6"]
	part := "Content-Type: text/plain\r\n\r\nKinh gui, CHIM-YEN-5"
	sig := string(gpg([]byte(part), "--armor", "--detach-sign", "--textmode"))
	for name, c := range map[string]struct{ part, want string }{
		"as signed": {part, decrypt.SignedGood},
		"changed":   {strings.Replace(part, "Kinh", "kinh", 1), decrypt.SignedBad},
	} {
		entity := "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha512; boundary=s\r\n\r\n--s\r\n" + c.part + "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n" + sig + "\r\n--s--\r\n"
		o := options(h.opener)
		knowing(&o, ks[0])
		r := open(t, sealing.Mail(head, make1(t, "plain", entity, h.public, nil)), o)
		if symbols(r) != decrypt.OpenedMsg+" "+c.want {
			t.Errorf("%s: %s", name, symbols(r))
		}
	}
	// and a whole message that gpg signs and encrypts
	pub := filepath.Join(home, "gw.asc")
	var b bytes.Buffer
	g := holders(t)["v4 Cv25519"]
	if err := g.public.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pub, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	message := gpg([]byte(inner), "--trust-model", "always", "--recipient-file", pub, "--sign", "--encrypt")
	o := options(g.opener)
	knowing(&o, ks[0])
	if r := open(t, sealing.Mail(head, message), o); symbols(r) != decrypt.OpenedMsg+" "+decrypt.SignedGood || !bytes.Contains(r.Letters[0].Raw, []byte("CHIM-YEN-1")) {
		t.Errorf("by gpg: %+v", r.Findings)
	}
}

// Whatever letter comes, it is not changed, and what came out of it is what was put in.
func FuzzLetter(f *testing.F) {
	h := holders(f)["v4 Cv25519"]
	for _, kind := range []string{"plain", "malleated", "compressed"} {
		f.Add(sealing.Mail(head, make1(f, kind, inner, h.public, nil)))
		f.Add([]byte(head + "\r\n" + string(sealing.Armor(make1(f, kind, "x\r\n", h.public, nil)))))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		r, err := decrypt.Open(t.Context(), raw, mimetree.Parse(raw, mimetree.DefaultLimits()), options(h.opener))
		if err != nil || !bytes.Equal(before, raw) {
			t.Fatalf("%v, or the letter was changed", err)
		}
		for _, l := range r.Letters {
			if l.Root == nil || l.By != h.opener.Fingerprint() {
				t.Fatalf("%+v", l)
			}
		}
	})
}
