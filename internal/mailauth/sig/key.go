package sig

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"

	"congthu/internal/lang"
)

// The sizes of RSA keys that count: shorter ones prove nothing (RFC 8301 section 3.2),
// longer ones are made to cost.
const (
	MinKeyBits = 1024
	MaxKeyBits = 4096
)

// Resolver is the part of DNS that keys need.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Problem is why a signature is of no use. Temporary means that it is not known
// whether it is.
type Problem struct {
	Temporary bool
	Reason    string
}

func (p *Problem) Error() string { return p.Reason }

func broken(format string, args ...any) error {
	return &Problem{Reason: fmt.Sprintf(format, args...)}
}

// Key is a public key from DNS (RFC 6376 section 3.6.1).
type Key struct {
	Public  crypto.PublicKey // *rsa.PublicKey or ed25519.PublicKey
	Testing bool             // t=y
	Strict  bool             // t=s: i= must be at d= itself
}

// FetchKey looks a key up. The error is a *Problem.
func FetchKey(ctx context.Context, r Resolver, selector, domain string) (*Key, error) {
	name := selector + "._domainkey." + domain
	txts, err := r.LookupTXT(ctx, name)
	switch {
	case err != nil:
		return nil, unavailable(name, err)
	case len(txts) == 0:
		return nil, broken("no key at %s", lang.Safe(name, 100))
	case len(txts) > 1: // RFC 6376 section 3.6.2.2: undefined
		return nil, broken("multiple TXT records at %s", lang.Safe(name, 100))
	}
	return ParseKey(txts[0])
}

func unavailable(name string, err error) error {
	why := err.Error()
	var de *net.DNSError
	if errors.As(err, &de) {
		why = de.Err
	}
	why = lang.Safe(name, 100) + ": " + lang.Safe(why, 100)
	if de != nil && de.IsNotFound {
		return broken("no key at %s", why)
	}
	return &Problem{Temporary: true, Reason: "key unavailable: lookup " + why}
}

// ParseKey reads a key record. The error is a *Problem.
func ParseKey(txt string) (*Key, error) {
	tags, err := ParseTags(txt)
	switch {
	case err != nil:
		return nil, broken("malformed key record: %v", err)
	case tags.Has("v") && tags.Get("v") != "DKIM1":
		return nil, broken("unknown version of the key record")
	case !tags.Has("p"):
		return nil, broken("key record without a key")
	case tags.Word("p") == "":
		return nil, broken("key revoked")
	case tags.Has("h") && !slices.Contains(tags.List("h"), "sha256"):
		return nil, broken("key is not for SHA-256")
	case tags.Has("s") && !slices.Contains(tags.List("s"), "email") && !slices.Contains(tags.List("s"), "*"):
		return nil, broken("key is not for e-mail")
	}
	der, err := base64.StdEncoding.DecodeString(tags.Word("p"))
	if err != nil {
		return nil, broken("malformed key: %v", err)
	}
	flags := tags.List("t")
	k := &Key{Testing: slices.Contains(flags, "y"), Strict: slices.Contains(flags, "s")}
	if k.Public, err = publicKey(tags.Get("k"), der); err != nil {
		return nil, err
	}
	return k, nil
}

func publicKey(kind string, der []byte) (crypto.PublicKey, error) {
	switch kind {
	case "", "rsa":
		return parseRSA(der)
	case "ed25519":
		if len(der) != ed25519.PublicKeySize {
			return nil, broken("Ed25519 key of %d octets", len(der))
		}
		return ed25519.PublicKey(der), nil
	}
	return nil, broken("unknown kind of key")
}

// parseRSA reads a key in either of the forms in use (RFC 6376 erratum 3017).
func parseRSA(der []byte) (*rsa.PublicKey, error) {
	if len(der) > MaxKeyBits/8+200 { // before it costs anything
		return nil, broken("RSA key is longer than %d bits", MaxKeyBits)
	}
	var key *rsa.PublicKey
	pub, err := x509.ParsePKIXPublicKey(der)
	if err == nil {
		key, _ = pub.(*rsa.PublicKey)
	} else {
		key, err = x509.ParsePKCS1PublicKey(der)
	}
	switch {
	case err != nil:
		return nil, broken("malformed key: %v", err)
	case key == nil:
		return nil, broken("key is not an RSA key")
	case key.N.BitLen() < MinKeyBits:
		return nil, broken("RSA key is too short: %d bits", key.N.BitLen())
	case key.N.BitLen() > MaxKeyBits:
		return nil, broken("RSA key is longer than %d bits", MaxKeyBits)
	}
	return key, nil
}

// errBad means that the octets are not what was signed.
var errBad = errors.New("signature did not verify")

// Verify checks a signature of a SHA-256 hash by the algorithm of an a= tag. The error
// is a *Problem when the key does not fit the algorithm.
func (k *Key) Verify(algorithm string, sum, signature []byte) error {
	switch pub := k.Public.(type) {
	case *rsa.PublicKey:
		if algorithm != "rsa-sha256" {
			return broken("key is not for %s", lang.Safe(algorithm, 20))
		}
		if rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum, signature) != nil {
			return errBad
		}
	case ed25519.PublicKey:
		if algorithm != "ed25519-sha256" {
			return broken("key is not for %s", lang.Safe(algorithm, 20))
		}
		if !ed25519.Verify(pub, sum, signature) { // of the hash, RFC 8463 section 3
			return errBad
		}
	}
	return nil
}

// CheckAlgorithm tells why an a= tag cannot be used, or nil. The error is a *Problem.
func CheckAlgorithm(a string) error {
	switch a {
	case "rsa-sha256", "ed25519-sha256":
		return nil
	case "rsa-sha1":
		return broken("hash algorithm too weak: sha1") // RFC 8301 section 3.1
	}
	return broken("unknown algorithm %s", lang.Safe(a, 30))
}
