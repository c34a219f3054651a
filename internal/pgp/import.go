package pgp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/lang"
)

// maxImport bounds one import, in octets.
const maxImport = 1 << 20

// Problem is a reason for the operator, in both languages.
type Problem = lang.Problem

func problem(err error, vi, en string) error { return &Problem{What: lang.T(vi, en), Err: err} }

// Import takes public keys, armored or binary, one or many: all of them or none. It
// refuses secret keys, keys that nothing can be encrypted to, and a key for an
// address that another usable key holds already: who answers for an address is
// changed by Remove and Import, never by a file alone.
func (s *Store) Import(r io.Reader) ([]KeyInfo, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, problem(err, "không đọc được khoá", "cannot read the key")
	}
	if len(data) > maxImport {
		return nil, problem(nil, "tệp khoá lớn hơn 1 MB", "the key file is larger than 1 MB")
	}
	es, err := parse(data)
	if err != nil {
		return nil, problem(err, "tệp này không phải khoá công khai OpenPGP", "this is not an OpenPGP public key")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = nil
	if err := s.refresh(); err != nil {
		return nil, err
	}
	var out []KeyInfo
	for _, e := range es {
		k, err := s.admit(e)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	for _, e := range es {
		if err := s.save(e); err != nil {
			return nil, problem(err, "không ghi được khoá", "cannot write the key")
		}
	}
	s.keys = nil
	return out, s.refresh()
}

var errNoKey = errors.New("no key found")

func parse(data []byte) (openpgp.EntityList, error) {
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
	return es, err
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

// admit checks one key against the rules of the store.
func (s *Store) admit(e *openpgp.Entity) (KeyInfo, error) {
	k := describe(e, s.now())
	if e.PrivateKey != nil || hasSecret(e) {
		return k, problem(nil, "đây là khoá bí mật; chỉ nạp khoá công khai, và hãy coi khoá này đã lộ nếu nó vừa được gửi đi", "this is a secret key; import the public key only, and consider the key disclosed if it was sent around")
	}
	old := s.keys[k.Fingerprint]
	if old != nil && old.Revoked(s.now()) && !e.Revoked(s.now()) {
		return k, problem(nil, "khoá "+k.Fingerprint+" đã bị thu hồi; tệp này là bản cũ hơn", "the key "+k.Fingerprint+" is revoked; this file is an older copy")
	}
	if !k.Usable && old == nil {
		return k, &Problem{What: lang.T("không nhận khoá "+k.Fingerprint+": "+k.Why.VI, "the key "+k.Fingerprint+" is refused: "+k.Why.EN)}
	}
	for _, other := range s.keys {
		o := describe(other, s.now())
		if o.Fingerprint == k.Fingerprint || !o.Usable {
			continue
		}
		for _, a := range k.Addresses {
			if claims(other, a) {
				return k, problem(nil, a+" đã gắn với khoá "+o.Fingerprint+"; muốn đổi thì xoá khoá cũ trước", a+" is pinned to the key "+o.Fingerprint+"; to change it, remove that key first")
			}
		}
	}
	return k, nil
}

func hasSecret(e *openpgp.Entity) bool {
	for _, sub := range e.Subkeys {
		if sub.PrivateKey != nil {
			return true
		}
	}
	return false
}

// save writes the key durably: a new file, synced, in place of the old, the
// directory synced.
func (s *Store) save(e *openpgp.Entity) error {
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		return err
	}
	if err := errors.Join(e.Serialize(w), w.Close()); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, ".import-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.path(fingerprint(e))); err != nil {
		return err
	}
	return syncDir(s.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
