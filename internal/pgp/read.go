package pgp

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// MaxImport bounds what is read as keys at a time, in octets.
const MaxImport = 1 << 20

var errNoKey = errors.New("no key found")

// ReadKeys reads public keys, armored or binary, one or many. Secret keys are an error:
// whoever sends one around has disclosed it.
func ReadKeys(data []byte) ([]*Key, error) {
	es, err := parse(data)
	if err != nil {
		return nil, err
	}
	var out []*Key
	for _, e := range es {
		if hasSecret(e) {
			return nil, problem(nil, "đây là khoá bí mật; chỉ nạp khoá công khai, và hãy coi khoá này đã lộ nếu nó vừa được gửi đi", "this is a secret key; import the public key only, and consider the key disclosed if it was sent around")
		}
		k, err := newKey(e)
		if err != nil {
			return nil, problem(err, "không đọc được khoá", "cannot read the key")
		}
		out = append(out, k)
	}
	return out, nil
}

// parse reads keys of either kind.
func parse(data []byte) (openpgp.EntityList, error) {
	if len(data) > MaxImport {
		return nil, problem(nil, "tệp khoá lớn hơn 1 MB", "the key file is larger than 1 MB")
	}
	var es openpgp.EntityList
	var err error
	if bytes.Contains(data, []byte("-----BEGIN PGP")) {
		es, err = parseArmored(data)
	} else {
		es, err = openpgp.ReadKeyRing(bytes.NewReader(data))
	}
	if err == nil && len(es) == 0 {
		err = errNoKey
	}
	if err != nil {
		return nil, problem(err, "tệp này không phải khoá OpenPGP", "this is not an OpenPGP key")
	}
	return es, nil
}

// parseArmored reads every armored block of a file.
func parseArmored(data []byte) (openpgp.EntityList, error) {
	var out openpgp.EntityList
	r := bytes.NewReader(data)
	for {
		b, err := armor.Decode(r)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b.Type != openpgp.PublicKeyType && b.Type != openpgp.PrivateKeyType {
			continue
		}
		es, err := openpgp.ReadKeyRing(b.Body)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
		if _, err := io.Copy(io.Discard, b.Body); err != nil {
			return nil, err
		}
	}
}

func hasSecret(e *openpgp.Entity) bool {
	for _, sub := range e.Subkeys {
		if sub.PrivateKey != nil {
			return true
		}
	}
	return e.PrivateKey != nil
}

// keyVersion is the version of the first packet of a key, 0 where there is none: the octet
// behind the packet's header (RFC 9580 sections 4.2 and 5.5.2).
func keyVersion(k []byte) byte {
	if len(k) < 7 {
		return 0
	}
	if k[0]&0x40 == 0 {
		return k[min(6, 1+1<<(k[0]&3))]
	}
	switch l := k[1]; {
	case l < 192:
		return k[2]
	case l < 224:
		return k[3]
	}
	return k[6]
}

// Armor writes keys as text, each serialised as Bytes gives it.
func Armor(keys ...[]byte) []byte {
	var b bytes.Buffer
	w := newArmor(&b, "PGP PUBLIC KEY BLOCK", "\n", !slices.ContainsFunc(keys, func(k []byte) bool { return keyVersion(k) >= 6 }))
	for _, k := range keys {
		_, _ = w.Write(k) // a bytes.Buffer does not fail
	}
	_ = w.Close()
	return b.Bytes()
}
