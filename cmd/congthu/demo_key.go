package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/keyring"
)

// demoRecipient is the one recipient of the demo who has an OpenPGP key.
const demoRecipient = "mat@so-mau.gov.test"

// importKey makes a key pair for the recipient, gives the gateway the public half as
// an operator would, and keeps the secret half for gpg. A fresh pair each time: no
// secret key lies in the repository. `make run` keeps its directory, and with it the
// pair of the first time.
func (st *demoStage) importKey(a *app) error {
	st.secretKey = filepath.Join(st.dir, "recipient.sec.asc")
	have := false
	err := a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		_, err := keys.Show(a.ctx, demoRecipient)
		have = err == nil
		return nil
	})
	if err != nil || have {
		return err
	}
	public, secret, err := newKeyPair(demoRecipient)
	if err != nil {
		return err
	}
	if err := os.WriteFile(st.secretKey, secret, 0o600); err != nil {
		return err
	}
	return a.withKeys(func(_ *config.Config, keys admin.Keys) error {
		_, err := keys.Import(a.ctx, keyring.Import{Octets: public, Source: "demo", Pin: true, Actor: actor()})
		return err
	})
}

// newKeyPair returns both halves, armoured (RFC 9580 section 6).
func newKeyPair(address string) (public, secret []byte, err error) {
	pair, err := openpgp.NewEntity("Nguoi nhan mau", "", address, nil)
	if err != nil {
		return nil, nil, err
	}
	if public, err = armoured(openpgp.PublicKeyType, pair.Serialize); err != nil {
		return nil, nil, err
	}
	secret, err = armoured(openpgp.PrivateKeyType, func(w io.Writer) error { return pair.SerializePrivate(w, nil) })
	return public, secret, err
}

func armoured(kind string, write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		return nil, err
	}
	if err := write(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
