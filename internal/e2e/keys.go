package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"congthu/internal/mimetree"
)

// writeCertificates makes what STARTTLS shows when a case asks for it, and a client's
// own.
func (g *Gateway) writeCertificates() error {
	if err := g.writeCertificate("cert.pem", "key.pem"); err != nil {
		return err
	}
	if err := g.writeCertificate("client.pem", "client-key.pem"); err != nil {
		return err
	}
	var err error
	g.client, err = tls.LoadX509KeyPair(filepath.Join(g.Dir, "client.pem"), filepath.Join(g.Dir, "client-key.pem"))
	return err
}

// fingerprint is that of the client's certificate.
func (g *Gateway) fingerprint() string {
	sum := sha256.Sum256(g.client.Certificate[0])
	return hex.EncodeToString(sum[:])
}

func (g *Gateway) writeCertificate(certName, keyName string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	sample := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"gw.congthu.test"}, IPAddresses: []net.IP{net.ParseIP(strings.TrimSuffix(g.Addr, ":2525"))}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, sample, sample, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(filepath.Join(g.Dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(write(certName, "CERTIFICATE", cert), write(keyName, "PRIVATE KEY", secret))
}

// keyPair makes an OpenPGP key pair and writes both halves, the secret one to .sec.asc.
func (p *player) keyPair(address string) error {
	e, err := openpgp.NewEntity("Nguoi nhan mau", "", address, nil)
	if err != nil {
		return err
	}
	p.g.ring = append(p.g.ring, e)
	secret, err := armored(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) })
	if err != nil {
		return err
	}
	return errors.Join(p.publish(address, e), os.WriteFile(filepath.Join(p.g.Dir, address+".sec.asc"), secret, 0o600))
}

func armored(kind string, serialize func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		return nil, err
	}
	err = errors.Join(serialize(w), w.Close())
	return b.Bytes(), err
}

// revoke revokes the key pair of an address and writes its public half anew.
func (p *player) revoke(address string) error {
	for _, e := range p.g.ring {
		for _, id := range e.Identities {
			if id.UserId.Email == address {
				return errors.Join(e.RevokeKey(packet.KeyCompromised, "lost", nil), p.publish(address, e))
			}
		}
	}
	return errors.New("there is no key pair of " + address)
}

func (p *player) publish(address string, e *openpgp.Entity) error {
	public, err := armored(openpgp.PublicKeyType, e.Serialize)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.g.Dir, address+".asc"), public, 0o600)
}

// opens tells whether an encrypted delivery opens, with the secret keys of the case, to
// the text of the message.
func (g *Gateway) opens(data, raw []byte) bool {
	i := bytes.Index(data, []byte("-----BEGIN PGP MESSAGE-----"))
	if i < 0 {
		return false
	}
	block, err := armor.Decode(bytes.NewReader(data[i:]))
	if err != nil {
		return false
	}
	m, err := openpgp.ReadMessage(block.Body, g.ring, nil, nil)
	if err != nil {
		return false
	}
	clear, err := io.ReadAll(m.UnverifiedBody)
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return err == nil && bytes.Contains(clear, bytes.TrimSpace(body))
}

// verifies tells whether a delivery is signed as RFC 3156 says, over the octets of its first
// part, by a key pair of the case.
func (g *Gateway) verifies(data []byte) bool {
	root := mimetree.Parse(data, mimetree.DefaultLimits())
	if root.MediaType != "multipart/signed" || len(root.Children) != 2 {
		return false
	}
	first := root.Children[0]
	part := data[first.Start:first.End]
	block, err := armor.Decode(bytes.NewReader(root.Children[1].Decoded))
	if err != nil {
		return false
	}
	_, err = openpgp.CheckDetachedSignature(g.ring, bytes.NewReader(part), block.Body, nil)
	return err == nil
}
