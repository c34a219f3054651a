package keyring

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/pgp"
)

// secret is an agency's secret key as it is kept: encrypted.
type secret struct {
	domain, fingerprint string
	octets              []byte
	added               time.Time
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
	Domain      string    `json:"domain"`
	Fingerprint string    `json:"fingerprint"`
	Use         Use       `json:"use,omitempty"`
	Locked      bool      `json:"locked,omitempty"` // the passphrase does not open it
	Added       time.Time `json:"added,omitzero"`
}

// Use is what a secret key is for.
type Use string

// The uses.
const (
	Signs Use = "sign"    // the domain's letters
	Opens Use = "decrypt" // letters to the domain
)

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
	defer clear(pass)
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
	return Secret{Domain: domain, Fingerprint: fpr, Use: Signs}, err
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
		clear(pass)
	}
	r.open[domain] = o
	return o.signer, o.err
}

func (r *Ring) forgetSigners() {
	r.signers.Lock()
	defer r.signers.Unlock()
	r.open = map[string]opened{}
}

// Secrets lists the secret keys, by domain.
func (r *Ring) Secrets(context.Context) ([]Secret, error) {
	s := r.state.Load()
	out := []Secret{}
	for _, x := range s.secrets {
		_, err := r.Signer(x.domain)
		out = append(out, Secret{Domain: x.domain, Fingerprint: x.fingerprint, Use: Signs, Locked: err != nil, Added: x.added})
	}
	for _, x := range s.openings {
		o := r.opener(x)
		out = append(out, Secret{Domain: x.domain, Fingerprint: x.fingerprint, Use: Opens, Locked: o == nil || o.Locked(), Added: x.added})
	}
	slices.SortFunc(out, func(a, b Secret) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Use, b.Use), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out, nil
}

// DeleteSecrets removes secret keys, which nothing brings back: letters that are encrypted
// to them stay closed. A name is a domain, a fingerprint or the end of one.
func (r *Ring) DeleteSecrets(ctx context.Context, names []string, actor string) ([]Secret, error) {
	var gone []Secret
	err := r.change(ctx, func(c *change) error {
		gone = nil
		for _, name := range names {
			found := c.s.secretsOf(name)
			if len(found) == 0 {
				return problem(nil, "không có khoá bí mật %s", "there is no secret key %s", lang.Safe(name, 120))
			}
			for _, x := range found {
				table := map[Use]string{Signs: "pgp_secret", Opens: "pgp_opener"}[x.Use]
				if err := c.exec(`DELETE FROM `+table+` WHERE domain = $1 AND fingerprint = $2`, x.Domain, x.Fingerprint); err != nil {
					return err
				}
			}
			gone = append(gone, found...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.forget(gone)
	for _, x := range gone {
		r.o.Log.Info("keyring: secret key deleted", "domain", x.Domain, "fingerprint", x.Fingerprint, "use", x.Use, "by", actor)
	}
	return gone, nil
}

// forget lets go of keys in memory that no record has any more.
func (r *Ring) forget(gone []Secret) {
	r.signers.Lock()
	defer r.signers.Unlock()
	kept := map[[sha256.Size]byte]bool{}
	for _, x := range r.state.Load().openings {
		kept[sha256.Sum256(x.octets)] = true
	}
	for id := range r.openers {
		if !kept[id] {
			delete(r.openers, id)
		}
	}
	for _, x := range gone {
		delete(r.open, x.Domain)
	}
}

func (s *state) secretsOf(name string) (out []Secret) {
	domain := strings.TrimPrefix(Subject("@"+strings.TrimPrefix(name, "@")), "@")
	end := strings.ToUpper(strings.TrimPrefix(strings.ReplaceAll(name, " ", ""), "0x"))
	is := func(x string, fpr string) bool {
		return domain != "" && x == domain || len(end) >= 16 && strings.HasSuffix(fpr, end)
	}
	for _, x := range s.secrets {
		if is(x.domain, x.fingerprint) {
			out = append(out, Secret{Domain: x.domain, Fingerprint: x.fingerprint, Use: Signs, Added: x.added})
		}
	}
	for _, x := range s.openings {
		if is(x.domain, x.fingerprint) {
			out = append(out, Secret{Domain: x.domain, Fingerprint: x.fingerprint, Use: Opens, Added: x.added})
		}
	}
	return out
}
