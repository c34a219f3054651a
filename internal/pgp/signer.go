package pgp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Signer is an agency's secret key, open in memory. It is safe for concurrent use.
type Signer struct {
	mu     sync.Mutex
	entity *openpgp.Entity
}

// OpenSigner opens a secret key with its passphrase. The key must sign now, and what is
// signed must not need a weak algorithm.
func OpenSigner(secret, passphrase []byte, now time.Time) (*Signer, error) {
	e, err := oneSecret(secret)
	if err != nil {
		return nil, err
	}
	if err := e.DecryptPrivateKeys(passphrase); err != nil {
		return nil, problem(err, "mật khẩu không mở được khoá bí mật "+fingerprint(e), "the passphrase does not open the secret key "+fingerprint(e))
	}
	if _, ok := e.SigningKey(now, strict(now)); !ok {
		return nil, problem(nil, "khoá "+fingerprint(e)+" không ký được: hết hạn, bị thu hồi, hoặc không có khoá con để ký", "the key "+fingerprint(e)+" cannot sign: expired, revoked, or without a signing subkey")
	}
	s := &Signer{entity: e}
	if _, _, err := s.detached(now, [][]byte{[]byte("\r\n")}); err != nil { // better now than for each letter
		return nil, problem(err, "khoá "+fingerprint(e)+" không ký được", "the key "+fingerprint(e)+" cannot sign")
	}
	return s, nil
}

// Signs tells whether the key still signs now.
func (s *Signer) Signs(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.entity.SigningKey(now, strict(now))
	return ok
}

// ProtectSecret reads a secret key, opened by old where it is encrypted, and returns it
// encrypted with passphrase: this is the form that is kept. The public half comes with it.
func ProtectSecret(data, old, passphrase []byte) (secret []byte, public *Key, err error) {
	e, err := oneSecret(data)
	if err != nil {
		return nil, nil, err
	}
	if len(passphrase) < 8 {
		return nil, nil, problem(nil, "mật khẩu bảo vệ khoá bí mật phải dài ít nhất 8 ký tự", "the passphrase that protects secret keys must have at least 8 characters")
	}
	if err := e.DecryptPrivateKeys(old); err != nil {
		return nil, nil, problem(err, "mật khẩu không mở được khoá bí mật", "the passphrase does not open the secret key")
	}
	c := strict(time.Now())
	c.AEADConfig = nil // GnuPG 2.2 may have to read it again
	c.S2KConfig = &s2k.Config{S2KMode: s2k.IteratedSaltedS2K, S2KCount: 65011712}
	if err := e.EncryptPrivateKeys(passphrase, c); err != nil {
		return nil, nil, fmt.Errorf("pgp: %w", err)
	}
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
		return nil, nil, fmt.Errorf("pgp: %w", err)
	}
	public, err = publicHalf(e)
	return b.Bytes(), public, err
}

// publicHalf reads it anew, so that nothing secret stays with it.
func publicHalf(e *openpgp.Entity) (*Key, error) {
	raw, err := serialize(e)
	if err != nil {
		return nil, err
	}
	ks, err := ReadKeys(raw)
	if err != nil {
		return nil, err
	}
	return ks[0], nil
}

// SecretFingerprint names a secret key without opening it.
func SecretFingerprint(data []byte) (string, error) {
	e, err := oneSecret(data)
	if err != nil {
		return "", err
	}
	return fingerprint(e), nil
}

func oneSecret(data []byte) (*openpgp.Entity, error) {
	es, err := parse(data)
	if err != nil {
		return nil, err
	}
	if len(es) != 1 || es[0].PrivateKey == nil {
		return nil, problem(nil, "cần đúng một khoá bí mật trong tệp", "the file must hold exactly one secret key")
	}
	return es[0], nil
}

var errMicalg = errors.New("pgp: a hash without a name in RFC 3156")

// detached signs octets that are line by line as they will be sent.
func (s *Signer) detached(now time.Time, content [][]byte) (sig []byte, micalg string, err error) {
	var b bytes.Buffer
	s.mu.Lock()
	w, err := openpgp.DetachSignWriter(&b, []*openpgp.Entity{s.entity}, &openpgp.SignParams{Config: strict(now)})
	s.mu.Unlock()
	if err != nil {
		return nil, "", fmt.Errorf("pgp: sign: %w", err)
	}
	for _, part := range content {
		if _, err := w.Write(part); err != nil {
			return nil, "", fmt.Errorf("pgp: sign: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("pgp: sign: %w", err)
	}
	micalg, err = hashName(b.Bytes())
	return b.Bytes(), micalg, err
}

// hashName reads the name for micalg (RFC 3156 section 5) out of a signature.
func hashName(sig []byte) (string, error) {
	p, err := packet.NewReader(bytes.NewReader(sig)).Next()
	if err != nil {
		return "", fmt.Errorf("pgp: sign: %w", err)
	}
	s, ok := p.(*packet.Signature)
	if !ok {
		return "", errMicalg
	}
	names := map[string]string{"SHA-256": "pgp-sha256", "SHA-384": "pgp-sha384", "SHA-512": "pgp-sha512", "SHA3-256": "pgp-sha3-256", "SHA3-512": "pgp-sha3-512"}
	if n := names[s.Hash.String()]; n != "" {
		return n, nil
	}
	return "", errMicalg
}

// Sign writes the letter as multipart/signed (RFC 3156 section 5). Canonical must have
// said that it can be: content is what Canonical returned.
func (s *Signer) Sign(w io.Writer, content [][]byte, now time.Time) error {
	head, body := split(content)
	h := protect(head, protection{hp: "clear"})
	signed := append([][]byte{h.inner}, body...)
	sig, micalg, err := s.detached(now, signed)
	if err != nil {
		return err
	}
	b := boundary()
	if _, err := fmt.Fprintf(w, "%sMIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=%s;\r\n protocol=\"application/pgp-signature\";\r\n boundary=\"%s\"\r\n\r\n--%s\r\n", h.outer, micalg, b, b); err != nil {
		return err
	}
	for _, part := range signed {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "\r\n--%s\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\nContent-Description: OpenPGP digital signature\r\n\r\n", b); err != nil {
		return err
	}
	a := newArmor(w, "PGP SIGNATURE", "\r\n", s.entity.PrimaryKey.Version < 6)
	if _, err := a.Write(sig); err != nil {
		return err
	}
	if err := a.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\r\n--%s--\r\n", b)
	return err
}
