package keyring

import "congthu/internal/pgp"

// The symbols by which letters say what is wrong with a key.
const (
	symExpired  = "PGP_KEY_EXPIRED"
	symRevoked  = "PGP_KEY_REVOKED"
	symWeak     = "PGP_KEY_WEAK"
	symNoEnc    = "PGP_KEY_NO_ENCRYPTION"
	symWrongID  = "PGP_KEY_WRONG_USER_ID"
	symUnusable = "PGP_KEY_UNUSABLE"
	symProposed = "PGP_KEY_PROPOSED"
)

// Symbols are those that Found.Symbol may return.
func Symbols() []string {
	return []string{symExpired, symRevoked, symWeak, symNoEnc, symWrongID, symUnusable, symProposed}
}

// Symbol says what stands in the way of encryption; "": nothing, or there is no key.
func (f Found) Symbol() string {
	if f.Fingerprint == "" {
		if f.Proposed {
			return symProposed
		}
		return ""
	}
	switch f.Code {
	case pgp.OK:
		return ""
	case pgp.Expired, pgp.SubkeyExpired:
		return symExpired
	case pgp.Revoked, pgp.SubkeyRevoked:
		return symRevoked
	case pgp.WeakAlgorithm, pgp.WeakHash:
		return symWeak
	case pgp.NoEncryption, pgp.UnsignedSubkey:
		return symNoEnc
	case pgp.WrongUserID:
		return symWrongID
	}
	return symUnusable
}
