package keyring_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"congthu/internal/keyring"
	"congthu/internal/pgp"
	"congthu/internal/store/storetest"
)

// word is a passphrase that may change and go away.
type word struct {
	text string
	err  error
	last []byte
}

func (w *word) get() ([]byte, error) {
	w.last = []byte(w.text)
	return w.last, w.err
}

// Secret keys open what the passphrase opens, stay locked with another and say so, and are
// gone when they are deleted; the passphrase is wiped each time.
func TestOpeners(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		dir := t.TempDir()
		db := databaseIn(t, url, dir)
		pass := &word{text: "mat-khau-dai"}
		r := ring(t, keyring.Options{Store: db, Passphrase: pass.get})
		secret, public, err := pgp.Generate("postmaster@x.test", false, []byte("mat-khau-dai"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if r.Opens() || len(r.Openers([]string{"x.test"})) != 0 {
			t.Error("it opens before it has a key")
		}
		done, err := r.AddOpener(t.Context(), keyring.NewOpener{Domain: "X.test", Octets: secret, Actor: "t"})
		if err != nil || done.Domain != "x.test" || done.Fingerprint != public.Fingerprint() || done.Use != keyring.Opens {
			t.Fatalf("%+v %v", done, err)
		}
		if !bytes.Equal(pass.last, make([]byte, len(pass.last))) {
			t.Error("the passphrase is still in memory")
		}
		if os := r.Openers([]string{"y.test", "x.test"}); len(os) != 1 || os[0].Locked() || !r.Opens() {
			t.Errorf("%d openers", len(os))
		}
		if len(r.Openers([]string{"sub.x.test"})) != 0 {
			t.Error("it opens for a domain below")
		}
		if got := imported(t, r, public.Bytes()); len(got[0].Pinned) != 0 || r.Lookup("postmaster@x.test").Fingerprint != "" {
			t.Errorf("our own key is pinned: %+v", got)
		}

		pass.text = "mat-khau-sai"
		if err := r.Unlock(); err != nil {
			t.Errorf("what is open stays open: %v", err)
		}
		again := ring(t, keyring.Options{Store: db, Passphrase: pass.get})
		if err := again.Unlock(); err == nil || !strings.Contains(err.Error(), "does not open the secret key "+done.Fingerprint) {
			t.Errorf("locked: %v", err)
		}
		if os := again.Openers([]string{"x.test"}); len(os) != 1 || !os[0].Locked() {
			t.Errorf("a locked key is left out: %d", len(os))
		}
		if list, err := again.Secrets(t.Context()); err != nil || len(list) != 1 || !list[0].Locked || list[0].Added.IsZero() {
			t.Errorf("%+v %v", list, err)
		}
		pass.text = "mat-khau-dai"
		if err := again.Unlock(); err != nil || again.Openers([]string{"x.test"})[0].Locked() {
			t.Errorf("unlocked: %v", err)
		}
		gone, err := r.DeleteSecrets(t.Context(), []string{"x.test"}, "t")
		if err != nil || len(gone) != 1 || r.Opens() || len(r.Openers([]string{"x.test"})) != 0 {
			t.Errorf("%+v %v", gone, err)
		}
		if _, err := r.DeleteSecrets(t.Context(), []string{"x.test"}, "t"); err == nil {
			t.Error("deleted twice")
		}
		if err := again.Reload(t.Context()); err != nil || again.Opens() {
			t.Errorf("another gateway still opens: %v", err)
		}
	})
}

// What cannot be kept as it should is refused.
func TestOpenersRefused(t *testing.T) {
	pass := &word{text: "mat-khau-dai"}
	r := ring(t, keyring.Options{Store: database(t, "sqlite"), Passphrase: pass.get})
	secret, public, err := pgp.Generate("a@x.test", false, []byte("mat-khau-khac"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var open bytes.Buffer
	if err := entity(t, "a@x.test", 0).SerializePrivate(&open, nil); err != nil {
		t.Fatal(err)
	}
	mine, _, err := pgp.Generate("a@x.test", false, []byte("mat-khau-dai"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		domain string
		octets []byte
		want   string
	}{
		"another passphrase": {"x.test", secret, "does not open the secret key"},
		"no passphrase":      {"x.test", open.Bytes(), "is not encrypted by a passphrase"},
		"a public key":       {"x.test", public.Bytes(), "exactly one secret key"},
		"no key":             {"x.test", []byte("x"), "not an OpenPGP key"},
		"no domain":          {"a b", mine, "is no domain"},
	} {
		if _, err := r.AddOpener(t.Context(), keyring.NewOpener{Domain: c.domain, Octets: c.octets}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	pass.err = errors.New("the file is gone")
	if _, err := r.AddOpener(t.Context(), keyring.NewOpener{Domain: "x.test", Octets: mine}); !errors.Is(err, pass.err) || r.Opens() {
		t.Errorf("without a passphrase: %v", err)
	}
}
