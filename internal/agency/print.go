package agency

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// Print is the SHA-256 fingerprint of a certificate or of its public key
// (SubjectPublicKeyInfo). The second survives a renewal with the same key.
type Print [sha256.Size]byte

// ParsePrint reads 64 hexadecimal digits, with or without "sha256:" before them and
// colons between them, as `openssl x509 -fingerprint -sha256` prints them.
func ParsePrint(s string) (Print, error) {
	var p Print
	digits := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s), "sha256:"), ":", "")
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(p) {
		return p, fmt.Errorf("agency: %q is not a SHA-256 fingerprint", s)
	}
	return Print(b), nil
}

// ReadCA reads a PEM file of certificate authorities.
func ReadCA(name string) (*x509.CertPool, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s: no certificate in it", name)
	}
	return pool, nil
}
