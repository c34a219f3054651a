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
		"Subject: Cong van\r\nThread-Topic: Cong van\r\n":            "Subject: Cong van\r\nThread-Topic: Cong van\r\n",
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
