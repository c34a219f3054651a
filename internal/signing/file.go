package signing

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	keySuffix    = ".pem"
	activeSuffix = ".active"
	pemType      = "PRIVATE KEY"
	maxKeyFile   = 16 << 10
)

// Why a key cannot be used.
var (
	errNoKey = errors.New("it is active, but its .pem file is not there")
	errMode  = errors.New("others than its owner can reach the file: chmod 600")
	errForm  = errors.New("the file is not a PEM private key (PKCS #8) for RSA of 1024 to 4096 bits or Ed25519")
	errTime  = errors.New("the .active file does not hold a time")
)

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*$`)

// validName keeps domains and selectors such that they are one path element and one
// DNS name.
func validName(s string) bool { return len(s) <= 200 && nameForm.MatchString(s) }

func (s *Store) path(domain, selector, suffix string) string {
	return filepath.Join(s.dir, domain, selector+suffix)
}

func (s *Store) has(domain, selector string) bool {
	_, err := os.Lstat(s.path(domain, selector, keySuffix))
	return err == nil
}

// examine reads one key. Retired stands for active until choose has compared it.
func (s *Store) examine(domain, selector string) (Info, crypto.Signer) {
	k := Info{Domain: domain, Selector: selector, State: Inactive}
	var err error
	if k.Activated, err = s.activated(domain, selector); err == nil && !k.Activated.IsZero() {
		k.State = Retired
	}
	signer, made, kerr := load(s.path(domain, selector, keySuffix))
	k.Created = made
	if err = errors.Join(err, kerr); err != nil {
		k.State, k.err = Broken, err
		return k, nil
	}
	k.Algorithm = algorithm(signer)
	return k, signer
}

// activated tells since when the key may sign; the zero time says that it may not. A key
// that is active since nobody knows when is active.
func (s *Store) activated(domain, selector string) (time.Time, error) {
	data, err := os.ReadFile(s.path(domain, selector, activeSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return s.now(), err
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(data)))
	if err != nil {
		return s.now(), errTime
	}
	return at, nil
}

// load reads a private key that nobody but its owner can reach.
func load(name string) (crypto.Signer, time.Time, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	if !st.Mode().IsRegular() || st.Mode().Perm()&0o077 != 0 {
		return nil, st.ModTime(), errMode
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, st.ModTime(), err
	}
	key, err := parse(data)
	return key, st.ModTime(), err
}

func parse(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemType {
		return nil, errForm
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errForm
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n >= 1024 && n <= 4096 { // what verifiers take (RFC 8301 section 3.2)
			return k, nil
		}
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, errForm
}

// algorithm names the kind of key as k= of its record does.
func algorithm(key crypto.Signer) string {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		return Ed25519
	}
	return RSA
}

// write makes a file durable under its name, or not at all. A file that is there
// already stays, unless replace is set. Root gives the file to the owner of the store,
// or the daemon could not read what an operator has made.
func (s *Store) write(name string, data []byte, replace bool) error {
	tmp := name + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(tmp) // fails after the rename, and should
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o600), s.give(tmp), f.Sync(), f.Close()); err != nil {
		return err
	}
	if replace {
		err = os.Rename(tmp, name)
	} else {
		err = os.Link(tmp, name) // unlike a rename it does not replace
	}
	return errors.Join(err, syncDir(filepath.Dir(name)))
}

// give hands what root has made to whoever owns the directory that the store is in.
func (s *Store) give(name string) error {
	st, err := os.Stat(filepath.Dir(s.dir))
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	if own, ok := st.Sys().(*syscall.Stat_t); ok {
		return os.Lchown(name, int(own.Uid), int(own.Gid))
	}
	return nil
}

// makeDir makes the store's directory and the domain's.
func (s *Store) makeDir(domain string) error {
	if err := os.MkdirAll(filepath.Dir(s.dir), 0o700); err != nil {
		return err
	}
	for _, d := range []string{s.dir, filepath.Join(s.dir, domain)} {
		err := os.Mkdir(d, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err = errors.Join(err, s.give(d), syncDir(filepath.Dir(d))); err != nil {
			return fmt.Errorf("make %s: %w", d, err)
		}
	}
	return nil
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
