package pgp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"golang.org/x/net/idna"

	"congthu/internal/lang"
)

// KeyInfo describes a public key as it is at one moment.
type KeyInfo struct {
	Fingerprint string    `json:"fingerprint"` // upper-case hexadecimal
	Version     int       `json:"version"`
	UserIDs     []string  `json:"user_ids"`
	Addresses   []string  `json:"addresses"` // those its holder has signed, as msg.Path.Key spells them
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires,omitzero"` // the first moment when nothing can be encrypted to it; zero: never
	Algorithm   string    `json:"algorithm"`        // of the encryption key
	AEAD        bool      `json:"aead"`             // its holder reads SEIPD version 2
	Usable      bool      `json:"usable"`
	Code        Code      `json:"code"`
	Why         lang.Text `json:"why,omitzero"` // why it is not usable
}

// judgedFor is how long a judgement is good, unless the key expires before.
const judgedFor = time.Minute

// Key is a public key. It is safe for concurrent use.
type Key struct {
	raw []byte // serialised
	fpr string

	mu     sync.Mutex // the library notes in an entity which signatures it has verified
	entity *openpgp.Entity
	info   KeyInfo
	judged time.Time
}

func newKey(e *openpgp.Entity) (*Key, error) {
	raw, err := serialize(e)
	if err != nil {
		return nil, err
	}
	return &Key{raw: raw, fpr: fingerprint(e), entity: e}, nil
}

