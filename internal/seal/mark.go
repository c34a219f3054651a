package seal

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Mark returns what only a holder of the current key can make of the octets: the id of
// the key and an HMAC-SHA256 (RFC 2104) with a key that is derived from it for this use
// alone, in hexadecimal.
func (k *Keys) Mark(use string, octets []byte) string {
	return hex.EncodeToString(append(bytes.Clone(k.keys[0].id[:]), k.keys[0].mac(use, octets)...))
}

// Marked tells whether the mark is of these octets and this use, by any of our keys.
// ErrKey says that it is by another, ErrBroken that it is not theirs.
func (k *Keys) Marked(use string, octets []byte, mark string) error {
	b, err := hex.DecodeString(mark)
	if err != nil || len(b) != keyIDSize+sha256.Size {
		return ErrBroken
	}
	key := k.find(b[:keyIDSize])
	switch {
	case key == nil:
		return ErrKey
	case !hmac.Equal(b[keyIDSize:], key.mac(use, octets)):
		return ErrBroken
	}
	return nil
}

func (k *key) mac(use string, octets []byte) []byte {
	derived := hmac.New(sha256.New, k.secret[:])
	derived.Write([]byte("congthu " + use))
	m := hmac.New(sha256.New, derived.Sum(nil))
	m.Write(octets)
	return m.Sum(nil)
}

// Tags are what each of our keys makes of the octets for one use, that of the current key
// first: for marks so short that people copy them by hand, which have no room for the id
// of a key. Whoever compares a tag does so in constant time (hmac.Equal).
func (k *Keys) Tags(use string, octets []byte) [][]byte {
	out := make([][]byte, len(k.keys))
	for i := range k.keys {
		out[i] = k.keys[i].mac(use, octets)
	}
	return out
}
