package keyring_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/keyring"
	"congthu/internal/pgp"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
)

func entity(t testing.TB, address string, life uint32) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Mau", "", address, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: life})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func public(t testing.TB, es ...*openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, e := range es {
		if err := e.Serialize(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func database(t *testing.T, url string) *store.DB {
	t.Helper()
	return databaseIn(t, url, t.TempDir())
}

func databaseIn(t *testing.T, url, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: url, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func ring(t *testing.T, o keyring.Options) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func imported(t *testing.T, r *keyring.Ring, octets []byte) []keyring.Imported {
	t.Helper()
	done, err := r.Import(t.Context(), keyring.Import{Octets: octets, Source: "file", Pin: true, Actor: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// Another key for an address that has one is a proposal until it is pinned; then the old one
// is used no more. A revocation of a pinned key is taken, and nothing goes by it any more.
func TestChangedKeyIsAProposal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		r := ring(t, keyring.Options{Store: database(t, url)})
		mine, other := entity(t, "mat@x.test", 0), entity(t, "MAT@X.TEST", 0)
		first := imported(t, r, public(t, mine))[0]
		if f := r.Lookup("mat@x.test"); !first.Taken || len(first.Pinned) != 1 || !f.Usable() || f.Fingerprint != first.Fingerprint {
			t.Fatalf("%+v %+v", first, f)
		}
		second := imported(t, r, public(t, other))[0]
		if f := r.Lookup("mat@x.test"); !slices.Equal(second.Proposed, []string{"mat@x.test"}) || len(second.Pinned) != 0 || f.Fingerprint != first.Fingerprint {
			t.Fatalf("a silent switch: %+v %+v", second, f)
		}
		if _, err := r.Pin(t.Context(), keyring.Pinning{Key: second.Fingerprint}); err != nil {
			t.Fatal(err)
		}
		if e, err := r.Show(t.Context(), "mat@x.test"); err != nil || e.Fingerprint != second.Fingerprint || len(e.Proposals) != 0 {
			t.Errorf("%+v %v", e, err)
		}
		if err := other.Revoke(packet.KeyCompromised, "lost", nil); err != nil {
			t.Fatal(err)
		}
		if done := imported(t, r, public(t, other))[0]; !done.Taken || !done.Changed || done.Code != pgp.Revoked {
			t.Errorf("the revocation: %+v", done)
		}
		if f := r.Lookup("mat@x.test"); f.Usable() || f.Symbol() != "PGP_KEY_REVOKED" {
			t.Errorf("%+v", f)
		}
		if _, err := r.Key(second.Fingerprint); err == nil {
			t.Error("a revoked key is handed out")
		}
		if err := r.Delete(t.Context(), []string{second.Fingerprint}, "t"); err != nil || r.Lookup("mat@x.test").Fingerprint != "" {
			t.Errorf("%v", err)
		}
	})
}

// Gateways that share the store share the keys.
func TestSharedByGateways(t *testing.T) {
	url := storetest.Postgres(t)
	one, two := t.TempDir(), t.TempDir()
	a := ring(t, keyring.Options{Store: databaseIn(t, url, one)})
	secret, err := os.ReadFile(filepath.Join(one, "data.key")) // gateways that share a store share its key
	if err == nil {
		err = os.WriteFile(filepath.Join(two, "data.key"), secret, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := ring(t, keyring.Options{Store: databaseIn(t, url, two)})
	imported(t, a, public(t, entity(t, "mat@x.test", 0)))
	if err := b.Reload(t.Context()); err != nil || !b.Lookup("mat@x.test").Usable() {
		t.Errorf("the other gateway does not see it: %v", err)
	}
}

func TestPins(t *testing.T) {
	r := ring(t, keyring.Options{Store: database(t, "sqlite")})
	k := imported(t, r, public(t, entity(t, "gw@x.test", 0)))[0].Fingerprint
	for _, c := range []struct {
		subject string
		force   bool
		want    string // the error
	}{
		{"@x.test", false, ""},
		{"@y.test", false, "does not name"},
		{"@y.test", true, ""},
		{"b@y.test", false, "does not name"},
		{"no address", true, "no address"},
		{"@", true, "no address"},
	} {
		_, err := r.Pin(t.Context(), keyring.Pinning{Key: k, Subjects: []string{c.subject}, Force: c.force})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for addr, want := range map[string]bool{"any@x.test": true, "any@y.test": true, "a@z.test": false, "": false, "x.test": false, "a@sub.x.test": false} {
		if r.Lookup(addr).Usable() != want {
			t.Errorf("%q: %+v", addr, r.Lookup(addr))
		}
	}
	if err := r.Unpin(t.Context(), []string{"@x.test", "gw@x.test"}, "t"); err != nil || r.Lookup("gw@x.test").Fingerprint != "" {
		t.Errorf("%v", err)
	}
	if err := r.Unpin(t.Context(), []string{"@x.test"}, "t"); err == nil {
		t.Error("nothing was unpinned")
	}
}

// Of many keys the good ones are taken; bad ones say why, and are not kept.
func TestManyKeys(t *testing.T) {
	r := ring(t, keyring.Options{Store: database(t, "sqlite")})
	bad := entity(t, "bad@x.test", 0)
	bad.Subkeys = nil
	done := imported(t, r, public(t, entity(t, "a@x.test", 0), bad, entity(t, "b@x.test", 0)))
	if len(done) != 3 || !done[0].Taken || done[1].Taken || done[1].Code != pgp.NoEncryption || !done[2].Taken || r.Count() != 2 {
		t.Errorf("%+v", done)
	}
	out, err := r.Export(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ks, err := pgp.ReadKeys(out); err != nil || len(ks) != 2 {
		t.Errorf("exported %d, %v", len(ks), err)
	}
}

// Files of the time before the store had the keys are taken in once; what is deleted does
// not come back from them.
func TestMigration(t *testing.T) {
	dir := t.TempDir()
	e := entity(t, "mat@x.test", 0)
	name := filepath.Join(dir, "K.asc")
	if err := os.WriteFile(name, pgp.Armor(public(t, e)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "J.asc"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := ring(t, keyring.Options{Dir: dir}); !r.Lookup("mat@x.test").Usable() {
		t.Error("without a store the files do not count")
	}
	r := ring(t, keyring.Options{Store: database(t, "sqlite"), Dir: dir})
	if err := r.Migrate(t.Context()); err != nil || !r.Lookup("mat@x.test").Usable() {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("the file is still a key file")
	}
	if err := r.Delete(t.Context(), []string{"mat@x.test"}, "t"); err != nil {
		t.Fatal(err)
	}
	if err := r.Migrate(t.Context()); err != nil || r.Count() != 0 {
		t.Errorf("%d keys, %v", r.Count(), err)
	}
}

func TestCalendar(t *testing.T) {
	now := time.Now().Add(time.Minute) // the keys are made after this
	r := ring(t, keyring.Options{Store: database(t, "sqlite"), Now: func() time.Time { return now }})
	imported(t, r, public(t, entity(t, "never@x.test", 0), entity(t, "soon@x.test", 10*86400), entity(t, "later@x.test", 90*86400)))
	if due, err := r.Calendar(t.Context(), 30*24*time.Hour); err != nil || len(due) != 1 || due[0].Subject != "soon@x.test" || due[0].Days != 9 {
		t.Errorf("%+v %v", due, err)
	}
	if left, ok := r.NextExpiry(); !ok || left > 10*24*time.Hour || left < 9*24*time.Hour {
		t.Errorf("%v %v", left, ok)
	}
	now = now.Add(11 * 24 * time.Hour)
	if due, err := r.Calendar(t.Context(), 0); err != nil || len(due) != 1 || due[0].Code != pgp.Expired || r.Unusable() != 1 {
		t.Errorf("%+v %v", due, err)
	}
	if f := r.Lookup("soon@x.test"); f.Usable() || f.Symbol() != "PGP_KEY_EXPIRED" {
		t.Errorf("%+v", f)
	}
}

func TestSecret(t *testing.T) {
	pass := []byte("mat khau dai")
	r := ring(t, keyring.Options{Store: database(t, "sqlite"), Passphrase: func() ([]byte, error) { return pass, nil }})
	var b bytes.Buffer
	if err := entity(t, "so@x.test", 0).SerializePrivateWithoutSigning(&b, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SetSecret(t.Context(), keyring.NewSecret{Domain: "x.test", Octets: b.Bytes()}); err == nil {
		t.Error("a secret key was kept in the clear")
	}
	kept, _, err := pgp.ProtectSecret(b.Bytes(), nil, pass)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.SetSecret(t.Context(), keyring.NewSecret{Domain: "x.test", Octets: kept}); err != nil || !signs(t, r, "x.test") || signs(t, r, "y.test") {
		t.Fatalf("%v", err)
	}
	if _, err := r.Signer("x.test"); err != nil {
		t.Error(err)
	}
}

func signs(t *testing.T, r *keyring.Ring, domain string) bool {
	t.Helper()
	have, err := r.CanSign(domain)
	if err != nil {
		t.Error(err)
	}
	return have
}
