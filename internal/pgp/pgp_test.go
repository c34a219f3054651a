package pgp_test

import (
	"bytes"
	"errors"
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

const letter = "Received: from a by b; Mon, 16 Nov 2026 08:30:00 +0700\r\nFrom: <a@x.test>\r\nSubject: Cong van\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\ncontent-transfer-encoding: 8bit\r\nMessage-ID: <1@x.test>\r\n\r\nNội dung mật.\r\n-- \r\n.\r\n"

// inner is what is encrypted of it: what its author wrote on top, how that is seen outside,
// and the entity, its body octet for octet.
const inner = "From: <a@x.test>\r\nSubject: Cong van\r\nMessage-ID: <1@x.test>\r\nHP-Outer: From: <a@x.test>\r\nHP-Outer: Subject: Cong van\r\nHP-Outer: Message-ID: <1@x.test>\r\n" +
	"Content-Type: text/plain;\r\n charset=utf-8;\r\n hp=\"cipher\"\r\ncontent-transfer-encoding: 8bit\r\n\r\nNội dung mật.\r\n-- \r\n.\r\n"

func entity(t testing.TB, address string, c *packet.Config) *openpgp.Entity {
	t.Helper()
	if c == nil {
		c = &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA} // quick to make
	}
	e, err := openpgp.NewEntity("Mau", "", address, c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func public(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func key(t testing.TB, octets []byte) *pgp.Key {
	t.Helper()
	ks, err := pgp.ReadKeys(octets)
	if err != nil || len(ks) != 1 {
		t.Fatalf("%v %v", ks, err)
	}
	return ks[0]
}

func seal(t testing.TB, s pgp.Sealing, raw string) []byte {
	t.Helper()
	var out bytes.Buffer
	s.Now = time.Now()
	if err := s.Seal(&out, [][]byte{[]byte(raw)}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
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
	if !pgp.Sealed(root) || pgp.Protection(root) != pgp.PGPEncrypted {
		t.Errorf("what was encrypted is not seen to be:\n%s", raw)
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
	if m.IsSigned && m.SignatureError != nil {
		t.Errorf("the signature: %v", m.SignatureError)
	}
	return string(clear)
}

func TestSealKeepsTheBodyOctetForOctet(t *testing.T) {
	e := entity(t, "mat@x.test", nil)
	out := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public(t, e))}}, letter)
	if got := open(t, out, e); got != inner {
		t.Errorf("inside:\n%q\nwant\n%q", got, inner)
	}
	head, _, _ := bytes.Cut(out, []byte("\r\n\r\n"))
	if want := "Received: from a by b; Mon, 16 Nov 2026 08:30:00 +0700\r\nFrom: <a@x.test>\r\nSubject: Cong van\r\nMessage-ID: <1@x.test>\r\n"; !bytes.HasPrefix(head, []byte(want)) {
		t.Errorf("the fields outside:\n%s", head)
	}
	if bytes.Contains(out, []byte("mật")) || bytes.Contains(head, []byte("charset")) {
		t.Error("clear text is left")
	}
	if bytes.Contains(bytes.ReplaceAll(out, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a bare LF")
	}
}

// However the letter is cut into pieces, it is the same letter.
func TestSealInPieces(t *testing.T) {
	e := entity(t, "mat@x.test", nil)
	k := key(t, public(t, e))
	for i := range len(letter) {
		var out bytes.Buffer
		if err := (pgp.Sealing{To: []*pgp.Key{k}, Now: time.Now()}).Seal(&out, [][]byte{nil, []byte(letter[:i]), []byte(letter[i:])}); err != nil {
			t.Fatal(err)
		}
		if got := open(t, out.Bytes(), e); got != inner {
			t.Fatalf("cut at %d: %q", i, got)
		}
	}
}

func TestSubjectIsHiddenAndTagTakenOut(t *testing.T) {
	e := entity(t, "mat@x.test", nil)
	for subject, want := range map[string]string{
		"Subject: [MaHoa] Cong van\r\n":                              "Subject: Cong van\r\n",
		"Subject: Cong van [encrypt]\r\n":                            "Subject: Cong van\r\n",
		"Subject: =?utf-8?q?[mahoa]_C=C3=B4ng_v=C4=83n?=\r\n":        "Subject: =?utf-8?q?C=C3=B4ng_v=C4=83n?=\r\n",
		"Subject: khong co dau\r\n":                                  "Subject: khong co dau\r\n",
		"SUBJECT:\r\n folded [encrypt] here\r\nKeywords: secret\r\n": "Subject: folded here\r\nKeywords: secret\r\n",
	} {
		raw := "X-Congthu-Encrypt: yes\r\n" + subject + "From: <a@x.test>\r\n\r\nx\r\n"
		out := seal(t, pgp.Sealing{To: []*pgp.Key{key(t, public(t, e))}, HideSubject: true, Tags: []string{"[mahoa]", "[encrypt]"}, Drop: []string{"X-Congthu-Encrypt"}}, raw)
		if !bytes.HasPrefix(out, []byte("Subject: [...]\r\nFrom: <a@x.test>\r\nMIME")) {
			t.Errorf("outside:\n%s", out)
		}
		if got := open(t, out, e); got != want+"From: <a@x.test>\r\nHP-Outer: Subject: [...]\r\nHP-Outer: From: <a@x.test>\r\nContent-Type: text/plain; charset=us-ascii; hp=\"cipher\"\r\n\r\nx\r\n" {
			t.Errorf("inside %q: %q", subject, got)
		}
	}
}

func TestEveryKeyOrNothing(t *testing.T) {
	a, b := entity(t, "a@x.test", nil), entity(t, "b@x.test", nil)
	ka, kb := key(t, public(t, a)), key(t, public(t, b))
	out := seal(t, pgp.Sealing{To: []*pgp.Key{ka, kb}}, letter)
	if open(t, out, a) != inner || open(t, out, b) != inner {
		t.Error("one of two cannot read it")
	}
	if err := b.Revoke(packet.KeyCompromised, "", nil); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string][]*pgp.Key{"none": nil, "one is revoked": {ka, key(t, public(t, b))}} {
		var w bytes.Buffer
		if err := (pgp.Sealing{To: to, Now: time.Now()}).Seal(&w, [][]byte{[]byte(letter)}); err == nil || w.Len() > 0 {
			t.Errorf("%s: %v, %d octets", name, err, w.Len())
		}
	}
}

// Version 6 keys get version 2 of the encryption container, whose integrity is part of it;
// one old key among them, and all get version 1 with its MDC. Nobody gets neither.
func TestContainers(t *testing.T) {
	v6 := entity(t, "v6@x.test", &packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519, AEADConfig: &packet.AEADConfig{}})
	v4 := entity(t, "v4@x.test", nil)
	for name, c := range map[string]struct {
		to   []*openpgp.Entity
		want byte
	}{"v6": {[]*openpgp.Entity{v6}, 2}, "v4": {[]*openpgp.Entity{v4}, 1}, "both": {[]*openpgp.Entity{v6, v4}, 1}} {
		var s pgp.Sealing
		for _, e := range c.to {
			s.To = append(s.To, key(t, public(t, e)))
		}
		out := seal(t, s, letter)
		if open(t, out, c.to...) != inner {
			t.Errorf("%s: it does not open", name)
		}
		block, err := armor.Decode(bytes.NewReader(sealed(t, out)))
		if err != nil {
			t.Fatal(err)
		}
		r := packet.NewOpaqueReader(block.Body)
		for range c.to {
			if p, err := r.Next(); err != nil || p.Tag != 1 {
				t.Fatalf("%s: %v %v", name, p, err)
			}
		}
		if p, err := r.Next(); err != nil || p.Tag != 18 || p.Contents[0] != c.want {
			t.Errorf("%s: tag %d, version %d, want 18 and %d", name, p.Tag, p.Contents[0], c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	past := func() time.Time { return time.Now().Add(-48 * time.Hour) }
	revoked, bare, unsigned, subRevoked := entity(t, "a@x.test", nil), entity(t, "a@x.test", nil), entity(t, "a@x.test", nil), entity(t, "a@x.test", nil)
	bare.Subkeys = nil
	unsigned.Subkeys[0].Bindings = entity(t, "b@x.test", nil).Subkeys[0].Bindings // signed by another key
	if err := errors.Join(revoked.Revoke(packet.KeyCompromised, "", nil), subRevoked.Subkeys[0].Revoke(packet.KeySuperseded, "", nil)); err != nil {
		t.Fatal(err)
	}
	for want, e := range map[pgp.Code]*openpgp.Entity{
		pgp.OK:             entity(t, "a@x.test", nil),
		pgp.Expired:        entity(t, "a@x.test", &packet.Config{Time: past, KeyLifetimeSecs: 3600, Algorithm: packet.PubKeyAlgoEdDSA}),
		pgp.NotYet:         entity(t, "a@x.test", &packet.Config{Time: func() time.Time { return time.Now().Add(48 * time.Hour) }, Algorithm: packet.PubKeyAlgoEdDSA}),
		pgp.WeakAlgorithm:  entity(t, "a@x.test", &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 1024}),
		pgp.Revoked:        revoked,
		pgp.NoEncryption:   bare,
		pgp.UnsignedSubkey: unsigned,
		pgp.SubkeyRevoked:  subRevoked,
	} {
		i := key(t, public(t, e)).Info(time.Now())
		if i.Code != want || i.Usable != (want == pgp.OK) || i.Usable != (i.Why.VI == "") || i.Usable != (i.Why.EN == "") {
			t.Errorf("%+v, want %s", i, want)
		}
	}
}

// A key is judged anew when its time has come.
func TestExpiryIsSeen(t *testing.T) {
	k := key(t, public(t, entity(t, "a@x.test", &packet.Config{KeyLifetimeSecs: 3600, Algorithm: packet.PubKeyAlgoEdDSA})))
	now := time.Now()
	i := k.Info(now)
	if !i.Usable || i.Expires.Before(now.Add(59*time.Minute)) || i.Expires.After(now.Add(time.Hour)) {
		t.Errorf("%+v", i)
	}
	if i := k.Info(i.Expires.Add(time.Second)); i.Code != pgp.Expired {
		t.Errorf("%+v", i)
	}
}

// An address that the key's holder never signed for is not the key's.
func TestAddressWithoutSelfSignature(t *testing.T) {
	e, victim := entity(t, "evil@x.test", nil), entity(t, "boss@x.test", nil)
	for name, id := range victim.Identities {
		e.Identities[name] = id // grafted: signed by another key
	}
	ks, err := pgp.ReadKeys(public(t, e))
	if err == nil {
		if a := ks[0].Info(time.Now()).Addresses; len(a) != 1 || a[0] != "evil@x.test" {
			t.Errorf("a grafted address is believed: %v", a)
		}
	}
}

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

func TestProtection(t *testing.T) {
	for raw, want := range map[string]string{
		"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                                                      pgp.PGPSigned,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                                                    pgp.SMIMESigned,
		"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n":                                                                                                           pgp.PGPEncrypted,
		"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n":                                                                                                                pgp.SMIMESigned,
		"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n":                                                                                                           pgp.SMIMEEncrypted,
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--b--\r\n": pgp.PGPEncrypted,
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
	mixed := func(parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
	}
	text := func(s string) string { return "Content-Type: text/plain\r\n\r\n" + s }
	octets := "Content-Type: application/octet-stream\r\n\r\n"
	version := "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
	for raw, want := range map[string]bool{
		text(armored):                                            true,
		text(armored + "\r\nP.S. bi mat"):                        false,
		text("bi mat\r\n" + armored):                             false,
		mixed(text(""), version, octets+armored):                 true,
		mixed(text("bi mat"), version, octets+armored):           false,
		mixed(version+"bi mat", octets+armored):                  false,
		mixed(version, octets+"bi mat"):                          false,
		mixed(version):                                           false,
		mixed(text(armored), text(armored)):                      true,
		mixed(text(armored), "Content-Type: image/png\r\n\r\nx"): false,
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

// The throughput of sealing beside that of the library alone, in one run: the ratio of the
// two is what is promised (85 %).
func BenchmarkSeal(b *testing.B) {
	k := key(b, public(b, entity(b, "a@x.test", nil)))
	raw := []byte(letter + strings.Repeat("Noi dung thong bao den cac don vi.\r\n", 10<<20/36))
	for name, do := range map[string]func() error{
		"congthu": func() error {
			out := bytes.NewBuffer(make([]byte, 0, pgp.Size(int64(len(raw)))))
			return (pgp.Sealing{To: []*pgp.Key{k}, Now: time.Now()}).Seal(out, [][]byte{raw})
		},
		"library": func() error {
			es, err := openpgp.ReadKeyRing(bytes.NewReader(k.Bytes()))
			if err != nil {
				return err
			}
			out := bytes.NewBuffer(make([]byte, 0, pgp.Size(int64(len(raw)))))
			a, err := armor.Encode(out, "PGP MESSAGE", nil)
			if err != nil {
				return err
			}
			w, err := openpgp.Encrypt(a, es, nil, nil, nil, &packet.Config{DefaultCipher: packet.CipherAES256})
			if err != nil {
				return err
			}
			_, err = w.Write(raw)
			return errors.Join(err, w.Close(), a.Close())
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
