package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"congthu/internal/mailauth/sig"
)

// ErrOtherKey is why a published record does not fit a key.
var ErrOtherKey = errors.New("the record holds another key")

// Record is the TXT record that publishes a key (RFC 6376 section 3.6.1, RFC 8463
// section 4). It says what the key is for, so that a leak is of no use elsewhere.
func Record(pub crypto.PublicKey) (string, error) {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; h=sha256; s=email; p=" + base64.StdEncoding.EncodeToString(key), nil
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return "", fmt.Errorf("dkim: %w", err)
		}
		return "v=DKIM1; k=rsa; h=sha256; s=email; p=" + base64.StdEncoding.EncodeToString(der), nil
	}
	return "", fmt.Errorf("dkim: no DKIM key can be a %T", pub)
}

// Matches tells whether a published record is that of the key: nil, ErrOtherKey, or a
// *sig.Problem that says what is wrong with the record.
func Matches(record string, pub crypto.PublicKey) error {
	published, err := sig.ParseKey(record)
	if err != nil {
		return err
	}
	if k, ok := pub.(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(published.Public) {
		return ErrOtherKey
	}
	return nil
}

// Strings divides a record into the strings of at most 255 octets that a TXT record
// is made of (RFC 1035 section 3.3.14).
func Strings(record string) []string {
	var out []string
	for len(record) > maxString {
		out = append(out, record[:maxString])
		record = record[maxString:]
	}
	return append(out, record)
}

const maxString = 255

// Zone is the record as a line of a zone file. Semicolons need no escape within quotes.
func Zone(selector, domain, record string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s 3600 IN TXT (", Name(selector, domain)+".")
	for _, s := range Strings(record) {
		fmt.Fprintf(&b, " \"%s\"", s)
	}
	return b.String() + " )"
}

// Name is where the record stands.
func Name(selector, domain string) string { return selector + "._domainkey." + domain }
