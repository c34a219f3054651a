package e2e

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/store"
)

// shortLife is how long a key lives that is to expire in the middle of a case: long enough
// to be imported on a busy machine.
const shortLife = 8 // seconds

// quick makes keys that cost no time.
func quick() *packet.Config { return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA} }

// badKey makes the public key of an address that has something wrong with it: KIND ADDRESS.
// The wrong ones that a library does not make are files of their cases.
func (p *player) badKey(rest string) error {
	kind, address, _ := strings.Cut(rest, " ")
	c := quick()
	switch kind {
	case "expires":
		c.KeyLifetimeSecs = shortLife
	case "not-yet":
		c.Time = func() time.Time { return time.Now().Add(72 * time.Hour) }
	case "rsa1024":
		c = &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 1024}
	}
	e, err := openpgp.NewEntity("Nguoi nhan mau", "", address, c)
	if err != nil {
		return err
	}
	if err := p.worsen(e, kind); err != nil {
		return err
	}
	secret, err := armored(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivateWithoutSigning(w, nil) })
	if err != nil {
		return err
	}
	return errors.Join(p.write(address, e), os.WriteFile(filepath.Join(p.g.Dir, address+".sec.asc"), secret, 0o600))
}

// worsen does to a good key what the kind asks for.
func (p *player) worsen(e *openpgp.Entity, kind string) error {
	switch kind {
	case "expires", "not-yet", "rsa1024", "good":
	case "no-encryption":
		e.Subkeys = nil
	case "subkey-expires":
		e.Subkeys = nil
		c := quick()
		c.KeyLifetimeSecs = shortLife
		return e.AddEncryptionSubkey(c)
	case "forged-subkey": // an attacker's subkey under the victim's name, bound by the attacker
		other, err := openpgp.NewEntity("Ke la", "", "la@la.test", quick())
		if err != nil {
			return err
		}
		e.Subkeys = other.Subkeys
	case "unsigned-subkey": // the victim's binding, over another subkey
		other, err := openpgp.NewEntity("Ke la", "", "la@la.test", quick())
		if err != nil {
			return err
		}
		e.Subkeys[0].PublicKey = other.Subkeys[0].PublicKey
	default:
		return fmt.Errorf("there is no kind %q of bad keys", kind)
	}
	return nil
}

// spoil lets the holder of a key that KEYPAIR made take a part of it back: subkey, or name for another one.
func (p *player) spoil(rest string) error {
	what, address, _ := strings.Cut(rest, " ")
	e, err := p.secretOf(address)
	if err != nil {
		return err
	}
	switch what {
	case "subkey":
		err = e.Subkeys[0].Revoke(packet.KeySuperseded, "", nil)
	case "name":
		err = rename(e, "moi-"+address)
	default:
		err = fmt.Errorf("SPOIL subkey|name ADDRESS")
	}
	return errors.Join(err, p.write(address, e))
}

// secretOf reads the key pair of an address as the library's newer half has it.
func (p *player) secretOf(address string) (*openpgp.Entity, error) {
	for _, old := range p.g.ring {
		for _, id := range old.Identities {
			if id.UserId.Email != address {
				continue
			}
			var b bytes.Buffer
			if err := old.SerializePrivateWithoutSigning(&b, nil); err != nil {
				return nil, err
			}
			es, err := openpgp.ReadKeyRing(&b)
			if err != nil || len(es) != 1 {
				return nil, fmt.Errorf("the key pair of %s: %w", address, err)
			}
			return es[0], nil
		}
	}
	return nil, errors.New("there is no key pair of " + address)
}

// rename takes back every name of a key (RFC 9580 section 5.2.1.14) and gives it another.
func rename(e *openpgp.Entity, address string) error {
	names := maps.Clone(e.Identities)
	if err := e.AddUserId("Nguoi nhan mau", "", address, nil); err != nil {
		return err
	}
	for name, id := range names {
		sig := &packet.Signature{
			Version: e.PrimaryKey.Version, SigType: packet.SigTypeCertificationRevocation, PubKeyAlgo: e.PrimaryKey.PubKeyAlgo,
			Hash: quick().Hash(), CreationTime: time.Now(), IssuerKeyId: &e.PrimaryKey.KeyId,
		}
		if err := sig.SignUserId(name, e.PrimaryKey, e.PrivateKey, nil); err != nil {
			return err
		}
		id.Revocations = append(id.Revocations, packet.NewVerifiableSig(sig))
	}
	return nil
}

// write puts the public half into ${DIR}/ADDRESS.asc.
func (p *player) write(address string, e *openpgp.Entity) error {
	public, err := armored(openpgp.PublicKeyType, e.Serialize)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.g.Dir, address+".asc"), public, 0o600)
}

// plant writes the key of ${DIR}/ADDRESS.asc into the store as the pinned key of the
// address, past everything that judges it: so a key lies there that an older gateway was
// content with, or that has changed on the disk (damaged: its second half is gone).
func (p *player) plant(ctx context.Context, rest string) error {
	address, how, _ := strings.Cut(rest, " ")
	text, err := os.ReadFile(filepath.Join(p.g.Dir, address+".asc"))
	if err != nil {
		return err
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return err
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(block.Body); err != nil {
		return err
	}
	fpr, err := fingerprint(raw.Bytes())
	if err != nil {
		return err
	}
	octets := raw.Bytes()
	if how == "damaged" {
		octets = octets[:len(octets)/2]
	}
	p.hangUp()
	p.conn = nil
	if err := p.g.Stop(); err != nil {
		return err
	}
	if err := plantIn(ctx, filepath.Join(p.g.Dir, "data"), address, fpr, octets); err != nil {
		return err
	}
	return p.g.start()
}

func plantIn(ctx context.Context, dir, address, fpr string, octets []byte) error {
	db, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return err
	}
	err = db.Update(ctx, func(tx store.Tx) error {
		for _, q := range []struct {
			text string
			args []any
		}{
			{`UPDATE pgp_state SET version = version + 1`, nil},
			{`INSERT INTO pgp_key (fingerprint, source, added, public) VALUES ($1, 'file', 0, $2)`, []any{fpr, octets}},
			{`INSERT INTO pgp_pin (subject, fingerprint, forced, pinned, actor) VALUES ($1, $2, 0, 0, 'case')`, []any{address, fpr}},
		} {
			if _, err := tx.Exec(ctx, q.text, q.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, db.Close())
}

// fingerprint reads the first packet alone: the rest may be what no library takes.
func fingerprint(raw []byte) (string, error) {
	k, err := packet.Read(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	pub, ok := k.(*packet.PublicKey)
	if !ok {
		return "", errors.New("the file does not begin with a public key")
	}
	return strings.ToUpper(hex.EncodeToString(pub.Fingerprint)), nil
}
