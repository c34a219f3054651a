package pgp

import (
	"bytes"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Merge joins two copies of one key: what stands in either stands in the result. So a
// revocation, once known, stays, and an older copy takes nothing back.
func Merge(a, b *Key) (*Key, error) {
	to, from := again(a.raw), again(b.raw)
	if to == nil || from == nil || a.fpr != b.fpr {
		return nil, errNoKey
	}
	to.Revocations = join(to.Revocations, from.Revocations)
	to.DirectSignatures = join(to.DirectSignatures, from.DirectSignatures)
	for name, id := range from.Identities {
		if have := to.Identities[name]; have != nil {
			have.SelfCertifications = join(have.SelfCertifications, id.SelfCertifications)
			have.Revocations = join(have.Revocations, id.Revocations)
			continue
		}
		id.Primary = to
		to.Identities[name] = id
	}
	for _, sub := range from.Subkeys {
		mergeSubkey(to, sub)
	}
	for _, id := range to.Identities {
		id.OtherCertifications = nil // what others say of a name is not asked, and could grow without end
	}
	raw, err := serialize(to)
	if err != nil {
		return nil, err
	}
	if e := again(raw); e != nil { // what is kept is what can be read again
		return newKey(e)
	}
	return nil, errNoKey
}

func mergeSubkey(to *openpgp.Entity, sub openpgp.Subkey) {
	for i := range to.Subkeys {
		if have := &to.Subkeys[i]; bytes.Equal(have.PublicKey.Fingerprint, sub.PublicKey.Fingerprint) {
			have.Bindings = join(have.Bindings, sub.Bindings)
			have.Revocations = join(have.Revocations, sub.Revocations)
			return
		}
	}
	sub.Primary = to
	to.Subkeys = append(to.Subkeys, sub)
}

// join appends the signatures that are not there yet.
func join(have, more []*packet.VerifiableSignature) []*packet.VerifiableSignature {
	seen := map[string]bool{}
	for _, s := range have {
		seen[octets(s)] = true
	}
	for _, s := range more {
		if o := octets(s); !seen[o] {
			seen[o] = true
			have = append(have, s)
		}
	}
	return have
}

func octets(s *packet.VerifiableSignature) string {
	var b bytes.Buffer
	_ = s.Packet.Serialize(&b) // what was read can be written
	return b.String()
}
