package signing

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"congthu/internal/lang"
	"congthu/internal/mailauth/dkim"
)

// The algorithms, by the names that their records have.
const (
	RSA     = "rsa"     // 2048 bits: the most that every verifier takes, and fits one answer
	Ed25519 = "ed25519" // RFC 8463; not known everywhere, so never alone
)

const rsaBits = 2048

// State is what a key is doing.
type State string

// The states.
const (
	Inactive State = "inactive" // made, not yet used
	Signing  State = "signing"  // the newest of its algorithm
	Retired  State = "retired"  // replaced by a newer one; its record must stay for a while
	Broken   State = "broken"   // cannot be read
)

// Info is a key as an operator sees it.
type Info struct {
	Domain    string    `json:"domain"`
	Selector  string    `json:"selector"`
	Algorithm string    `json:"algorithm,omitempty"`
	State     State     `json:"state"`
	Created   time.Time `json:"created"`
	Activated time.Time `json:"activated,omitzero"`
	Why       string    `json:"why,omitempty"`    // it is broken
	Name      string    `json:"name,omitempty"`   // of its TXT record
	Record    string    `json:"record,omitempty"` // the text of it
	Zone      string    `json:"zone,omitempty"`   // the same as a line of a zone file

	Public crypto.PublicKey `json:"-"`
	err    error
}

// Problem is a reason for the operator, in both languages.
type Problem = lang.Problem

func problem(err error, vi, en string) error { return &Problem{What: lang.T(vi, en), Err: err} }

// New makes a key pair, inactive, and returns it with its record.
func (s *Store) New(domain, selector, algo string) (Info, error) {
	if err := names(domain, selector); err != nil {
		return Info{}, err
	}
	der, err := generate(algo)
	if err != nil {
		return Info{}, problem(err, "không tạo được khoá", "cannot make the key")
	}
	if err := s.makeDir(domain); err != nil {
		return Info{}, problem(err, "không ghi được kho khoá DKIM", "cannot write to the DKIM key store")
	}
	err = s.write(s.path(domain, selector, keySuffix), pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), false)
	if errors.Is(err, fs.ErrExist) {
		return Info{}, problem(nil, "đã có khoá "+selector+" của "+domain+"; chọn --selector khác", "there is a key "+selector+" of "+domain+" already; choose another --selector")
	}
	if err != nil {
		return Info{}, problem(err, "không ghi được khoá", "cannot write the key")
	}
	return s.Show(domain, selector)
}

func names(domain, selector string) error {
	if !validName(domain) || filepath.Ext(domain) == "" {
		return problem(nil, "'"+lang.Safe(domain, 100)+"' không phải tên miền", "'"+lang.Safe(domain, 100)+"' is not a domain name")
	}
	if !validName(selector) {
		return problem(nil, "selector chỉ gồm a-z, 0-9, '-' và '.'", "a selector consists of a-z, 0-9, '-' and '.'")
	}
	return nil
}

func generate(algo string) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch algo {
	case RSA:
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("there is no algorithm %q", algo)
	}
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// Show returns one key with its record.
func (s *Store) Show(domain, selector string) (Info, error) {
	list, err := s.Of(domain)
	if err != nil {
		return Info{}, err
	}
	if i := slices.IndexFunc(list, func(k Info) bool { return k.Selector == selector }); i >= 0 {
		return list[i], nil
	}
	return Info{}, problem(nil, "không có khoá "+lang.Safe(selector, 100)+" của "+lang.Safe(domain, 100), "there is no key "+lang.Safe(selector, 100)+" of "+lang.Safe(domain, 100))
}

// Of returns the keys of a domain with their records, the newest first.
func (s *Store) Of(domain string) ([]Info, error) {
	if !validName(domain) {
		return nil, nil
	}
	list, signers, err := s.inspect(domain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem(err, "không đọc được kho khoá DKIM", "cannot read the DKIM key store")
	}
	for i := range list {
		if err := list[i].publish(signers[i]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Selector, b.Selector))
	})
	return list, nil
}

// publish fills in the record.
func (k *Info) publish(signer crypto.Signer) error {
	if k.State == Broken {
		k.Why = lang.Safe(k.err.Error(), 200)
		return nil
	}
	var err error
	k.Public = signer.Public()
	k.Name = dkim.Name(k.Selector, k.Domain)
	if k.Record, err = dkim.Record(k.Public); err == nil {
		k.Zone = dkim.Zone(k.Selector, k.Domain, k.Record)
	}
	return err
}

// List returns all keys, by domain.
func (s *Store) List() ([]Info, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem(err, "không đọc được kho khoá DKIM", "cannot read the DKIM key store")
	}
	var out []Info
	for _, e := range entries {
		keys, err := s.Of(e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, keys...)
	}
	return out, nil
}

// Activate lets the key sign from now on. Whether its record can be seen in the DNS is
// for the caller to have looked.
func (s *Store) Activate(domain, selector string) (Info, error) {
	k, err := s.Show(domain, selector)
	if err != nil {
		return k, err
	}
	if k.State == Broken {
		return k, problem(k.err, "khoá "+selector+" không dùng được", "the key "+selector+" cannot be used")
	}
	now := s.now().UTC().Format(time.RFC3339Nano) + "\n"
	if err := s.write(s.path(domain, selector, activeSuffix), []byte(now), true); err != nil {
		return k, problem(err, "không kích hoạt được khoá", "cannot activate the key")
	}
	return s.Show(domain, selector)
}

// Delete removes a key. One that signs is only removed by force, since mail signed with
// it is on its way, and without another the domain's mail goes out unsigned.
func (s *Store) Delete(domain, selector string, force bool) error {
	k, err := s.Show(domain, selector)
	if err != nil {
		return err
	}
	if k.State == Signing && !force {
		return problem(nil, "khoá "+selector+" đang ký; kích hoạt khoá mới trước, hoặc dùng --force", "the key "+selector+" is signing; activate another first, or use --force")
	}
	for _, suffix := range []string{activeSuffix, keySuffix} { // in this order, or mail would be deferred between them
		if err := os.Remove(s.path(domain, selector, suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return problem(err, "không xoá được khoá", "cannot delete the key")
		}
	}
	return syncDir(filepath.Join(s.dir, domain))
}
