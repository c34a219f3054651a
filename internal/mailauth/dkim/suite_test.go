package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1" // what old signatures were made with
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"hash"
	"math/big"
	"strings"
	"testing"

	"congthu/internal/conformance"
	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/sig"
)

// TestConformanceMailDKIM runs a published corpus whose file names say what must come
// out: good, goodkey, mine, no_body, dk and multiple verify; bad, badkey and ignore do
// not. Most of it was signed before RFC 8301 with SHA-1 and short keys, some before
// there was DKIM. Such messages are listed deviations. The second line counts what
// comes out of signatures of that time when the rules made since are put aside: it
// shows that a deviation is one of policy and not of canonical forms.
func TestConformanceMailDKIM(t *testing.T) {
	s := conformance.Open(t, "dkim", "dkim/mail-dkim")
	forms := conformance.Open(t, "dkim-old-rules", "dkim/mail-dkim")
	z := corpusZone(string(s.File("FAKE_DNS.dat")))
	for _, file := range s.Glob("*_*.txt") {
		text, want := crlfText(s.File(file)), expected(file)
		got, detail := verdict(verify(t, z, text))
		s.Case(file, got, []string{want}, detail)
		if then := got; signedLater(file, want) {
			if byOldRules(z, text) {
				then = "pass"
			}
			forms.Case(file, then, []string{want}, detail)
		}
		if strings.HasPrefix(file, "badkey_") && keyIsGood(t, z, text) {
			t.Errorf("the key of %s is taken for a good one", file)
		}
	}
	s.Done(79)
	forms.Done(29)
}

func verdict(rep Report) (got, detail string) {
	got, detail = "no pass", "not signed"
	for _, g := range rep.Signatures {
		if detail = g.Status + ": " + g.Reason; g.Status == Pass {
			return "pass", detail
		}
	}
	return got, detail
}

// signedLater leaves out DomainKeys and the first draft, which were other protocols, and
// keys and tags that are bad by rules which byOldRules puts aside.
func signedLater(file, want string) bool {
	other := strings.Contains(file, "dk_") || strings.Contains(file, "ietf00")
	return !other && (want == "pass" || strings.HasPrefix(file, "bad_"))
}

func corpusZone(table string) fake.Zone {
	z := make(fake.Zone)
	for line := range strings.Lines(table) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch value = strings.TrimSpace(value); {
		case name == "" || name[0] == '#' || value == "NXDOMAIN":
		case strings.HasPrefix(value, "~~"):
			z[strings.ToLower(name)] = []fake.Record{fake.ServFail("")}
		default:
			z[strings.ToLower(name)] = []fake.Record{fake.TXT(strings.Trim(value, `"`))}
		}
	}
	return z
}

func expected(file string) string {
	if strings.HasPrefix(file, "bad") || strings.HasPrefix(file, "ignore") {
		return "no pass"
	}
	return "pass"
}

func crlfText(raw []byte) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n", "\r\n")
}

// keyIsGood tells whether the key of a signature can be had and used.
func keyIsGood(t *testing.T, z fake.Zone, text string) bool {
	for _, f := range sig.Open([]byte(text)).Fields {
		if f.Name == "dkim-signature" {
			tags, _ := sig.ParseTags(f.Value())
			_, err := sig.FetchKey(t.Context(), z, tags.Word("s"), tags.Word("d"))
			return err == nil
		}
	}
	return false
}

// byOldRules tells whether a signature of the message verifies when versions, SHA-1,
// short keys and the rules for i= are put aside.
func byOldRules(z fake.Zone, text string) bool {
	m := sig.Open([]byte(text))
	for _, f := range m.Fields {
		if f.Name != "dkim-signature" {
			continue
		}
		c := &claim{field: f}
		if c.tags, c.err = sig.ParseTags(f.Value()); c.err == nil && oldSignature(z, m, c) {
			return true
		}
	}
	return false
}

func oldSignature(z fake.Zone, m *sig.Message, c *claim) bool {
	c.read()
	var ok bool
	if c.canon, ok = sig.ParseCanon(c.tags.Word("c")); !ok || c.octets() != nil {
		return false
	}
	var h hash.Hash = sha256.New()
	kind := crypto.SHA256
	if c.tags.Word("a") == "rsa-sha1" {
		h, kind = sha1.New(), crypto.SHA1
	}
	m.WriteBody(h, c.canon, c.length)
	if !bytes.Equal(h.Sum(nil), c.body) {
		return false
	}
	h.Reset()
	h.Write(c.canon.AppendSigned(nil, m.Pick(c.names), c.field, c.tags))
	key := oldKey(z, c.s.Selector+"._domainkey."+c.s.Domain)
	return key != nil && oldRSA(key, kind, h.Sum(nil), c.value)
}

func oldKey(z fake.Zone, name string) *rsa.PublicKey {
	for _, r := range z[strings.ToLower(name)] {
		tags, _ := sig.ParseTags(r.Data)
		der, _ := base64.StdEncoding.DecodeString(tags.Word("p"))
		pub, _ := x509.ParsePKIXPublicKey(der)
		if key, ok := pub.(*rsa.PublicKey); ok {
			return key
		}
	}
	return nil
}

