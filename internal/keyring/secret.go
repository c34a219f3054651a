package keyring

import (
	"context"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/pgp"
)

// secret is an agency's secret key as it is kept: encrypted.
type secret struct {
	domain, fingerprint string
	octets              []byte
}

// opened is a secret key in memory, or why it could not be opened.
type opened struct {
	signer *pgp.Signer
	err    error
	at     time.Time
}

// openFor is how long a signer is kept, and how long it is remembered that there is none.
const openFor = 10 * time.Minute

// Secret is what is known of a secret key.
type Secret struct {
	Domain      string `json:"domain"`
	Fingerprint string `json:"fingerprint"`
}

// NewSecret asks for a secret key to be kept. It is encrypted already, with the passphrase
// that the gateway knows: the command has seen to it.
type NewSecret struct {
	Domain string `json:"domain"`
	Octets []byte `json:"octets"`
	Actor  string `json:"-"` // the API knows who asks
}

// SetSecret gives a domain the key that signs its letters. A key that the gateway's
// passphrase does not open is refused.
func (r *Ring) SetSecret(ctx context.Context, in NewSecret) (Secret, error) {
	domain := strings.TrimPrefix(Subject("@"+in.Domain), "@")
	if domain == "" {
		return Secret{}, problem(nil, "%q không phải tên miền", "%q is no domain", lang.Safe(in.Domain, 200))
	}
	pass, err := r.passphrase()
	if err != nil {
		return Secret{}, err
	}
	if _, err := pgp.OpenSigner(in.Octets, pass, r.now()); err != nil {
		return Secret{}, err
	}
	if _, err := pgp.OpenSigner(in.Octets, nil, r.now()); err == nil {
		return Secret{}, problem(nil, "khoá bí mật chưa được mã hoá bằng mật khẩu", "the secret key is not encrypted by a passphrase")
	}
	fpr, err := pgp.SecretFingerprint(in.Octets)
	if err != nil {
		return Secret{}, err
	}
	err = r.change(ctx, func(c *change) error {
		return c.exec(`INSERT INTO pgp_secret (domain, fingerprint, secret, added, actor) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (domain) DO UPDATE SET fingerprint = excluded.fingerprint, secret = excluded.secret, added = excluded.added, actor = excluded.actor`,
			domain, fpr, in.Octets, r.now().UnixMilli(), in.Actor)
	})
	if err == nil {
		r.o.Log.Info("keyring: signing key set", "domain", domain, "fingerprint", fpr, "by", in.Actor)
	}
	return Secret{domain, fpr}, err
}

func (r *Ring) passphrase() ([]byte, error) {
	if r.o.Passphrase == nil {
		return nil, problem(nil, "chưa cấu hình mật khẩu cho khoá bí mật ([pgp] passphrase_file)", "no passphrase for secret keys is configured ([pgp] passphrase_file)")
	}
	return r.o.Passphrase()
}

// CanSign tells whether there is a key that signs for the domain, and why it does not.
func (r *Ring) CanSign(domain string) (have bool, err error) {
	if _, have = r.state.Load().secrets[domain]; have {
		_, err = r.Signer(domain)
	}
	return have, err
}

// Signer opens the key that signs for the domain.
func (r *Ring) Signer(domain string) (*pgp.Signer, error) {
	x, ok := r.state.Load().secrets[domain]
	if !ok {
		return nil, problem(nil, "không có khoá ký cho %s", "there is no signing key for %s", domain)
	}
	r.signers.Lock()
	defer r.signers.Unlock()
	if o, ok := r.open[domain]; ok && r.now().Sub(o.at) < openFor && (o.err != nil || o.signer.Signs(r.now())) {
		return o.signer, o.err
	}
	o := opened{at: r.now()}
	var pass []byte
	if pass, o.err = r.passphrase(); o.err == nil {
		o.signer, o.err = pgp.OpenSigner(x.octets, pass, r.now())
	}
	r.open[domain] = o
	return o.signer, o.err
}

func (r *Ring) forgetSigners() {
	r.signers.Lock()
	defer r.signers.Unlock()
	r.open = map[string]opened{}
}

// Secrets lists the domains that have a signing key.
func (r *Ring) Secrets() []Secret {
	var out []Secret
	for _, x := range r.state.Load().secrets {
		out = append(out, Secret{x.domain, x.fingerprint})
	}
	return out
}
