package dkim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/sig"
)

func TestRecordIsFoundByTheVerifier(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(t, 2048), "ed25519": edKey()} {
		rec, err := Record(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		rr, err := mdns.NewRR(Zone("k1", "example.test", rec)) // as a name server reads it
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		txt := rr.(*mdns.TXT)
		for _, s := range txt.Txt {
			if len(s) > 255 {
				t.Errorf("%s: a string of %d octets", name, len(s))
			}
		}
		if txt.Hdr.Name != "k1._domainkey.example.test." || strings.Join(txt.Txt, "") != rec {
			t.Errorf("%s: %s", name, rr)
		}
		z := fake.Zone{Name("k1", "example.test"): {fake.TXT(strings.Join(txt.Txt, ""))}}
		if s := verify(t, z, sign(t, letter, "example.test", "k1", key)).Signatures[0]; s.Status != Pass {
			t.Errorf("%s: %+v", name, s)
		}
		if err := Matches(rec, key.Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if rec, err := Record(ec.Public()); err == nil {
		t.Errorf("an ECDSA key has the record %q", rec)
	}
}

func TestMatches(t *testing.T) {
	key, other, ed := rsaKey(t, 2048), rsaKey(t, 1024), edKey()
	pkcs1 := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	rec := func(k crypto.Signer) string {
		r, err := Record(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, c := range map[string]struct {
		record string
		pub    crypto.PublicKey
		want   string
	}{
		"own":                  {rec(key), key.Public(), ""},
		"white space in p":     {strings.Replace(rec(key), "p=MII", "p=M I\tI", 1), key.Public(), ""},
		"without v and k":      {"p=" + pkcs1, key.Public(), ""},
		"another key":          {rec(other), key.Public(), "another key"},
		"another algorithm":    {rec(ed), key.Public(), "another key"},
		"ed25519 called rsa":   {strings.Replace(rec(ed), "k=ed25519", "k=rsa", 1), ed.Public(), "malformed key"},
		"rsa called ed25519":   {strings.Replace(rec(key), "k=rsa", "k=ed25519", 1), key.Public(), "Ed25519 key of"},
		"revoked":              {"v=DKIM1; p=", key.Public(), "revoked"},
		"an SPF record":        {"v=spf1 -all", key.Public(), "unknown version"},
		"another version":      {strings.Replace(rec(key), "DKIM1", "DKIM2", 1), key.Public(), "unknown version"},
		"not base64":           {"v=DKIM1; p=MII!", key.Public(), "malformed"},
		"a tag twice":          {rec(key) + "; p=x", key.Public(), "twice"},
		"empty":                {"", key.Public(), "without a key"},
		"short for an ed25519": {"k=ed25519; p=AAAA", ed.Public(), "Ed25519 key of"},
	} {
		err := Matches(c.record, c.pub)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzMatches(f *testing.F) {
	f.Add("v=DKIM1; k=ed25519; p=AAAA")
	f.Add("p=;p=;")
	key := edKey()
	own, err := Record(key.Public())
	if err != nil {
		f.Fatal(err)
	}
	p := own[strings.Index(own, "p=")+2:]
	f.Fuzz(func(t *testing.T, record string) {
		if Matches(record, key.Public()) == nil && !strings.Contains(sig.Squeeze(record), p) {
			t.Errorf("%q is taken for the record of another key", record)
		}
	})
}

func FuzzStrings(f *testing.F) {
	f.Add(strings.Repeat("x", 600))
	f.Fuzz(func(t *testing.T, record string) {
		list := Strings(record)
		for _, s := range list {
			if len(s) > 255 {
				t.Errorf("a string of %d octets", len(s))
			}
		}
		if strings.Join(list, "") != record {
			t.Errorf("%q became %q", record, list)
		}
	})
}