// oldRSA is PKCS #1 v1.5 by hand: the standard library refuses keys this short.
func oldRSA(key *rsa.PublicKey, kind crypto.Hash, sum, signature []byte) bool {
	plain := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N)
	em := plain.FillBytes(make([]byte, key.Size()))
	return bytes.HasPrefix(em, []byte{0, 1, 0xff}) && bytes.HasSuffix(em, sum) && len(sum) == kind.Size()
}

// TestConformanceDKIMPy runs the messages and keys of another published set: those
// that are signed, and those that we sign ourselves with its private keys.
func TestConformanceDKIMPy(t *testing.T) {
	s := conformance.Open(t, "dkimpy", "dkim/dkimpy")
	file := func(name string) string { return string(s.File(name)) }
	seed := func(name string) ed25519.PrivateKey {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(file(name)))
		if err != nil {
			t.Fatal(err)
		}
		return ed25519.NewKeyFromSeed(b)
	}
	signed := func(name, key string) string {
		signer := crypto.Signer(nil)
		if strings.HasPrefix(key, "ed") || strings.HasPrefix(key, "rfc") {
			signer = seed(key)
		} else {
			signer = pemKey(t, s.File(key))
		}
		return sign(t, crlfText(s.File(name)), "example.com", "k", signer)
	}
	brisbane := keyRecord(t, seed("rfc8032_7_1.key"), "").Data
	for _, c := range []struct {
		name, text string
		keys       []string // of the signatures, from the top
		want       string
	}{
		{"rfc6376.signed.msg", file("rfc6376.signed.msg"), []string{brisbane, file("test.txt")}, "pass pass"},
		{"rfc6376.signed.rsa.msg", file("rfc6376.signed.rsa.msg"), []string{file("test.txt")}, "pass"},
		{"ed25519test2.msg", file("ed25519test2.msg"), []string{file("eximtest.dns")}, "pass"},
		{"test.message test.txt", signed("test.message", "test.private"), []string{file("test.txt")}, "pass"},
		{"test.message test2.txt", signed("test.message", "test2.private"), []string{file("test2.txt")}, "pass"},
		{"test.message badk.txt", signed("test.message", "test.private"), []string{file("badk.txt")}, "permerror"},
		{"test.message badversion.txt", signed("test.message", "test.private"), []string{file("badversion.txt")}, "permerror"},
		{"test.message test_bad.txt", signed("test.message", "test.private"), []string{file("test_bad.txt")}, "permerror"},
		{"test.message test_tlsrpt.txt", signed("test.message", "test.private"), []string{file("test_tlsrpt.txt")}, "permerror"},
		{"1024 PKIX", signed("test.message", "1024_testkey.key"), []string{file("1024_testkey_wo_markers.pub.txt")}, "pass"},
		{"1024 PKCS#1", signed("test.message", "1024_testkey.key"), []string{file("1024_testkey_wo_markers.pub.rsa.txt")}, "pass"},
		{"2048 PKIX", signed("test.message", "2048_testkey.key"), []string{file("2048_testkey_wo_markers.pub.txt")}, "pass"},
		{"2048 PKCS#1", signed("test.message", "2048_testkey.key"), []string{file("2048_testkey_wo_markers.pub.rsa.txt")}, "pass"},
		{"2048 PKCS#8", signed("test.message", "2048_testkey_PKCS8.key"), []string{file("2048_testkey_PKCS8.key.pub.txt")}, "pass"},
		{"ed25519test.msg", signed("ed25519test.msg", "ed25519test.key"), []string{file("ed25519test.dns")}, "pass"},
		{"ed25519test.msg other key", signed("ed25519test.msg", "rfc8032_7_1.key"), []string{file("ed25519test.dns")}, "fail"},
		{"rfc6376.w1258.msg", signed("rfc6376.w1258.msg", "test.private"), []string{file("test.txt")}, "pass"},
		{"test_extra.message", signed("test_extra.message", "test.private"), []string{file("test.txt")}, "pass"},
		{"test_nofrom.message", signed("test_nofrom.message", "test.private"), []string{file("test.txt")}, "policy"},
	} {
		text := crlfText([]byte(c.text))
		var got []string
		detail := ""
		for _, g := range verify(t, suiteKeys(text, c.keys), text).Signatures {
			got = append(got, g.Status)
			detail += g.Reason
		}
		s.Case(c.name, strings.Join(got, " "), []string{c.want}, detail)
	}
	s.Done(19)
}

// suiteKeys puts the keys where the signatures of the message look for theirs.
func suiteKeys(text string, keys []string) fake.Zone {
	z := make(fake.Zone)
	for _, f := range sig.Open([]byte(text)).Fields {
		if f.Name == "dkim-signature" && len(keys) > 0 {
			tags, _ := sig.ParseTags(f.Value())
			z[strings.ToLower(tags.Word("s")+"._domainkey."+tags.Word("d"))] = []fake.Record{fake.TXT(strings.TrimSpace(keys[0]))}
			keys = keys[1:]
		}
	}
	return z
}

func pemKey(t *testing.T, text []byte) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("no PEM block")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}
