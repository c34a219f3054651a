package pgp

import (
	"slices"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Opener is a secret key that letters are encrypted to. It is locked until Unlock. It is
// safe for concurrent use.
type Opener struct {
	fpr string

	mu     sync.Mutex
	entity *openpgp.Entity
	locked bool
}

// ReadOpener reads one secret key, locked or not.
func ReadOpener(secret []byte) (*Opener, error) {
	e, err := oneSecret(secret)
	if err != nil {
		return nil, err
	}
	o := &Opener{fpr: fingerprint(e), entity: e}
	o.locked = slices.ContainsFunc(secrets(e), func(k *packet.PrivateKey) bool { return k.Encrypted })
	if len(o.keys(0)) == 0 {
		return nil, problem(nil, "khoá "+o.fpr+" không có khoá con để giải mã", "the key "+o.fpr+" has no subkey that decrypts")
	}
	return o, nil
}

// Unlock opens it with its passphrase, which is not kept.
func (o *Opener) Unlock(passphrase []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.entity.DecryptPrivateKeys(passphrase); err != nil {
		return problem(err, "mật khẩu không mở được khoá bí mật "+o.fpr, "the passphrase does not open the secret key "+o.fpr)
	}
	o.locked = false
	return nil
}

// Locked tells whether it cannot decrypt yet.
func (o *Opener) Locked() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.locked
}

// Fingerprint returns that of the primary key in upper-case hexadecimal.
func (o *Opener) Fingerprint() string { return o.fpr }

func secrets(e *openpgp.Entity) (out []*packet.PrivateKey) {
	if e.PrivateKey != nil {
		out = append(out, e.PrivateKey)
	}
	for _, sub := range e.Subkeys {
		if sub.PrivateKey != nil {
			out = append(out, sub.PrivateKey)
		}
	}
	return out
}

// keys returns the secret keys that a letter may name by that id, 0: any. A key that has
// expired still opens what was written to it. One that is for signing never decrypts.
func (o *Opener) keys(id uint64) (out []*packet.PrivateKey) {
	for _, k := range o.entity.DecryptionKeys(id, time.Time{}, lax(time.Now(), true)) {
		if k.PrivateKey != nil && !k.PrivateKey.Dummy() && k.PrivateKey.PubKeyAlgo.CanEncrypt() {
			out = append(out, k.PrivateKey)
		}
	}
	return out
}
