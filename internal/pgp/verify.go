package pgp

import (
	"bytes"
	"errors"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Standing is what came of a signature.
type Standing string

// The standings.
const (
	SignatureGood    Standing = "good"    // by the key that is named
	SignatureBad     Standing = "bad"     // by a key that is here, and it does not fit
	SignatureUnknown Standing = "unknown" // by a key that is not here
)

// Signature is a signature with what came of it.
type Signature struct {
	Standing    Standing
	Fingerprint string // of the primary key; "" where it is unknown
}

// maxSignatures is how many signatures of one text are looked at.
const maxSignatures = 8

// Verify checks what the message was signed with. keysBy returns the keys that are here by
// the id of the key that signs; recipient is the fingerprint of the key that opened it.
func (o *Opened) Verify(keysBy func(id uint64) []*Key, now time.Time) Signature {
	if o.odd {
		return Signature{Standing: SignatureBad}
	}
	return verify(o.signatures, [][]byte{o.Octets}, keysBy, o.Fingerprint, now)
}

// VerifyDetached checks a signature beside what it signs (RFC 3156 section 5): armored or
// not, one packet after the other.
func VerifyDetached(sig, signed []byte, keysBy func(id uint64) []*Key, now time.Time) Signature {
	if bytes.Contains(sig, []byte("-----BEGIN PGP SIGNATURE-----")) {
		b, err := armor.Decode(bytes.NewReader(sig))
		if err != nil {
			return Signature{Standing: SignatureBad}
		}
		if sig, err = readSome(b.Body, 1<<16); err != nil {
			return Signature{Standing: SignatureBad}
		}
	}
	return verify(sig, [][]byte{signed}, keysBy, "", now)
}

// verify takes the best that it finds: one good signature of a key that is here says who
// wrote this, whoever else has signed.
func verify(sigs []byte, signed [][]byte, keysBy func(id uint64) []*Key, recipient string, now time.Time) (out Signature) {
	out = Signature{Standing: SignatureUnknown}
	defer func() {
		if recover() != nil { // the library meets a stranger's octets
			out = Signature{Standing: SignatureBad}
		}
	}()
	fs, err := frames(bytes.Clone(sigs), maxSignatures)
	if err != nil || len(fs) == 0 {
		return Signature{Standing: SignatureBad}
	}
	for _, f := range fs {
		p, err := packet.Read(f.reader())
		s, ok := p.(*packet.Signature)
		if err != nil || !ok || s.IssuerKeyId == nil {
			continue // of a version that is not known here
		}
		for _, k := range keysBy(*s.IssuerKeyId) {
			switch err := k.verify(f, signed, recipient, now); {
			case err == nil:
				return Signature{SignatureGood, k.Fingerprint()}
			case !errors.Is(err, pgperrors.ErrUnknownIssuer):
				out = Signature{SignatureBad, k.Fingerprint()}
			}
		}
	}
	return out
}

var errOthers = errors.New("pgp: the signature is meant for others")

func (k *Key) verify(sig frame, signed [][]byte, recipient string, now time.Time) error {
	c := strict(now)
	unchecked := false
	c.CheckIntendedRecipients = &unchecked // the library does not know what the message was opened with
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.entity.Revoked(now) {
		return pgperrors.ErrKeyRevoked
	}
	s, _, err := openpgp.VerifyDetachedSignature(openpgp.EntityList{k.entity}, readers(signed), sig.reader(), c)
	if err != nil {
		return err
	}
	if recipient == "" || len(s.IntendedRecipients) == 0 { // RFC 9580 section 5.2.3.36
		return nil
	}
	for _, r := range s.IntendedRecipients {
		if hexed(r.Fingerprint) == recipient {
			return nil
		}
	}
	return errOthers
}
