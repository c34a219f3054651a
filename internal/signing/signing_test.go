package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"congthu/internal/lang"
)

// open returns a store whose clock only the test moves.
func open(t *testing.T) (*Store, *time.Time) {
	t.Helper()
	s := Open(filepath.Join(t.TempDir(), "dkim"))
	now := time.Now()
	s.now = func() time.Time { return now }
	return s, &now
}

func add(t *testing.T, s *Store, domain, selector, algo string, active bool) Info {
	t.Helper()
	k, err := s.New(domain, selector, algo)
	if err != nil {
		t.Fatal(err)
	}
	if active {
		if k, err = s.Activate(domain, selector); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// selectors are those that sign for the domain, in order, or the error.
func selectors(s *Store, domain string) string {
	keys, err := s.For(domain)
	if err != nil {
		return "error"
	}
	var out []string
	for _, k := range keys {
		out = append(out, k.Selector+"@"+k.Domain)
	}
	return strings.Join(out, " ")
}

func want(t *testing.T, s *Store, domain, want string) {
	t.Helper()
	if got := selectors(s, domain); got != want {
		_, err := s.For(domain)
		t.Errorf("%s is signed by %q, want %q (%v)", domain, got, want, err)
	}
}

// The life of a key: made, published, activated, replaced, deleted; each step is seen
// without a restart.
func TestLifeOfAKey(t *testing.T) {
	s, now := open(t)
	want(t, s, "so.gov.test", "")
	if list, err := s.List(); list != nil || err != nil {
		t.Errorf("a store that is not there: %v, %v", list, err)
	}
	k := add(t, s, "so.gov.test", "a-rsa", RSA, false)
	if k.State != Inactive || !strings.HasPrefix(k.Record, "v=DKIM1; k=rsa;") || k.Name != "a-rsa._domainkey.so.gov.test" {
		t.Errorf("%+v", k)
	}
	want(t, s, "so.gov.test", "")
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := s.Activate("so.gov.test", "a-rsa"); return err }, "a-rsa@so.gov.test"},
		{func() error { _, err := s.New("so.gov.test", "a-ed", Ed25519); return err }, "a-rsa@so.gov.test"},
		{func() error { _, err := s.Activate("so.gov.test", "a-ed"); return err }, "a-rsa@so.gov.test a-ed@so.gov.test"},
		{func() error { _, err := s.New("so.gov.test", "b-rsa", RSA); return err }, "a-rsa@so.gov.test a-ed@so.gov.test"},
		{func() error { _, err := s.Activate("so.gov.test", "b-rsa"); return err }, "b-rsa@so.gov.test a-ed@so.gov.test"},
		{func() error { return s.Delete("so.gov.test", "a-rsa", false) }, "b-rsa@so.gov.test a-ed@so.gov.test"},
		{func() error { return s.Delete("so.gov.test", "a-ed", true) }, "b-rsa@so.gov.test"},
		{func() error { return s.Delete("so.gov.test", "b-rsa", true) }, ""},
	} {
		*now = now.Add(time.Minute)
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		want(t, s, "so.gov.test", step.want)
	}
}

func TestStates(t *testing.T) {
	s, now := open(t)
	add(t, s, "a.test", "old", RSA, true)
	*now = now.Add(time.Hour)
	add(t, s, "a.test", "new", RSA, true)
	add(t, s, "a.test", "next", RSA, false)
	add(t, s, "b.test", "ed", Ed25519, true)
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]State{}
	for _, k := range list {
		got[k.Selector] = k.State
	}
	if fmt.Sprint(got) != "map[ed:signing new:signing next:inactive old:retired]" {
		t.Error(got)
	}
	if _, err := s.Activate("a.test", "old"); err != nil { // the way back
		t.Fatal(err)
	}
}

// A subdomain without a key is signed for by the domain above it; nothing is signed for
// a name that only ends alike.
func TestTheDomainAbove(t *testing.T) {
	s, _ := open(t)
	add(t, s, "tinh.gov.test", "k", Ed25519, true)
	add(t, s, "so.tinh.gov.test", "k", Ed25519, true)
	add(t, s, "moi.tinh.gov.test", "k", Ed25519, false)
	for domain, by := range map[string]string{
		"tinh.gov.test": "k@tinh.gov.test", "so.tinh.gov.test": "k@so.tinh.gov.test", "a.so.tinh.gov.test": "k@so.tinh.gov.test",
		"moi.tinh.gov.test": "k@tinh.gov.test", "x.y.tinh.gov.test": "k@tinh.gov.test",
		"gov.test": "", "xtinh.gov.test": "", "tinh.gov.test.evil.test": "", "": "", "test": "", "..": "", "../tinh.gov.test": "", "a/b.tinh.gov.test": "", "A.tinh.gov.test": "",
	} {
		want(t, s, domain, by)
	}
}

