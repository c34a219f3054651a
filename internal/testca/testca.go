// Package testca issues certificates for tests: an authority that nobody knows but who
// is told, and servers that show what it issues.
package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// CA is a certificate authority.
type CA struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority.
func New(t testing.TB) *CA {
	t.Helper()
	key := newKey(t)
	c := template("congthu test authority", time.Hour)
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	return &CA{Cert: sign(t, c, c, key, key), key: key}
}

// Pool is the list of authorities that has this one only.
func (ca *CA) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.Cert)
	return p
}

// Issue makes a server's certificate for a name, good until so long from now, and shows
// the authority's with it.
func (ca *CA) Issue(t testing.TB, name string, until time.Duration) tls.Certificate {
	t.Helper()
	key := newKey(t)
	leaf := sign(t, template(name, until), ca.Cert, key, ca.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, ca.Cert.Raw}, PrivateKey: key, Leaf: leaf}
}

// IssueIP makes a server's certificate for an address.
func (ca *CA) IssueIP(t testing.TB, ip net.IP) tls.Certificate {
	t.Helper()
	key := newKey(t)
	c := template(ip.String(), time.Hour)
	c.DNSNames, c.IPAddresses = nil, []net.IP{ip}
	leaf := sign(t, c, ca.Cert, key, ca.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, ca.Cert.Raw}, PrivateKey: key, Leaf: leaf}
}

// Server is the TLS configuration of a server with such a certificate.
func (ca *CA) Server(t testing.TB, name string) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, name, time.Hour)}, MinVersion: tls.VersionTLS12}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(name string, until time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(until), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

func sign(t testing.TB, c, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