// serialize writes the public half; its order is fixed, so that the same key is the same
// octets.
func serialize(e *openpgp.Entity) ([]byte, error) {
	var b bytes.Buffer
	ordered := *e
	ordered.Identities = nil
	ordered.Subkeys = nil
	if err := ordered.Serialize(&b); err != nil {
		return nil, err
	}
	for _, name := range identities(e) {
		if err := e.Identities[name].Serialize(&b); err != nil {
			return nil, err
		}
	}
	for _, sub := range e.Subkeys {
		if err := sub.Serialize(&b, false); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func identities(e *openpgp.Entity) []string {
	var names []string
	for name := range e.Identities {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Fingerprint returns it in upper-case hexadecimal.
func (k *Key) Fingerprint() string { return k.fpr }

// Has tells whether the primary key or a subkey has that id.
func (k *Key) Has(id uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.entity.PrimaryKey.KeyId == id || slices.ContainsFunc(k.entity.Subkeys, func(s openpgp.Subkey) bool { return s.PublicKey.KeyId == id })
}

// Bytes returns the key in binary form; the caller does not change it.
func (k *Key) Bytes() []byte { return k.raw }

// Info judges the key as of now.
func (k *Key) Info(now time.Time) KeyInfo {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := now.Sub(k.judged)
	expired := !k.info.Expires.IsZero() && !now.Before(k.info.Expires)
	if age < 0 || age >= judgedFor || (expired && k.info.Usable) {
		k.info, k.judged = describe(k.entity, k.raw, now), now
	}
	return k.info
}

// Only returns the key in binary form with those of its names alone that have the address.
func (k *Key) Only(addr string) ([]byte, error) {
	e := again(k.raw)
	if e == nil {
		return nil, errNoKey
	}
	for name, id := range e.Identities {
		if Normal(id.UserId.Email) != addr {
			delete(e.Identities, name)
		}
	}
	if len(e.Identities) == 0 {
		return nil, errNoKey
	}
	return serialize(e)
}

func fingerprint(e *openpgp.Entity) string {
	return hexed(e.PrimaryKey.Fingerprint)
}

func hexed(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

func describe(e *openpgp.Entity, raw []byte, now time.Time) KeyInfo {
	k := KeyInfo{
		Fingerprint: fingerprint(e), Version: e.PrimaryKey.Version, Created: e.PrimaryKey.CreationTime,
		Algorithm: algorithm(e.PrimaryKey), UserIDs: identities(e), Addresses: addresses(e, raw, now),
	}
	var enc *packet.PublicKey
	k.Code, enc = judge(e, raw, now)
	k.Expires = expiry(e, now)
	k.Usable = k.Code == OK
	if !k.Usable {
		k.Why = k.Code.Sentence(k.Expires)
	}
	if enc != nil {
		k.Algorithm = algorithm(enc)
	}
	if sig, err := e.PrimarySelfSignature(now, strict(now)); err == nil && sig != nil {
		k.AEAD = sig.SEIPDv2
	}
	return k
}

// addresses are those that the key's holder has signed and not taken back. Both ways of
// looking must agree: a certification counts only by a good hash, a revocation by any.
func addresses(e *openpgp.Entity, raw []byte, now time.Time) []string {
	forgiving := again(raw)
	if forgiving == nil {
		return nil
	}
	var out []string
	for name, id := range e.Identities {
		other := forgiving.Identities[name]
		if other == nil {
			continue
		}
		_, certified := id.Verify(now, strict(now))
		_, standing := other.Verify(now, lax(now, false))
		if a := Normal(id.UserId.Email); a != "" && certified == nil && standing == nil {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// again reads a serialised key anew: an entity remembers what it found by one
// configuration and would answer so for another.
func again(raw []byte) *openpgp.Entity {
	es, err := openpgp.ReadKeyRing(bytes.NewReader(raw))
	if err != nil || len(es) != 1 {
		return nil
	}
	return es[0]
}

// expiry is the first moment when the primary key or the last encryption subkey has
// expired.
func expiry(e *openpgp.Entity, now time.Time) time.Time {
	c := strict(now)
	var out time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (out.IsZero() || t.Before(out)) {
			out = t
		}
	}
	if sig, err := e.PrimarySelfSignature(now, c); err == nil {
		sooner(until(e.PrimaryKey, sig))
	}
	if sig, err := e.LatestValidDirectSignature(now, c); err == nil {
		sooner(until(e.PrimaryKey, sig))
	}
	last, forever := time.Time{}, false
	for _, sub := range e.Subkeys {
		sig, err := sub.LatestValidBindingSignature(now, c)
		if err != nil || !(sig.FlagEncryptCommunications || sig.FlagEncryptStorage) || sub.Revoked(sig, now) {
			continue
		}
		t := until(sub.PublicKey, sig)
		forever = forever || t.IsZero()
		if t.After(last) {
			last = t
		}
	}
	if !forever {
		sooner(last)
	}
	return out
}

// until is when a key expires by a signature: by its own time or the signature's.
func until(k *packet.PublicKey, sig *packet.Signature) time.Time {
	var out time.Time
	if sig.KeyLifetimeSecs != nil && *sig.KeyLifetimeSecs != 0 {
		out = k.CreationTime.Add(time.Duration(*sig.KeyLifetimeSecs) * time.Second)
	}
	if sig.SigLifetimeSecs != nil && *sig.SigLifetimeSecs != 0 {
		if t := sig.CreationTime.Add(time.Duration(*sig.SigLifetimeSecs) * time.Second); out.IsZero() || t.Before(out) {
			out = t
		}
	}
	return out
}

func algorithm(k *packet.PublicKey) string {
	switch k.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSAEncryptOnly, packet.PubKeyAlgoRSASignOnly:
		if bits, err := k.BitLength(); err == nil {
			return fmt.Sprintf("RSA %d", bits)
		}
		return "RSA"
	case packet.PubKeyAlgoDSA:
		return "DSA"
	case packet.PubKeyAlgoElGamal:
		return "ElGamal"
	case packet.PubKeyAlgoECDH, packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA:
		if curve, err := k.Curve(); err == nil {
			return string(curve)
		}
		return "ECC"
	case packet.PubKeyAlgoEd25519, packet.PubKeyAlgoX25519:
		return "Curve25519"
	case packet.PubKeyAlgoX448, packet.PubKeyAlgoEd448:
		return "Curve448"
	}
	return fmt.Sprintf("algorithm %d", k.PubKeyAlgo)
}

// Normal spells an address as msg.Path.Key does: lower case, the domain in A-labels. What
// is no address is "".
func Normal(addr string) string {
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
