package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/store/storetest"
)

const canary = "chim hoàng yến trong hầm mỏ"

// inFiles tells whether the canary stands in any file under dir.
func inFiles(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(canary)) {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What is stored is in no file of the data directory as it is, neither small nor large,
// while the store is open or after it.
func TestNothingLiesOpen(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Options{Dir: dir})
	contents := [][]byte{[]byte(canary), bytes.Repeat([]byte(canary+"\r\n"), 40000)}
	var ids []string
	for _, c := range contents {
		id, err := put(t.Context(), db, newID(), c)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if found := inFiles(t, dir); found != nil {
		t.Errorf("open: %v", found)
	}
	for i, id := range ids {
		if got, err := db.Body(t.Context(), id); err != nil || !bytes.Equal(got, contents[i]) {
			t.Error(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if found := inFiles(t, dir); found != nil {
		t.Errorf("closed: %v", found)
	}
}

// One content in the place of another is damage, and so is a file of the right size.
func TestSealedContentsStayInTheirPlaces(t *testing.T) {
	db := open(t, Options{})
	var ids []string
	for _, c := range []byte("ab") {
		id, err := put(t.Context(), db, newID(), bytes.Repeat([]byte{c}, 300<<10))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := os.Rename(db.bodyPath(ids[0]), db.bodyPath(ids[1])); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Body(t.Context(), ids[1]); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// Without its key, or with another one, a store is not opened: the letters stay.
func TestTheKeyIsLost(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Options{Dir: dir})
	id, err := put(t.Context(), db, "a", []byte(canary))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, keyFile)
	mine, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"gone":            {func() error { return os.Remove(key) }, "data.key: cannot use the data key"},
		"another":         {func() error { return os.WriteFile(key, []byte(strings.Repeat("5a", 32)), 0o600) }, "sealed with another data key"},
		"no key":          {func() error { return os.WriteFile(key, []byte("?\n"), 0o600) }, "data.key:1: this is no data key"},
		"others may read": {func() error { return errors.Join(os.WriteFile(key, mine, 0o600), os.Chmod(key, 0o644)) }, "mode 0644"},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		var p *Problem
		if _, err := Open(t.Context(), Options{Dir: dir}); !errors.As(err, &p) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		_ = os.Chmod(key, 0o600) // for the next
	}
	if err := os.WriteFile(key, mine, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, Options{Dir: dir}).Body(t.Context(), id); err != nil || string(got) != canary {
		t.Errorf("with its key: %v", err)
	}
}

// A new key is put above the old one: what was sealed before is still read, and when the
// old one is taken away too early, that is trouble and not damage.
func TestTheKeyIsChanged(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Options{Dir: dir})
	id, err := put(t.Context(), db, "a", []byte(canary))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, keyFile)
	old, _ := os.ReadFile(key)
	fresh := strings.Repeat("5a", 32) + "\n"
	if err := os.WriteFile(key, append([]byte(fresh), old...), 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, Options{Dir: dir})
	if got, err := db.Body(t.Context(), id); err != nil || string(got) != canary {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(fresh), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, Options{Dir: dir}).Body(t.Context(), id); !errors.Is(err, ErrSealed) || errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// Contents of before there was a key are read as they are.
func TestContentsOfBefore(t *testing.T) {
	db := open(t, Options{})
	for _, c := range [][]byte{[]byte("small"), bytes.Repeat([]byte("large"), 100<<10), {}} {
		id, err := put(t.Context(), db, newID(), c)
		if err != nil {
			t.Fatal(err)
		}
		if len(c) > inlineMax {
			err = os.WriteFile(db.bodyPath(id), c, 0o600)
		} else {
			err = db.Update(t.Context(), func(tx Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE body SET content = $1 WHERE id = $2`, c, id)
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := db.Body(t.Context(), id); err != nil || !bytes.Equal(got, c) {
			t.Errorf("%d octets: %v", len(c), err)
		}
	}
}

// Gateways of one database have one key.
func TestGatewaysHaveOneKey(t *testing.T) {
	url := storetest.Postgres(t)
	a := open(t, Options{URL: url})
	id, err := put(t.Context(), a, "a", []byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	var p *Problem
	if _, err := Open(t.Context(), Options{URL: url, Key: storetest.Key(t), Dir: t.TempDir()}); !errors.As(err, &p) {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(t.Context(), Options{URL: url, Dir: t.TempDir()}); !errors.As(err, &p) {
		t.Errorf("no key: %v", err)
	}
	b := open(t, Options{URL: url, Key: filepath.Join(a.dir, keyFile)})
	if got, err := b.Body(t.Context(), id); err != nil || string(got) != canary {
		t.Error(err)
	}
	if n := count(t, a, `SELECT COUNT(*) FROM body WHERE POSITION('`+canary+`'::bytea IN content) > 0`); n != 0 {
		t.Error("it lies open in the database")
	}
}

func TestTexts(t *testing.T) {
	db := open(t, Options{})
	s := db.SealText("x", canary)
	if strings.Contains(s, canary) {
		t.Error("open")
	}
	if got, err := db.UnsealText("x", s); err != nil || got != canary {
		t.Error(got, err)
	}
	if got, err := db.UnsealText("x", canary); err != nil || got != canary {
		t.Error(got, err)
	}
	for _, bad := range []string{s[:len(s)-1], s + "A", sealedText, sealedText + "!"} {
		if _, err := db.UnsealText("x", bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := db.UnsealText("y", s); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}
