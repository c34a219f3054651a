package pgp

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"golang.org/x/net/idna"

	"congthu/internal/lang"
)

// minRSA is the smallest RSA key that is encrypted to, in bits.
const minRSA = 2048

// KeyInfo describes a public key.
type KeyInfo struct {
	Fingerprint string    `json:"fingerprint"` // upper-case hexadecimal
	UserIDs     []string  `json:"user_ids"`
	Addresses   []string  `json:"addresses"` // as msg.Path.Key spells them
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires,omitzero"` // zero: never
	Algorithm   string    `json:"algorithm"`        // of the encryption key
	Usable      bool      `json:"usable"`
	Why         lang.Text `json:"why,omitzero"` // why it is not usable
}

func fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(hex.EncodeToString(e.PrimaryKey.Fingerprint))
}

// config is what every operation allows. SEIPD version 1 with its MDC is what GnuPG
// 2.2 opens; the library uses newer forms only when asked.
func config(now time.Time) *packet.Config {
	return &packet.Config{
		DefaultCipher: packet.CipherAES256, MinRSABits: minRSA,
		Time: func() time.Time { return now },
	}
}

func describe(e *openpgp.Entity, now time.Time) KeyInfo {
	k := KeyInfo{Fingerprint: fingerprint(e), Created: e.PrimaryKey.CreationTime, Algorithm: algorithm(e.PrimaryKey)}
	for name, id := range e.Identities {
		k.UserIDs = append(k.UserIDs, name)
		if a := normal(id.UserId.Email); a != "" {
			k.Addresses = append(k.Addresses, a)
		}
	}
	slices.Sort(k.UserIDs)
	slices.Sort(k.Addresses)
	k.Addresses = slices.Compact(k.Addresses)
	k.Expires = expiry(e, now)
	k.Why = unusable(e, k, now)
	k.Usable = k.Why == lang.Text{}
	if enc, ok := e.EncryptionKey(now, config(now)); ok {
		k.Algorithm = algorithm(enc.PublicKey)
	}
	return k
}

func expiry(e *openpgp.Entity, now time.Time) time.Time {
	sig, err := e.PrimarySelfSignature(now, config(now))
	if err != nil || sig == nil || sig.KeyLifetimeSecs == nil || *sig.KeyLifetimeSecs == 0 {
		return time.Time{}
	}
	return e.PrimaryKey.CreationTime.Add(time.Duration(*sig.KeyLifetimeSecs) * time.Second)
}

// unusable says why nothing may be encrypted to the key, or nothing.
func unusable(e *openpgp.Entity, k KeyInfo, now time.Time) lang.Text {
	switch {
	case e.Revoked(now):
		return lang.T("khoá đã bị thu hồi", "the key is revoked")
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return lang.T("khoá đã hết hạn ngày "+k.Expires.Format(time.DateOnly), "the key expired on "+k.Expires.Format(time.DateOnly))
	case len(k.Addresses) == 0:
		return lang.T("khoá không ghi địa chỉ thư nào", "the key names no mail address")
	}
	if _, err := e.EncryptionKeyWithError(now, config(now)); err != nil {
		return lang.T("khoá không có khoá con mã hoá dùng được ("+err.Error()+")", "the key has no usable encryption subkey ("+err.Error()+")")
	}
	return lang.Text{}
}

func algorithm(k *packet.PublicKey) string {
	bits, err := k.BitLength()
	switch k.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSAEncryptOnly, packet.PubKeyAlgoRSASignOnly:
		if err == nil {
			return fmt.Sprintf("RSA %d", bits)
		}
		return "RSA"
	case packet.PubKeyAlgoECDH, packet.PubKeyAlgoECDSA:
		return "ECC"
	case packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoEd25519, packet.PubKeyAlgoX25519:
		return "Curve25519"
	case packet.PubKeyAlgoX448, packet.PubKeyAlgoEd448:
		return "Curve448"
	}
	return fmt.Sprintf("algorithm %d", k.PubKeyAlgo)
}

// claims tells whether one of the key's user ids has the address.
func claims(e *openpgp.Entity, addr string) bool {
	for _, id := range e.Identities {
		if a := normal(id.UserId.Email); a != "" && a == addr {
			return true
		}
	}
	return false
}

// normal spells an address as msg.Path.Key does: lower case, the domain in A-labels.
func normal(addr string) string {
	i := strings.LastIndexByte(addr, '@')
	if i <= 0 || i == len(addr)-1 {
		return ""
	}
	domain := strings.ToLower(addr[i+1:])
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return strings.ToLower(addr[:i]) + "@" + domain
}
