package pgp

import (
	"errors"
	"io"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/lang"
)

// Code says in one word what is wrong with a key. The words are for scripts and do not
// change.
type Code string

// The codes.
const (
	OK             Code = "ok"
	Expired        Code = "expired"
	Revoked        Code = "revoked"
	NotYet         Code = "not_yet_valid"
	NoEncryption   Code = "no_encryption_subkey"
	UnsignedSubkey Code = "unsigned_subkey"
	SubkeyExpired  Code = "subkey_expired"
	SubkeyRevoked  Code = "subkey_revoked"
	WeakAlgorithm  Code = "weak_algorithm"
	WeakHash       Code = "weak_hash"
	NoSelfSig      Code = "no_self_signature"
	WrongUserID    Code = "wrong_user_id" // for what it is pinned to
	Damaged        Code = "damaged"
)

// Sentence says the code to an operator. when is the time of expiry.
func (c Code) Sentence(when time.Time) lang.Text {
	switch c {
	case OK:
		return lang.T("dùng được", "usable")
	case Expired:
		return lang.T("khoá đã hết hạn ngày "+day(when)+"; xin bản gia hạn rồi nạp lại", "the key expired on "+day(when)+"; ask for the extended key and import it")
	case Revoked:
		return lang.T("chủ khoá đã thu hồi khoá; xin khoá mới", "its holder has revoked the key; ask for a new one")
	case NotYet:
		return lang.T("khoá ghi ngày tạo ở tương lai; xem lại đồng hồ của máy này và của chủ khoá", "the key is dated in the future; check the clocks here and at its holder")
	case NoEncryption:
		return lang.T("khoá không có khoá con để mã hoá; xin khoá khác", "the key has no subkey for encryption; ask for another key")
	case UnsignedSubkey:
		return lang.T("khoá con mã hoá không có chữ ký hợp lệ của khoá chính, có thể do người khác ghép vào; xin lại khoá từ chủ khoá", "the encryption subkey is not validly signed by the primary key and may be somebody else's; get the key from its holder")
	case SubkeyExpired:
		return lang.T("khoá con mã hoá đã hết hạn; xin bản gia hạn rồi nạp lại", "the encryption subkey has expired; ask for the extended key and import it")
	case SubkeyRevoked:
		return lang.T("khoá con mã hoá đã bị thu hồi; xin bản mới rồi nạp lại", "the encryption subkey is revoked; ask for the renewed key and import it")
	case WeakAlgorithm:
		return lang.T("thuật toán yếu: DSA, ElGamal, RSA dưới 2048 bit hay đường cong lạ; xin khoá mạnh hơn", "a weak algorithm: DSA, ElGamal, RSA below 2048 bits or an unusual curve; ask for a stronger key")
	case WeakHash:
		return lang.T("chữ ký trong khoá chỉ dùng SHA-1 hoặc yếu hơn; chủ khoá cần ký lại khoá", "the key is bound by SHA-1 or weaker alone; its holder has to sign it again")
	case NoSelfSig:
		return lang.T("không có tên nào trong khoá được chủ khoá ký hợp lệ", "no name in the key is validly signed by its holder")
	case WrongUserID:
		return lang.T("khoá không ghi địa chỉ này", "the key does not name this address")
	}
	return lang.T("khoá hỏng", "the key is damaged")
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// judge says whether something may be encrypted to the key now, and with which of its
// keys.
func judge(e *openpgp.Entity, raw []byte, now time.Time) (Code, *packet.PublicKey) {
	switch {
	case e.Revoked(now):
		return Revoked, nil
	case e.PrimaryKey.CreationTime.After(now.Add(time.Hour)): // clocks differ
		return NotYet, nil
	}
	c := strict(now)
	enc, err := e.EncryptionKeyWithError(now, c)
	if err == nil {
		if short(enc.PublicKey) {
			return WeakAlgorithm, enc.PublicKey
		}
		if !takes(e, c) {
			return Damaged, enc.PublicKey
		}
		return OK, enc.PublicKey
	}
	if _, err := e.VerifyPrimaryKey(now, c); errors.Is(err, pgperrors.ErrKeyExpired) {
		return Expired, nil
	}
	if code := weakness(raw, now); code != OK {
		return code, nil
	}
	if _, err := e.PrimarySelfSignature(now, c); err != nil {
		return NoSelfSig, nil
	}
	return subkeys(e, now), nil
}

// takes tells whether the library does encrypt to the key: what is judged to be usable and
// is not would let its letters wait for ever.
func takes(e *openpgp.Entity, c *packet.Config) bool {
	w, err := openpgp.EncryptWithParams(io.Discard, []*openpgp.Entity{e}, nil, &openpgp.EncryptParams{Hints: &openpgp.FileHints{}, Config: c})
	return err == nil && w.Close() == nil
}

// short tells whether an RSA key is too small; the library does not measure those that
// may encrypt only (RFC 9580 section 9.1, algorithm 2).
func short(k *packet.PublicKey) bool {
	if k.PubKeyAlgo != packet.PubKeyAlgoRSAEncryptOnly {
		return false
	}
	bits, err := k.BitLength()
	return err != nil || bits < minRSA
}

// weakness tells whether the key could be used if less were asked of it.
func weakness(raw []byte, now time.Time) Code {
	for _, weak := range []struct {
		code Code
		keys bool
	}{{WeakHash, false}, {WeakAlgorithm, true}} {
		if e := again(raw); e != nil {
			if _, err := e.EncryptionKeyWithError(now, lax(now, weak.keys)); err == nil {
				return weak.code
			}
		}
	}
	return OK
}

// subkeys says what is wrong with those that might have been encrypted to: what can be
// mended by a new copy of the key comes first.
func subkeys(e *openpgp.Entity, now time.Time) Code {
	found := map[Code]bool{}
	for i := range e.Subkeys {
		sub := &e.Subkeys[i]
		if !sub.PublicKey.PubKeyAlgo.CanEncrypt() {
			continue
		}
		sig, err := sub.LatestValidBindingSignature(now, strict(now))
		switch {
		case err != nil:
			found[UnsignedSubkey] = true
		case !(sig.FlagEncryptCommunications || sig.FlagEncryptStorage):
		case sub.Revoked(sig, now):
			found[SubkeyRevoked] = true
		case sub.Expired(sig, now):
			found[SubkeyExpired] = true
		}
	}
	for _, c := range []Code{SubkeyExpired, SubkeyRevoked, UnsignedSubkey} {
		if found[c] {
			return c
		}
	}
	return NoEncryption
}