// Whatever is wrong with an active key is an error, so that the mail waits; what is
// wrong with one that does not sign harms nobody.
func TestBrokenKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func(file string) error{
		"readable by all":   func(f string) error { return os.Chmod(f, 0o644) },
		"readable by group": func(f string) error { return os.Chmod(f, 0o640) },
		"gone":              os.Remove,
		"empty":             func(f string) error { return os.WriteFile(f, nil, 0o600) },
		"not PEM":           func(f string) error { return os.WriteFile(f, []byte("hello"), 0o600) },
		"torn": func(f string) error {
			data, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			return os.WriteFile(f, data[:len(data)/2], 0o600)
		},
		"another kind of key": func(f string) error {
			return os.WriteFile(f, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), 0o600)
		},
		"a directory": func(f string) error {
			if err := os.Remove(f); err != nil {
				return err
			}
			return os.Mkdir(f, 0o700)
		},
		"a link to another": func(f string) error {
			if err := os.Rename(f, f+".moved"); err != nil {
				return err
			}
			return os.Symlink(f+".moved", f)
		},
		"time unreadable": func(f string) error {
			return os.WriteFile(strings.TrimSuffix(f, keySuffix)+activeSuffix, []byte("yesterday"), 0o600)
		},
	} {
		for _, active := range []bool{true, false} {
			if !active && name == "time unreadable" {
				continue // it is what makes the key active
			}
			s, now := open(t)
			add(t, s, "a.test", "good", Ed25519, true)
			*now = now.Add(time.Hour)
			add(t, s, "a.test", "bad", Ed25519, active)
			if err := harm(s.path("a.test", "bad", keySuffix)); err != nil {
				t.Fatal(err)
			}
			s.Forget()
			by := map[bool]string{true: "error", false: "good@a.test"}[active]
			want(t, s, "a.test", by)
			want(t, s, "b.a.test", by)
			k, err := s.Show("a.test", "bad")
			if gone := name == "gone" && !active; gone != (err != nil) || !gone && (k.State != Broken || k.Why == "") {
				t.Errorf("%s: %+v, %v", name, k, err)
			}
			if _, err := s.Activate("a.test", "bad"); err == nil && name != "time unreadable" {
				t.Errorf("%s: a broken key was activated", name)
			}
		}
	}
}

func TestUnreadableDirectory(t *testing.T) {
	s, _ := open(t)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "a.test"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, s, "a.test", "error")
	if list, err := s.List(); err == nil {
		t.Errorf("%v", list)
	}
}

func TestNewRefuses(t *testing.T) {
	s, _ := open(t)
	add(t, s, "a.test", "k", Ed25519, false)
	before, err := os.ReadFile(s.path("a.test", "k", keySuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ domain, selector, algo string }{
		{"a.test", "k", RSA},
		{"../a.test", "x", RSA},
		{"a.test", "../k", RSA},
		{"a..test", "k", RSA},
		{"test", "k", RSA},
		{"", "k", RSA},
		{"a.test", "", RSA},
		{"a.test", "K", RSA},
		{"a.test", "a b", RSA},
		{"a.test", "-a", RSA},
		{"a.test", "x", "dsa"},
		{"a.test", ".", RSA},
		{strings.Repeat("a.", 120) + "test", "k", RSA},
	} {
		_, err := s.New(c.domain, c.selector, c.algo)
		p, ok := err.(*Problem)
		if !ok || p.In(lang.VI) == "" || p.In(lang.VI) == p.In(lang.EN) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if after, err := os.ReadFile(s.path("a.test", "k", keySuffix)); err != nil || string(after) != string(before) {
		t.Error("a key was overwritten")
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, "a.test"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	s, _ := open(t)
	add(t, s, "a.test", "k", Ed25519, true)
	for name, mode := range map[string]os.FileMode{"": 0o700, "a.test": 0o700, "a.test/k.pem": 0o600, "a.test/k.active": 0o600} {
		st, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}

func TestDeleteRefusesTheKeyThatSigns(t *testing.T) {
	s, _ := open(t)
	add(t, s, "a.test", "k", Ed25519, true)
	if err := s.Delete("a.test", "k", false); err == nil {
		t.Error("deleted")
	}
	want(t, s, "a.test", "k@a.test")
	if err := s.Delete("a.test", "other", true); err == nil {
		t.Error("deleted what is not there")
	}
}

// The keys are read once, not for every message.
func TestKeysAreRemembered(t *testing.T) {
	s, now := open(t)
	add(t, s, "a.test", "k", Ed25519, true)
	*now = now.Add(time.Hour) // the directory has long been left alone
	want(t, s, "a.test", "k@a.test")
	if err := os.WriteFile(s.path("a.test", "k", keySuffix), nil, 0o600); err != nil { // the directory's stamp stays
		t.Fatal(err)
	}
	want(t, s, "a.test", "k@a.test")
	s.Forget()
	want(t, s, "a.test", "error")
}

func FuzzParse(f *testing.F) {
	for _, algo := range []string{RSA, Ed25519} {
		der, err := generate(algo)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := parse(data)
		if (key == nil) != (err != nil) {
			t.Fatalf("%v, %v", key, err)
		}
	})
}
