package keyring

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/pgp"
)

// opening is a secret key that opens a domain's letters, as it is kept: encrypted.
type opening struct {
	domain, fingerprint string
	octets              []byte
	added               time.Time
}

// NewOpener asks for a secret key to open what is encrypted to a domain. It is encrypted
// already, with the passphrase that the gateway knows: the command has seen to it.
type NewOpener struct {
	Domain string `json:"domain"`
	Octets []byte `json:"octets"`
	Actor  string `json:"actor"`
}

// AddOpener gives a domain a key that opens its letters, beside those that it has. A key
// that the gateway's passphrase does not open is refused.
func (r *Ring) AddOpener(ctx context.Context, in NewOpener) (Secret, error) {
	domain := strings.TrimPrefix(Subject("@"+in.Domain), "@")
	if domain == "" {
		return Secret{}, problem(nil, "%q không phải tên miền", "%q is no domain", lang.Safe(in.Domain, 200))
	}
	o, err := pgp.ReadOpener(in.Octets)
	if err != nil {
		return Secret{}, err
	}
	if !o.Locked() {
		return Secret{}, problem(nil, "khoá bí mật chưa được mã hoá bằng mật khẩu", "the secret key is not encrypted by a passphrase")
	}
	if err := r.unlock(o); err != nil {
		return Secret{}, err
	}
	x := opening{domain: domain, fingerprint: o.Fingerprint(), octets: in.Octets, added: r.now()}
	err = r.change(ctx, func(c *change) error {
		return c.exec(`INSERT INTO pgp_opener (domain, fingerprint, secret, added, actor) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (domain, fingerprint) DO UPDATE SET secret = excluded.secret, added = excluded.added, actor = excluded.actor`,
			x.domain, x.fingerprint, x.octets, x.added.UnixMilli(), in.Actor)
	})
	if err != nil {
		return Secret{}, err
	}
	r.signers.Lock()
	r.openers[sha256.Sum256(x.octets)] = o // open already
	r.signers.Unlock()
	r.o.Log.Info("keyring: opening key set", "domain", x.domain, "fingerprint", x.fingerprint, "by", in.Actor)
	return Secret{Domain: x.domain, Fingerprint: x.fingerprint, Use: Opens, Added: x.added}, nil
}

// unlock opens one key and forgets the passphrase.
func (r *Ring) unlock(o *pgp.Opener) error {
	pass, err := r.passphrase()
	if err != nil {
		return err
	}
	defer clear(pass)
	return o.Unlock(pass)
}

// Openers returns the keys that open letters to any of the domains. One that the passphrase
// did not open is among them, locked: a letter to it cannot be looked into, which is not the
// same as a letter to a stranger's key.
func (r *Ring) Openers(domains []string) (out []*pgp.Opener) {
	for _, x := range r.state.Load().openings {
		if !slices.Contains(domains, x.domain) {
			continue
		}
		if o := r.opener(x); o != nil {
			out = append(out, o)
		}
	}
	return out
}

// Opens tells whether there is a key that opens letters; without a ring there is none.
func (r *Ring) Opens() bool { return r != nil && len(r.state.Load().openings) > 0 }

// opener is the key of a record, which is tried to be opened once, until Unlock.
func (r *Ring) opener(x opening) *pgp.Opener {
	r.signers.Lock()
	defer r.signers.Unlock()
	id := sha256.Sum256(x.octets)
	if o := r.openers[id]; o != nil {
		return o
	}
	o, err := pgp.ReadOpener(x.octets)
	if err != nil {
		r.o.Log.Error("keyring: a secret key in the store is damaged; letters to it are not looked into", "domain", x.domain, "fingerprint", x.fingerprint, "error", err)
		return nil
	}
	if err := r.unlock(o); err != nil {
		r.o.Log.Error("keyring: a secret key stays locked; letters to it wait at their senders", "domain", x.domain, "fingerprint", x.fingerprint, "error", err)
	}
	r.openers[id] = o
	return o
}

// Unlock opens every secret key, those that stayed locked before as well, and returns what
// is wrong with the passphrase. The gateway does it when it starts and when it is told to
// read its rules anew.
func (r *Ring) Unlock() error {
	r.signers.Lock()
	for id, o := range r.openers {
		if o.Locked() {
			delete(r.openers, id)
		}
	}
	r.open = map[string]opened{}
	r.signers.Unlock()
	var all []error
	s := r.state.Load()
	for _, x := range s.openings {
		if o := r.opener(x); o != nil && o.Locked() {
			all = append(all, r.unlock(o))
		}
	}
	for domain := range s.secrets {
		if _, err := r.Signer(domain); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// opens tells whether the secret half of a key is here, so that what is encrypted to it can
// be read by the gateway alone.
func (s *state) opens(fpr string) bool {
	return slices.ContainsFunc(s.openings, func(x opening) bool { return x.fingerprint == fpr })
}

// Signers returns the public keys that are here with a primary key or a subkey of that id.
func (r *Ring) Signers(id uint64) (out []*pgp.Key) {
	for _, h := range r.state.Load().keys {
		if h.key.Has(id) {
			out = append(out, h.key)
		}
	}
	return out
}
