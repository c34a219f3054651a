// Package pgp is the OpenPGP of the gateway (RFC 9580, RFC 3156, RFC 9788): it reads and
// judges keys, makes encrypted and signed letters, and sees which letters are protected end
// to end already. It keeps nothing: which key belongs to whom is the keyring's business.
package pgp

import (
	"crypto"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"congthu/internal/lang"
)

// minRSA is the smallest RSA modulus that is believed, in bits. Some programs make keys
// "of 2048 bits" with the highest bit clear.
const minRSA = 2047

// Problem is a reason for the operator, in both languages.
type Problem = lang.Problem

func problem(err error, vi, en string) error { return &Problem{What: lang.T(vi, en), Err: err} }

// strict is what every operation allows. SHA-1 is no base for a binding any more (RFC 9580
// section 9.5), and a key that does not say what it is for is for nothing. AEAD is used
// where every key of a letter says that its holder reads it, and SEIPD version 1 with its
// MDC, which GnuPG 2.2 opens, everywhere else; the library has no way without either.
func strict(now time.Time) *packet.Config {
	return &packet.Config{
		DefaultCipher: packet.CipherAES256, DefaultHash: crypto.SHA256, MinRSABits: minRSA,
		RejectHashAlgorithms: map[crypto.Hash]bool{crypto.MD5: true, crypto.RIPEMD160: true, crypto.SHA1: true},
		AEADConfig:           &packet.AEADConfig{},
		Time:                 func() time.Time { return now },
	}
}

// lax allows what strict does not, to find out why a key is of no use. Nothing is ever
// encrypted or signed by it.
func lax(now time.Time, weakKeys bool) *packet.Config {
	c := strict(now)
	c.RejectHashAlgorithms = map[crypto.Hash]bool{}
	if weakKeys {
		c.MinRSABits = 1
		c.RejectPublicKeyAlgorithms = map[packet.PublicKeyAlgorithm]bool{}
		c.RejectCurves = map[packet.Curve]bool{}
	}
	return c
}
