package pgp

import (
	"bytes"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Generate makes a key pair for an address: a primary key that signs and a subkey that is
// encrypted to, Curve25519 both. Version 4 is what every program reads; version 6 (RFC 9580)
// only newer ones do. The secret half is returned encrypted with passphrase.
func Generate(address string, v6 bool, passphrase []byte, now time.Time) (secret []byte, public *Key, err error) {
	c := strict(now)
	c.Algorithm, c.AEADConfig = packet.PubKeyAlgoEdDSA, nil
	if v6 {
		c.V6Keys, c.Algorithm, c.AEADConfig = true, packet.PubKeyAlgoEd25519, &packet.AEADConfig{}
	}
	e, err := openpgp.NewEntity("", "", address, c)
	if err != nil {
		return nil, nil, fmt.Errorf("pgp: make a key: %w", err)
	}
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
		return nil, nil, fmt.Errorf("pgp: make a key: %w", err)
	}
	defer clear(b.Bytes())
	return ProtectSecret(b.Bytes(), nil, passphrase)
}
