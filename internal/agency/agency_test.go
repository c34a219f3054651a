package agency_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/agency"
	"congthu/internal/msg"
)

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func issue(t *testing.T, by *authority, c x509.Certificate) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	out := &authority{&c, key}
	if by == nil {
		by = out
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if out.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return out
}

func pool(a *authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func TestIdentifyByNetwork(t *testing.T) {
	b := agency.New([]agency.Agency{
		{Name: "province", Domains: []string{"p.vn"}, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		{Name: "health", Domains: []string{"h.vn"}, Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}},
	}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	for addr, want := range map[string]msg.Identity{
		"10.2.0.1":        {Proof: msg.ByNetwork, Agency: "province"},
		"10.1.0.1":        {Proof: msg.ByNetwork, Agency: "health"}, // the narrower network
		"::ffff:10.1.0.1": {Proof: msg.ByNetwork, Agency: "health"},
		"2001:db8::7":     {Proof: msg.ByNetwork, Agency: "health"},
		"127.0.0.1":       {Proof: msg.ByNetwork},
		"192.0.2.1":       {},
	} {
		got := b.Identify(netip.MustParseAddr(addr), nil)
		if got.Proof != want.Proof || got.Agency != want.Agency || (len(got.Senders) > 0) != got.Named() {
			t.Errorf("%s: %+v, want %+v", addr, got, want)
		}
	}
	if b.WantsCertificates() {
		t.Error("asks for certificates that nobody has")
	}
}

func TestIdentifyByCertificate(t *testing.T) {
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	root, other := issue(t, nil, x509.Certificate{Subject: pkix.Name{CommonName: "root"}}), issue(t, nil, x509.Certificate{})
	middle := issue(t, root, x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "middle"}})
	pinned := issue(t, nil, x509.Certificate{NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0)})
	byKey := issue(t, nil, x509.Certificate{})
	b := agency.New([]agency.Agency{
		{Name: "pinned", Prints: []agency.Print{sha256.Sum256(pinned.cert.Raw), sha256.Sum256(byKey.cert.RawSubjectPublicKeyInfo)}},
		{Name: "issued", CA: pool(root), Names: []string{"mail.h.vn", "mx@h.vn", "only-cn"}},
		{Name: "network", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
	}, nil)
	if !b.WantsCertificates() {
		t.Error("does not ask for certificates")
	}
	leaf := func(by *authority, c x509.Certificate) []*x509.Certificate {
		if c.ExtKeyUsage == nil {
			c.ExtKeyUsage = client
		}
		return []*x509.Certificate{issue(t, by, c).cert}
	}
	dns := x509.Certificate{DNSNames: []string{"other.vn", "MAIL.h.vn"}}
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		want  string
	}{
		"pinned, and long expired":  {[]*x509.Certificate{pinned.cert}, "pinned"},
		"pinned by its key":         {[]*x509.Certificate{byKey.cert}, "pinned"},
		"by a DNS name":             {leaf(root, dns), "issued"},
		"by an address":             {leaf(root, x509.Certificate{EmailAddresses: []string{"mx@h.vn"}}), "issued"},
		"by the common name":        {leaf(root, x509.Certificate{Subject: pkix.Name{CommonName: "only-cn"}}), "issued"},
		"common name beside others": {leaf(root, x509.Certificate{Subject: pkix.Name{CommonName: "only-cn"}, DNSNames: []string{"x.vn"}}), ""},
		"over one between":          {append(leaf(middle, dns), middle.cert), "issued"},
		"the one between missing":   {leaf(middle, dns), ""},
		"another's authority":       {leaf(other, dns), ""},
		"another name":              {leaf(root, x509.Certificate{DNSNames: []string{"mail.x.vn"}}), ""},
		"no name":                   {leaf(root, x509.Certificate{}), ""},
		"expired":                   {leaf(root, x509.Certificate{DNSNames: []string{"mail.h.vn"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(9, 0)}), ""},
		"made for servers only":     {leaf(root, x509.Certificate{DNSNames: []string{"mail.h.vn"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}), ""},
		"pinned only as a helper":   {append(leaf(other, dns), pinned.cert), ""},
	} {
		got := b.Identify(netip.MustParseAddr("192.0.2.1"), c.chain)
		if got.Agency != c.want || (got.Proof == msg.ByCertificate) != (c.want != "") {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
	if got := b.Identify(netip.MustParseAddr("10.0.0.1"), []*x509.Certificate{pinned.cert}); got.Agency != "pinned" {
		t.Errorf("the certificate is stronger than the network: %+v", got)
	}
	if got := b.Identify(netip.MustParseAddr("10.0.0.1"), []*x509.Certificate{other.cert}); got.Agency != "network" {
		t.Errorf("an unknown certificate takes nothing away: %+v", got)
	}
}

func TestNamed(t *testing.T) {
	b := agency.New([]agency.Agency{{Name: "a"}, {}}, nil)
	if a, ok := b.Named("a"); !ok || a.Name != "a" {
		t.Error("a is not there")
	}
	for _, name := range []string{"b", ""} {
		if _, ok := b.Named(name); ok {
			t.Errorf("%q is there", name)
		}
	}
}

func TestParsePrint(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	plain := hex.EncodeToString(sum[:])
	colons := strings.ToUpper(strings.Join(pairs(plain), ":"))
	for _, s := range []string{plain, "sha256:" + plain, "SHA256:" + colons, colons} {
		if got, err := agency.ParsePrint(s); err != nil || got != agency.Print(sum) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "sha256:", plain[2:], plain + "00", "sha1:" + plain, strings.Repeat("g", 64)} {
		if _, err := agency.ParsePrint(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}

func pairs(s string) (out []string) {
	for i := 0; i < len(s); i += 2 {
		out = append(out, s[i:i+2])
	}
	return out
}

func TestReadCA(t *testing.T) {
	root := issue(t, nil, x509.Certificate{})
	good, bad := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "bad.pem")
	for name, data := range map[string][]byte{good: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw}), bad: []byte("nothing")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := agency.ReadCA(good); err != nil || !p.Equal(pool(root)) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{bad, bad + "x"} {
		if _, err := agency.ReadCA(name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
